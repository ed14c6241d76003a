"""Captions, legends and compositions of photographs of 4096 x 4096.

An answer is right where the photograph is in it as it was, with something drawn outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cases
import cv2
import numpy as np
from competitors import Competitor, Job
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from picture_jobs import copy
from PIL import Image, ImageDraw, ImageFont, ImageOps

from runmask import captions

TEXT = "ai  ·  score 0.93  ·  12 % of the pixels marked"
LETTERS = 96
BAR = 2 * LETTERS
DARK = (30, 32, 36)


def photo(name: str) -> np.ndarray:
    return cases.image()


def shows_the_photo(result: Any, want: np.ndarray) -> bool:
    height, width = want.shape[:2]
    below = result[height:]
    return np.array_equal(result[:height, :width], want) and bool((below != below[-1, -1]).any())


def caption_ours(name: str) -> Callable[[], Any]:
    return lambda: captions.caption(cases.image(), TEXT, size=LETTERS)


def caption_pillow(name: str) -> Callable[[], Any]:
    def call() -> np.ndarray:
        picture = ImageOps.expand(Image.fromarray(cases.image()), (0, 0, 0, BAR), DARK)
        font = ImageFont.load_default(LETTERS)
        ImageDraw.Draw(picture).text((48, cases.SIZE + 48), TEXT, (255, 255, 255), font)
        return np.asarray(picture)

    return call


def caption_cv2(name: str) -> Callable[[], Any]:
    """In its own font, which has no dot."""

    def call() -> np.ndarray:
        picture = cv2.copyMakeBorder(cases.image(), 0, BAR, 0, 0, cv2.BORDER_CONSTANT, value=DARK)
        white = (255, 255, 255)
        at = (48, cases.SIZE + 136)
        return cv2.putText(picture, TEXT, at, cv2.FONT_HERSHEY_SIMPLEX, 3, white, 3, cv2.LINE_AA)

    return call


def legend_ours(name: str) -> Callable[[], Any]:
    return lambda: captions.legend(cases.image(), "turbo", size=LETTERS)


def legend_cv2(name: str) -> Callable[[], Any]:
    ramp = np.repeat(np.linspace(0, 255, cases.SIZE).astype(np.uint8)[None], LETTERS, axis=0)

    def call() -> np.ndarray:
        bar = cv2.cvtColor(cv2.applyColorMap(ramp, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
        ends = np.full((BAR, cases.SIZE, 3), 255, np.uint8)
        for at, text in ((48, "0"), (2000, "0.5"), (3960, "1")):
            cv2.putText(ends, text, (at, 136), cv2.FONT_HERSHEY_SIMPLEX, 3, (0, 0, 0), 3)
        return cv2.vconcat([cases.image(), bar, ends])

    return call


def legend_matplotlib(name: str) -> Callable[[], Any]:
    """The bar alone is its own; the photograph would be resampled."""
    from matplotlib.colorbar import ColorbarBase

    def call() -> np.ndarray:
        figure = Figure(figsize=(cases.SIZE / 100, 3), dpi=100)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0.02, 0.4, 0.96, 0.5))
        ColorbarBase(axes, cmap=colormaps["turbo"], orientation="horizontal")
        canvas.draw()
        bar = np.asarray(canvas.buffer_rgba())[..., :3]
        return np.concatenate((cases.image(), bar))

    return call


def beside(name: str) -> np.ndarray:
    return np.concatenate((cases.image(), cases.image()[::-1]), axis=1)


def beside_ours(name: str) -> Callable[[], Any]:
    pair = [cases.image(), cases.image()[::-1]]
    return lambda: captions.side_by_side(pair, gap=0)


def beside_numpy(name: str) -> Callable[[], Any]:
    pair = [cases.image(), cases.image()[::-1]]
    return lambda: np.hstack(pair)


def beside_cv2(name: str) -> Callable[[], Any]:
    pair = [cases.image(), cases.image()[::-1]]
    return lambda: cv2.hconcat(pair)


def halves(name: str) -> np.ndarray:
    image = cases.image()
    return np.concatenate((image[:, :2048], image[::-1, 2048:]), axis=1)


def halves_ours(name: str) -> Callable[[], Any]:
    image = cases.image()
    return lambda: captions.before_after(image, image[::-1], line=0)


def halves_pillow(name: str) -> Callable[[], Any]:
    before, after = Image.fromarray(cases.image()), Image.fromarray(cases.image()[::-1])

    def call() -> np.ndarray:
        picture = before.copy()
        picture.paste(after.crop((2048, 0, 4096, 4096)), (2048, 0))
        return np.asarray(picture)

    return call


def job(title: str, expected: Callable[[str], Any], *each: Competitor, **options: Any) -> Job:
    limit = "limit: image.copy()"
    return Job(title, limit, expected, (*each, Competitor(limit, copy)), ("photo",), **options)


CAPTION_JOBS = {
    "caption": job(
        "A caption below",
        photo,
        Competitor("runmask", caption_ours),
        Competitor("Pillow", caption_pillow),
        Competitor("cv2.copyMakeBorder + putText", caption_cv2),
        same=shows_the_photo,
    ),
    "legend": job(
        "A legend below",
        photo,
        Competitor("runmask", legend_ours),
        Competitor("cv2.applyColorMap + putText + vconcat", legend_cv2),
        Competitor("matplotlib colorbar", legend_matplotlib, rounds=3),
        same=shows_the_photo,
    ),
    "side_by_side": job(
        "Two pictures side by side",
        beside,
        Competitor("runmask", beside_ours),
        Competitor("numpy.hstack", beside_numpy),
        Competitor("cv2.hconcat", beside_cv2),
    ),
    "before_after": job(
        "Before and after in one picture",
        halves,
        Competitor("runmask", halves_ours),
        Competitor("Pillow crop + paste", halves_pillow),
    ),
}
