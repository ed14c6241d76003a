"""Measures of rings, against OpenCV, GEOS, and sums of whole numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from outlines import BAD_RINGS, Ring, edges, flat, split, trace, twice_area

from runmask import _core
from runmask.contours.measures import (
    contains_points,
    convex_hulls,
    measure_rings,
    min_area_rects,
)
from runmask.errors import InputError


def random_rings(count: int, seed: int) -> Iterator[Ring]:
    """Rings of pixels, rings through centres, and points anywhere, on lines or alone."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        far = int(rng.choice([3, 10, 100, 2**20]))
        if number % 3:
            size = int(rng.integers(1, 30))
            points = rng.integers(-far, far + 1, (size, 2))
            if number % 7 == 0:
                points[:, number % 2] = 5
            yield [(int(x), int(y)) for x, y in points]
            continue
        mask = np.kron(rng.random((9, 9)) < 0.6, np.ones((3, 3), bool)) & (
            rng.random((27, 27)) < 0.9
        )
        yield from trace(mask, 8)
        for contour in cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
        )[0]:
            yield [(int(x), int(y)) for x, y in contour[:, 0]]


RINGS = list(random_rings(600, seed=1))


def as_cv2(ring: Ring) -> np.ndarray:
    return np.array(ring, np.int32).reshape(-1, 1, 2)


def test_areas_and_boxes_are_exact() -> None:
    measures = measure_rings(*flat(RINGS))
    assert measures.twice_areas.dtype == np.int64
    assert measures.boxes.dtype == np.int32
    assert measures.twice_areas.tolist() == [twice_area(ring) for ring in RINGS]
    for box, ring in zip(measures.boxes.tolist(), RINGS, strict=True):
        x, y = zip(*ring, strict=True)
        assert box == [min(x), min(y), max(x), max(y)]


def test_areas_and_perimeters_are_those_of_cv2() -> None:
    measures = measure_rings(*flat(RINGS))
    for doubled, perimeter, ring in zip(
        measures.twice_areas, measures.perimeters, RINGS, strict=True
    ):
        assert abs(doubled) / 2 == pytest.approx(cv2.contourArea(as_cv2(ring)), rel=1e-6, abs=0.5)
        assert perimeter == pytest.approx(cv2.arcLength(as_cv2(ring), True), rel=1e-6)
        exact = sum(math.dist(a, b) for a, b in edges(ring))
        assert perimeter == pytest.approx(exact, rel=1e-14)


def test_perimeters_of_pixel_edges_are_whole() -> None:
    rings = trace(np.random.default_rng(0).random((50, 50)) < 0.6)
    perimeters = measure_rings(*flat(rings)).perimeters
    assert perimeters.tolist() == [
        sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in edges(ring)) for ring in rings
    ]


def exact_centroid(ring: Ring) -> tuple[float, float]:
    doubled = twice_area(ring)
    if doubled:
        sums = [
            sum((a[k] + b[k]) * (a[0] * b[1] - b[0] * a[1]) for a, b in edges(ring)) for k in (0, 1)
        ]
        return float(Fraction(sums[0], 3 * doubled)), float(Fraction(sums[1], 3 * doubled))
    lengths = [math.dist(a, b) for a, b in edges(ring)]
    if sum(lengths):
        x, y = (
            math.fsum(n * (a[k] + b[k]) / 2 for n, (a, b) in zip(lengths, edges(ring), strict=True))
            for k in (0, 1)
        )
        return x / math.fsum(lengths), y / math.fsum(lengths)
    return float(ring[0][0]), float(ring[0][1])


def test_centroids() -> None:
    found = measure_rings(*flat(RINGS)).centroids
    for centroid, ring in zip(found.tolist(), RINGS, strict=True):
        scale = max(1.0, *(abs(value) for value in exact_centroid(ring)))
        assert centroid == pytest.approx(exact_centroid(ring), abs=1e-9 * scale)
    solid = shapely.Polygon([(0, 0), (9, 0), (9, 3), (4, 8)])
    ring = [(int(x), int(y)) for x, y in solid.exterior.coords[:-1]]
    assert measure_rings(*flat([ring])).centroids[0] == pytest.approx(solid.centroid.coords[0])


