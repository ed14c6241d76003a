"""Strokes along rings in NumPy: row by row of each segment, all in floats.

Slow, but fast enough for images that are too large to measure each sample to each segment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runmask import Contours, Mask, _core

Floats = NDArray[np.float64]
AT_ONCE = 2**19  # rows of segments
_ROUNDING = 2.0**-20  # of a pixel, more than that of a computed end


def coverage(contours: Contours, width: float, fine: int) -> np.ndarray:
    """How many of the fine x fine samples of each pixel the stroke has."""
    runs = contours._runs
    height, columns = contours.shape
    if fine != 1:
        runs = _core.resized(runs, height * fine, columns * fine, 0)
    near, just_so_far = _swept(contours, width * fine, fine)
    samples = Mask._of(_core.union(near, _core.intersection(just_so_far, runs)))
    counts = np.empty((height, columns), np.int64)
    for y in range(0, height, 64):  # to bound the memory
        band = samples.to_array(rows=slice(y * fine, (y + 64) * fine))
        counts[y : y + 64] = band.reshape(-1, fine, columns, fine).sum(axis=(1, 3), dtype=np.int64)
    return counts


def _swept(contours: Contours, width: float, fine: int) -> tuple[_core.Runs, _core.Runs]:
    """The samples that are closer than half the width to a segment, and those with ties.

    In half pixels: so points and centres are whole numbers, and the distance is the width.
    """
    height, columns = shape = contours.shape[0] * fine, contours.shape[1] * fine
    points = fine * (2 * contours.points.astype(np.int64) + (contours.outline == "center"))
    ahead = np.arange(1, len(points) + 1)
    ahead[contours.offsets[1:] - 1] = contours.offsets[:-1]
    lower, upper = points[:, 1], points[ahead, 1]
    first = np.ceil((np.minimum(lower, upper) - width - 1) / 2).clip(0, height).astype(np.int64)
    last = np.floor((np.maximum(lower, upper) + width - 1) / 2).clip(-1, height - 1)
    rows = (last.astype(np.int64) - first + 1).clip(0)
    ends = np.cumsum(rows)
    found = [_runs(shape, np.empty((0, 3), np.int64))] * 2
    at = 0
    while at < len(points):
        done = ends[at - 1] if at else 0
        stop = max(at + 1, int(np.searchsorted(ends, done + AT_ONCE)))
        segment = np.repeat(np.arange(at, stop), rows[at:stop])
        row = first[segment] + np.arange(len(segment)) - (ends - rows)[segment] + done
        sections = _sections(points[segment], points[ahead[segment]], row, width, columns)
        found = [
            _core.union(before, _runs(shape, more))
            for before, more in zip(found, sections, strict=True)
        ]
        at = stop
    return found[0], found[1]


def _runs(shape: tuple[int, int], sections: NDArray[np.int64]) -> _core.Runs:
    """Of rows, first columns and columns behind the last."""
    y, x0, x1 = sections.T
    height, width = shape
    return _core.runs_from_pairs(y * width + x0, x1 - x0, height, width, False)[0]


def _sections(
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    row: NDArray[np.int64],
    width: float,
    columns: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What rows have of segments as wide as that and round at their ends, without and with ties.

    One piece each. Where an end is a pixel's centre, but for rounding, the exact distance decides.
    """
    (px, py), (qx, qy) = begin.T.astype(np.float64), end.T.astype(np.float64)
    dx, dy, y = qx - px, qy - py, (2 * row + 1).astype(np.float64)
    low, high = _reach(px, py, dx, dy, y, width)
    x0 = np.ceil((low - 1) / 2 - _ROUNDING)
    x1 = np.floor((high - 1) / 2 + _ROUNDING)
    with np.errstate(invalid="ignore"):  # of a row that rounding left without a section
        doubt0 = np.flatnonzero(x0 - (low - 1) / 2 < _ROUNDING)
        doubt1 = np.flatnonzero((high - 1) / 2 - x1 < _ROUNDING)
    touches = np.maximum(np.minimum(py, qy) - y, y - np.maximum(py, qy)) >= width  # no more
    found = []
    for ties in (False, True):
        first, last = x0.copy(), x1.copy()
        for x, doubt, inward in ((first, doubt0, 1), (last, doubt1, -1)):
            vx, vy = 2 * x[doubt] + 1 - px[doubt], (y - py)[doubt]
            x[doubt] += inward * ~_is_near(vx, vy, dx[doubt], dy[doubt], width, ties)
        np.maximum(first, 0, out=first)
        np.minimum(last, columns - 1, out=last)
        some = first <= last if ties else (first <= last) & ~touches
        ends = first[some].astype(np.int64), last[some].astype(np.int64) + 1
        found.append(np.stack((row[some], *ends), axis=1))
    return found[0], found[1]


def _is_near(
    vx: Floats, vy: Floats, dx: Floats, dy: Floats, width: float, ties: bool
) -> NDArray[np.bool_]:
    """Whether points at v from the begin of segments d are closer to them than the width."""
    square, along = dx**2 + dy**2, vx * dx + vy * dy
    between = (along > 0) & (along < square)
    to_an_end = np.minimum(vx**2 + vy**2, (vx - dx) ** 2 + (vy - dy) ** 2)
    apart = np.where(between, (vx * dy - vy * dx) ** 2, to_an_end)
    limit = np.where(between, width**2 * square, width**2)
    near: NDArray[np.bool_] = apart <= limit if ties else apart < limit
    return near


def _reach(
    px: Floats, py: Floats, dx: Floats, dy: Floats, y: Floats, width: float
) -> tuple[Floats, Floats]:
    """The lowest and highest x, in half pixels, of discs around both ends and what is between."""
    low, high = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        for x, above in ((px, y - py), (px + dx, y - py - dy)):
            half = np.sqrt(width**2 - above**2)  # not a number if the disc does not come so far
            low, high = np.fmin(low, x - half), np.fmax(high, x + half)
        # Between the ends: two bounds from the sides, two from the ends.
        above = y - py
        middle = px + above * dx / dy
        half = np.abs(width * np.hypot(dx, dy) / dy)
        sides = np.where(dy == 0, np.where(np.abs(above) <= width, -np.inf, np.nan), middle - half)
        sides_high = np.where(dy == 0, -sides, middle + half)
        one, other = px - above * dy / dx, px + (dx**2 + dy**2 - above * dy) / dx
        passes = np.where((above * dy >= 0) & (above * dy <= dy**2), np.inf, np.nan)
        begin = np.where(dx == 0, -passes, np.minimum(one, other))
        end = np.where(dx == 0, passes, np.maximum(one, other))
        left, right = np.maximum(sides, begin), np.minimum(sides_high, end)
        some = (left <= right) & ((dx != 0) | (dy != 0))
    return np.where(some, np.minimum(low, left), low), np.where(some, np.maximum(high, right), high)
