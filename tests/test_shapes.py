"""Drawn masks: every pixel where a plain formula, or cv2, has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco
from strategies import pixel_arrays

from runmask import Box, Mask
from runmask.errors import InputError, LimitError, MaskTypeError


def centers_inside(rings: list[Any], shape: tuple[int, int]) -> np.ndarray:
    """Even-odd at every centre, in Python's integers: what is left of a centre or through it."""
    unit = 2**20
    y, x = np.indices(shape).astype(object) * unit + unit // 2
    inside = np.zeros(shape, bool)
    for ring in rings:
        points = [
            tuple(round(value * unit) for value in point) for point in np.asarray(ring).tolist()
        ]
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
            (ax, ay), (bx, by) = sorted([(ax, ay), (bx, by)], key=lambda point: point[1])
            side = (x - ax) * (by - ay) - (y - ay) * (bx - ax)
            inside ^= ((y >= ay) & (y < by) & (side >= 0)).astype(bool)
    return inside


def random_rings(rng: np.random.Generator, shape: tuple[int, int], beyond: int) -> list[np.ndarray]:
    counts = rng.integers(1, 9, rng.integers(1, 4))
    low = -beyond, -beyond
    high = shape[1] + beyond, shape[0] + beyond
    return [rng.integers(low, high, (count, 2)) for count in counts]


# -- pixels by their centres