def test_measures_at_the_ends_of_int32() -> None:
    low, high = -(2**31), 2**31 - 1
    square = [(low, low), (high, low), (high, high), (low, high)]
    with pytest.raises(InputError, match="ring 1"):  # 2 * (2**32 - 1)**2
        measure_rings(*flat([[(0, 0)], square]))
    half = [(0, 0), (high, 0), (high, high), (0, high)]
    measures = measure_rings(*flat([half, half[::-1]]))
    assert measures.twice_areas.tolist() == [2 * high**2, -2 * high**2]
    assert measures.boxes.tolist() == [[0, 0, high, high]] * 2
    assert measures.centroids.tolist() == [[high / 2, high / 2]] * 2
    with pytest.raises(InputError, match="ring 0"):  # around it twice
        measure_rings(*flat([half * 3]))


# -- points inside


def crosses(ring: Ring, x: Fraction, y: Fraction) -> int:
    """How many edges lie left of the point in its row, or go through it."""
    count = 0
    for a, b in edges(ring):
        if a[1] > b[1]:
            a, b = b, a
        if a[1] <= y < b[1]:
            count += a[0] + Fraction(b[0] - a[0], b[1] - a[1]) * (y - a[1]) <= x
    return count


def test_points_inside_are_those_by_the_rule() -> None:
    rng = np.random.default_rng(2)
    for number in range(300):
        rings = [RINGS[i] for i in rng.integers(len(RINGS), size=rng.integers(1, 5))]
        points = np.concatenate([np.array(ring) for ring in rings])
        low, high = points.min(0) - 2, points.max(0) + 2
        near = points[rng.integers(len(points), size=10)] + rng.integers(-1, 2, (10, 2)) / 2
        queries = np.concatenate([rng.random((10, 2)) * (high - low) + low, near])
        found = contains_points(*flat(rings), queries)
        assert found.dtype == np.bool_
        for (x, y), inside in zip(queries.tolist(), found.tolist(), strict=True):
            place = [Fraction(round(value * 2**20), 2**20) for value in (x, y)]
            odd = sum(crosses(ring, *place) for ring in rings) % 2 == 1
            assert inside == odd, (number, x, y)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_corners_of_pixels_give_back_the_mask(connectivity: int) -> None:
    rng = np.random.default_rng(3)
    for share in (0.1, 0.5, 0.9, 1.0):
        mask = rng.random((40, 50)) < share
        y, x = np.mgrid[-1:42, -1:52]
        for shift in (0, 0.5, 0.999):
            queries = np.stack([x.ravel(), y.ravel()], 1) + shift
            found = contains_points(*flat(trace(mask, connectivity)), queries).reshape(43, 53)
            assert np.array_equal(found[1:41, 1:51], mask)
            assert found.sum() == mask.sum()


def test_points_inside_are_those_of_shapely() -> None:
    rng = np.random.default_rng(4)
    angles = np.sort(rng.random(500)) * 2 * math.pi
    radii = 1000 * (1 + rng.random(500))
    star = np.rint(np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]).astype(np.int32)
    queries = rng.random((20_000, 2)) * 4000 - 2000
    polygon = shapely.Polygon(star)
    assert polygon.is_valid
    want = shapely.contains_xy(polygon, queries)
    clear = shapely.distance(polygon.boundary, shapely.points(queries)) > 1e-5
    found = contains_points(star, [0, 500], queries)
    assert np.array_equal(found[clear], want[clear])


@pytest.mark.parametrize("low", [-(2**31), 2**31 - 5])
def test_queries_beyond_points_at_the_ends_of_int32(low: int) -> None:
    high, middle = low + 4, low + 2
    square = flat([[(low, low), (high, low), (high, high), (low, high)]])
    assert contains_points(*square, [(middle, middle), (low, low)]).tolist() == [True, True]
    for beside in low - 0.25, low - 1, -(2**40), high, high + 1, 2**40:
        queries = [(beside, middle), (middle, beside), (beside, beside)]
        assert not contains_points(*square, queries).any()


