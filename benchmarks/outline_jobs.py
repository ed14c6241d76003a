"""Outlines on photographs of 4096 x 4096: the rings of OpenCV, drawn as lines 3 pixels wide.

What is right is defined by the distance to the rings (runmask.outline tells how). Peers draw by
rules of their own: lines that are nearly the same count as right, which is where a tenth at most of
all that either draws differs. OpenCV's, and supervision's by it, are a third to two thirds wider
than was asked for, smooth ones most.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cases
import cv2
import numpy as np
import slow_outlines
import supervision
from competitors import Competitor, Job, Prepared, forced
from picture_jobs import modify
from PIL import Image, ImageDraw
from skimage.segmentation import mark_boundaries

import runmask
from runmask import Contours, Mask, _core

WIDTH = 3
COLOUR = (255, 255, 0)


@cache
def contours(mask: str) -> Contours:
    return Mask.from_array(cases.pixels(mask)).contours("center")


@cache
def expected(mask: str, fine: int) -> np.ndarray:
    alpha = 255 * slow_outlines.coverage(contours(mask), WIDTH, fine) / fine**2
    below = cases.image()
    share = np.round(alpha)[..., None].astype(np.float32) / 255
    return (below + (np.array(COLOUR, np.float32) - below) * share + 0.5).astype(np.uint8)


def drawn(image: np.ndarray) -> np.ndarray:
    """How much each pixel has been changed, of all that it could be."""
    below = cases.image()
    most = np.abs(np.array(COLOUR, np.int16) - below).sum(axis=2, dtype=np.int64)
    return np.abs(image.astype(np.int16) - below).sum(axis=2, dtype=np.int64) / np.maximum(most, 1)


def same_line(result: Any, want: np.ndarray) -> bool:
    ours, theirs = drawn(np.asarray(result)), drawn(want)
    return bool(np.abs(ours - theirs).sum() <= 0.1 * np.maximum(ours, theirs).sum())


def in_place(draw: Callable[[np.ndarray], Any]) -> Prepared:
    """A call on one array again and again, and its result on a fresh one."""
    work = cases.image().copy()

    def fresh() -> np.ndarray:
        image = cases.image().copy()
        done = draw(image)
        return image if done is None else done

    return Prepared(lambda: draw(work), fresh)


def ours(smooth: bool, threads: int = 1) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        rings = contours(mask)
        return in_place(
            lambda image: runmask.outline(
                image, rings, COLOUR, WIDTH, image, threads, antialias=smooth
            )
        )

    return prepare


def cv2_polylines(kind: int) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        rings, _ = contours(mask).to_cv2()
        return in_place(lambda image: cv2.polylines(image, rings, True, COLOUR, WIDTH, kind))

    return prepare


def cv2_draw_contours(kind: int) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        rings, _ = contours(mask).to_cv2()
        return in_place(lambda image: cv2.drawContours(image, rings, -1, COLOUR, WIDTH, kind))

    return prepare


def pillow_lines(mask: str) -> Prepared:
    rings = [[*map(tuple, ring.tolist())] for ring in contours(mask)]
    work = Image.fromarray(cases.image().copy())

    def draw(image: Image.Image) -> Image.Image:
        pen = ImageDraw.Draw(image)
        for ring in rings:
            pen.line([*ring, ring[0]], COLOUR, WIDTH, joint="curve")
        return image

    return Prepared(
        lambda: draw(work), lambda: np.asarray(draw(Image.fromarray(cases.image().copy())))
    )


def supervision_polygons(mask: str) -> Prepared:
    """From pixels: it traces them, and draws with cv2.drawContours."""
    pixels = cases.pixels(mask).astype(bool)
    box = np.array([[0, 0, cases.SIZE - 1, cases.SIZE - 1]], np.float32)
    one = supervision.Detections(box, pixels[None], class_id=np.array([0]))
    yellow = supervision.Color(*COLOUR[::-1])  # written to images as BGR
    annotator = supervision.PolygonAnnotator(yellow, thickness=WIDTH)
    return in_place(lambda image: annotator.annotate(image, one))


def skimage_boundaries(mask: str) -> Prepared:
    """From pixels: those beside an edge, two wide."""
    pixels = cases.pixels(mask)
    yellow = np.array(COLOUR) / 255
    return in_place(
        lambda image: (mark_boundaries(image, pixels, yellow, mode="thick") * 255).astype(np.uint8)
    )


def job(title: str, *, smooth: bool) -> Job:
    kind = cv2.LINE_AA if smooth else cv2.LINE_8
    best = _core.available_kernels()[0]
    of_pixels = (
        Competitor("Pillow ImageDraw", pillow_lines, rounds=3),
        Competitor("supervision PolygonAnnotator", supervision_polygons, rounds=3),
        Competitor("skimage mark_boundaries", skimage_boundaries, rounds=1),
    )
    return Job(
        title,
        "limit: read, modify, write",
        lambda mask: expected(mask, 8 if smooth else 1),
        (
            *(
                Competitor(f"runmask {name}", forced(name, ours(smooth)))
                for name in _core.available_kernels()
            ),
            Competitor("runmask, 2 threads", forced(best, ours(smooth, 2))),
            Competitor("cv2.polylines", cv2_polylines(kind)),
            Competitor("cv2.drawContours", cv2_draw_contours(kind)),
            *(() if smooth else of_pixels),
            Competitor("limit: read, modify, write", modify),
        ),
        ("blobs", "patches"),
        same_line,
    )


OUTLINE_JOBS = {
    "outline": job("Outlines in place, 3 pixels wide", smooth=False),
    "outline_smooth": job("Outlines in place, 3 pixels wide, smooth", smooth=True),
}
