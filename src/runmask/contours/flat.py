"""The flat form of rings, and what it has to be.

::

    points    int32 (n, 2)       x and y of the points of all rings, one ring after another
    offsets   int64 (rings + 1)  ring i is points[offsets[i]:offsets[i + 1]]

A ring is closed by an edge from its last point to its first, which is not repeated, and has at
least one point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .. import _core

    Rings = tuple[NDArray[np.int32], NDArray[np.int64]]

_INT32 = np.iinfo(np.int32)


def checked_rings(points: ArrayLike, offsets: ArrayLike) -> Rings:
    """Points and offsets as contiguous arrays of the form's types, without a copy if they are that.

    Raises InputError for arrays of other shapes, other things than integers, points outside int32,
    and offsets that do not begin at 0, rise, and end at the number of points.
    """
    xy = _integers(points, "points")
    if xy.size == 0 and xy.ndim == 1:
        xy = xy.reshape(0, 2)
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise InputError(f"points have shape {xy.shape}: not (n, 2)")
    ends = _integers(offsets, "offsets")
    if ends.ndim != 1 or len(ends) == 0:
        raise InputError(f"offsets have shape {ends.shape}: not (rings + 1)")
    if xy.dtype != np.int32 and xy.size:
        outside = (xy < _INT32.min) | (xy > _INT32.max)
        if outside.any():
            at = int(np.argmax(outside.any(axis=1)))
            raise InputError(f"point {at}: {tuple(xy[at].tolist())} is outside int32")
    if ends[0] != 0 or ends[-1] != len(xy):
        raise InputError(
            f"offsets go from {ends[0]} to {ends[-1]}: not from 0 to {len(xy)}, as many as points"
        )
    falling = ends[1:] <= ends[:-1]
    if falling.any():
        at = int(np.argmax(falling))
        raise InputError(
            f"ring {at}: offsets {ends[at]} and {ends[at + 1]}; a ring has a point or more"
        )
    return np.ascontiguousarray(xy, np.int32), np.ascontiguousarray(ends, np.int64)


def rings_of_blocks(points: _core.Block, offsets: _core.Block) -> Rings:
    """Read-only arrays of memory of the core."""
    return np.asarray(points).reshape(-1, 2), np.asarray(offsets)


def _integers(values: ArrayLike, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name}: not an array: {error}") from None
    if array.size and array.dtype.kind not in "iu":
        raise InputError(f"{name} are of type {array.dtype}: not integers")
    return array if array.size else array.astype(np.int64)
