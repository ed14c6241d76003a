"""CVAT: counts of the tight box, row after row, and then the box.

::

    [clear, set, ..., left, top, right, bottom]                 points of a shape; ends inclusive
    rle="clear, set, ..." left= top= width= height=             attributes in the XML form
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


def from_points(points: NDArray[np.int64], height: int, width: int) -> _core.Runs:
    """Raises MaskError with the index of the count, or of the side of the box."""
    if len(points) < 4:
        raise MaskError(
            f"CVAT points: {len(points)} numbers: the last four are the box", code="box", index=0
        )
    left, top, right, bottom = points[-4:].tolist()
    box = f"left {left}, top {top}, right {right}, bottom {bottom}"
    if not (0 <= left <= right < width and 0 <= top <= bottom < height):
        raise MaskError(
            f"CVAT points: the box {box} (ends inclusive) does not lie in {height} x {width}",
            code="box",
            index=len(points) - 4,
        )
    crop_height, crop_width = bottom - top + 1, right - left + 1
    counts = np.ascontiguousarray(points[:-4])
    with refusing("CVAT counts", crop_height, crop_width, "count"):
        crop = _core.runs_from_counts(counts, crop_height, crop_width, True)
    return pasted(crop, top, left, height, width)


def to_points(runs: _core.Runs) -> NDArray[np.int64]:
    """Of a mask with some pixel set."""
    crop, (x0, y0, x1, y1) = tight(runs)
    return np.concatenate((_core.counts_from_runs(crop), [x0, y0, x1 - 1, y1 - 1]))


def numbers(rle: bytes) -> NDArray[np.int64]:
    """The counts in the text of the XML form; raises MaskError with the index of the byte."""
    with refusing("CVAT rle", 0, 0):
        return np.asarray(_core.numbers_from_text(rle))
