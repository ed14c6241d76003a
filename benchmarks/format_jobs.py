"""The transposition, and masks to and from COCO's forms.

``recorded`` are 734 masks of real detections, in files of the tests; the peers' masks count down
the columns as COCO does, so that they need no transposition where ours have one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cases
import cv2
import faster_coco_eval.core.mask as faster
import numpy as np
import rlemasklib
import supervision
from competitors import Competitor, Job, Prepared, with_kernels
from pycocotools import mask as peer

from runmask import Mask, _core, coco

MASKS = ("blobs", "patches", "text", "noise")
RECORDED = Path(__file__).parent.parent / "tests" / "golden" / "coco_fakesegm100.json"


@lru_cache(maxsize=2)
def mask_of(name: str) -> Mask:
    return Mask.from_array(cases.pixels(name))


@lru_cache(maxsize=2)
def columns_of(name: str) -> np.ndarray:
    """The pixels in Fortran order, which COCO's peers want."""
    return np.asfortranarray(cases.pixels(name))


@lru_cache(maxsize=2)
def rlemasklib_of(name: str) -> Any:
    return rlemasklib.RLEMask.from_array(columns_of(name))


@lru_cache(maxsize=2)
def rle_of(name: str) -> dict[str, Any]:
    made: dict[str, Any] = peer.encode(columns_of(name))
    return made


def by_runmask(prepare: Callable[[str], Callable[[], Any]]) -> tuple[Competitor, ...]:
    return tuple(
        Competitor(f"runmask {name}", lambda mask, name=name: with_kernels(name, prepare(mask)))
        for name in _core.available_kernels()
    )


def runs_of(mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    return mask.starts, mask.lengths


def touch(mask: str) -> Prepared:
    """The least that must be done with the pixels: they are read."""
    words = cases.pixels(mask).view(np.uint64)
    return Prepared(lambda: np.bitwise_or.reduce(words, axis=None), lambda: None)


LIMIT = Competitor("limit: read the pixels", touch)

# -- transposition


def transpose_rlemasklib(mask: str) -> Prepared:
    made = rlemasklib_of(mask)
    return Prepared(
        made.transpose, lambda: Mask.from_array(np.ascontiguousarray(made.transpose().to_array()))
    )


def transpose_by_pixels(turn: Callable[[np.ndarray], np.ndarray]) -> Callable[[str], Any]:
    def prepare(mask: str) -> Callable[[], Any]:
        made = mask_of(mask)
        return lambda: Mask.from_array(turn(made.to_array()))

    return prepare


TRANSPOSE = Job(
    "Transpose",
    "limit: read the pixels",
    lambda mask: runs_of(Mask.from_array(np.ascontiguousarray(cases.pixels(mask).T))),
    (
        *by_runmask(lambda mask: mask_of(mask).transpose),
        Competitor("rlemasklib", transpose_rlemasklib),
        Competitor(
            "decode, numpy, encode",
            transpose_by_pixels(lambda pixels: np.ascontiguousarray(pixels.T)),
        ),
        Competitor("decode, cv2.transpose, encode", transpose_by_pixels(cv2.transpose)),
        LIMIT,
    ),
    MASKS,
)

# -- COCO's compressed string


def same_rle(result: Any, want: Any) -> bool:
    counts = result["counts"]
    return (counts.encode() if isinstance(counts, str) else counts) == want["counts"]


def to_coco_transposed(mask: str) -> Callable[[], Any]:
    """From runs along the rows, as ours."""
    made = rlemasklib.RLEMask.from_array(cases.pixels(mask).T.copy(order="F"))
    return lambda: made.transpose().to_dict()


TO_COCO = Job(
    "Mask to COCO string",
    "limit: read the pixels",
    rle_of,
    (
        *by_runmask(lambda mask: mask_of(mask).to_coco),
        Competitor("rlemasklib, its own order", lambda mask: rlemasklib_of(mask).to_dict),
        Competitor("rlemasklib, transposed first", to_coco_transposed),
        LIMIT,
    ),
    MASKS,
    same_rle,
)


def from_rlemasklib(mask: str) -> Prepared:
    rle = rle_of(mask)

    def result() -> Mask:
        made = rlemasklib.RLEMask.from_dict(rle)
        return Mask.from_array(np.ascontiguousarray(made.to_array()))

    return Prepared(lambda: rlemasklib.RLEMask.from_dict(rle), result)


FROM_COCO = Job(
    "COCO string to mask",
    "limit: read the pixels",
    lambda mask: runs_of(mask_of(mask)),
    (
        *by_runmask(lambda mask: lambda: Mask.from_coco(rle_of(mask))),
        Competitor("rlemasklib, its own order", from_rlemasklib),
        LIMIT,
    ),
    MASKS,
)

# -- pixels to the string and back, as pycocotools.mask has them


def encode_supervision(mask: str) -> Prepared:
    pixels = columns_of(mask).view(bool)
    return Prepared(
        lambda: supervision.mask_to_rle(pixels, compressed=True),
        lambda: {"counts": supervision.mask_to_rle(pixels, compressed=True)},
    )


ENCODE = Job(
    "coco.encode: pixels to COCO string",
    "limit: read the pixels",
    rle_of,
    (
        *by_runmask(lambda mask: lambda: coco.encode(columns_of(mask))),
        Competitor("pycocotools", lambda mask: lambda: peer.encode(columns_of(mask))),
        Competitor("faster-coco-eval", lambda mask: lambda: faster.encode(columns_of(mask))),
        Competitor("supervision", encode_supervision, rounds=2),
        LIMIT,
    ),
    MASKS,
    same_rle,
)


def decode_supervision(mask: str) -> Prepared:
    counts = rle_of(mask)["counts"].decode()
    size = (cases.SIZE, cases.SIZE)
    return Prepared(
        lambda: supervision.rle_to_mask(counts, size),
        lambda: supervision.rle_to_mask(counts, size).view(np.uint8),
    )


DECODE = Job(
    "coco.decode: COCO string to pixels",
    "limit: read the pixels",
    cases.pixels,
    (
        *by_runmask(lambda mask: lambda: coco.decode(rle_of(mask))),
        Competitor("pycocotools", lambda mask: lambda: peer.decode(rle_of(mask))),
        Competitor("faster-coco-eval", lambda mask: lambda: faster.decode(rle_of(mask))),
        Competitor("supervision", decode_supervision, rounds=2),
        LIMIT,
    ),
    MASKS,
)

# -- what evaluation does, on recorded masks and made-up polygons


@cache
def recorded() -> list[list[dict[str, Any]]]:
    """The masks of each image."""
    images: dict[int, list[dict[str, Any]]] = {}
    for result in json.loads(RECORDED.read_bytes()):
        rle = result["segmentation"] | {"counts": result["segmentation"]["counts"].encode()}
        images.setdefault(result["image_id"], []).append(rle)
    return list(images.values())


@cache
def polygons() -> list[list[float]]:
    """A thousand outlines of 20 to 60 points, about as large as COCO's objects."""
    rng = np.random.default_rng(17)
    made = []
    for _ in range(1000):
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(20, 60)))
        radius = rng.uniform(10, 120) * rng.uniform(0.7, 1, len(angles))
        points = (
            rng.uniform(50, 430, 2)
            + np.column_stack((np.cos(angles), np.sin(angles))) * (radius[:, None])
        )
        made.append(points.round(2).ravel().tolist())
    return made


