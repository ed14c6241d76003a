"""Geometry of masks, and polygons, at 4096 x 4096.

The dense route starts and ends with runs: our own decode and encode, NumPy or OpenCV between, so
that only the idea is compared and not the decoder. The limit is NumPy or OpenCV alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cases
import cv2
import numpy as np
import rlemasklib
from competitors import Competitor, Job, Prepared, ours
from pycocotools import mask as coco

from runmask import Mask

MASKS = ("blobs", "patches", "text", "noise")
LIMIT = "limit: cv2 on decoded pixels"


@lru_cache(maxsize=2)
def made(mask: str) -> Mask:
    return Mask.from_array(cases.pixels(mask))


@lru_cache(maxsize=2)
def made_by_rlemasklib(mask: str) -> Any:
    return rlemasklib.RLEMask.from_array(np.asfortranarray(cases.pixels(mask)))


def runs_of(mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    return mask.starts, mask.lengths


def job(
    title: str,
    mine: Callable[[Mask], Mask],
    pixels: Callable[[np.ndarray], np.ndarray],
    peer: Callable[[Any], Any],
) -> Job:
    def by_runmask(mask: str) -> Callable[[], Any]:
        own = made(mask)
        return lambda: mine(own)

    def by_rlemasklib(mask: str) -> Prepared:
        own = made_by_rlemasklib(mask)
        return Prepared(lambda: peer(own), lambda: Mask.from_array(peer(own).to_array()))

    def dense(mask: str) -> Callable[[], Any]:
        own = made(mask)
        return lambda: Mask.from_array(pixels(own.to_array()))

    def limit(mask: str) -> Prepared:
        plain = cases.pixels(mask).copy()
        return Prepared(lambda: pixels(plain), lambda: None)

    return Job(
        title,
        LIMIT,
        lambda mask: runs_of(Mask.from_array(pixels(cases.pixels(mask).copy()))),
        (
            *ours(by_runmask),
            Competitor("rlemasklib", by_rlemasklib),
            Competitor("decode, cv2, encode", dense),
            Competitor(LIMIT, limit),
        ),
        MASKS,
    )


def border(pixels: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(pixels, 10, 20, 30, 40, cv2.BORDER_CONSTANT, value=0)


def resized(side: int) -> Callable[[np.ndarray], np.ndarray]:
    interpolation = cv2.INTER_NEAREST_EXACT
    return lambda pixels: cv2.resize(pixels, (side, side), interpolation=interpolation)


# -- polygons


@lru_cache(maxsize=2)
def contours(mask: str) -> tuple[np.ndarray, ...]:
    found, _ = cv2.findContours(cases.pixels(mask), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(found)


@lru_cache(maxsize=2)
def edges(mask: str) -> list[np.ndarray]:
    """Rings that smooth the outlines: corners between pixels, slanted edges."""
    return [ring[:, 0] * 1.003 + 0.25 for ring in contours(mask)]


def fill_poly(mask: str) -> Callable[[], Any]:
    rings = contours(mask)

    def call() -> Mask:
        pixels = np.zeros((cases.SIZE, cases.SIZE), np.uint8)
        return Mask.from_array(cv2.fillPoly(pixels, rings, 1))

    return call


def fill_poly_alone(mask: str) -> Prepared:
    rings, pixels = contours(mask), np.zeros((cases.SIZE, cases.SIZE), np.uint8)
    return Prepared(lambda: cv2.fillPoly(pixels, rings, 1), lambda: None)


def by_rule(rule: Any, rings: Callable[[str], Any]) -> Callable[[str], Callable[[], Any]]:
    def prepare(mask: str) -> Callable[[], Any]:
        every = rings(mask)
        return lambda: Mask.from_polygons(every, (cases.SIZE, cases.SIZE), rule=rule)

    return prepare


def by_coco(mask: str) -> Prepared:
    """Its rule is another, and where we take even-odd it unites: only the time can be compared."""
    flat = [ring.ravel().tolist() for ring in edges(mask) if len(ring) > 2]

    def call() -> Any:
        return coco.merge(coco.frPyObjects(flat, cases.SIZE, cases.SIZE))

    return Prepared(call, lambda: Mask.empty((1, 1)))


GEOMETRY_JOBS = {
    "crop": job(
        "Crop",
        lambda m: m[100:-200, 300:-400],
        lambda p: np.ascontiguousarray(p[100:-200, 300:-400]),
        lambda r: r[100:-200, 300:-400],
    ),
    "pad": job("Pad", lambda m: m.pad(10, 20, 30, 40), border, lambda r: r.pad(10, 20, 30, 40)),
    "flip_rows": job(
        "Flip upside down", lambda m: m.flip(0), lambda p: cv2.flip(p, 0), lambda r: r.flipud()
    ),
    "flip_columns": job(
        "Flip left to right", lambda m: m.flip(1), lambda p: cv2.flip(p, 1), lambda r: r.fliplr()
    ),
    "rotate180": job(
        "Rotate by 180 degrees", lambda m: m.flip(), lambda p: cv2.flip(p, -1), lambda r: r.rot90(2)
    ),
    "rotate90": job(
        "Rotate by 90 degrees",
        lambda m: m.rotate90(),
        lambda p: cv2.rotate(p, cv2.ROTATE_90_COUNTERCLOCKWISE),
        lambda r: r.rot90(1),
    ),
    "reduce": job(
        "Resize to 2048 x 2048",
        lambda m: m.resize((2048, 2048)),
        resized(2048),
        lambda r: r.resize((2048, 2048)),
    ),
    "enlarge": job(
        "Resize to 8192 x 8192",
        lambda m: m.resize((8192, 8192)),
        resized(8192),
        lambda r: r.resize((8192, 8192)),
    ),
    "polygons_cv2": Job(
        "Polygons: the pixels of cv2.fillPoly",
        "limit: cv2.fillPoly, no encode",
        lambda mask: runs_of(made(mask)),
        (
            *ours(by_rule("cv2", contours)),
            Competitor("cv2.fillPoly, encode", fill_poly),
            Competitor("limit: cv2.fillPoly, no encode", fill_poly_alone),
        ),
        MASKS[:3],
    ),
    "polygons": Job(
        "Polygons: pixels by their centres",
        "limit: cv2.fillPoly, no encode",
        lambda mask: runs_of(by_rule("center", edges)(mask)()),
        (
            *ours(by_rule("center", edges)),
            Competitor("pycocotools.frPyObjects, merge", by_coco, rounds=1),
            Competitor("limit: cv2.fillPoly, no encode", fill_poly_alone),
        ),
        MASKS[:2],  # pycocotools' merge is quadratic in the number of rings
    ),
}
