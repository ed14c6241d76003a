"""supervision's ``CompactMask``: counts of a box, down its columns, as int32.

A count that int32 cannot hold stands as ``2**31 - 1, 0, rest``; a mask without pixels is a box of
one clear pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..errors import MaskError
from .refusal import refusing
from .run_triples import pasted, tight

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 2**31 - 1


def from_counts(
    counts: NDArray[np.int64],
    crop_shape: tuple[int, int],
    offset: tuple[int, int],
    height: int,
    width: int,
) -> _core.Runs:
    """``offset`` is ``(x, y)``. Raises MaskError with the index of the count."""
    (crop_height, crop_width), (left, top) = crop_shape, offset
    if not (0 <= left <= width - crop_width and 0 <= top <= height - crop_height):
        raise MaskError(
            f"the box of {crop_height} x {crop_width} at x {left}, y {top} does not lie in "
            f"{height} x {width}",
            code="box",
        )
    with refusing("CompactMask counts", crop_height, crop_width, "count"):
        crop = _core.runs_from_counts(np.ascontiguousarray(counts), crop_width, crop_height, True)
    return pasted(_core.transposed(crop, 0), top, left, height, width)


def to_counts(
    runs: _core.Runs,
) -> tuple[NDArray[np.int32], tuple[int, int], tuple[int, int]]:
    """Counts, shape of the box, and its ``(x, y)``."""
    if not len(runs):
        return np.ones(1, np.int32), (1, 1), (0, 0)
    crop, (x0, y0, x1, y1) = tight(runs)
    counts = np.asarray(_core.counts_from_runs(_core.transposed(crop, 0)))
    return _cut(counts), (y1 - y0, x1 - x0), (x0, y0)


def _cut(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    if counts.max() <= _MOST:
        return counts.astype(np.int32)
    parts = [_parts(count) for count in counts.tolist()]
    return np.concatenate(parts)


def _parts(count: int) -> NDArray[np.int32]:
    whole, rest = divmod(count, _MOST)
    if whole and rest == 0:
        whole, rest = whole - 1, _MOST
    return np.array([_MOST, 0] * whole + [rest], np.int32)
