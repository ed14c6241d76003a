"""Contours drawn on images.

A stroke is a mask on runs like any other: overlapping rings are blended once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..contours import Contours
from ..errors import InputError, shown
from ..mask import Mask
from .coverage import FINE, SAMPLES, coverage_levels
from .overlays import overlay
from .pictures import checked_colour, checked_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .overlays import Sample
    from .pictures import Layout

    Floats = NDArray[np.float64]

_WIDEST = 2**15
_AT_ONCE = 2**19  # rows of segments, to bound the memory
_ROUNDING = 2.0**-20  # of a pixel, more than that of a computed end


def outline(
    image: NDArray[Sample],
    contours: Contours,
    colour: Sequence[int] = (255, 0, 0, 255),
    width: float = 1,
    out: NDArray[Sample] | None = None,
    threads: int = 1,
    *,
    antialias: bool = False,
    layout: Layout = "rgb",
) -> NDArray[Sample]:
    """Draw the rings of contours as lines.

    Parameters
    ----------
    image : ndarray of uint8 or uint16
        As for :func:`overlay`: grey or colour, with alpha or without, of any strides.
    contours : Contours
        Of a mask of the same height and width.
    colour : (R, G, B, A), 0 to 255
    width : float, 1 to 32768
        Of the line, in pixels. A pixel is drawn if its centre is closer than ``width / 2`` to a
        ring, and at just that distance if it is in the mask. So a box in a mask gets a border of
        exactly so many pixels, the odd one inside; at width 1 it is the mask's outermost pixels.
    out : ndarray, optional
        Where to write, of the shape and type of ``image``; ``out=image`` works in place. It is
        returned.
    threads : int
        At most this many; the result is the same to the byte.
    antialias : bool
        Draw pixels that the line covers in part in part. Each has 8 x 8 samples, evenly spaced, the
        outer ones 1/16 from its edges; a sample counts as a pixel's centre does above. A pixel with
        ``n`` of its 64 samples in the line gets the colour with alpha ``A * n / 64``, halves up.
    layout : {"rgb", "bgr"}
        The order of the image's channels; the colour is R, G, B, A in any case.

    Returns
    -------
    ndarray of the shape and type of ``image``

    Raises
    ------
    ImageError, InputError
        As for :func:`overlay`; the width is none.

    Notes
    -----
    Each pixel is blended once, by the arithmetic of :func:`overlay`. Rings on pixels' edges that
    are not simplified: as a dilation and an erosion of the mask. Others: O(rows that each segment
    goes through). With antialias all of that 8 times as large, and O(pixels of the rows drawn on).
    """
    if colour is None:
        raise InputError("colour None: not (R, G, B, A)", code="colour")
    if not isinstance(antialias, bool):
        raise InputError(f"antialias {shown(antialias)}: not True or False")
    if antialias:
        red, green, blue, alpha = checked_colour(colour, "colour")
        fine = _stroke(contours, width, FINE)
        checked_image(image, contours.shape)
        layers = [
            (mask, (red, green, blue, (2 * alpha * count + SAMPLES) // (2 * SAMPLES)))
            for mask, count in coverage_levels(fine)
        ]
        return overlay(image, layers, out=out, threads=threads, layout=layout)
    return overlay(image, stroke(contours, width), colour, None, out, threads, layout=layout)


def stroke(contours: Contours, width: float = 1) -> Mask:
    """The pixels that :func:`outline` draws."""
    return Mask._of(_stroke(contours, width, 1))


def _stroke(contours: Contours, width: float, fine: int) -> _core.Runs:
    """On a grid so many times as fine, in which everything is so many times as large."""
    if not isinstance(contours, Contours):
        raise InputError(f"contours are {type(contours).__name__}: Mask.contours makes them")
    wide = _checked_width(width) * fine
    runs = contours._runs
    if fine != 1:
        runs = _core.resized(runs, runs.height * fine, runs.width * fine, 0)
    if contours.outline == "edge" and contours._simplified is None:
        return _around_edges(runs, wide)
    near, just_so_far = _swept(contours, wide, fine)
    return _core.union(near, _core.intersection(just_so_far, runs))


def _checked_width(width: object) -> float:
    number = isinstance(width, (int, float, np.integer, np.floating)) and width is not True
    if not number or not 1 <= width <= _WIDEST:  # type: ignore[operator]
        raise InputError(f"width {shown(width)}: not a number from 1 to {_WIDEST}")
    return float(width)  # type: ignore[arg-type]


def _around_edges(runs: _core.Runs, width: float) -> _core.Runs:
    """A pixel is close to an edge of the mask if it is to a pixel of the other side: as squares."""
    outer = _core.morph(runs, _element(width, runs.height, ties=False), False, 0)
    # Beside the image nothing is set, but an erosion takes all there as set: hence the margin.
    padded = _core.placed(runs, runs.height + 2, runs.width + 2, 1, 1, False)
    inner = _core.morph(padded, _element(width, runs.height, ties=True), True, 0)
    return _core.difference(outer, _core.placed(inner, runs.height, runs.width, -1, -1, False))


def _element(width: float, height: int, *, ties: bool) -> NDArray[np.int64]:
    """Offsets of squares whose nearest points are within half the width of the centre of one.

    As rectangles (across, down), the first the lowest.
    """

    def is_near(x: int, y: int) -> bool:
        square = max(2 * x - 1, 0) ** 2 + max(2 * y - 1, 0) ** 2
        return square <= width**2 if ties else square < width**2

    found: list[tuple[int, int]] = []
    across = int(width) // 2 + 1
    for down in range(min(across, height) + 1):
        while across >= 0 and not is_near(across, down):
            across -= 1
        if across < 0:
            break
        if found and found[-1][0] == across:
            found[-1] = across, down
        else:
            found.append((across, down))
    return np.array(found, np.int64)


def _swept(contours: Contours, width: float, fine: int) -> tuple[_core.Runs, _core.Runs]:
    """The pixels whose centres are closer than half the width to a segment, and those with ties.

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
        stop = max(at + 1, int(np.searchsorted(ends, done + _AT_ONCE)))
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
