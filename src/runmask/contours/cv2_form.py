"""Rings in the form of ``cv2.findContours``: a tuple of arrays and a hierarchy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int32s = NDArray[np.int32]
    Int64s = NDArray[np.int64]

# cv2's own numbers.
_MODES = {"external": 0, "list": 1, "ccomp": 2, "tree": 3}
_METHODS = {"none": 1, "simple": 2}


def checked_mode(mode: object) -> str:
    return _named(mode, _MODES, "mode", "RETR_")


def checked_method(method: object) -> str:
    return _named(method, _METHODS, "method", "CHAIN_APPROX_")


def _named(value: object, known: dict[str, int], name: str, prefix: str) -> str:
    if isinstance(value, str):
        short = value.upper().removeprefix(prefix).lower()
        if short in known:
            return short
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        for short, number in known.items():
            if number == value:
                return short
    allowed = ", ".join(f"{short!r} ({number})" for short, number in known.items())
    raise InputError(f"{name} {shown(value)}: not one of {allowed}")


def cv2_form(
    points: Int32s, offsets: Int64s, parents: Int32s, is_hole: NDArray[np.bool_], mode: str
) -> tuple[tuple[Int32s, ...], Int32s | None]:
    """The rings in the order of that mode, as arrays (n, 1, 2), and the hierarchy (1, R, 4)."""
    rings = np.arange(len(parents), dtype=np.int64)
    if mode == "external":
        rings = np.flatnonzero(parents < 0)
    if mode == "tree":
        above = parents.astype(np.int64)
    elif mode == "ccomp":
        above = np.where(is_hole, parents, -1).astype(np.int64)
    else:
        above = np.full(len(rings), -1, np.int64)
    if len(rings) == 0:
        return (), None
    order = _order(above)
    chosen = rings[order]
    firsts, lasts = offsets[chosen].tolist(), offsets[chosen + 1].tolist()
    columns = points.reshape(-1, 1, 2)
    arrays = tuple(columns[a:b] for a, b in zip(firsts, lasts, strict=True))
    return arrays, _hierarchy(above, order)[None]


def _order(above: Int64s) -> Int64s:
    """The forest in preorder, siblings from the last to the first, as cv2 has it.

    ``above`` has the parent of each tree or -1; parents stand before their children. No step is
    taken for each tree: what is summed along ways to the root doubles its reach each time.
    """
    count = len(above)
    if (above < 0).all():
        return np.arange(count - 1, -1, -1)
    depth = _summed_to_root(above, np.ones(count, np.int64))
    sizes = np.ones(count, np.int64)
    by_depth = np.argsort(depth, kind="stable")
    ends = np.cumsum(np.bincount(depth)[1:])
    for first, last in zip(ends[-2::-1].tolist(), ends[:0:-1].tolist(), strict=True):
        level = by_depth[first:last]
        np.add.at(sizes, above[level], sizes[level])
    # Before a tree stand its parent and the siblings behind it, with all they have.
    siblings = np.lexsort((-np.arange(count), above))
    before = np.cumsum(sizes[siblings]) - sizes[siblings]
    begins = np.flatnonzero(np.diff(above[siblings], prepend=-2))
    before -= np.repeat(before[begins], np.diff(begins, append=count))
    steps = np.empty(count, np.int64)
    steps[siblings] = before + (above[siblings] >= 0)
    order = np.empty(count, np.int64)
    order[_summed_to_root(above, steps)] = np.arange(count)
    return order


def _summed_to_root(above: Int64s, values: Int64s) -> Int64s:
    """The sum of the values of each tree and all that stand above it."""
    sums, far = values.copy(), above.copy()
    while (some := np.flatnonzero(far >= 0)).size:
        sums[some] += sums[far[some]]
        far[some] = far[far[some]]
    return sums


def _hierarchy(above: Int64s, order: Int64s) -> Int32s:
    """Next sibling, previous sibling, first child and parent of each, or -1."""
    count = len(order)
    place = np.empty(count + 1, np.int64)
    place[order] = np.arange(count)
    place[-1] = -1  # of no parent
    parent = place[above[order]]
    table = np.full((count, 4), -1, np.int32)
    table[:, 3] = parent
    siblings = np.argsort(parent, kind="stable")
    alike = parent[siblings[1:]] == parent[siblings[:-1]]
    table[siblings[:-1][alike], 0] = siblings[1:][alike]
    table[siblings[1:][alike], 1] = siblings[:-1][alike]
    firsts = siblings[np.r_[True, ~alike]]
    firsts = firsts[parent[firsts] >= 0]
    table[parent[firsts], 2] = firsts
    return table


def every_pixel(
    points: Int32s, offsets: Int64s, is_hole: NDArray[np.bool_]
) -> tuple[Int32s, Int64s]:
    """All points on the way from corner to corner, one step apart: cv2's CHAIN_APPROX_NONE.

    A hole's ring begins at the pixel before its first one. Where that is no corner (the way goes
    on up and to the right) it is not among the corners, but here it is the first.
    """
    if len(points) == 0:
        return points, offsets
    first, last = points[offsets[:-1]], points[offsets[1:] - 1]
    right, down = (first - last).T
    hidden = np.flatnonzero(is_hole & (right > 0) & (down < 0))
    if hidden.size:
        points = np.insert(points, offsets[hidden], first[hidden] + [[-1, 1]], axis=0)
        more = np.zeros(len(offsets), np.int64)
        more[hidden + 1] = 1
        offsets = offsets + np.cumsum(more)
    way = np.empty_like(points)
    np.subtract(points[1:], points[:-1], out=way[:-1])
    way[offsets[1:] - 1] = points[offsets[:-1]] - points[offsets[1:] - 1]
    steps = np.abs(way).max(axis=1, initial=0)
    steps[offsets[:-1]] += np.diff(offsets) == 1  # a pixel alone is on no way
    # x and y as the halves of one integer: a sum is a step, and each ring leads back to its first.
    firsts = points[offsets[:-1]].view(np.int64).ravel()
    step = np.repeat(np.sign(way).astype(np.int64) @ np.array([1, 2**32]), steps)
    begins = np.zeros(len(offsets), np.int64)
    np.cumsum(np.add.reduceat(steps, offsets[:-1], dtype=np.int64), out=begins[1:])
    along = np.zeros_like(step)
    along[1:] = step[:-1]
    along[begins[:-1]] += np.diff(firsts, prepend=0)
    np.cumsum(along, out=along)
    return along.view(np.int32).reshape(-1, 2), begins
