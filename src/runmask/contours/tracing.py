"""From runs to rings: what is left out beforehand is left out on the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rings(NamedTuple):
    """Rings as the core traces them: flat arrays, read-only."""

    points: NDArray[np.int32]
    offsets: NDArray[np.int64]
    parents: NDArray[np.int32]
    is_hole: NDArray[np.bool_]
    areas: NDArray[np.float64]


MAX_CORNERS = 2**63 - 1
_RUNS_WORTH_A_THREAD = 100_000


def traced(
    runs: _core.Runs,
    outline: str,
    connectivity: int,
    max_corners: int = MAX_CORNERS,
    threads: int = 1,
) -> Rings:
    """All rings of the runs. O(runs + points)."""
    strips = min(threads, 1 + len(runs) // _RUNS_WORTH_A_THREAD)
    points, offsets, parents, is_hole, twice_areas = _core.contours(
        runs, outline == "center", connectivity, max_corners, strips
    )
    areas = np.asarray(twice_areas) / 2
    areas.flags.writeable = False
    return Rings(
        np.asarray(points).reshape(-1, 2),
        np.asarray(offsets),
        np.asarray(parents),
        np.frombuffer(is_hole, np.bool_),
        areas,
    )


def within(runs: _core.Runs, top: int, left: int, bottom: int, right: int) -> _core.Runs:
    """What lies in a window, where it lies in the image."""
    cut = _core.placed(runs, bottom - top, right - left, -top, -left, False)
    return _core.placed(cut, runs.height, runs.width, top, left, False)


def without_small(
    runs: _core.Runs, connectivity: int, min_area: int, min_hole_area: int | None
) -> _core.Runs:
    """Runs without parts of fewer pixels, then with holes of fewer pixels filled; None: all holes.

    In this order, because a part inside a hole is no part of the hole, but its place is when it
    has gone.
    """
    if min_area > 1:
        runs = _core.remove_small(runs, connectivity, min_area)
    if min_hole_area is None or min_hole_area > 1:
        largest = 2**63 - 1 if min_hole_area is None else min_hole_area - 1
        runs = _core.fill_holes(runs, connectivity, largest)
    return runs
