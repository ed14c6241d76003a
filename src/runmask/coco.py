"""A drop-in for ``pycocotools.mask``: ``import runmask.coco as mask_utils``.

The functions take and give the same types, one mask or a list of them, and draw the same pixels;
evaluation code runs on them unchanged. A mask is ``{"size": [height, width], "counts": bytes}``,
counts being COCO's compressed string; str and lists of numbers are read as well. What makes
pycocotools crash, read foreign memory or wrap around is an InputError here. All but ``decode`` and
``encode`` are O(runs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .errors import InputError, LimitError, MaskError, MaskTypeError
from .formats import coco
from .formats.refusal import refusing
from .mask.arguments import ascii_bytes, counts_array, pair
from .mask.untrusted import checked_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rle = Mapping[str, Any]

__all__ = ["area", "decode", "encode", "frPyObjects", "iou", "merge", "toBbox"]

MAX_DECODED = 2**32 - 1
"""The most pixels :func:`decode` makes of one mask."""

_MOST_AREA = 2**32 - 1


def encode(bimask: NDArray[Any]) -> Any:
    """The masks of an array ``(height, width, masks)`` as a list, or that of ``(height, width)``.

    Any strides and integer or bool type; what is not 0 is set. Fortran order needs no copy.
    """
    pixels = np.asarray(bimask)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "biu":
        raise InputError(
            f"an array {pixels.shape} of {pixels.dtype}: not integers or bools (height, width) or "
            "(height, width, masks)"
        )
    if pixels.dtype.itemsize != 1:
        pixels = pixels != 0
    if pixels.ndim == 2:
        return _encoded(pixels)
    return [_encoded(pixels[:, :, i]) for i in range(pixels.shape[2])]


def _encoded(pixels: NDArray[Any]) -> dict[str, Any]:
    height, width = pixels.shape
    return _rle(_core.runs_from_pixels(np.ascontiguousarray(pixels.T), width, height, 1))


def decode(rleObjs: Rle | list[Rle]) -> NDArray[np.uint8]:  # noqa: N803, the peer's name
    """uint8 0 and 1: ``(height, width)`` of one mask, ``(height, width, masks)`` of a list.

    In Fortran order, as the peer's. The masks of a list have one size.
    """
    if not isinstance(rleObjs, list):
        return decode([rleObjs])[:, :, 0]
    masks = _all_runs(rleObjs)
    if not masks:
        raise InputError("no masks: their size is unknown")
    _check_sizes(masks)
    width, height = masks[0].height, masks[0].width
    if width * height > MAX_DECODED:
        raise LimitError(f"{height} x {width} px > {MAX_DECODED}", code="max_pixels")
    pixels = np.empty((len(masks), width, height), np.uint8)
    for runs, out in zip(masks, pixels, strict=True):
        _core.pixels_from_runs(runs, 0, width * height, 0, 1, out, 1)
    return pixels.transpose(2, 1, 0)


def area(rleObjs: Rle | list[Rle]) -> Any:  # noqa: N803
    """The number of pixels set: uint32 of one mask, an array of uint32 of a list."""
    if not isinstance(rleObjs, list):
        return area([rleObjs])[0]
    items = list(rleObjs)
    areas = np.empty(len(items), np.uint32)
    for at in _core.measures_from_rles(items, None, areas):
        pixels = _core.area(_runs(items[at]))
        if pixels > _MOST_AREA:
            raise LimitError(f"an area of {pixels} px is none in uint32", code="max_pixels")
        areas[at] = pixels
    return areas


def toBbox(rleObjs: Rle | list[Rle]) -> NDArray[np.float64]:  # noqa: N802, N803
    """``x, y, width, height`` of the box of all pixels set, or zeros: ``(4,)`` or ``(n, 4)``."""
    if not isinstance(rleObjs, list):
        box: NDArray[np.float64] = toBbox([rleObjs])[0]
        return box
    items = list(rleObjs)
    boxes = np.empty((len(items), 4))
    for at in _core.measures_from_rles(items, boxes, None):
        y0, x0, y1, x1 = _core.bounding_box(_runs(items[at]))  # turned over, as the runs are
        boxes[at] = x0, y0, x1 - x0, y1 - y0
    return boxes


def merge(rleObjs: list[Rle], intersect: bool = False) -> dict[str, Any]:  # noqa: N803
    """The union of masks of one size, or their intersection."""
    masks = _all_runs(rleObjs)
    if not masks:
        return {"size": [0, 0], "counts": b""}
    _check_sizes(masks)
    return _rle(_core.at_least(masks, len(masks) if intersect else 1))


def iou(dt: Any, gt: Any, pyiscrowd: Sequence[int] | NDArray[Any]) -> Any:
    """Pixels set in both over pixels set in either, of each of ``dt`` with each of ``gt``.

    Masks, or boxes ``x, y, width, height``, in lists or arrays; the result is float64
    ``(len(dt), len(gt))``, or an empty list if one of them is empty. Where ``pyiscrowd`` is set for
    one of ``gt``, the pixels of ``dt`` alone are divided by. Masks of different sizes give -1 if
    their boxes overlap.
    """
    first, second, flags = _count(dt, "dt"), _count(gt, "gt"), _count(pyiscrowd, "iscrowd")
    if flags != second:
        raise InputError(f"{flags} of iscrowd for {second} of gt: each has one")
    if first == 0 or second == 0:
        return []
    crowd = _flags(pyiscrowd)
    if _are_masks(dt) != _are_masks(gt):
        raise MaskTypeError("dt and gt must be alike: masks, or boxes")
    if not _are_masks(dt):
        return _box_iou(_box_array(dt, "dt"), _box_array(gt, "gt"), crowd)
    result = np.empty((len(dt), len(gt)))
    _core.coco_ious(_all_runs(dt), _all_runs(gt), crowd.view(np.uint8), result)
    return np.asfortranarray(result)


def _count(items: Any, name: str) -> int:
    try:
        return len(items)
    except TypeError:
        raise MaskTypeError(f"{name}: {type(items).__name__}: not a list or array") from None


def _flags(iscrowd: Any) -> NDArray[np.bool_]:
    try:
        flags = np.asarray(iscrowd)
    except (TypeError, ValueError) as error:
        raise MaskTypeError(f"iscrowd: no flags ({error})") from None
    if flags.ndim != 1 or flags.dtype.kind not in "biuf":
        raise MaskTypeError(f"iscrowd: {flags.dtype} {flags.shape}: not a flag for each of gt")
    return flags.astype(bool)


def _are_masks(items: Any) -> bool:
    return isinstance(items, list) and isinstance(items[0], Mapping)


def _box_iou(
    dt: NDArray[np.float64], gt: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> NDArray[np.float64]:
    first, second = dt[:, None, :], gt[None, :, :]
    low = np.maximum(first[..., :2], second[..., :2])
    sides = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:]) - low
    common = np.where((sides > 0).all(axis=2), sides[..., 0] * sides[..., 1], 0.0)
    own, other = first[..., 2] * first[..., 3], second[..., 2] * second[..., 3]
    either = np.where(crowd, own, own + other - common)
    result = np.zeros(common.shape, order="F")
    np.divide(common, either, out=result, where=common > 0)
    return result


def _box_array(boxes: Any, name: str) -> NDArray[np.float64]:
    if not isinstance(boxes, (list, np.ndarray)):
        raise MaskTypeError(
            f"{name}: {type(boxes).__name__}: not a list or array of masks or boxes"
        )
    try:
        array = np.asarray(boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise MaskTypeError(f"{name}: neither masks nor boxes ({error})") from None
    if array.ndim != 2 or array.shape[1] != 4:
        raise InputError(f"{name}: an array {array.shape}: boxes are (n, 4)")
    return array


def frPyObjects(pyobj: Any, h: int, w: int) -> Any:  # noqa: N802
    """Masks of polygons, boxes or uncompressed masks, in an image of ``h`` x ``w``.

    A list of polygons ``[x, y, x, y ...]`` of three points or more, an array ``(n, 4)`` of boxes
    ``x, y, width, height``, or a list of dicts with counts as numbers, which say their size
    themselves, gives a list; one such dict gives one mask. Each polygon is a mask of its own.
    """
    height, width = checked_shape((h, w), max_pixels=None, allow_empty=True)
    if isinstance(pyobj, Mapping):
        return _rle(_runs(pyobj))
    if isinstance(pyobj, np.ndarray):
        return [_drawn(corners, height, width) for corners in _corners(_box_array(pyobj, "boxes"))]
    if not isinstance(pyobj, list) or not pyobj:
        raise MaskTypeError(f"{type(pyobj).__name__}: not a list of polygons or masks, or boxes")
    if all(isinstance(item, Mapping) for item in pyobj):
        return [_rle(_runs(item)) for item in pyobj]
    return [_drawn(_polygon(item, at), height, width) for at, item in enumerate(pyobj)]


def _corners(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    x0, y0 = boxes[:, 0], boxes[:, 1]
    x1, y1 = x0 + boxes[:, 2], y0 + boxes[:, 3]
    return np.column_stack((x0, y0, x0, y1, x1, y1, x1, y0))


def _polygon(item: Any, at: int) -> NDArray[np.float64]:
    try:
        points = np.asarray(item, np.float64)
    except (TypeError, ValueError) as error:
        raise MaskTypeError(f"item {at}: no polygon ({error})", index=at) from None
    if points.ndim != 1:
        raise MaskTypeError(
            f"item {at}: {points.ndim} dimensions: a polygon is x, y, x, y", index=at
        )
    if len(points) == 4 and at == 0:
        raise MaskTypeError(
            "item 0 has 4 numbers: boxes go in as an array, and a polygon has 3 points or more",
            index=at,
        )
    if len(points) < 4:
        raise MaskError(f"item {at} has {len(points)} numbers: no polygon", index=at)
    return points[: len(points) // 2 * 2]  # as the peer: a number left over is not looked at


def _drawn(points: NDArray[np.float64], height: int, width: int) -> dict[str, Any]:
    with refusing("polygon", height, width):
        return _rle(_core.runs_from_coco_polygon(np.ascontiguousarray(points), height, width))


def _all_runs(rles: Sequence[Any]) -> tuple[_core.Runs, ...]:
    """Those as the peer makes them all at once, and all others with more care."""
    items = list(rles)
    quick = _core.runs_from_rles(items)
    return tuple(
        [_runs(rle) if runs is None else runs for runs, rle in zip(quick, items, strict=True)]
    )


def _runs(rle: Any) -> _core.Runs:
    """The runs down the columns: those of the transposed image."""
    if not isinstance(rle, Mapping):
        raise MaskTypeError(f"{type(rle).__name__}: not a dict of size and counts")
    size, counts = coco.fields(rle, "size", "counts")
    height, width = checked_shape(pair(size, "size"), max_pixels=None, allow_empty=True)
    if isinstance(counts, (str, bytes, bytearray)):
        with refusing("COCO string", height, width):
            return _core.runs_from_coco(ascii_bytes(counts, "counts"), width, height)
    numbers = counts_array(counts, {"max_runs": None})
    with refusing("COCO counts", height, width, "count"):
        return _core.runs_from_counts(np.ascontiguousarray(numbers), width, height, True)


def _rle(runs: _core.Runs) -> dict[str, Any]:
    return {"size": [runs.width, runs.height], "counts": _core.coco_from_runs(runs)}


def _check_sizes(masks: Sequence[_core.Runs]) -> None:
    sizes = {(runs.width, runs.height) for runs in masks}
    if len(sizes) > 1:
        raise InputError(f"masks of different sizes: {', '.join(map(str, sorted(sizes)))}"[:500])
