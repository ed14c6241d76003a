"""Overlays over photographs of 4096 x 4096.

Peers that work on pixels get them decoded, outside the clock. An answer is right where it is
Pillow's, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cases
import cv2
import numpy as np
import supervision
from competitors import INSIDE, OUTSIDE, Competitor, Job, Prepared, forced, ours
from PIL import Image
from skimage.color import label2rgb

import runmask
from runmask import Mask, _core

BGR_INSIDE = INSIDE[2::-1]  # supervision's colours are written to images as BGR

# -- overlay


def blended(mask: str) -> np.ndarray:
    """By Pillow's rule, through a palette; the tests hold it against the per-pixel example."""
    return pillow_palette(mask)()


def pillow_palette(mask: str) -> Callable[[], np.ndarray]:
    pixels, image = cases.pixels(mask), cases.image()
    colours = np.array([OUTSIDE, INSIDE], np.uint8)
    below = Image.fromarray(image).convert("RGBA")

    def call() -> np.ndarray:
        top = Image.fromarray(colours[pixels])
        return np.asarray(Image.alpha_composite(below, top).convert("RGB"))

    return call


def guide_overlay(mask: str) -> Callable[[], Any]:
    pixels, image = cases.pixels(mask), cases.image()

    def call() -> np.ndarray:
        painted = Image.new("RGBA", (cases.SIZE, cases.SIZE), (0, 0, 0, 0))
        access = painted.load()
        for y in range(cases.SIZE):
            for x in range(cases.SIZE):
                access[x, y] = INSIDE if pixels[y, x] == 1 else OUTSIDE
        result = Image.alpha_composite(Image.fromarray(image).convert("RGBA"), painted)
        return np.asarray(result.convert("RGB"))

    return call