def test_queries_far_away_and_of_any_kind() -> None:
    square = flat([[(0, 0), (4, 0), (4, 4), (0, 4)]])
    queries = [[1e300, 1.0], [-1e300, 1.0], [1.0, 1e18], [2.0**31, 2.0**31], [3.9999999, 0.0]]
    assert contains_points(*square, queries).tolist() == [False] * 4 + [False]
    assert contains_points(*square, [[3.999, 0.0], [-1e-9, 2]]).tolist() == [True, True]
    assert contains_points(*square, [[1, 1], [4, 1], [0, 0]]).tolist() == [True, False, True]
    assert contains_points(*square, np.asfortranarray([[1, 1], [5, 1]], np.uint8)).tolist() == [
        True,
        False,
    ]
    assert contains_points(*square, []).shape == (0,)
    assert contains_points(*flat([]), [[1, 1]]).tolist() == [False]
    low, high = -(2**31), 2**31 - 1
    all_there_is = flat([[(low, low), (high, low), (high, high), (low, high)]])
    assert contains_points(*all_there_is, [[low, low], [high, 0], [high - 0.5, 0]]).tolist() == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([[0, 0, 0]], r"\(1, 3\)"),
        ([1, 2], r"\(2,\)"),
        ([[True, False]], "bool"),
        ([["a", "b"]], "not numbers"),
        ([[1j, 0]], "complex"),
        (None, "not numbers"),
        ([[0, 1], [1]], "queries: not an array"),
        ([[0.0, 1.0], [math.nan, 0.0]], "query 1: .* not finite"),
        ([[math.inf, 0.0]], "query 0: .* not finite"),
    ],
)
def test_bad_queries(queries: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contains_points(*flat([[(0, 0), (4, 0), (4, 4)]]), queries)


# -- hulls and rectangles


def test_hulls_are_those_of_cv2_and_shapely() -> None:
    hulls = split(*convex_hulls(*flat(RINGS)))
    for hull, ring in zip(hulls, RINGS, strict=True):
        solid = shapely.MultiPoint(ring).convex_hull
        assert shapely.equals(shapely.MultiPoint(hull).convex_hull, solid)
        assert len(hull) == len(set(hull)) <= len(set(ring))
        assert hull[0] == min(ring, key=lambda point: (point[1], point[0]))
        theirs = {tuple(point) for point in cv2.convexHull(as_cv2(ring))[:, 0].tolist()}
        assert set(hull) <= theirs
        if solid.geom_type == "Polygon":
            turns = zip(hull, hull[1:] + hull[:1], hull[2:] + hull[:2], strict=True)
            assert all(twice_area([a, b, c]) > 0 for a, b, c in turns)  # strictly, clockwise
        else:
            assert len(hull) == {"Point": 1, "LineString": 2}[solid.geom_type]


def test_rectangles_are_no_larger_than_those_of_cv2() -> None:
    rects = min_area_rects(*flat(RINGS))
    for number, ring in enumerate(RINGS):
        corners, (width, height) = rects.corners[number], rects.sizes[number]
        scale = max(float(np.abs(corners).max()), 1.0)
        _, (their_width, their_height), _ = cv2.minAreaRect(as_cv2(ring))
        slack = 1e-4 * scale * max(width, height, 1)
        assert width * height <= their_width * their_height + slack
        assert width * height == pytest.approx(
            shapely.MultiPoint(ring).minimum_rotated_rectangle.area, abs=1e-9 * scale**2
        )
        assert -90 <= rects.angles[number] < 0
        # All points lie in it, and its parts fit each other.
        angle = math.radians(rects.angles[number])
        along, across = (
            (np.array(ring) - rects.centers[number]) @ np.array(way)
            for way in ((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle)))
        )
        assert np.abs(along).max() == pytest.approx(width / 2, abs=1e-9 * scale)
        assert np.abs(across).max() == pytest.approx(height / 2, abs=1e-9 * scale)
        box = (rects.centers[number].tolist(), (width, height), rects.angles[number])
        assert corners == pytest.approx(cv2.boxPoints(box), abs=1e-5 * scale)


