"""Rings of pixels' edges in the flat form, and what is to hold for rings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import shapely

from runmask import Mask
from runmask.contours.simplify import simplify_rings

Ring = list[tuple[int, int]]


def trace(pixels: np.ndarray, connectivity: int = 4) -> list[Ring]:
    contours = Mask.from_array(pixels).contours(connectivity=connectivity)
    return split(contours.points, contours.offsets)


def flat(rings: Iterable[Sequence[tuple[int, int]]]) -> tuple[np.ndarray, np.ndarray]:
    rings = list(rings)
    points = np.array([point for ring in rings for point in ring], np.int32).reshape(-1, 2)
    return points, np.cumsum([0, *map(len, rings)], dtype=np.int64)


def split(points: np.ndarray, offsets: np.ndarray) -> list[Ring]:
    return [
        [(x, y) for x, y in points[first:last].tolist()]
        for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]


def edges(ring: Ring) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(zip(ring, ring[1:] + ring[:1], strict=True))


def twice_area(ring: Ring) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in edges(ring))


def meet_in_points_only(rings: list[Ring]) -> bool:
    """Whether edges that are not the same have no more in common than an end of both.

    Judged by GEOS: to put nodes where lines meet must not cut any.
    """
    lines = {tuple(sorted(edge)) for ring in rings for edge in edges(ring) if edge[0] != edge[1]}
    if not lines:
        return True
    noded = shapely.unary_union(shapely.multilinestrings([list(line) for line in lines]))
    return sum(len(line.coords) - 1 for line in getattr(noded, "geoms", [noded])) == len(lines)


def simple_rings(ring: Ring) -> list[Ring]:
    """A ring cut in the points through which it goes more than once."""
    path: Ring = []
    pieces = []
    for point in ring:
        if point in path:
            at = path.index(point)
            pieces.append(path[at:])
            del path[at:]
        path.append(point)
    return [*pieces, path]


def polygons(rings: list[Ring]) -> list[shapely.Polygon]:
    """One for each outer ring of a mask of connectivity 4, with what it surrounds as holes."""
    pieces = [piece for ring in rings for piece in simple_rings(ring)]
    shells = [piece for piece in pieces if twice_area(piece) > 0]
    holes = [piece for piece in pieces if twice_area(piece) <= 0]
    solid = [shapely.Polygon(shell) for shell in shells]
    order = sorted(range(len(solid)), key=lambda i: solid[i].area)
    own: list[list[Ring]] = [[] for _ in shells]
    for hole in holes:
        area = shapely.Polygon(hole)
        own[next(i for i in order if solid[i].covers(area))].append(hole)
    return [shapely.Polygon(shell, holes) for shell, holes in zip(shells, own, strict=True)]


METHODS = ("douglas-peucker", "visvalingam")
TOLERANCES = (0.5, 0.8, 1.0, 1.5, 3.0, 10.0, 1e6)


def simplified(rings: list[Ring], tolerance: float, method: str = METHODS[0]) -> list[Ring]:
    return split(*simplify_rings(*flat(rings), tolerance, method))  # type: ignore[arg-type]


def random_masks(count: int, seed: int) -> Iterator[np.ndarray]:
    """Noise, coarse noise, discs cut out of it: nested, thin, and touching in corners."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        height, width = rng.integers(1, 40, 2)
        grain = int(rng.choice([1, 1, 2, 3, 5]))
        coarse = rng.random((height // grain + 1, width // grain + 1)) < rng.choice([0.1, 0.5, 0.9])
        mask = np.kron(coarse, np.ones((grain, grain), bool))[:height, :width]
        if rng.random() < 0.5:
            y, x = np.mgrid[:height, :width]
            mask = mask ^ (np.hypot(y - height / 2, x - width / 3) < rng.random() * width)
        yield mask


BAD_RINGS: list[tuple[Any, Any, str]] = [
    ([[0, 0, 0]], [0, 1], r"shape \(1, 3\)"),
    ([0, 1, 2, 3], [0, 2], r"shape \(4,\)"),
    ([[[0, 0]]], [0, 1], r"shape \(1, 1, 2\)"),
    ([[0.5, 0.0]], [0, 1], "float64: not integers"),
    ([[True, False]], [0, 1], "bool: not integers"),
    ([["0", "0"]], [0, 1], "not integers"),
    ([[0, 0], [1]], [0, 2], "points: not an array"),
    (None, [0], "object: not integers"),
    ([[2**31, 0]], [0, 1], "point 0: .* outside int32"),
    ([[0, 0], [0, -(2**31) - 1]], [0, 2], "point 1: .* outside int32"),
    ([[0, 2**64]], [0, 1], "not"),
    ([[0, 0]], [], r"offsets have shape \(0,\)"),
    ([[0, 0]], [[0, 1]], r"offsets have shape \(1, 2\)"),
    ([[0, 0]], 1, r"offsets have shape \(\)"),
    ([[0, 0]], [0.0, 1.0], "offsets are of type float64"),
    ([[0, 0]], [0, 2], "from 0 to 2: not from 0 to 1, as many as points"),
    ([[0, 0]], [1, 1], "from 1 to 1"),
    ([[0, 0]], [-1, 1], "from -1 to 1"),
    ([[0, 0], [1, 1]], [0, 2, 0, 2], "ring 1: offsets 2 and 0"),
    ([[0, 0], [1, 1]], [0, 1, 1, 2], "ring 1: offsets 1 and 1; a ring has a point or more"),
    ([[0, 0]], np.array([0, 2**63, 1], np.uint64), "ring 1"),
    ([], [0, 0], "ring 0"),
]
