"""Rings of fewer points that never come to cross.

Rings are taken as one drawing: a point or an edge that several rings use is there once, and stays
or goes for all of them. So masks that touch keep touching, without gaps and without overlaps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .. import _core
from ..errors import InputError, shown
from .flat import checked_rings, rings_of_blocks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .flat import Rings

Method = Literal["douglas-peucker", "visvalingam"]

_METHODS = ("douglas-peucker", "visvalingam")


def simplify_rings(
    points: ArrayLike,
    offsets: ArrayLike,
    tolerance: float,
    method: Method = "douglas-peucker",
) -> Rings:
    """The same rings with some of their points: as many, in the same order.

    Parameters
    ----------
    points, offsets
        Rings in the flat form; of one mask, or of several one after another.
    tolerance : float
        In pixels; finite, not below 0. For 0 the rings are given back as they are.
    method : {"douglas-peucker", "visvalingam"}
        ``"douglas-peucker"``: what goes lies within the tolerance of the line that replaces it.

        ``"visvalingam"``: while there are points whose triangle with both neighbours has at most
        an area of ``tolerance ** 2``, the point of the smallest goes. The same measure as
        ``shapely.coverage_simplify`` has. It keeps shapes smooth, the other keeps them close.

    Returns
    -------
    points : int32 (n, 2), offsets : int64 (rings + 1)
        Points that were there before, or that another ring has on an edge of this one: where the
        edges of two masks share a part only, its ends become points of both. A ring begins where
        it did, or, if that point went, at its topmost, then leftmost point.

    Raises
    ------
    InputError
        The rings are not in the flat form or span 2**31 pixels or more; the tolerance or the
        method is none.

    Notes
    -----
    Where rings meet, points stay. A line loses points only where no point of others lies in what
    it sweeps over: if no edges crossed before, none do after, holes stay inside and parts outside,
    and a ring that had an area keeps three points or more and an area. So within the tolerance
    more may stay than each line alone would need.

    The result does not depend on the order of rings. O(points log points) for what masks are like.
    Douglas and Peucker (1973); Visvalingam and Whyatt (1993).
    """
    limit = _checked_tolerance(tolerance)
    if not isinstance(method, str) or method not in _METHODS:
        raise InputError(f"method {shown(method)}: not 'douglas-peucker' or 'visvalingam'")
    xy, ends = checked_rings(points, offsets)
    if limit == 0:
        return _read_only(xy), _read_only(ends)
    return rings_of_blocks(*_core.simplify_rings(xy, ends, limit, method == "visvalingam"))


def simplify_together(
    outlines: Sequence[tuple[ArrayLike, ArrayLike]],
    tolerance: float,
    method: Method = "douglas-peucker",
) -> list[Rings]:
    """The rings of several masks, each given as points and offsets, simplified as one drawing.

    Borders that masks share stay shared, point for point; and masks that do not overlap do not
    after. Everything else is as with :func:`simplify_rings`.
    """
    masks = [checked_rings(points, offsets) for points, offsets in outlines]
    point_counts = np.cumsum([0, *(len(points) for points, _ in masks)])
    ring_counts = np.cumsum([0, *(len(offsets) - 1 for _, offsets in masks)])
    ends = [offsets[1:] + start for (_, offsets), start in zip(masks, point_counts, strict=False)]
    points, offsets = simplify_rings(
        np.concatenate([np.empty((0, 2), np.int32), *(points for points, _ in masks)]),
        np.concatenate([np.zeros(1, np.int64), *ends]),
        tolerance,
        method,
    )
    parts = []
    for first, last in pairwise(ring_counts):
        own = offsets[first : last + 1]
        parts.append((points[own[0] : own[-1]], _read_only(own - own[0])))
    return parts


def _checked_tolerance(tolerance: float) -> float:
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real | np.number):
        raise InputError(f"tolerance {tolerance!r:.80}: not a number")
    try:
        number = float(tolerance)
    except (OverflowError, TypeError, ValueError):
        number = math.inf
    if not (math.isfinite(number) and number >= 0):
        raise InputError(f"tolerance {tolerance!r:.80}: not finite and 0 or more")
    return number


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
