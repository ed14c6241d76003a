"""Connected parts, holes and morphology: on runs, and on decoded pixels with OpenCV.

OpenCV's dense route starts and ends with runs, as ours does: our own decode and encode, which are
the fastest. rlemasklib keeps columns; it gets the transposed mask, and its elements are symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cases
import cv2
import numpy as np
import rlemasklib
from competitors import Competitor, Job, Prepared

from runmask import Mask

MASKS = ("blobs", "patches", "text", "noise")
LIMIT = "limit: copy of the runs"
LEAST = 20  # pixels of a part that is kept


@cache
def ours(mask: str) -> Mask:
    return Mask.from_array(cases.pixels(mask))


@cache
def theirs(mask: str) -> Any:
    return rlemasklib.RLEMask.from_array(cases.pixels(mask).copy().T)


def on_runs(operation: Callable[[Mask], Any]) -> Competitor:
    return Competitor("runmask", lambda mask: lambda: operation(ours(mask)))


def by_rlemasklib(operation: Callable[[Any], Any], name: str = "rlemasklib") -> Competitor:
    def prepare(mask: str) -> Prepared:
        rle = theirs(mask)
        return Prepared(
            lambda: operation(rle),
            lambda: Mask.from_array(np.ascontiguousarray(operation(rle).to_array().T)),
        )

    return Competitor(name, prepare)


def dense(operation: Callable[[np.ndarray], np.ndarray], name: str) -> Competitor:
    def prepare(mask: str) -> Callable[[], Any]:
        return lambda: Mask.from_array(operation(ours(mask).to_array()))

    return Competitor(f"decode, {name}, encode", prepare)


def copy_runs(mask: str) -> Callable[[], Any]:
    starts, lengths = ours(mask).starts, ours(mask).lengths
    return lambda: (starts.copy(), lengths.copy())


def job(
    title: str, pixels: Callable[[np.ndarray], np.ndarray], name: str, *others: Competitor
) -> Job:
    """A job from masks to masks; OpenCV's answer is the right one."""

    def expected(mask: str) -> tuple[np.ndarray, np.ndarray]:
        made = Mask.from_array(pixels(cases.pixels(mask)))
        return made.starts, made.lengths

    limit = Competitor(LIMIT, copy_runs)
    return Job(title, LIMIT, expected, (*others, dense(pixels, name), limit), MASKS)


# -- components


def sorted_rows(areas: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Area, x, y, width and height of each part, in an order of their own."""
    rows = np.column_stack((areas, boxes)).astype(np.int64)
    return rows[np.lexsort(rows.T)]


def expected_parts(mask: str) -> np.ndarray:
    stats = cv2.connectedComponentsWithStats(cases.pixels(mask))[2][1:]
    return sorted_rows(stats[:, 4], stats[:, :4])


def parts_ours(mask: str) -> Prepared:
    def result() -> np.ndarray:
        parts = ours(mask).components()
        x0, y0, x1, y1 = parts.boxes.T
        return sorted_rows(parts.areas, np.column_stack((x0, y0, x1 - x0, y1 - y0)))

    return Prepared(lambda: ours(mask).components(), result)


def parts_rlemasklib(mask: str) -> Prepared:
    """Without labels, which it does not give."""

    def result() -> np.ndarray:
        areas, boxes, _ = theirs(mask).connected_component_stats(8)
        return sorted_rows(areas, boxes[:, [1, 0, 3, 2]])

    return Prepared(lambda: theirs(mask).connected_component_stats(8), result)


def parts_cv2(mask: str) -> Prepared:
    pixels = cases.pixels(mask)
    return Prepared(lambda: cv2.connectedComponentsWithStats(pixels), lambda: expected_parts(mask))


COMPONENTS = Job(
    "Components, 8-connected: a label per run, areas, boxes and centroids",
    LIMIT,
    expected_parts,
    (
        Competitor("runmask", parts_ours),
        Competitor("rlemasklib, no labels", parts_rlemasklib),
        Competitor("cv2 on ready pixels", parts_cv2),
        Competitor(LIMIT, copy_runs),
    ),
    MASKS,
)


def large_parts(pixels: np.ndarray) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels)
    keep = (stats[:, cv2.CC_STAT_AREA] >= LEAST).astype(np.uint8)
    keep[0] = 0
    return keep[labels]


REMOVE_SMALL = job(
    f"Remove parts of fewer than {LEAST} pixels",
    large_parts,
    "cv2",
    on_runs(lambda mask: mask.remove_small(LEAST)),
    by_rlemasklib(lambda rle: rle.remove_small_components(LEAST, 8)),
)


def filled(pixels: np.ndarray) -> np.ndarray:
    """Floods a frame around the image; what stays dry is filled."""
    framed = np.zeros(np.add(pixels.shape, 2), np.uint8)
    framed[1:-1, 1:-1] = pixels
    cv2.floodFill(framed, None, (0, 0), 2, flags=4)
    return (framed[1:-1, 1:-1] != 2).view(np.uint8)


FILL_HOLES = job("Fill all holes", filled, "cv2.floodFill", on_runs(Mask.fill_holes))

# -- morphology


def disc(radius: int) -> np.ndarray:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


def square(radius: int) -> np.ndarray:
    return np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)


MORPHOLOGY_JOBS = {
    "components": COMPONENTS,
    "remove_small": REMOVE_SMALL,
    "fill_holes": FILL_HOLES,
    "dilate_3x3": job(
        "Dilate by 3 x 3",
        lambda pixels: cv2.dilate(pixels, square(1)),
        "cv2",
        on_runs(Mask.dilate),
        by_rlemasklib(lambda rle: rle.dilate3x3(8)),
    ),
    "erode_3x3": job(
        "Erode by 3 x 3",
        lambda pixels: cv2.erode(pixels, square(1)),
        "cv2",
        on_runs(Mask.erode),
        by_rlemasklib(lambda rle: rle.erode3x3(8)),
    ),
    "open_15x15": job(
        "Open by 15 x 15",
        lambda pixels: cv2.morphologyEx(pixels, cv2.MORPH_OPEN, square(7)),
        "cv2",
        on_runs(lambda mask: mask.open(7)),
        by_rlemasklib(lambda rle: rle.opening("square", 15)),
    ),
    "close_cross": job(
        "Close by a cross of 7 x 7",
        lambda pixels: cv2.morphologyEx(
            pixels, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_CROSS, (7, 7))
        ),
        "cv2",
        on_runs(lambda mask: mask.close(3, "cross")),
        by_rlemasklib(lambda rle: rle.closing("cross", 7)),
    ),
    "dilate_disc": job(
        "Dilate by a disc of radius 10",
        lambda pixels: cv2.dilate(pixels, disc(10)),
        "cv2",
        on_runs(lambda mask: mask.dilate(10, "disc")),
        # its circle takes in what is half a pixel further
        by_rlemasklib(lambda rle: rle.dilate("circle", 21), "rlemasklib, radius 10.5"),
    ),
}
