"""Edge rings as polygons that the Simple Features standard calls valid.

The rings of 8-connected parts, and of parts whose holes reach their border in a corner, pass a
point twice, which a valid polygon's ring may not. So the mask is traced with 4-connectivity, and
a ring that passes a point twice is cut in two there: the outer one, and one around a hole that
touches it. What 8-connectivity held together are then several polygons that touch in corners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import _core
from .tracing import Rings, traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int32s = NDArray[np.int32]
    Int64s = NDArray[np.int64]


class Pieces(NamedTuple):
    """Polygons, nested: part ``i`` has the polygons ``parts[i]`` to ``parts[i + 1]``, polygon ``j``
    the rings ``polygons[j]`` to ``polygons[j + 1]``, its outer one first, and ring ``k`` the points
    ``rings[k]`` to ``rings[k + 1]``."""

    points: Int32s
    rings: Int64s
    polygons: Int64s
    parts: Int64s


def simple_rings(points: Int32s, offsets: Int64s, width: int) -> tuple[Int64s, Int64s, Int64s]:
    """4-connected rings cut where they pass a point twice.

    The points of the new rings by number, where each ring begins among them, and the ring that it
    was cut from; the rest of each ring comes first, what was cut off from it behind all of those.

    Between both passes of a point lies a part of the background, never of the mask. So two such
    points cannot alternate along the ring: what lies between the passes nests, like brackets do.
    """
    count = len(points)
    place = points[:, 1].astype(np.int64) * (width + 1) + points[:, 0]
    by_place = np.argsort(place, kind="stable")
    ring = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    first, second = by_place[:-1], by_place[1:]
    twice = (place[first] == place[second]) & (ring[first] == ring[second])
    opening = np.zeros(count, bool)
    opening[first[twice]] = True
    depth = np.zeros(count, np.int64)
    depth[first[twice]] += 1
    depth[second[twice]] -= 1
    np.cumsum(depth, out=depth)
    opening[offsets[:-1]] = True
    order = np.argsort(depth, kind="stable")
    begins = np.flatnonzero(opening[order])
    return order, np.append(begins, count), ring[order[begins]]


def _pieces(traced: Rings, part_of_ring: Int64s, count: int, width: int) -> Pieces:
    """The polygons of 4-connected rings, by the part that each outer ring belongs to."""
    order, begins, source = simple_rings(traced.points, traced.offsets, width)
    cut_off = np.arange(len(source)) >= len(traced.parents)
    holes = traced.is_hole[source] | cut_off
    owner = np.where(traced.is_hole[source], traced.parents[source], source)
    part = part_of_ring[owner]
    ring = np.lexsort((holes, owner, part))
    lengths = np.diff(begins)[ring]
    rings = np.zeros(len(ring) + 1, np.int64)
    np.cumsum(lengths, out=rings[1:])
    along = np.arange(rings[-1]) - np.repeat(rings[:-1], lengths)
    points = traced.points[order[np.repeat(begins[ring], lengths) + along]]
    outers = np.flatnonzero(~holes[ring])
    parts = np.searchsorted(part[ring[outers]], np.arange(count + 1))
    return Pieces(points, rings, np.append(outers, len(ring)), parts)


def closed(pieces: Pieces) -> Pieces:
    """Each ring with its first point once more at its end."""
    rings = pieces.rings + np.arange(len(pieces.rings))
    points = np.insert(pieces.points, pieces.rings[1:], pieces.points[pieces.rings[:-1]], axis=0)
    return pieces._replace(points=points, rings=rings)


def twice_areas(pieces: Pieces) -> Int64s:
    """The shoelace formula for each of closed rings."""
    x, y = pieces.points.T.astype(np.int64)
    terms = np.zeros(len(x), np.int64)
    terms[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    terms[pieces.rings[1:] - 1] = 0  # from ring to ring
    return np.add.reduceat(terms, pieces.rings[:-1]) if len(x) else terms


def pieces_of_runs(runs: _core.Runs, connectivity: int) -> Pieces:
    rings = traced(runs, "edge", 4)
    outers = np.flatnonzero(~rings.is_hole)
    part = np.zeros(len(rings.parents), np.int64)
    count = len(outers)
    if connectivity == 4:
        part[outers] = np.arange(count)
    else:
        part[outers], count = _parts_at(runs, rings.points[rings.offsets[outers]])
    return _pieces(rings, part, count, runs.width)


def _parts_at(runs: _core.Runs, begins: Int32s) -> tuple[Int64s, int]:
    """The 8-connected part of each point where a 4-connected one begins, and how many there are.

    From such a point an edge goes to the right, and it is a corner of an 8-connected ring too.
    """
    rings = traced(runs, "edge", 8)
    x, y = rings.points.T.astype(np.int64)
    goes_right = np.zeros(len(x), bool)
    goes_right[:-1] = (y[:-1] == y[1:]) & (x[:-1] < x[1:])
    goes_right[rings.offsets[1:] - 1] = False  # the last edge of a ring goes up or left
    corners = np.flatnonzero(goes_right)
    places = y[corners] * (runs.width + 1) + x[corners]
    order = np.argsort(places)
    begin_x, begin_y = begins.T.astype(np.int64)
    at = np.searchsorted(places, begin_y * (runs.width + 1) + begin_x, sorter=order)
    ring = np.searchsorted(rings.offsets, corners[order[at]], side="right") - 1
    outer = np.where(rings.is_hole[ring], rings.parents[ring], ring)
    number = np.cumsum(~rings.is_hole) - 1
    return number[outer], int(number[-1]) + 1 if len(number) else 0
