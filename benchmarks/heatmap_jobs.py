"""Heatmaps over photographs of 4096 x 4096.

An answer is right where all but a hundredth of its bytes are those that real numbers and Pillow
give, and the others are those of a neighbouring place in the colour map.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cases
import cv2
import matplotlib
import numpy as np
import supervision
from competitors import Competitor, Job, Prepared, forced, ours
from picture_jobs import copy
from PIL import Image
from skimage.transform import resize

import runmask
from runmask import _core

CONFIDENCES = ("smooth", "random", "fine")
TABLE = np.column_stack(
    (runmask.colormap("turbo"), np.floor(180 * np.arange(256) / 255 + 0.5).astype(np.uint8))
)
PREMULTIPLIED = np.floor(TABLE[:, :3] * (TABLE[:, 3:] / 255) + 0.5).astype(np.uint8)


@cache
def confidence(name: str) -> np.ndarray:
    """256 x 256 of float32, of hills or of noise; or hills at the size of the image."""
    noise = np.random.default_rng(3).random((256, 256), np.float32)
    if name == "random":
        return noise
    hills = cv2.GaussianBlur(noise, (0, 0), 9)
    hills = (hills - hills.min()) / (hills.max() - hills.min())
    return hills if name == "smooth" else enlarged(hills)


def enlarged(values: np.ndarray) -> np.ndarray:
    return cv2.resize(values, (cases.SIZE, cases.SIZE), interpolation=cv2.INTER_LINEAR)


@cache
def heat_by_pillow(name: str) -> np.ndarray:
    places = np.floor(255 * enlarged(confidence(name).astype(np.float64)) + 0.5).astype(np.uint8)
    below = Image.fromarray(cases.image()).convert("RGBA")
    return np.asarray(Image.alpha_composite(below, Image.fromarray(TABLE[places])).convert("RGB"))


def same_heat(result: Any, want: np.ndarray) -> bool:
    apart = cv2.absdiff(np.asarray(result), want)
    return bool(np.count_nonzero(apart) < apart.size / 100 and apart.max() <= 6)


def heat_ours(threads: int) -> Callable[[str], Prepared]:
    def prepare(name: str) -> Prepared:
        values, work = confidence(name), cases.image().copy()
        return Prepared(
            lambda: runmask.heatmap(work, values, out=work, threads=threads),
            lambda: runmask.heatmap(cases.image(), values, threads=threads),
        )

    return prepare


def heat_fresh(name: str) -> Callable[[], Any]:
    values = confidence(name)
    return lambda: runmask.heatmap(cases.image(), values)


def cv2_heat(name: str) -> Callable[[], Any]:
    """Colours already multiplied by their alpha in a table; two 8-bit roundings instead of one."""
    values, image = confidence(name), cases.image()
    colours = PREMULTIPLIED.reshape(1, 256, 3)
    rest = np.repeat(255 - TABLE[:, 3:], 3, axis=1).reshape(1, 256, 3)

    def call() -> np.ndarray:
        places = cv2.merge([cv2.convertScaleAbs(enlarged(values), alpha=255)] * 3)
        under = cv2.multiply(image, cv2.LUT(places, rest), scale=1 / 255)
        return cv2.add(under, cv2.LUT(places, colours), dst=under)

    return call


def cv2_constant_heat(name: str) -> Callable[[], Any]:
    """The usual three calls: one alpha for all pixels, which is another picture."""
    values, image = confidence(name), cases.image()

    def call() -> np.ndarray:
        places = cv2.convertScaleAbs(enlarged(values), alpha=255)
        colours = cv2.applyColorMap(places, cv2.COLORMAP_TURBO)
        return cv2.addWeighted(image, 0.5, colours, 0.5, 0)

    return call


def numpy_heat(name: str) -> Callable[[], Any]:
    values, image = confidence(name), cases.image()

    def call() -> np.ndarray:
        places = (255 * enlarged(values) + 0.5).astype(np.uint8)
        over = TABLE[places].astype(np.uint16)
        alpha = over[..., 3:]
        sum_ = over[..., :3] * alpha + image * (255 - alpha) + 127
        return (sum_ // 255).astype(np.uint8)

    return call


def pillow_heat(name: str) -> Callable[[], Any]:
    values, image = confidence(name), cases.image()

    def call() -> np.ndarray:
        large = Image.fromarray(values).resize((cases.SIZE, cases.SIZE), Image.Resampling.BILINEAR)
        places = (255 * np.asarray(large) + 0.5).astype(np.uint8)
        below = Image.fromarray(image).convert("RGBA")
        return np.asarray(Image.alpha_composite(below, Image.fromarray(TABLE[places])))[..., :3]

    return call


def skimage_heat(name: str) -> Callable[[], Any]:
    values, image = confidence(name), cases.image()

    def call() -> np.ndarray:
        large = resize(values, (cases.SIZE, cases.SIZE), order=1, mode="edge")
        over = TABLE[(255 * large + 0.5).astype(np.uint8)]
        alpha = over[..., 3:] / np.float32(255)
        return (over[..., :3] * alpha + image * (1 - alpha) + 0.5).astype(np.uint8)

    return call


def matplotlib_heat(name: str) -> Callable[[], Any]:
    values, image = confidence(name), cases.image()
    turbo = matplotlib.colormaps["turbo"]

    def call() -> np.ndarray:
        large = enlarged(values)
        alpha = large[..., None] * np.float32(180 / 255)
        shown = turbo(large)[..., :3] * 255 * alpha + image * (1 - alpha)
        return (shown + 0.5).astype(np.uint8)

    return call


def supervision_heat(name: str) -> Callable[[], Any]:
    """Discs around detections: another picture."""
    work = cases.image().copy()
    one = supervision.Detections(np.array([[900, 900, 3000, 3000]], np.float32))

    def call() -> np.ndarray:
        return supervision.HeatMapAnnotator(radius=800).annotate(work, one)

    return call


HEAT_PEERS = (
    Competitor("cv2, alpha by confidence", cv2_heat),
    Competitor("cv2.addWeighted, constant alpha", cv2_constant_heat),
    Competitor("numpy uint16", numpy_heat, rounds=3),
    Competitor("Pillow resize + alpha_composite", pillow_heat, rounds=3),
    Competitor("skimage resize + numpy", skimage_heat, rounds=1),
    Competitor("matplotlib + numpy", matplotlib_heat, rounds=1),
    Competitor("supervision HeatMapAnnotator", supervision_heat, rounds=3),
)


def copy_over(name: str) -> Callable[[], Any]:
    work = cases.image().copy()
    return lambda: np.copyto(work, cases.image())


HEATMAP = Job(
    "Heatmap over RGB in place: turbo, alpha by confidence",
    "limit: memcpy",
    heat_by_pillow,
    (
        *(
            Competitor(f"runmask {name}", forced(name, heat_ours(1)))
            for name in _core.available_kernels()
        ),
        Competitor("runmask, 2 threads", forced(_core.available_kernels()[0], heat_ours(2))),
        *HEAT_PEERS,
        Competitor("limit: memcpy", copy_over),
    ),
    CONFIDENCES,
    same_heat,
)

HEATMAP_FRESH = Job(
    "Heatmap to a fresh image",
    "limit: image.copy()",
    heat_by_pillow,
    (
        *ours(heat_fresh),
        *HEAT_PEERS[:2],
        Competitor("limit: image.copy()", copy),
    ),
    CONFIDENCES,
    same_heat,
)

HEATMAP_JOBS = {"heatmap": HEATMAP, "heatmap_fresh": HEATMAP_FRESH}