def numpy_overlay(mask: str) -> Callable[[], Any]:
    pixels, image = cases.pixels(mask), cases.image()
    terms = np.array([OUTSIDE, INSIDE], np.uint16)[:, :3] * np.uint16(120) + np.uint16(127)

    def call() -> np.ndarray:
        value = image * np.uint16(135)
        value += terms[pixels]
        return (value // np.uint16(255)).astype(np.uint8)

    return call


def cv2_overlay(mask: str) -> Callable[[], Any]:
    """Two look-up tables, one picture copied over the other where the mask is set."""
    pixels, image = cases.pixels(mask), cases.image()
    ramp = np.arange(256, dtype=np.uint32)[:, None]
    tables = [
        ((ramp * 135 + np.array(colour[:3]) * 120 + 127) // 255).astype(np.uint8).reshape(1, 256, 3)
        for colour in (OUTSIDE, INSIDE)
    ]

    def call() -> np.ndarray:
        result = cv2.LUT(image, tables[0])
        return cv2.copyTo(cv2.LUT(image, tables[1]), pixels, result)

    return call


def cv2_add_weighted(mask: str) -> Callable[[], Any]:
    pixels, image = cases.pixels(mask), cases.image()
    green = np.full_like(image, OUTSIDE[:3])
    red = np.full_like(image, INSIDE[:3])

    def call() -> np.ndarray:
        colours = cv2.copyTo(red, pixels, green.copy())
        return cv2.addWeighted(image, 135 / 255, colours, 120 / 255, 0)

    return call


def in_place(threads: int, **sides: Any) -> Callable[[str], Any]:
    def prepare(mask: str) -> Prepared:
        made = Mask.from_array(cases.pixels(mask))
        work = cases.image().copy()

        def fresh() -> np.ndarray:
            return runmask.overlay(cases.image(), made, threads=threads, **sides)

        return Prepared(
            lambda: runmask.overlay(work, made, out=work, threads=threads, **sides), fresh
        )

    return prepare


def overlay_ours(mask: str) -> Callable[[], Any]:
    made = Mask.from_array(cases.pixels(mask))
    return lambda: runmask.overlay(cases.image(), made)


def modify(mask: str) -> Callable[[], Any]:
    work = cases.image().ravel().copy().view(np.uint64)
    return lambda: np.bitwise_xor(work, np.uint64(7), out=work)


def copy(mask: str) -> Callable[[], Any]:
    return lambda: cases.image().copy()


def supervision_overlay(mask: str) -> Callable[[], Any]:
    """Its two detections: what is set, and what is not."""
    pixels, image = cases.pixels(mask).astype(bool), cases.image()
    whole = np.array([[0, 0, cases.SIZE - 1, cases.SIZE - 1]] * 2, np.float32)
    both = supervision.Detections(whole, np.stack([pixels, ~pixels]), class_id=np.array([0, 1]))
    colours = supervision.ColorPalette([supervision.Color(*c[:3]) for c in (BGR_INSIDE, OUTSIDE)])
    annotator = supervision.MaskAnnotator(colours, opacity=120 / 255)
    return lambda: annotator.annotate(image.copy(), both)


OVERLAY_PEERS = (
    Competitor("cv2.LUT x 2 + copyTo", cv2_overlay),
    Competitor("cv2.addWeighted", cv2_add_weighted),
    Competitor("numpy uint16", numpy_overlay, rounds=3),
    Competitor("Pillow, palette", pillow_palette, rounds=3),
    Competitor("supervision MaskAnnotator", supervision_overlay, rounds=3),
    Competitor("guide's loop", guide_overlay, rounds=1),
)

OVERLAY_IN_PLACE = Job(
    "Overlay in place: two colours over RGB",
    "limit: read, modify, write",
    blended,
    (
        *(
            Competitor(f"runmask {name}", forced(name, in_place(1)))
            for name in _core.available_kernels()
        ),
        Competitor("runmask, 2 threads", forced(_core.available_kernels()[0], in_place(2))),
        *OVERLAY_PEERS,
        Competitor("limit: read, modify, write", modify),
    ),
)

OVERLAY_FRESH = Job(
    "Overlay to a fresh image",
    "limit: image.copy()",
    blended,
    (*ours(overlay_ours), *OVERLAY_PEERS[:2], Competitor("limit: image.copy()", copy)),
)

# -- one side, and several masks


def red_only(mask: str) -> np.ndarray:
    return np.where(cases.pixels(mask)[..., None] != 0, blended(mask), cases.image())


def pillow_paste(mask: str) -> Prepared:
    """A plain colour through a mask of its alpha, in place."""
    alpha = Image.fromarray(cases.pixels(mask) * np.uint8(120))
    work = Image.fromarray(cases.image().copy())

    def fresh() -> np.ndarray:
        image = Image.fromarray(cases.image())
        image.paste(INSIDE[:3], mask=alpha)
        return np.asarray(image)

    return Prepared(lambda: work.paste(INSIDE[:3], mask=alpha), fresh)


def cv2_one_side(mask: str) -> Prepared:
    pixels, work = cases.pixels(mask), cases.image().copy()
    ramp = np.arange(256, dtype=np.uint32)[:, None]
    table = ((ramp * 135 + np.array(INSIDE[:3]) * 120 + 127) // 255).astype(np.uint8)
    table = table.reshape(1, 256, 3)

    def paint(image: np.ndarray) -> np.ndarray:
        return cv2.copyTo(cv2.LUT(image, table), pixels, image)

    return Prepared(lambda: paint(work), lambda: paint(cases.image().copy()))


def supervision_one_side(mask: str) -> Prepared:
    pixels, work = cases.pixels(mask).astype(bool), cases.image().copy()
    box = np.array([[0, 0, cases.SIZE - 1, cases.SIZE - 1]], np.float32)
    one = supervision.Detections(box, pixels[None], class_id=np.array([0]))
    red = supervision.Color(*BGR_INSIDE)
    annotator = supervision.MaskAnnotator(red, opacity=120 / 255)
    return Prepared(
        lambda: annotator.annotate(work, one), lambda: annotator.annotate(cases.image().copy(), one)
    )


def skimage_one_side(mask: str) -> Callable[[], Any]:
    pixels, image = cases.pixels(mask), cases.image()
    red = [np.array(INSIDE[:3]) / 255]

    def call() -> np.ndarray:
        shown = label2rgb(pixels, image, red, alpha=120 / 255, bg_label=0, saturation=1)
        return np.rint(shown * 255).astype(np.uint8)

    return call


ONE_SIDE = Job(
    "Overlay in place: one colour, the rest as it is",
    "limit: read, modify, write",
    red_only,
    (
        *(
            Competitor(f"runmask {name}", forced(name, in_place(1, outside=None)))
            for name in _core.available_kernels()
        ),
        Competitor("Pillow paste", pillow_paste),
        Competitor("cv2.LUT + copyTo", cv2_one_side),
        Competitor("supervision MaskAnnotator", supervision_one_side, rounds=3),
        Competitor("skimage label2rgb", skimage_one_side, rounds=1),
        Competitor("limit: read, modify, write", modify),
    ),
    ("blobs", "noise"),
)

COLOURS = ((255, 0, 0, 120), (0, 90, 255, 70), (255, 255, 0, 50), (0, 255, 0, 90))


def masks_of(mask: str) -> list[np.ndarray]:
    """The mask, turned four ways: they overlap."""
    return [np.ascontiguousarray(np.rot90(cases.pixels(mask), k)) for k in range(4)]


def several_by_pillow(mask: str) -> np.ndarray:
    image = Image.fromarray(cases.image())
    for pixels, colour in zip(masks_of(mask), COLOURS, strict=True):
        image.paste(colour[:3], mask=Image.fromarray(pixels * np.uint8(colour[3])))
    return np.asarray(image)


def several_ours(mask: str) -> Prepared:
    pairs = [(Mask.from_array(p), c) for p, c in zip(masks_of(mask), COLOURS, strict=True)]
    work = cases.image().copy()
    return Prepared(
        lambda: runmask.overlay(work, pairs, out=work),
        lambda: runmask.overlay(cases.image(), pairs),
    )


def several_supervision(mask: str) -> Callable[[], Any]:
    """With one opacity for all: another picture."""
    masks = np.stack(masks_of(mask)).astype(bool)
    whole = np.array([[0, 0, cases.SIZE - 1, cases.SIZE - 1]] * 4, np.float32)
    all_of_them = supervision.Detections(whole, masks, class_id=np.arange(4))
    work = cases.image().copy()
    annotator = supervision.MaskAnnotator(opacity=0.5)
    return lambda: annotator.annotate(work, all_of_them)


def several_pillow(mask: str) -> Prepared:
    alphas = [
        Image.fromarray(pixels * np.uint8(colour[3]))
        for pixels, colour in zip(masks_of(mask), COLOURS, strict=True)
    ]
    work = Image.fromarray(cases.image().copy())

    def call() -> None:
        for alpha, colour in zip(alphas, COLOURS, strict=True):
            work.paste(colour[:3], mask=alpha)

    return Prepared(call, lambda: several_by_pillow(mask))


SEVERAL = Job(
    "Overlay in place: four masks over one another",
    "limit: read, modify, write",
    several_by_pillow,
    (
        Competitor("runmask", several_ours),
        Competitor("Pillow paste", several_pillow),
        Competitor("supervision MaskAnnotator", several_supervision, rounds=3),
        Competitor("limit: read, modify, write", modify),
    ),
    ("blobs", "patches", "text"),
)

PICTURE_JOBS = {
    "overlay_in_place": OVERLAY_IN_PLACE,
    "overlay_fresh": OVERLAY_FRESH,
    "overlay_one_side": ONE_SIDE,
    "overlay_several": SEVERAL,
}
