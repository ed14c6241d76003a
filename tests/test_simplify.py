"""Rings of fewer points: judged by GEOS, by hand-made traps, and by the rules promised."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from outlines import (
    METHODS,
    TOLERANCES,
    Ring,
    edges,
    flat,
    meet_in_points_only,
    polygons,
    random_masks,
    simple_rings,
    simplified,
    split,
    trace,
    twice_area,
)

from runmask import coco as mask_utils
from runmask.contours.simplify import simplify_rings, simplify_together
from runmask.errors import InputError


def check_rings(before: list[Ring], after: list[Ring], what: str) -> None:
    """What holds for rings of any connectivity."""
    assert len(after) == len(before)
    assert meet_in_points_only(after), what
    for old, new in zip(before, after, strict=True):
        assert set(new) <= set(old), what
        assert len(set(new)) >= 3, what
        assert all(a != b for a, b in edges(new)), what
        assert twice_area(old) * twice_area(new) > 0, what  # in the same direction
        assert new[0] == min(new, key=lambda point: (point[1], point[0])), what


def check_polygons(before: list[Ring], after: list[Ring], what: str) -> None:
    """Of connectivity 4: as many polygons, valid, apart from each other, with as many holes."""
    old, new = polygons(before), polygons(after)
    assert all(shapely.is_valid(new)), what
    assert [len(polygon.interiors) for polygon in new] == [
        len(polygon.interiors) for polygon in old
    ], what
    union = shapely.unary_union(new)
    assert union.area == pytest.approx(sum(polygon.area for polygon in new)), what


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("connectivity", [4, 8])
def test_random_masks_stay_valid(method: str, connectivity: int) -> None:
    for number, mask in enumerate(random_masks(600, seed=connectivity)):
        rings = trace(mask, connectivity)
        tolerance = TOLERANCES[number % len(TOLERANCES)]
        after = simplified(rings, tolerance, method)
        what = f"mask {number}, tolerance {tolerance}"
        check_rings(rings, after, what)
        if connectivity == 4:
            check_polygons(rings, after, what)


@pytest.fixture(scope="module")
def recorded(golden: Path) -> list[list[Ring]]:
    results = json.loads((golden / "coco_fakesegm100.json").read_bytes())
    return [trace(mask_utils.decode(result["segmentation"])) for result in results]


@pytest.mark.parametrize("method", METHODS)
def test_recorded_masks_stay_valid(method: str, recorded: list[list[Ring]]) -> None:
    assert len(recorded) > 700
    kept = total = 0
    for number, rings in enumerate(recorded):
        tolerance = (0.8, 1.5, 4.0)[number % 3]
        after = simplified(rings, tolerance, method)
        check_rings(rings, after, f"mask {number}")
        check_polygons(rings, after, f"mask {number}")
        kept += sum(map(len, after))
        total += sum(map(len, rings))
    assert kept < total * 0.45


def squared_distance(p: tuple[int, int], a: tuple[int, int], b: tuple[int, int]) -> Fraction:
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = Fraction((p[0] - a[0]) * dx + (p[1] - a[1]) * dy, dx * dx + dy * dy)
    at = min(max(along, Fraction(0)), Fraction(1))
    return (p[0] - a[0] - at * dx) ** 2 + (p[1] - a[1] - at * dy) ** 2


@pytest.mark.parametrize("tolerance", [0.5, 1.0, 2.0, 7.5])
def test_what_goes_lies_within_the_tolerance_of_what_replaces_it(
    tolerance: float, recorded: list[list[Ring]]
) -> None:
    limit = Fraction(tolerance) ** 2
    for rings in [*(trace(mask, 8) for mask in random_masks(150, seed=3)), *recorded[::40]]:
        for old, new in zip(rings, simplified(rings, tolerance), strict=True):
            # Passes through the ring, so that points it meets twice are told apart.
            at = next(i for i in range(len(old)) if old[i] == new[0])
            turned = old[at:] + old[:at]
            place = 0
            for a, b in edges(new):
                while True:
                    place += 1
                    point = turned[place % len(turned)]
                    if point == b:
                        break
                    assert squared_distance(point, a, b) <= limit
            assert place == len(turned)


def triangle_holds(a: Any, v: Any, b: Any, p: Any) -> bool:
    sides = [twice_area([q, r, p]) for q, r in ((a, v), (v, b), (b, a))]
    return all(side >= 0 for side in sides) or all(side <= 0 for side in sides)


@pytest.mark.parametrize("tolerance", [0.8, 1.0, 2.0, 6.0])
def test_visvalingam_leaves_nothing_that_could_go(tolerance: float) -> None:
    for mask in random_masks(60, seed=4):
        after = simplified(trace(mask), tolerance, "visvalingam")
        joined: dict[Any, set[Any]] = {}
        for ring in after:
            for a, b in edges(ring):
                joined.setdefault(a, set()).add(b)
                joined.setdefault(b, set()).add(a)
        for v, others in joined.items():
            if len(others) == 2:
                a, b = others
                small = abs(twice_area([a, v, b])) <= 2 * tolerance**2
                blocked = b in joined[a] or any(
                    triangle_holds(a, v, b, p) for p in joined if p not in (a, v, b)
                )
                assert not small or blocked, (v, a, b)


def label_image(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    height, width = rng.integers(2, 40, 2)
    count = int(rng.integers(2, 6))
    y, x = np.mgrid[:height, :width]
    seeds = rng.random((3 * count, 2)) * [height, width]
    nearest = np.argmin([(y - b) ** 2 + (x - a) ** 2 for b, a in seeds], axis=0) % count
    noise = rng.integers(0, count, (height, width))
    share = float(rng.choice([0, 0, 0.1, 1]))
    return np.where(rng.random((height, width)) < share, noise, nearest), count


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("connectivity", [4, 8])
def test_shared_borders_stay_shared_in_any_order(method: Any, connectivity: int) -> None:
    rng = np.random.default_rng(6)
    for number in range(150):
        labels, count = label_image(rng)
        outlines = [flat(trace(labels == label, connectivity)) for label in range(count)]
        tolerance = TOLERANCES[number % len(TOLERANCES)]
        after = [split(*each) for each in simplify_together(outlines, tolerance, method)]
        assert meet_in_points_only([ring for rings in after for ring in rings])
        if connectivity == 4:
            parts = [polygon for rings in after for polygon in polygons(rings)]
            assert shapely.coverage_is_valid(parts)
            assert shapely.unary_union(parts).area == labels.size or tolerance >= 0.5
            assert sum(part.area for part in parts) == shapely.unary_union(parts).area
        order = rng.permutation(count)
        again = simplify_together([outlines[i] for i in order], tolerance, method)
        assert [split(*each) for each in again] == [after[i] for i in order]


def test_edges_shared_in_part_are_cut_for_both() -> None:
    left = [(0, 0), (10, 0), (10, 30), (0, 30)]
    right = [(10, 10), (20, 10), (20, 20), (10, 20)]
    one, two = simplify_together([flat([left]), flat([right])], 0.5)
    assert split(*one) == [[(0, 0), (10, 0), (10, 10), (10, 20), (10, 30), (0, 30)]]
    assert split(*two) == [right]


def test_a_stair_that_two_masks_share_is_cut_once() -> None:
    labels = np.add.outer(np.arange(40), np.arange(40)) < 40
    upper, lower = (flat(trace(part)) for part in (labels, ~labels))
    (first,), (second,) = (split(*each) for each in simplify_together([upper, lower], 1.0))
    assert len(first) <= 5
    assert len(second) <= 5
    assert {frozenset(edge) for edge in edges(first)} & {frozenset(edge) for edge in edges(second)}
    alone = split(*simplify_rings(*upper, 1.0))[0]
    assert len(alone) <= 5


def test_a_hole_that_another_mask_fills_has_its_border() -> None:
    y, x = np.mgrid[:60, :60]
    disc = np.hypot(y - 30, x - 30) < 20
    for method in METHODS:
        (outer, hole), (filling,) = (
            split(*each)
            for each in simplify_together([flat(trace(~disc)), flat(trace(disc))], 1.2, method)  # type: ignore[arg-type]
        )
        assert len(outer) == 4
        assert {frozenset(edge) for edge in edges(hole)} == {
            frozenset(edge) for edge in edges(filling)
        }


# -- traps


def nested_rings() -> np.ndarray:
    """Squares in squares, one pixel apart."""
    y, x = np.mgrid[:41, :41]
    return np.maximum(abs(y - 20), abs(x - 20)) % 2 == 0


def ripples() -> np.ndarray:
    y, x = np.mgrid[:61, :61]
    return np.hypot(y - 30, x - 30) % 4 < 2


def spiral_of_pixels() -> np.ndarray:
    mask = np.zeros((43, 43), bool)
    y = x = 21
    reach, way = 2, (0, 1)
    while 2 <= y < 41 and 2 <= x < 41:
        for _ in range(reach):
            y, x = min(max(y + way[0], 0), 42), min(max(x + way[1], 0), 42)
            mask[y, x] = True
        way = (way[1], -way[0])
        reach += 1 if way[0] == 0 else 0
        reach += 1
    return mask


def combs_in_each_other() -> np.ndarray:
    mask = np.zeros((22, 60), bool)
    mask[0] = mask[-1] = True
    mask[:-2, ::4] = True
    mask[2:, 2::4] = True
    return mask


def chessboard() -> np.ndarray:
    return np.add.outer(np.arange(15), np.arange(15)) % 2 == 0


def holes_that_touch_the_rim() -> np.ndarray:
    mask = np.ones((20, 20), bool)
    mask[0, 0] = mask[1, 1] = mask[2, 2] = False
    mask[5:9, 5:9] = False
    mask[9, 9] = mask[10, 10] = False
    mask[11:, 11] = False
    return mask


def a_speck_in_a_bay() -> np.ndarray:
    mask = np.ones((30, 30), bool)
    mask[4:20, 10:14] = False
    mask[0:5, 11:13] = False
    mask[10, 11] = True
    return mask


TRAPS = (
    nested_rings,
    ripples,
    spiral_of_pixels,
    combs_in_each_other,
    chessboard,
    holes_that_touch_the_rim,
    a_speck_in_a_bay,
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
def test_traps(trap: Any, connectivity: int, method: str) -> None:
    rings = trace(trap(), connectivity)
    seen: dict[tuple[int, int], int] = {}
    for ring in rings:
        for point in ring:
            seen[point] = seen.get(point, 0) + 1
    for tolerance in (*TOLERANCES, 2.0, 5.0, 20.0):
        after = simplified(rings, tolerance, method)
        check_rings(rings, after, f"tolerance {tolerance}")
        if connectivity == 4:
            check_polygons(rings, after, f"tolerance {tolerance}")
        for old, new in zip(rings, after, strict=True):  # where rings meet, points stay
            assert {p for p in old if seen[p] > 1} <= set(new)


@pytest.mark.parametrize("method", METHODS)
def test_one_pixel_keeps_an_area(method: str) -> None:
    (after,) = simplified([[(3, 3), (4, 3), (4, 4), (3, 4)]], 100.0, method)
    assert len(after) == 3
    assert twice_area(after) == 1


def test_pixels_in_a_row_of_corners_stay_whole() -> None:
    mask = np.eye(6, dtype=bool)
    rings = trace(mask, 4)
    for method in METHODS:
        after = simplified(rings, 100.0, method)
        check_rings(rings, after, method)


# -- rings of cv2.findContours: through the centres of pixels, there and back along lines


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("approximation", [cv2.CHAIN_APPROX_NONE, cv2.CHAIN_APPROX_SIMPLE])
def test_rings_through_centres(method: str, approximation: int) -> None:
    for number, mask in enumerate(random_masks(300, seed=9)):
        found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, approximation)
        if not found:
            continue
        rings = [[(int(x), int(y)) for x, y in contour[:, 0]] for contour in found]
        after = simplified(rings, TOLERANCES[number % len(TOLERANCES)], method)
        assert len(after) == len(rings)
        assert meet_in_points_only(after) or not meet_in_points_only(with_all_points(rings))
        points = {point for ring in rings for point in ring}
        for old, new in zip(rings, after, strict=True):
            assert set(new) <= points
            assert len(new) >= min(len(set(old)), 2)
            if len(set(old)) == len(old) and twice_area(old):
                assert twice_area(old) * twice_area(new) > 0
            if len(old) == 1:
                assert new == old


def with_all_points(rings: list[Ring]) -> list[Ring]:
    """Every lattice point on an edge is a point of the ring."""
    full = []
    for ring in rings:
        points = []
        for (x, y), (to_x, to_y) in edges(ring):
            steps = max(math.gcd(to_x - x, to_y - y), 1)
            points += [
                (x + (to_x - x) * i // steps, y + (to_y - y) * i // steps) for i in range(steps)
            ]
        full.append(points)
    return full


def test_lines_and_points_stay_what_they_are() -> None:
    line = [(0, 0), (5, 0), (9, 1), (5, 0)]
    point = [(4, 4)]
    for method in METHODS:
        assert simplified([line, point], 2.0, method) == [[(0, 0), (9, 1)], point]
        assert simplified([line, point], 0.1, method) == [line, point]


# -- large and strange


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tolerance", [1.0, 30.0, 1e9])
def test_long_spirals_and_combs(method: str, tolerance: float) -> None:
    """Long lines of many points must neither take all day nor fill the stack."""
    turns = 12_500
    way = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
    lengths = 4 * (np.arange(4 * turns) // 2 + 1)
    corners = np.concatenate(
        [[(0, 0)], np.cumsum(way[np.arange(4 * turns) % 4] * lengths[:, None], 0)]
    )
    offsets = np.array([(-2, -2), (2, -2), (2, 2), (-2, 2)])[np.arange(len(corners)) % 4]
    spiral = np.concatenate([corners, (corners + offsets)[::-1]])
    teeth = 25_000
    x = 4 * np.arange(teeth)[:, None] + [0, 2, 2, 4]
    comb = np.stack([x.ravel(), np.tile([0, 0, 10, 10], teeth)], 1)
    comb = np.concatenate([comb, [(4 * teeth, 13), (0, 13)]])
    for ring in (spiral, comb):
        points, ends = simplify_rings(ring, [0, len(ring)], tolerance, method)  # type: ignore[arg-type]
        assert 3 <= len(points) <= len(ring)
        assert ends.tolist() == [0, len(points)]
        assert tolerance > 1 or len(points) == len(ring)


def test_many_rings_along_one_line_do_not_multiply() -> None:
    """Each edge is there once, and its points are counted before there is memory for them."""
    count = 40_000
    wide = [[(0, 0), (2 * count, 0), (2 * count, -1 - i), (0, -1 - i)] for i in range(200)]
    teeth = [[(2 * i, 0), (2 * i + 1, 0), (2 * i + 1, 1), (2 * i, 1)] for i in range(count)]
    points, _ = simplify_rings(*flat(wide[:1] + teeth), 0.25)
    assert len(points) == 6 * count + 3
    many = [wide[0]] * 3500 + teeth
    with pytest.raises(InputError, match="more points"):
        simplify_rings(*flat(many), 0.25)


@pytest.mark.parametrize("method", METHODS)
def test_nonsense_is_survived(method: str) -> None:
    """Rings that cross, run twice the same way, stand still: some rings, as many, of old points."""
    rng = np.random.default_rng(11)
    for number in range(400):
        far = int(rng.choice([2, 4, 10, 1000, 2**30]))
        sizes = rng.integers(1, 12, rng.integers(1, 8))
        rings: list[Ring] = [
            [(int(x), int(y)) for x, y in rng.integers(-far, far, (size, 2))] for size in sizes
        ]
        rings += rings[:1]
        old = {point for ring in rings for point in ring}
        after = simplified(rings, TOLERANCES[number % len(TOLERANCES)], method)
        assert len(after) == len(rings)
        assert all(ring and set(ring) <= old for ring in after)


def test_plausible_beside_shapely(recorded: list[list[Ring]]) -> None:
    """As few points as others keep, who look at one line at a time or cut coverages alike."""
    for tolerance in (1.0, 2.0, 5.0):
        ours = [0, 0]
        theirs = [0, 0]
        for rings in recorded[::20]:
            ours[0] += sum(map(len, simplified(rings, tolerance)))
            ours[1] += sum(map(len, simplified(rings, tolerance, "visvalingam")))
            shapes = polygons(rings)
            lines = [shapely.linearrings(piece) for ring in rings for piece in simple_rings(ring)]
            alone = shapely.simplify(lines, tolerance, preserve_topology=True)
            theirs[0] += int((shapely.get_num_coordinates(alone) - 1).sum())
            coverage = shapely.coverage_simplify(shapes, tolerance)
            theirs[1] += sum(
                len(line.coords) - 1
                for part in coverage
                for line in (part.exterior, *part.interiors)
            )
        assert ours[0] <= 1.1 * theirs[0]
        assert 0.8 * theirs[1] <= ours[1] <= 1.2 * theirs[1]
