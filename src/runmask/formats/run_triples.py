"""Runs as row, first and last column, both inclusive: HALCON's regions, OpenCV's ``ximgproc.rl``.

::

    HALCON    Row[i], ColumnBegin[i], ColumnEnd[i]
    OpenCV    (width, height, 0), then (column begin, column end, row) for each run
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..errors import MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.integer[Any]]
    Triples = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


def from_triples(
    rows: Numbers, begins: Numbers, ends: Numbers, height: int, width: int
) -> _core.Runs:
    """Runs in any order; those that overlap are joined. Raises MaskError with the run's index."""
    outside = (rows < 0) | (rows >= height) | (begins < 0) | (ends >= width) | (ends < begins)
    if outside.any():
        at = int(np.argmax(outside))
        raise MaskError(
            f"run {at}: row {rows[at]}, columns {begins[at]} to {ends[at]}: not in {height} x "
            f"{width}, or it ends before it begins",
            code="run_outside",
            index=at,
        )
    return placed(rows, begins, ends + 1, 0, 0, height, width)


def to_triples(runs: _core.Runs) -> Triples:
    """A run that crosses a row's end becomes one in each row."""
    y, x0, x1 = cut_at_rows(runs)
    return y, x0, x1 - 1


def to_points(runs: _core.Runs) -> NDArray[np.int32]:
    rows, begins, ends = to_triples(runs)
    points = np.empty((len(rows) + 1, 3), np.int32)
    points[0] = runs.width, runs.height, 0
    points[1:, 0], points[1:, 1], points[1:, 2] = begins, ends, rows
    return points


def cut_at_rows(runs: _core.Runs) -> Triples:
    """The row, the first column and the one behind the last of each run in its row."""
    count = _core.count_row_runs(runs)
    y, x0, x1 = (np.empty(count, np.int32) for _ in range(3))
    _core.row_runs(runs, y, x0, x1)
    return y, x0, x1


def placed(
    y: Numbers, x0: Numbers, x1: Numbers, top: int, left: int, height: int, width: int
) -> _core.Runs:
    """Runs within rows, moved down and right into an image in which they fit."""
    starts = (y.astype(np.int64) + top) * width + (x0.astype(np.int64) + left)
    lengths = x1.astype(np.int64) - x0
    return _core.runs_from_pairs(starts, lengths, height, width, False)[0]


def pasted(crop: _core.Runs, top: int, left: int, height: int, width: int) -> _core.Runs:
    """A smaller mask in a larger image."""
    return placed(*cut_at_rows(crop), top, left, height, width)


def tight(runs: _core.Runs) -> tuple[_core.Runs, tuple[int, int, int, int]]:
    """The mask within the box of all set pixels, and the box, ends exclusive; some must be set."""
    x0, y0, x1, y1 = _core.bounding_box(runs)
    crop = placed(*cut_at_rows(runs), -y0, -x0, y1 - y0, x1 - x0)
    return crop, (x0, y0, x1, y1)
