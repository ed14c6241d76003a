"""Rings as COCO's polygons, which know no holes.

A hole is joined with its part by a bridge without width: the polygon goes to the hole, around it
and back the same way, and even-odd filling, as COCO's own, sees the hole. The bridge goes to the
left from the first point of the hole, through the part, to the nearest edge of it: the outer ring,
or another hole that begins earlier and has a bridge itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Int32s = NDArray[np.int32]
    Int64s = NDArray[np.int64]


class Bridge(NamedTuple):
    """How a hole is reached: from the point (x, y) so far behind a point of another ring."""

    point: int
    distance: int
    x: int
    y: int
    hole: int


def polygons(
    points: Int32s, offsets: Int64s, parents: Int32s, is_hole: NDArray[np.bool_], bridged: bool
) -> list[list[int]]:
    """A flat list of x and y for each outer ring, with its holes if they are bridged."""
    bridges: dict[int, list[Bridge]] = {}
    if bridged and is_hole.any():
        found = sorted(_bridges(points, offsets, parents, is_hole))
        hosts = np.searchsorted(offsets, [bridge.point for bridge in found], side="right") - 1
        for host, bridge in zip(hosts.tolist(), found, strict=True):
            bridges.setdefault(host, []).append(bridge)
    bounds = offsets.tolist()
    flat = points.ravel().tolist()
    result = []
    for outer in np.flatnonzero(~is_hole).tolist():
        polygon: list[int] = []
        ways = [_around(outer, flat, bounds, bridges)]
        while ways:  # holes hang on holes by thousands, too deep for recursion
            step = next(ways[-1], None)
            if step is None:
                ways.pop()
            elif isinstance(step, int):
                ways.append(_around(step, flat, bounds, bridges))
            else:
                polygon += step
        result.append(polygon)
    return result


def _around(
    ring: int, flat: list[int], bounds: list[int], bridges: dict[int, list[Bridge]]
) -> Iterator[list[int] | int]:
    """Along a ring: coordinates, and the numbers of the holes to go round in between."""
    at = bounds[ring]
    for point, distance, x, y, hole in bridges.get(ring, ()):
        yield flat[2 * at : 2 * point + 2]
        at = point + 1
        if distance:
            yield [x, y]
        yield hole
        first = bounds[hole]
        yield [*flat[2 * first : 2 * first + 2], x, y]
    yield flat[2 * at : 2 * bounds[ring + 1]]


def _bridges(
    points: Int32s, offsets: Int64s, parents: Int32s, is_hole: NDArray[np.bool_]
) -> list[Bridge]:
    """For each hole, the edge of its part that is next to the left of its first point."""
    ring = np.repeat(np.arange(len(parents)), np.diff(offsets))
    part = np.where(is_hole, parents, np.arange(len(parents)))
    ahead = np.arange(1, len(points) + 1)
    ahead[offsets[1:] - 1] = offsets[:-1]
    x, y = points.T.astype(np.int64)
    holes = np.flatnonzero(is_hole)
    begins = offsets[holes]
    # Each edge in each row of a first point that it goes through, the lower end left out.
    rows = np.unique(y[begins])
    first = np.searchsorted(rows, np.minimum(y, y[ahead]))
    count = np.searchsorted(rows, np.maximum(y, y[ahead])) - first
    edge = np.repeat(np.arange(len(points)), count)
    row = rows[np.arange(len(edge)) - (np.cumsum(count) - count - first)[edge]]
    down = y[ahead] - y
    column = x[edge] + ((x[ahead] - x) / np.where(down == 0, 1, down))[edge] * (row - y[edge])
    # Edges and first points side by side, in order: before each first point is its edge.
    order = np.lexsort(
        (
            np.repeat([1, 0], [len(edge), len(holes)]),
            np.r_[column, x[begins]],
            np.r_[row, y[begins]],
            np.r_[part[ring[edge]], part[holes]],
        )
    )
    is_edge = order < len(edge)
    nearest = np.maximum.accumulate(np.where(is_edge, np.arange(len(order)), -1))
    asked = np.flatnonzero(~is_edge)
    hole = order[asked] - len(edge)
    by = order[nearest[asked]]
    return _landed(edge[by], row[by], ahead, x, y, holes[hole])


def _landed(
    edge: Int64s, row: Int64s, ahead: Int64s, x: Int64s, y: Int64s, holes: Int64s
) -> list[Bridge]:
    """Where bridges end: on an upright edge in their row, on others at the end that is nearer."""
    upright = x[edge] == x[ahead[edge]]
    to_begin, to_end = np.abs(row - y[edge]), np.abs(row - y[ahead[edge]])
    at_end = (to_end == 0) | (~upright & (to_end < to_begin))
    point = np.where(at_end, ahead[edge], edge)
    distance = np.where(upright & ~at_end, to_begin, 0)
    lands = np.where(upright, row, y[point])
    columns = (point, distance, x[point], lands, holes)
    return [Bridge(*each) for each in zip(*(column.tolist() for column in columns), strict=True)]