def ious(module: Any) -> list[np.ndarray]:
    return [module.iou(masks, masks[::2], [0] * len(masks[::2])) for masks in recorded()]


def evaluation_job(title: str, call: Callable[[Any], Any], same: Callable[[Any, Any], bool]) -> Job:
    def by(module: Any) -> Callable[[str], Prepared]:
        # the same call twice: a list is not taken for the arrays of a mask
        return lambda mask: Prepared(lambda: call(module), lambda: [call(module)])

    return Job(
        title,
        "limit: pycocotools.area of the same",
        lambda mask: [call(peer)],
        (
            Competitor("runmask", by(coco)),
            Competitor("pycocotools", by(peer)),
            Competitor("faster-coco-eval", by(faster)),
            Competitor(
                "limit: pycocotools.area of the same",
                lambda mask: Prepared(lambda: list(map(peer.area, recorded())), lambda: None),
            ),
        ),
        ("recorded",),
        lambda result, want: same(result[0], want[0]),
    )


def same_arrays(result: Any, want: Any) -> bool:
    return all(map(np.array_equal, result, want))


FORMAT_JOBS = {
    "transpose": TRANSPOSE,
    "to_coco": TO_COCO,
    "from_coco": FROM_COCO,
    "coco_encode": ENCODE,
    "coco_decode": DECODE,
    "coco_iou": evaluation_job("coco.iou: 734 masks with half of them", ious, same_arrays),
    "coco_polygons": evaluation_job(
        "coco.frPyObjects: 1000 polygons",
        lambda module: module.frPyObjects(polygons(), 480, 640),
        lambda result, want: result == want,
    ),
    "coco_boxes": evaluation_job(
        "coco.toBbox: 734 masks",
        lambda module: [module.toBbox(masks) for masks in recorded()],
        same_arrays,
    ),
    "coco_areas": evaluation_job(
        "coco.area: 734 masks",
        lambda module: [module.area(masks) for masks in recorded()],
        same_arrays,
    ),
    "coco_merge": evaluation_job(
        "coco.merge: the masks of each image",
        lambda module: [module.merge(masks) for masks in recorded()],
        lambda result, want: result == want,
    ),
}