@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.integers(1, 25))
def test_a_pixel_is_its_center(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (height, width)
    whole = random_rings(rng, shape, 6)
    halves = [ring / 2 for ring in random_rings(rng, (2 * height, 2 * width), 6)]
    floats = [ring + rng.random(ring.shape) for ring in whole]
    for rings in (whole, halves, floats, whole + halves + floats):
        mask = Mask.from_polygons(rings, shape)
        assert np.array_equal(mask.to_array(), centers_inside(rings, shape))
        lists = [ring.tolist()[::-1] for ring in rings]
        assert Mask.from_polygons(lists, shape) == mask


@pytest.mark.parametrize("scale", [50, 5_000, 10**6, 2**31 - 2])
def test_edges_from_far_away(scale: int) -> None:
    rng = np.random.default_rng(4)
    for _ in range(15):
        rings = [(rng.random((4, 2)) * 2 - 1) * scale for _ in range(2)]
        found = Mask.from_polygons(rings, (20, 20)).to_array()
        assert np.array_equal(found, centers_inside(rings, (20, 20)))


def test_centers_on_edges_belong_to_one_side() -> None:
    """Corners at centres: left and upper edges are inside, right and lower ones are not."""
    square = [(1.5, 1.5), (4.5, 1.5), (4.5, 3.5), (1.5, 3.5)]
    mask = Mask.from_polygons([square], (6, 6))
    assert mask.bbox == Box(1, 1, 4, 3)
    assert mask.area == 6
    diamond = np.array([(4, 0), (8, 4), (4, 8), (0, 4)]) + 0.5
    parts = [
        Mask.from_polygons([[diamond[i], diamond[(i + 1) % 4], (4.5, 4.5)]], (10, 10))
        for i in range(4)
    ]
    assert sum(part.area for part in parts) == Mask.union(parts).area
    assert Mask.union(parts) == Mask.from_polygons([diamond], (10, 10))


@given(st.integers(0, 2**32 - 1))
def test_a_fan_of_triangles_tiles_its_polygon(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.random(7)) * 2 * np.pi
    ring = np.column_stack((np.cos(angles), np.sin(angles))) * 20 + 30
    hub = ring.mean(axis=0)
    parts = [Mask.from_polygons([[ring[i], ring[(i + 1) % 7], hub]], (60, 60)) for i in range(7)]
    assert sum(part.area for part in parts) == Mask.union(parts).area
    assert Mask.union(parts) == Mask.from_polygons([ring], (60, 60))


@given(pixel_arrays(3_000))
def test_rectangles_of_runs_are_the_mask(pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    y, x0, x1 = (side.astype(np.int64) for side in mask.row_runs())
    rings = np.stack([x0, y, x1, y, x1, y + 1, x0, y + 1], axis=1).reshape(-1, 4, 2)
    assert Mask.from_polygons(rings, mask.shape) == mask
    assert Mask.from_polygons(list(rings.astype(np.float32)), mask.shape) == mask


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_outlines_on_pixel_edges_are_cocos() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        # A staircase: corners on pixel edges, where all conventions mean the same pixels.
        x = np.sort(rng.choice(40, 6, replace=False))
        y = np.sort(rng.choice(40, 6, replace=False))
        upper = [(a, b) for a, b, c in zip(x, y, y[1:], strict=False) for b in (b, c)]
        ring = [*upper, (x[-1], y[-1]), (x[-1], 40), (x[0], 40)]
        flat = [float(value) for point in ring for value in point]
        (rle,) = coco.frPyObjects([flat], 45, 45)
        assert np.array_equal(Mask.from_polygons([ring], (45, 45)).to_array(), coco.decode(rle))


def test_holes_and_parts() -> None:
    outer, inner = [(0, 0), (9, 0), (9, 9), (0, 9)], [(3, 3), (6, 3), (6, 6), (3, 6)]
    ring = Mask.from_polygons([outer, inner], (9, 20))
    assert ring.area == 72
    assert not ring.at(4, 4)
    part = [(x + 10, y) for x, y in inner]
    assert Mask.from_polygons([outer, inner, part], (9, 20)).area == 81
    assert not Mask.from_polygons([], (9, 9))
    assert not Mask.from_polygons([[], [(1, 1)], [(1, 1), (8, 8)], np.empty((0, 2))], (9, 9))


# -- pixels as cv2 has them


def like_cv2(rings: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    pixels = np.zeros(shape, np.uint8)
    cv2.fillPoly(pixels, [ring.astype(np.int32) for ring in rings], 1)
    return pixels


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 5, 40, 1_000, 100_000]),
    st.integers(1, 70),
    st.integers(1, 70),
)
def test_the_pixels_of_cv2(seed: int, beyond: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(5):
        rings = random_rings(rng, (height, width), beyond)
        expected = like_cv2(rings, (height, width))
        mask = Mask.from_polygons(rings, (height, width), rule="cv2")
        assert np.array_equal(mask.to_array(), expected)
        floats = [ring.astype(float) for ring in rings]
        assert Mask.from_polygons(floats, (height, width), rule="cv2") == mask


@given(pixel_arrays(5_000))
def test_the_contours_of_cv2_are_the_mask(pixels: np.ndarray) -> None:
    plain = (pixels != 0).astype(np.uint8)
    contours, _ = cv2.findContours(plain, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    assert Mask.from_polygons(contours, plain.shape, rule="cv2") == Mask.from_array(plain)


def test_large_polygons_like_cv2() -> None:
    rng = np.random.default_rng(6)
    for _ in range(3):
        rings = random_rings(rng, (1500, 2100), 300)
        mask = Mask.from_polygons(rings, (1500, 2100), rule="cv2")
        assert np.array_equal(mask.to_array(), like_cv2(rings, (1500, 2100)))


# -- both


def test_polygons_in_images_larger_than_memory() -> None:
    side = 2**31 - 1
    square = np.array([(5, 7), (side, 7), (side, 10), (5, 10)])
    mask = Mask.from_polygons([square], (side, side))
    assert mask.starts.tolist() == [y * side + 5 for y in (7, 8, 9)]
    assert mask.lengths.tolist() == [side - 5] * 3
    square //= 4
    assert Mask.from_polygons([square], (side, side), rule="cv2").bbox == Box(
        1, 1, side // 4 + 1, 3
    )


@pytest.mark.parametrize("rule", ["center", "cv2"])
def test_rings_far_apart(rule: Any) -> None:
    """Few rows of many hold anything; rings come in any order."""
    side = 2**30
    rng = np.random.default_rng(3)
    places = [(side - 40, side - 40), (7, side // 2), (side // 3, 5), (9, 11)]
    squares = [np.array([(0, 0), (8, 0), (8, 8), (0, 8)]) + place for place in places]
    far = Mask.from_polygons(squares, (side, side), rule=rule)
    assert far.area == 4 * (64 if rule == "center" else 81)
    for x, y in places:
        assert far[y - 3 : y + 20, x - 3 : x + 20].bbox == Box(3, 3, *[11 + (rule == "cv2")] * 2)
    crowd = rng.integers(0, 300, (3_000, 1, 2)) + np.array([(0, 0), (5, 3), (2, 9)])
    near = Mask.from_polygons(crowd, (320, 320), rule=rule)
    assert near == Mask.from_polygons(crowd[::-1], (320, 320), rule=rule)
    if rule == "cv2":
        assert np.array_equal(near.to_array(), like_cv2(list(crowd), (320, 320)))


@pytest.mark.parametrize(
    ("rings", "rule", "text"),
    [
        (5, "center", "rings 5"),
        ("abc", "center", "rings 'abc'"),
        ([(1, 1), (5, 1), (5, 5)], "center", r"ring 0 has shape \(2,\).*sequence of rings"),
        ([[1, 1, 5, 1, 5, 5]], "center", r"ring 0 has shape \(6,\)"),
        ([[(1, 1), (2, 2)], [(1, 2, 3)]], "center", r"ring 1 has shape \(1, 3\)"),
        ([[(1, 2), (3,)]], "center", "ring 0: not an array"),
        ([[("a", "b")]], "center", "ring 0 is of type"),
        ([[(True, False)]], "center", "ring 0 is of type bool"),
        ([[(1, 2)], [(1, 2), (3, np.nan)]], "center", r"ring 1, point 1: \(3.0, nan\) is not fin"),
        ([[(1, 2), (np.inf, 4)]], "cv2", "ring 0, point 1: .* not finite"),
        ([[(1, 2), (3, 2.0**31 + 1)]], "center", "ring 0, point 1: .* 2147483648 px"),
        ([[(1, 2), (3, -(2**30) - 1)]], "cv2", "ring 0, point 1: .* 1073741824 px"),
        ([[(1, 2), (3, 4.5)]], "cv2", r"ring 0, point 1: \(3.0, 4.5\) is not whole"),
        ([[(1, 2**70)]], "center", "ring 0 is of type object"),
        ([], "nonzero", "rule 'nonzero'"),
    ],
)  # fmt: skip
def test_what_is_no_polygon(rings: Any, rule: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Mask.from_polygons(rings, (9, 9), rule=rule)


def test_shapes_of_images_are_checked() -> None:
    for call in (
        lambda shape: Mask.from_polygons([], shape),
        lambda shape: Mask.from_bbox((0, 0, 1, 1), shape),
        lambda shape: Mask.from_circle((0, 0), 1, shape),
    ):
        with pytest.raises(LimitError):
            call((-1, 5))
        with pytest.raises(MaskTypeError):
            call((1.0, 5))
        assert call((0, 5)) == Mask.empty((0, 5))


# -- boxes and ellipses


@given(st.lists(st.integers(-20, 60), min_size=4, max_size=4))
def test_boxes_are_slices(box: list[int]) -> None:
    x0, x1 = sorted(box[:2])
    y0, y1 = sorted(box[2:])
    pixels = np.zeros((30, 40), bool)
    pixels[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    assert Mask.from_bbox((x0, y0, x1, y1), (30, 40)) == Mask.from_array(pixels)
    mask = Mask.from_bbox(Box(x0, y0, x1, y1), (30, 40))
    if mask:
        assert Mask.from_bbox(mask.bbox, (30, 40)) == mask  # type: ignore[arg-type]
    ring = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    for by in (0, 0.3, 0.5, 0.9):
        moved = Mask.from_bbox((x0 + by, y0 + by, x1 + by, y1 + by), (30, 40))
        assert moved == Mask.from_polygons([np.array(ring) + by], (30, 40))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Mask.from_bbox((5, 0, 1, 1), (9, 9)), "x1 1.0 < x0 5.0"),
        (lambda: Mask.from_bbox((0, 5, 1, 1), (9, 9)), "y1 1.0 < y0 5.0"),
        (lambda: Mask.from_bbox((0, 5, 1), (9, 9)), "x0, y0, x1, y1"),
        (lambda: Mask.from_bbox("0011", (9, 9)), "'0011'"),
        (lambda: Mask.from_bbox((0, 0, np.inf, 1), (9, 9)), "not finite"),
        (lambda: Mask.from_bbox([(0,), (1, 2)], (9, 9)), "not"),
        (lambda: Mask.from_circle((5, 5), 0, (9, 9)), "radius 0.0: not between"),
        (lambda: Mask.from_circle((5, 5), 1e30, (9, 9)), "radius 1e.30: not between"),
        (lambda: Mask.from_circle((5, 5), (1, 2), (9, 9)), "radius"),
        (lambda: Mask.from_circle(5, 5, (9, 9)), "center 5"),
        (lambda: Mask.from_ellipse((5, 5), (1, -1), (9, 9)), "radius -1.0"),
        (lambda: Mask.from_ellipse((5, np.nan), (1, 1), (9, 9)), "not finite"),
    ],
)
def test_what_is_no_box_or_ellipse(call: Callable[[], Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        call()


_PLACES = st.one_of(st.integers(-60, 120).map(lambda half: half / 2), st.floats(-30, 60))
_RADII = st.one_of(st.integers(1, 80).map(lambda half: half / 2), st.floats(1e-3, 1e3))


@given(_PLACES, _PLACES, _RADII, _RADII)
def test_ellipses_are_the_formula(cx: float, cy: float, rx: float, ry: float) -> None:
    y, x = np.ogrid[:37, :53]
    ellipse = ((x + 0.5 - cx) * ry) ** 2 + ((y + 0.5 - cy) * rx) ** 2 <= (rx * ry) ** 2
    assert Mask.from_ellipse((cx, cy), (rx, ry), (37, 53)) == Mask.from_array(ellipse)
    disc = (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 <= rx**2
    assert Mask.from_circle((cx, cy), rx, (37, 53)) == Mask.from_array(disc)


def test_discs_with_whole_numbers() -> None:
    """Pythagorean radii put centres on the circle itself, where rounding would show."""
    y, x = np.ogrid[:200, :200]
    for radius in (5, 13, 25, 65, 85):
        expected = (x - 100) ** 2 + (y - 90) ** 2 <= radius**2
        mask = Mask.from_circle((100.5, 90.5), radius, (200, 200))
        assert mask == Mask.from_array(expected)
        assert mask == Mask.from_ellipse((100.5, 90.5), (radius, radius), (200, 200))
