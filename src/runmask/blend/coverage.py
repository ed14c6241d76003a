"""How much of each pixel a mask on a finer grid covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..mask import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FINE = 8  # samples along a pixel's side
SAMPLES = FINE * FINE
_AT_ONCE = 2**18  # pixels of a band, so that it stays in the cache


def coverage_levels(fine: _core.Runs) -> Iterator[tuple[Mask, int]]:
    """The pixels that have 1, 2, ... 64 samples set, with that number; those with none left out.

    ``fine`` has the height and width of the masks 8 times. O(runs + pixels between the first and
    the last row with any).
    """
    height, width = fine.height // FINE, fine.width // FINE
    places: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    starts = np.asarray(fine.starts, np.int64)
    ends = starts + np.asarray(fine.lengths, np.int64)
    if not len(starts) or not width:
        return
    row_size = fine.width * FINE  # of a row of pixels
    first_row, last_row = int(starts[0] // row_size), int((ends[-1] - 1) // row_size)
    rows = max(1, _AT_ONCE // width)
    for top in range(first_row, last_row + 1, rows):
        bottom = min(top + rows, last_row + 1)
        found = _counts(starts, ends, top, bottom, fine.width)
        some = np.flatnonzero(found)
        places.append(some + top * width)
        counts.append(found[some].astype(np.int64))
    place, count = np.concatenate(places), np.concatenate(counts)
    for number in range(1, SAMPLES + 1):
        own = place[count == number]
        if len(own):
            ones = np.ones(len(own), np.int64)
            yield Mask._of(_core.runs_from_pairs(own, ones, height, width, False)[0]), number


def _counts(
    starts: NDArray[np.int64], ends: NDArray[np.int64], top: int, bottom: int, fine_width: int
) -> NDArray[np.float64]:
    """The samples set in each pixel of some rows."""
    low, high = top * FINE * fine_width, bottom * FINE * fine_width
    near = slice(np.searchsorted(ends, low, "right"), np.searchsorted(starts, high, "left"))
    begins, stops = starts[near].clip(low), ends[near].clip(max=high)
    # A run that goes on into further rows of samples is one of each.
    first, last = begins // fine_width, (stops - 1) // fine_width
    times = last - first + 1
    run = np.repeat(np.arange(len(begins)), times)
    row = np.arange(len(run)) - np.repeat(np.cumsum(times) - times, times) + first[run]
    x0 = np.maximum(begins[run] - row * fine_width, 0)
    x1 = np.minimum(stops[run] - row * fine_width, fine_width)
    width = fine_width // FINE
    at = (row // FINE - top) * (width + 1)
    # What lies left of an edge in its pixel, and all before it: differences, summed along rows.
    size = (bottom - top) * (width + 1) + 1
    edges = [
        (at + x // FINE + further, sign * (x % FINE if further else FINE - x % FINE))
        for x, sign in ((x0, 1), (x1, -1))
        for further in (0, 1)
    ]
    pixels, shares = (np.concatenate(part) for part in zip(*edges, strict=True))
    change = np.asarray(np.bincount(pixels, shares, size), np.float64)  # of small whole numbers
    sums = np.cumsum(change[:-1].reshape(bottom - top, width + 1), axis=1)
    return sums[:, :width].ravel()
