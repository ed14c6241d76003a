"""Contours at 4096 x 4096: those of cv2 point for point, and those on the edges of pixels.

Peers get decoded pixels, which cost them nothing; "from runs" adds our own decoding. What follows
another convention (other points, no nesting) is judged by the number of its rings, if at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cases
import cv2
import numpy as np
import rasterio.features
import skimage.measure
import supervision
from competitors import Competitor, Job, Prepared

from runmask import Mask

MASKS = ("blobs", "patches", "text", "noise")
METHOD = cv2.CHAIN_APPROX_SIMPLE


def mode(mask: str) -> int:
    """With nesting, but where that takes OpenCV minutes."""
    return cv2.RETR_LIST if mask == "noise" else cv2.RETR_CCOMP


@lru_cache(maxsize=2)
def made(mask: str) -> Mask:
    return Mask.from_array(cases.pixels(mask))


@lru_cache(maxsize=2)
def pixels(mask: str) -> np.ndarray:
    return cases.pixels(mask).copy()


def of_mask(call: Callable[[Mask], Any]) -> Callable[[str], Callable[[], Any]]:
    def prepare(mask: str) -> Callable[[], Any]:
        own = made(mask)
        return lambda: call(own)

    return prepare


def of_pixels(call: Callable[[np.ndarray], Any], judged: bool = True) -> Any:
    def prepare(mask: str) -> Prepared:
        own = pixels(mask)
        return Prepared(lambda: call(own), (lambda: call(own)) if judged else (lambda: None))

    return prepare


def copy_of_runs(mask: str) -> Callable[[], Any]:
    own = made(mask)
    return lambda: (own.starts.copy(), own.lengths.copy())


def by_cv2(own: np.ndarray, how: int) -> Any:
    rings, hierarchy = cv2.findContours(own, how, METHOD)
    return rings, hierarchy, how


def same_as_cv2(result: Any, want: Any) -> bool:
    """The rings, their order and the hierarchy."""
    wanted, wanted_hierarchy, how = want
    if not isinstance(result, tuple):
        result = result.to_cv2(how, METHOD)
    rings, hierarchy = result[:2]
    return (
        len(rings) == len(wanted)
        and np.array_equal(hierarchy, wanted_hierarchy)
        and np.array_equal(np.concatenate(rings), np.concatenate(wanted))
        and list(map(len, rings)) == list(map(len, wanted))
    )


def link_runs(own: np.ndarray) -> Any:
    rings, hierarchy = cv2.findContoursLinkRuns(own)
    return rings, hierarchy


def cv2_form(mask: str) -> Callable[[], Any]:
    own = made(mask)
    return lambda: own.contours("center").to_cv2(mode(mask), METHOD)


def cv2_of_pixels(mask: str) -> Callable[[], Any]:
    own = pixels(mask)
    return lambda: by_cv2(own, mode(mask))


def cv2_of_runs(mask: str) -> Callable[[], Any]:
    own = made(mask)
    return lambda: by_cv2(own.to_array(), mode(mask))


LIMIT = Competitor("limit: copy of the runs", copy_of_runs)
CENTERS = Job(
    "Contours as cv2.findContours has them",
    LIMIT.name,
    lambda mask: by_cv2(pixels(mask), mode(mask)),
    (
        Competitor("runmask", of_mask(lambda m: m.contours("center"))),
        Competitor("runmask, 2 threads", of_mask(lambda m: m.contours("center", threads=2))),
        Competitor("runmask, cv2's form", cv2_form),
        Competitor("cv2.findContours", cv2_of_pixels, rounds=3),
        Competitor("cv2.findContours, from runs", cv2_of_runs, rounds=2),
        Competitor("cv2.findContoursLinkRuns", of_pixels(link_runs, judged=False), rounds=3),
        Competitor(
            "supervision.mask_to_polygons",
            of_pixels(lambda p: supervision.mask_to_polygons(p.view(bool)), judged=False),
            rounds=1,
        ),
        LIMIT,
    ),
    MASKS,
    same_as_cv2,
)


def same_rings(result: Any, want: Any) -> bool:
    """Rings on pixel edges enclose the mask: as many, of as much area."""
    return (len(result), float(np.sum(result.areas))) == want


def shapes(own: np.ndarray) -> Any:
    return list(rasterio.features.shapes(own, own.view(bool), connectivity=8))


EDGES = Job(
    "Contours on the edges of pixels",
    LIMIT.name,
    lambda mask: (
        len(cv2.findContours(pixels(mask), cv2.RETR_LIST, METHOD)[0]),
        float(np.count_nonzero(pixels(mask))),
    ),
    (
        Competitor("runmask", of_mask(lambda m: m.contours())),
        Competitor("runmask, 2 threads", of_mask(lambda m: m.contours(threads=2))),
        Competitor("rasterio.shapes", of_pixels(shapes, judged=False), rounds=1),
        Competitor(
            "skimage.find_contours",
            of_pixels(lambda p: skimage.measure.find_contours(p, 0.5), judged=False),
            rounds=1,
        ),
        LIMIT,
    ),
    MASKS,
    same_rings,
)

CONTOUR_JOBS = {"contours_cv2": CENTERS, "contours_edge": EDGES}
