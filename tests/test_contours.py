"""Contours: rings against the slow tracer, laws, filters, measures, what is simplified."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference
from drawings import drawings
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

from runmask import Contours, Mask, _core
from runmask.contours import simplify_together
from runmask.errors import InputError, LimitError, MaskTypeError

shapely = pytest.importorskip("shapely")

HOLE_IN_CORNER = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0]])


def mask_of(pixels: Any) -> Mask:
    return Mask.from_array(np.asarray(pixels))


def assert_same_rings(contours: Contours, pixels: np.ndarray, connectivity: int) -> None:
    rings, parents, is_hole = reference.edge_rings(pixels, connectivity)
    assert [[tuple(point) for point in ring.tolist()] for ring in contours] == rings
    assert contours.parents.tolist() == parents
    assert contours.is_hole.tolist() == is_hole
    assert contours.offsets.tolist() == [0, *np.cumsum([len(ring) for ring in rings]).tolist()]
    assert contours.areas.tolist() == [reference.twice_area(ring) / 2 for ring in rings]


# -- edge rings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("connectivity", [4, 8])
def test_edge_rings_are_those_of_the_slow_tracer(connectivity: Any) -> None:
    for pixels in drawings(700, seed=connectivity, side=16):
        contours = mask_of(pixels).contours(connectivity=connectivity)
        assert_same_rings(contours, pixels, connectivity)


@given(pixel_arrays(max_pixels=3000), st.sampled_from([4, 8]))
def test_edge_rings_of_other_sizes(pixels: np.ndarray, connectivity: Any) -> None:
    contours = mask_of(pixels).contours(connectivity=connectivity)
    assert_same_rings(contours, pixels, connectivity)
    assert contours == mask_of(pixels).contours(connectivity=connectivity, threads=3)


def test_one_corner_by_hand() -> None:
    """A hole that meets the outside in a corner: part of the outside for 4, a hole for 8."""
    pixels = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 1]])
    eight = mask_of(pixels).contours()
    assert [ring.tolist() for ring in eight] == [
        [[1, 0], [3, 0], [3, 3], [0, 3], [0, 1], [1, 1]],
        [[1, 1], [1, 2], [2, 2], [2, 1]],
    ]
    assert eight.parents.tolist() == [-1, 0]
    assert eight.areas.tolist() == [8, -1]
    (four,) = mask_of(pixels).contours(connectivity=4)
    corner = [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]
    assert four.tolist() == [[1, 0], [3, 0], [3, 3], [0, 3], [0, 1], *corner]


@given(pixel_arrays(), st.sampled_from([4, 8]))
def test_laws_of_edge_rings(pixels: np.ndarray, connectivity: Any) -> None:
    mask = mask_of(pixels)
    contours = mask.contours(connectivity=connectivity)
    assert contours.areas.sum() == mask.area
    assert contours.perimeters.sum() == mask.perimeter
    assert Mask.from_polygons(contours) == mask
    assert Mask.from_polygons(list(contours), mask.shape) == mask
    parts, holes = mask.components(connectivity), mask.holes(connectivity)
    assert np.count_nonzero(~contours.is_hole) == len(parts)
    assert np.count_nonzero(contours.is_hole) == len(holes)
    assert np.array_equal(contours.boxes[~contours.is_hole], parts.boxes)
    assert np.array_equal(contours.boxes[contours.is_hole], holes.boxes)
    assert (contours.parents < np.arange(len(contours))).all()
    inside = contours.parents >= 0
    assert (contours.is_hole[inside] != contours.is_hole[contours.parents[inside]]).all()


@given(pixel_arrays())
def test_center_rings_give_the_mask_back(pixels: np.ndarray) -> None:
    mask = mask_of(pixels)
    contours = mask.contours("center")
    assert Mask.from_polygons(contours) == mask
    assert len(contours) == len(mask.contours("edge"))
    assert (contours.areas[~contours.is_hole] >= 0).all()
    assert (contours.areas[contours.is_hole] <= 0).all()


@pytest.mark.parametrize("outline", ["edge", "center"])
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 8), (8, 1), (3, 4)])
def test_empty_and_full(shape: tuple[int, int], outline: Any) -> None:
    empty = Mask.empty(shape).contours(outline)
    assert len(empty) == 0
    assert empty.points.shape == (0, 2)
    assert empty.offsets.tolist() == [0]
    assert list(empty) == []
    assert empty.polygons() == []
    full = Mask.full(shape).contours(outline)
    height, width = shape
    if height * width == 0:
        assert full == empty
    elif outline == "edge":
        assert [ring.tolist() for ring in full] == [
            [[0, 0], [width, 0], [width, height], [0, height]]
        ]
    assert Mask.from_polygons(full) == Mask.full(shape)


# -- the value -----------------------------------------------------------------------------------


def test_lists_and_types() -> None:
    contours = mask_of(HOLE_IN_CORNER).contours()
    assert len(contours) == 2
    assert contours.points.dtype == np.int32
    assert contours.offsets.dtype == np.int64
    assert contours.parents.dtype == np.int32
    assert contours.is_hole.dtype == np.bool_
    assert contours.areas.dtype == np.float64
    assert contours.shape == (4, 4)
    assert (contours.outline, contours.connectivity) == ("edge", 8)
    assert np.array_equal(contours[-1], contours[1])
    assert np.array_equal(contours[np.int64(0)], next(iter(contours)))
    assert contours[0].base is not None
    assert repr(contours) == "Contours(edge, 1 part with 1 hole of 4 x 4, 10 points)"
    (outer, hole), *others = contours.polygons()
    assert not others
    assert np.array_equal(outer, contours[0])
    assert np.array_equal(hole, contours[1])


def test_polygons_are_parts() -> None:
    for pixels in drawings(60, seed=5):
        contours = mask_of(pixels).contours()
        polygons = contours.polygons()
        assert sum(map(len, polygons)) == len(contours)
        for polygon, part in zip(polygons, mask_of(pixels).components(), strict=True):
            assert Mask.from_polygons(polygon, pixels.shape) == part


@pytest.mark.parametrize("name", ["points", "offsets", "parents", "is_hole", "areas"])
def test_immutable(name: str) -> None:
    every = mask_of(HOLE_IN_CORNER).contours()
    for contours in (every, every.simplify(1.5), pickle.loads(pickle.dumps(every))):
        array = getattr(contours, name)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
        with pytest.raises(AttributeError, match="immutable"):
            setattr(contours, name, array)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(contours, name)
    with pytest.raises(ValueError, match="read-only"):
        every[0][0] = 1
    with pytest.raises(TypeError, match=r"Mask\.contours"):
        Contours()


def test_equality_and_hash() -> None:
    mask = mask_of(HOLE_IN_CORNER)
    contours = mask.contours()
    assert contours == mask.contours()
    assert hash(contours) == hash(mask.contours())
    wider = mask.pad(right=1)
    assert contours != wider.contours()
    assert contours != mask.contours("center")
    assert contours != mask.contours(connectivity=4)
    assert contours != contours.simplify(3)
    assert contours != list(contours)
    assert contours in {mask.contours()}


def test_pickling() -> None:
    mask = Mask.from_circle((30, 30), 20, (64, 64)) - Mask.from_circle((30, 30), 9, (64, 64))
    for contours in (mask.contours(), mask.contours("center"), mask.contours(simplify=1.5)):
        copy = pickle.loads(pickle.dumps(contours))
        assert copy == contours
        assert np.array_equal(copy.areas, contours.areas)
        assert copy.simplify(0) == contours.simplify(0)
        if contours.outline == "edge":
            assert copy.to_geojson() == contours.to_geojson()


def _unpickled(contours: Contours, **changed: Any) -> Contours:
    make, (kind, rings, runs, outline, connectivity, by) = contours.__reduce__()[:2]
    names = ("points", "offsets", "parents", "is_hole", "areas")
    found = dict(zip(names, rings, strict=True)) | changed
    kept = tuple(found[name] for name in names)
    others = {"runs": runs, "outline": outline, "connectivity": connectivity, "by": by}
    runs, outline, connectivity, by = (changed.get(name, others[name]) for name in others)
    return pickle.loads(pickle.dumps(make(kind, kept, runs, outline, connectivity, by)))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"runs": (np.array([0]), np.array([9]), 2**32, 2**32)}, "sides"),
        ({"runs": (np.array([0]), np.array([9]), 2**70, 4)}, "no size"),
        ({"runs": (np.array([0]), np.array([9]), 3.0, 3)}, "no size"),
        ({"runs": (np.array([0]), np.array([9]), -3, -3)}, "sides"),
        ({"runs": (np.array([0]), np.array([99]), 3, 3)}, "run"),
        ({"runs": ([0], [9], 3, 3)}, "no runs"),
        ({"parents": np.array([1, 0], np.int32)}, "ring 0: ring 1 cannot"),
        ({"parents": np.array([-1, -1], np.int32)}, "ring 1: ring -1 cannot"),
        ({"parents": np.array([-1, -2], np.int32)}, "ring 1: ring -2 cannot"),
        ({"parents": np.array([-1, 2**31 - 1], np.int32)}, "ring 1: ring 2147483647"),
        ({"parents": np.array([-1, 0, 0], np.int32)}, "parents"),
        ({"parents": [-1, 0]}, "parents"),
        ({"is_hole": np.array([0, 1], np.uint8)}, "is_hole"),
        ({"is_hole": np.array([True, False])}, "ring 0"),
        ({"areas": np.array([1.0])}, "areas"),
        ({"offsets": np.array([0, 10**9, 10])}, "offsets"),
        ({"offsets": np.array([0, 5, 5, 10])}, "offsets|parents"),
        ({"points": np.zeros((3, 2), np.int32)}, "offsets"),
        ({"points": np.full((10, 2), -1, np.int32)}, "point 0"),
        ({"outline": "middle"}, "middle"),
        ({"connectivity": "8"}, "'8'"),
        ({"by": (1.0, "douglas-peucker", (), 0)}, "0 of 0"),
    ],
)
def test_pickles_that_are_not_of_contours(changed: dict[str, Any], text: str) -> None:
    contours = mask_of(HOLE_IN_CORNER).contours()
    assert len(contours.points) == 10
    assert _unpickled(contours) == contours
    with pytest.raises(InputError, match=text):
        _unpickled(contours, **changed)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda c: c[2], IndexError, "ring 2 of 2"),
        (lambda c: c[-3], IndexError, "ring -3 of 2"),
        (lambda c: c[0:1], InputError, "not an integer"),
        (lambda c: c["0"], InputError, "ring '0'"),
        (lambda c: c[1.0], InputError, r"ring 1\.0"),
        (lambda c: c.contains([1, 2]), InputError, "points|queries"),
        (lambda c: c.contains([[1, 2, 3]]), InputError, "points|queries"),
        (lambda c: c.contains([["1", "2"]]), InputError, "points|queries"),
    ],
)
def test_wrong_questions(call: Callable[[Contours], Any], error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call(mask_of(HOLE_IN_CORNER).contours())


# -- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"outline": np.array(["edge", "edge"])},
        {"connectivity": np.array([8, 8])},
        {"connectivity": 8.0},
        {"holes": np.array([True, True])},
        {"holes": "no"},
        {"simplify": 1.0, "method": np.array(["visvalingam"] * 2)},
    ],
)
def test_arguments_of_other_types(arguments: dict[str, Any]) -> None:
    name = list(arguments)[-1]
    with pytest.raises(InputError, match=f"^{name} "):
        mask_of(HOLE_IN_CORNER).contours(**arguments)


def test_many_strips_of_many_runs() -> None:
    """What strips need is bounded by their own runs: at once that of all would be refused."""
    starts = np.arange(2**21) * 2047  # no row is like the one above
    runs = _core.runs_from_pairs(starts, np.full(2**21, 2), 2**10, 2**22, False)[0]
    one, many = (_core.contours(runs, False, 8, 2**62, strips) for strips in (1, 300))
    for a, b in zip(one, many, strict=True):
        assert memoryview(a) == memoryview(b)


def test_the_limit_of_the_core_is_the_one_named() -> None:
    runs = mask_of(HOLE_IN_CORNER)._runs
    with pytest.raises(LimitError, match="more than 4 corners"):
        _core.contours(runs, False, 8, 4, 2)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("outline", ["edge", "center"])
def test_small_parts_and_holes_are_left_out_beforehand(outline: Any, connectivity: Any) -> None:
    for pixels in drawings(150, seed=6):
        mask = mask_of(pixels)
        for least, least_hole in ((0, 0), (1, 1), (3, 0), (0, 4), (6, 5), (10**6, 10**20)):
            kept = mask.remove_small(least, connectivity)
            kept = kept.fill_holes(connectivity, max_area=max(least_hole - 1, 0))
            assert kept.contours(outline, connectivity) == mask.contours(
                outline, connectivity, min_area=least, min_hole_area=least_hole
            )
        filled = mask.remove_small(2, connectivity).fill_holes(connectivity)
        found = mask.contours(outline, connectivity, min_area=2, holes=False)
        assert found == filled.contours(outline, connectivity)
        assert not found.is_hole.any()


def test_an_island_that_goes_is_part_of_its_hole() -> None:
    pixels = np.ones((7, 7), bool)
    pixels[1:6, 1:6] = False
    pixels[3, 3] = True
    contours = mask_of(pixels).contours(min_area=2, min_hole_area=25)
    assert contours.areas.tolist() == [49, -25]
    assert mask_of(pixels).contours(min_area=2, min_hole_area=26).areas.tolist() == [49]


@pytest.mark.parametrize("outline", ["edge", "center"])
def test_window(outline: Any) -> None:
    rng = np.random.default_rng(1)
    for pixels in drawings(100, seed=7):
        mask = mask_of(pixels)
        height, width = mask.shape
        y0, y1 = np.sort(rng.integers(0, height + 1, 2)).tolist()
        x0, x1 = np.sort(rng.integers(0, width + 1, 2)).tolist()
        cut = mask[y0:y1, x0:x1].contours(outline, min_area=2, min_hole_area=2)
        for window in (np.s_[y0:y1, x0:x1], (x0, y0, x1, y1), [x0, y0, np.int64(x1), y1]):
            found = mask.contours(outline, window=window, min_area=2, min_hole_area=2)
            assert found.shape == mask.shape
            assert np.array_equal(found.points, cut.points + np.array([x0, y0], np.int32))
            assert np.array_equal(found.parents, cut.parents)
            assert np.array_equal(found.offsets, cut.offsets)


def test_windows_that_reach_out() -> None:
    mask = mask_of(HOLE_IN_CORNER)
    assert mask.contours(window=(-5, -5, 100, 10**30)) == mask.contours()
    assert mask.contours(window=np.s_[:]) == mask.contours()
    assert mask.contours(window=np.s_[..., 1:]) == mask.contours(window=np.s_[:, 1:])
    assert mask.contours(window=np.s_[-1:, :]) == mask.contours(window=np.s_[3:])
    assert mask.contours(window=mask.bbox) == mask.contours()
    assert len(mask.contours(window=(9, 9, 20, 20))) == 0


def test_max_corners() -> None:
    mask = mask_of(np.indices((9, 9)).sum(axis=0) % 2)
    with pytest.raises(LimitError, match="more than 100 corners"):
        mask.contours(connectivity=4, max_corners=100)
    assert len(mask.contours(connectivity=4, max_corners=160).points) == 160
    assert mask.contours(max_corners=10**30) == mask.contours()
    with pytest.raises(LimitError, match="width 2147483647"):
        Mask.empty((1, 2**31 - 1)).contours()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"outline": "edges"}, InputError, "outline 'edges': not 'edge' or 'center'"),
        ({"outline": None}, InputError, "outline None"),
        ({"connectivity": 6}, InputError, "connectivity 6: not 4 or 8"),
        ({"connectivity": True}, InputError, "connectivity True"),
        ({"min_area": -1}, InputError, "min_area -1"),
        ({"min_area": 1.5}, MaskTypeError, r"min_area 1\.5: not an integer"),
        ({"min_area": None}, MaskTypeError, "min_area None"),
        ({"min_hole_area": None}, MaskTypeError, "min_hole_area None"),
        ({"min_hole_area": "3"}, MaskTypeError, "min_hole_area '3'"),
        ({"max_corners": -1}, InputError, "max_corners -1"),
        ({"max_corners": True}, MaskTypeError, "max_corners True"),
        ({"threads": 0}, InputError, "threads 0"),
        ({"window": 3}, InputError, "window 3"),
        ({"window": (1, 2, 3)}, InputError, r"window \(1, 2, 3\)"),
        ({"window": (0, 0, 1.5, 2)}, InputError, "window"),
        ({"window": (3, 0, 1, 2)}, InputError, "ends before it begins"),
        ({"window": (slice(0, 4, 2), slice(None))}, InputError, "step 2"),
        ({"window": (slice("a"), slice(None))}, InputError, "row slice"),
        ({"window": (slice(None), 3)}, InputError, r"mask\["),
        ({"simplify": -1}, InputError, "tolerance"),
        ({"simplify": np.nan}, InputError, "tolerance"),
        ({"simplify": "1"}, InputError, "tolerance"),
        ({"simplify": 1, "method": "nearest"}, InputError, "method 'nearest'"),
        ({"method": "nearest"}, InputError, "method 'nearest'"),
    ],
)
def test_arguments_that_mean_nothing(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        mask_of(HOLE_IN_CORNER).contours(**arguments)


# -- measures ------------------------------------------------------------------------------------


def test_measures_are_shapelys() -> None:
    for pixels in drawings(120, seed=8):
        contours = mask_of(pixels).contours()
        hulls, rects = contours.convex_hulls(), contours.min_area_rects()
        for i, ring in enumerate(contours):
            line = shapely.LinearRing(ring)
            polygon = shapely.Polygon(ring)
            assert contours.perimeters[i] == pytest.approx(line.length)
            assert tuple(contours.boxes[i]) == line.bounds
            assert abs(contours.areas[i]) == pytest.approx(polygon.area)
            assert contours.centroids[i] == pytest.approx(np.array(polygon.centroid.coords[0]))
            assert shapely.Polygon(hulls[i]).equals(line.convex_hull)
            assert rects.sizes[i].prod() == pytest.approx(line.minimum_rotated_rectangle.area)


def test_centers_of_pixels_are_contained_in_the_mask() -> None:
    for pixels in drawings(120, seed=9):
        y, x = np.indices(pixels.shape)
        centers = np.stack((x, y), axis=-1).reshape(-1, 2) + 0.5
        contours = mask_of(pixels).contours()
        assert np.array_equal(contours.contains(centers), pixels.ravel())
        assert np.array_equal(contours.contains(centers - 0.5), pixels.ravel())
        assert not contours.contains([[-1, -1], [1e9, 0]]).any()


# -- simplification ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["douglas-peucker", "visvalingam"])
@pytest.mark.parametrize("outline", ["edge", "center"])
def test_simplified_contours(outline: Any, method: Any) -> None:
    for pixels in drawings(70, seed=10):
        mask = mask_of(pixels)
        plain = mask.contours(outline)
        for tolerance in (0.5, 1, 2.5):
            contours = mask.contours(outline, simplify=tolerance, method=method)
            assert contours == plain.simplify(tolerance, method)
            assert len(contours) == len(plain)
            assert np.array_equal(contours.parents, plain.parents)
            assert np.array_equal(contours.is_hole, plain.is_hole)
            sign = 1 if outline == "edge" else -1
            rings = [[tuple(point) for point in ring.tolist()] for ring in contours]
            areas = [sign * reference.twice_area(ring) / 2 for ring in rings]
            assert contours.areas.tolist() == areas
            if outline == "edge":  # others lie on each other, and get each other's points
                for ring, before in zip(rings, plain, strict=True):
                    assert set(ring) <= set(map(tuple, before.tolist()))
            assert set().union(*rings) <= set(map(tuple, plain.points.tolist()))
            again = contours.simplify(0.5, method)
            assert again == mask.contours(outline, simplify=0.5, method=method)
            assert contours.simplify(0) == plain


def test_fewer_points_stay() -> None:
    contours = Mask.from_circle((100, 100), 80, (200, 200)).contours()
    for method in ("douglas-peucker", "visvalingam"):
        simple = contours.simplify(2, method)
        assert 8 <= len(simple.points) < len(contours.points) / 4
        assert simple.areas[0] == pytest.approx(contours.areas[0], rel=0.05)


def test_shared_borders_stay_shared() -> None:
    rng = np.random.default_rng(3)
    y, x = np.indices((60, 60))
    seeds = rng.integers(0, 60, (6, 2))
    nearest = np.argmin([(y - a) ** 2 + (x - b) ** 2 for a, b in seeds], axis=0)
    masks = [mask_of(nearest == label) for label in range(len(seeds))]
    simple = simplify_together([mask.contours() for mask in masks], 2)
    assert sum(len(each.points) for each in simple) < sum(len(m.contours().points) for m in masks)
    assert sum(each.areas.sum() for each in simple) == 3600
    shapes = [each.to_shapely() for each in simple]
    assert all(shape.is_valid for shape in shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(3600)
    assert shapely.union_all(shapes).area == pytest.approx(3600)
    for each, mask in zip(simple, masks, strict=True):
        assert each.simplify(0) == mask.contours()
        assert pickle.loads(pickle.dumps(each)).to_wkb() == each.to_wkb()
    assert simplify_together([mask.contours() for mask in masks], 0) == [
        mask.contours() for mask in masks
    ]
    assert simplify_together([], 1) == []


def test_what_cannot_be_simplified_together() -> None:
    contours = mask_of(HOLE_IN_CORNER).contours()
    with pytest.raises(InputError, match="item 1 is Mask: not Contours"):
        simplify_together([contours, mask_of(HOLE_IN_CORNER)], 1)  # type: ignore[list-item]
    with pytest.raises(InputError, match="items 0 and 1 differ"):
        simplify_together([contours, Mask.full((3, 3)).contours()], 1)


def test_what_is_measured_is_read_only() -> None:
    contours = Mask.full((3, 4)).contours()
    for array in (contours.perimeters, contours.boxes, contours.centroids):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 7
