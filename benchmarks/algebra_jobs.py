"""Set algebra of two masks, the second being the first upside down and moved.

The dense route starts and ends with runs too: our own decode and encode, NumPy between, so that
only the idea is compared and not the decoder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cases
import faster_coco_eval.core.mask as faster
import numpy as np
import rlemasklib
import supervision
from competitors import Competitor, Job, Prepared, with_kernels
from pycocotools import mask as coco

from runmask import Mask, _core

MASKS = ("blobs", "patches", "text", "noise")


@lru_cache(maxsize=2)
def second_pixels(mask: str) -> np.ndarray:
    return np.roll(np.ascontiguousarray(cases.pixels(mask)[::-1]), (5, 37), (0, 1))


@lru_cache(maxsize=2)
def two_masks(mask: str) -> tuple[Mask, Mask]:
    return Mask.from_array(cases.pixels(mask)), Mask.from_array(second_pixels(mask))


@lru_cache(maxsize=2)
def two_rlemasklib(mask: str) -> tuple[Any, Any]:
    arrays = (cases.pixels(mask).copy().T, second_pixels(mask).T)
    first, second = (rlemasklib.RLEMask.from_array(array) for array in arrays)
    return first, second


@lru_cache(maxsize=2)
def two_coco(mask: str) -> tuple[Any, Any]:
    return tuple(
        coco.encode(array) for array in (cases.pixels(mask).copy().T, second_pixels(mask).T)
    )


def by_runmask(operation: Callable[[Mask, Mask], Any]) -> tuple[Competitor, ...]:
    def prepare(mask: str) -> Callable[[], Any]:
        a, b = two_masks(mask)
        return lambda: operation(a, b)

    return tuple(
        Competitor(f"runmask {name}", lambda mask, name=name: with_kernels(name, prepare(mask)))
        for name in _core.available_kernels()
    )


def by_rlemasklib(operation: Callable[[Any, Any], Any]) -> Competitor:
    def prepare(mask: str) -> Prepared:
        a, b = two_rlemasklib(mask)

        def result() -> Any:
            made = operation(a, b)
            if isinstance(made, rlemasklib.RLEMask):
                return Mask.from_array(made.to_array(order="F").T)
            return made

        return Prepared(lambda: operation(a, b), result)

    return Competitor("rlemasklib", prepare)


def by_coco(intersect: bool, times: int = 1) -> tuple[Competitor, ...]:
    """The masks from strings to a string."""

    def by(module: Any) -> Callable[[str], Prepared]:
        def prepare(mask: str) -> Prepared:
            masks = list(two_coco(mask)) * times
            return Prepared(
                lambda: module.merge(masks, intersect),
                lambda: Mask.from_array(coco.decode(module.merge(masks, intersect)).T),
            )

        return prepare

    return (
        Competitor("pycocotools.merge", by(coco), rounds=5),
        Competitor("faster-coco-eval.merge", by(faster), rounds=2),
    )


def dense_route(operation: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Competitor:
    def prepare(mask: str) -> Callable[[], Any]:
        a, b = two_masks(mask)
        return lambda: Mask.from_array(operation(a.to_array(), b.to_array()))

    return Competitor("decode, numpy, encode", prepare)


def union_of_pixels(mask: str) -> Callable[[], Any]:
    masks = list(two_masks(mask)) * 4

    def call() -> Mask:
        pixels = masks[0].to_array()
        for other in masks[1:]:
            pixels |= other.to_array()
        return Mask.from_array(pixels)

    return call


def numpy_alone(operation: Callable[[np.ndarray, np.ndarray], Any]) -> Competitor:
    def prepare(mask: str) -> Callable[[], Any]:
        a, b = cases.pixels(mask), second_pixels(mask)
        return Prepared(lambda: operation(a, b), lambda: None)

    return Competitor("limit: numpy on decoded pixels", prepare)


def runs_of(mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    return mask.starts, mask.lengths


def job(
    title: str,
    ours: Callable[[Mask, Mask], Any],
    pixels: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *peers: Competitor,
) -> Job:
    def expected(mask: str) -> Any:
        return runs_of(Mask.from_array(pixels(cases.pixels(mask), second_pixels(mask))))

    def same(result: Any, want: Any) -> bool:
        return all(map(np.array_equal, result, want))

    return Job(
        title,
        "limit: numpy on decoded pixels",
        expected,
        (*by_runmask(ours), *peers, dense_route(pixels), numpy_alone(pixels)),
        MASKS,
        same,
    )


def iou_by_faster(mask: str) -> Callable[[], Any]:
    first, second = two_coco(mask)
    return lambda: faster.iou([first], [second], [False])[0, 0]


def iou_by_supervision(mask: str) -> Callable[[], Any]:
    first, second = (
        pixels[None].view(bool) for pixels in (cases.pixels(mask), second_pixels(mask))
    )
    return lambda: supervision.mask_iou_batch(first, second)[0, 0]


ALGEBRA_JOBS = {
    "and": job(
        "Intersection",
        lambda a, b: a & b,
        np.bitwise_and,
        by_rlemasklib(lambda a, b: a & b),
        *by_coco(True),
    ),
    "or": job(
        "Union",
        lambda a, b: a | b,
        np.bitwise_or,
        by_rlemasklib(lambda a, b: a | b),
        *by_coco(False),
    ),
    "xor": job(
        "Symmetric difference",
        lambda a, b: a ^ b,
        np.bitwise_xor,
        by_rlemasklib(lambda a, b: a ^ b),
    ),
    "minus": job(
        "Difference",
        lambda a, b: a - b,
        lambda a, b: a & ~b,
        by_rlemasklib(lambda a, b: a - b),
    ),
    "not": job(
        "Complement",
        lambda a, b: ~a,
        lambda a, b: a ^ 1,
        by_rlemasklib(lambda a, b: ~a),
    ),
    "iou": Job(
        "Intersection over union",
        "limit: numpy on decoded pixels",
        lambda mask: two_masks(mask)[0].iou(two_masks(mask)[1]),
        (
            *by_runmask(lambda a, b: a.iou(b)),
            by_rlemasklib(lambda a, b: a.iou(b)),
            Competitor(
                "pycocotools.iou",
                lambda mask: (
                    lambda: coco.iou([two_coco(mask)[0]], [two_coco(mask)[1]], [False])[0, 0]
                ),
            ),
            Competitor("faster-coco-eval.iou", iou_by_faster, rounds=3),
            Competitor("supervision.mask_iou_batch", iou_by_supervision, rounds=3),
            numpy_alone(lambda a, b: np.count_nonzero(a & b) / np.count_nonzero(a | b)),
        ),
        MASKS,
        lambda result, want: abs(result - want) < 1e-6,  # supervision rounds
    ),
    "union_of_8": Job(
        "Union of eight masks",
        "limit: numpy on decoded pixels",
        lambda mask: runs_of(two_masks(mask)[0] | two_masks(mask)[1]),
        (
            *by_runmask(lambda a, b: Mask.union([a, b] * 4)),
            by_rlemasklib(lambda a, b: rlemasklib.RLEMask.union([a, b] * 4)),
            *by_coco(False, times=4),
            Competitor("decode, numpy, encode", union_of_pixels),
            numpy_alone(lambda a, b: a | b | a | b | a | b | a | b),
        ),
        MASKS,
        lambda result, want: np.array_equal(result[0], want[0]),
    ),
}