@pytest.mark.parametrize(
    "ring",
    [
        [(0, 0), (10, 0), (10, 4), (0, 4)],
        [(3, 4)],
        [(0, 0), (5, 0)],
        [(0, 0), (0, 5)],
        [(0, 0), (5, 5)],
        [(0, 5), (5, 0)],
        [(0, 0), (7, 3)],
        [(0, 0), (5, 5), (1, 9), (-4, 4)],
    ],
)
def test_rectangles_have_the_sides_and_angles_of_cv2(ring: Ring) -> None:
    center, size, angle = cv2.minAreaRect(as_cv2(ring))
    rects = min_area_rects(*flat([ring]))
    assert rects.centers[0] == pytest.approx(center, abs=1e-5)
    assert rects.sizes[0] == pytest.approx(size, abs=1e-5)
    assert rects.angles[0] == pytest.approx(angle, abs=1e-4)


def test_rectangles_of_right_angles_are_exact() -> None:
    rects = min_area_rects(*flat([[(1, 2), (8, 2), (8, 5), (1, 5)]]))
    assert rects.corners.tolist() == [[[8, 5], [1, 5], [1, 2], [8, 2]]]
    assert (rects.angles.tolist(), rects.sizes.tolist()) == ([-90], [[3, 7]])


def test_hulls_that_span_too_much() -> None:
    wide = [(-1, 0), (2**31 - 1, 0), (5, 5)]
    for call in (convex_hulls, min_area_rects):
        with pytest.raises(InputError, match="ring 1: points too far apart"):
            call(*flat([[(0, 0)], wide]))
    far = 2**31 - 1
    square = [(0, 0), (far, 0), (far, far), (0, far), (far // 2, far // 2), (far // 2, 1)]
    assert split(*convex_hulls(*flat([square]))) == [square[:4]]
    assert min_area_rects(*flat([square])).sizes.tolist() == [[far, far]]


# -- all of them


@pytest.mark.parametrize("call", [measure_rings, convex_hulls, min_area_rects])
@pytest.mark.parametrize(("points", "offsets", "message"), BAD_RINGS)
def test_bad_rings(call: Any, points: Any, offsets: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(points, offsets)


def test_no_rings() -> None:
    none = flat([])
    assert [len(array) for array in measure_rings(*none)] == [0] * 4
    assert [len(array) for array in min_area_rects(*none)] == [0] * 4
    points, offsets = convex_hulls(*none)
    assert (points.shape, offsets.tolist()) == ((0, 2), [0])


def test_the_bridge_refuses_what_does_not_fit() -> None:
    points, offsets = flat([[(0, 0), (4, 0), (4, 4)]])
    good = [np.empty(1, np.int64), np.empty(1), np.empty((1, 4), np.int32), np.empty((1, 2))]
    for at in range(4):
        bad = list(good)
        bad[at] = np.concatenate([bad[at], bad[at]])
        with pytest.raises(InputError):
            _core.measure_rings(points, offsets, *bad)
    with pytest.raises(InputError):
        _core.measure_rings(points, offsets, *good[:3], np.empty((1, 3)))
    with pytest.raises(InputError):
        _core.contain_points(points, offsets, np.zeros((2, 2), np.int64), np.empty(1, np.uint8))
    with pytest.raises(InputError):
        _core.contain_points(points, offsets, np.zeros((1, 3), np.int64), np.empty(1, np.uint8))
    sizes = [np.empty((1, 4, 2)), np.empty((1, 2)), np.empty((1, 2)), np.empty(2)]
    with pytest.raises(InputError):
        _core.min_area_rects(points, offsets, *sizes)
