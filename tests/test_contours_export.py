"""Contours as GeoJSON, WKB, shapely's geometries, COCO's polygons and SVG, by their readers."""

from __future__ import annotations

import builtins
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from drawings import drawings
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

import runmask.coco
from runmask import Contours, Mask
from runmask.contours.files import annotation
from runmask.errors import InputError, MissingDependencyError

shapely = pytest.importorskip("shapely")


def mask_of(pixels: Any) -> Mask:
    return Mask.from_array(np.asarray(pixels))


def polygons_of(geometry: Any) -> Iterator[Any]:
    yield from getattr(geometry, "geoms", [geometry])


def assert_oriented(geometry: Any) -> None:
    for polygon in polygons_of(geometry):
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)


# -- shapely, WKB, GeoJSON -----------------------------------------------------------------------


def assert_valid_and_whole(mask: Mask, connectivity: Any) -> None:
    """Valid geometries of exactly these pixels, by part, the same in every form."""
    contours = mask.contours(connectivity=connectivity)
    whole = contours.to_shapely()
    assert whole.geom_type == "MultiPolygon"
    assert whole.is_valid, shapely.is_valid_reason(whole)
    assert whole.area == mask.area
    assert_oriented(whole)
    assert shapely.from_wkb(contours.to_wkb()).equals_exact(whole)
    rings = [np.array(ring.coords) for ring in shapely.get_rings(whole.geoms)]
    assert Mask.from_polygons(rings, mask.shape) == mask

    parts = contours.to_shapely(parts=True)
    assert [part.area for part in parts] == mask.components(connectivity).areas.tolist()
    collection = contours.to_geojson()
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) == len(parts)
    for number, (feature, part) in enumerate(zip(collection["features"], parts, strict=True)):
        geometry = shapely.geometry.shape(feature["geometry"])
        assert geometry.equals(part)
        assert geometry.is_valid
        assert_oriented(geometry)
        assert feature["id"] == number
        assert feature["bbox"] == list(part.bounds)
        holes = sum(len(polygon.interiors) for polygon in part.geoms)
        assert feature["properties"] == {"area": part.area, "holes": holes}
        for polygon in polygons_of(feature["geometry"]["coordinates"]):
            assert polygon
        alone = feature["geometry"]["type"] == "Polygon"
        assert alone == (len(part.geoms) == 1)
        if alone:
            assert all(ring[0] == ring[-1] for ring in feature["geometry"]["coordinates"])
    text = contours.to_geojson_text()
    assert json.loads(text) == collection
    assert text.count("\n") == len(parts) + 2


@pytest.mark.parametrize("connectivity", [4, 8])
def test_polygons_are_valid_and_cover_the_mask(connectivity: Any) -> None:
    for pixels in drawings(280, seed=30 + connectivity, side=20):
        assert_valid_and_whole(mask_of(pixels), connectivity)


@given(pixel_arrays(max_pixels=5000), st.sampled_from([4, 8]))
def test_polygons_of_other_sizes(pixels: np.ndarray, connectivity: Any) -> None:
    assert_valid_and_whole(mask_of(pixels), connectivity)


def test_a_hole_in_a_corner_and_parts_that_meet_in_one() -> None:
    pixels = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]])
    (feature,) = mask_of(pixels).contours().to_geojson()["features"]
    assert feature["geometry"] == {
        "type": "MultiPolygon",
        "coordinates": [
            [
                [[1, 0], [3, 0], [3, 3], [0, 3], [0, 1], [1, 1], [1, 0]],
                [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]],
            ],
            [[[3, 3], [4, 3], [4, 4], [3, 4], [3, 3]]],
        ],
    }
    assert feature["bbox"] == [0, 0, 4, 4]
    assert feature["properties"] == {"area": 8, "holes": 1}
    first, second = mask_of(pixels).contours(connectivity=4).to_geojson()["features"]
    assert first["geometry"]["type"] == second["geometry"]["type"] == "Polygon"


@pytest.mark.parametrize("method", ["douglas-peucker", "visvalingam"])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_simplified_polygons_stay_valid(connectivity: Any, method: Any) -> None:
    for pixels in drawings(140, seed=40 + connectivity, side=24):
        plain = mask_of(pixels).contours(connectivity=connectivity)
        before = plain.to_shapely(parts=True)
        for tolerance in (0.8, 1.5, 4):
            contours = plain.simplify(tolerance, method)
            parts = contours.to_shapely(parts=True)
            whole = contours.to_shapely()
            assert whole.is_valid, shapely.is_valid_reason(whole)
            assert_oriented(whole)
            assert len(parts) == len(before)
            for part, other in zip(parts, before, strict=True):
                assert part.is_valid
                assert shapely.get_num_geometries(part) == shapely.get_num_geometries(other)
                if method == "douglas-peucker":
                    assert part.hausdorff_distance(other) <= 2 * tolerance
            assert json.loads(contours.to_geojson_text()) == contours.to_geojson()
            assert len(contours.to_geojson()["features"]) == len(parts)


def test_nothing_as_geometry() -> None:
    for shape in ((0, 0), (5, 4)):
        contours = Mask.empty(shape).contours()
        assert contours.to_geojson() == {"type": "FeatureCollection", "features": []}
        assert json.loads(contours.to_geojson_text()) == contours.to_geojson()
        assert contours.to_shapely().is_empty
        assert len(contours.to_shapely(parts=True)) == 0
        assert shapely.from_wkb(contours.to_wkb()).is_empty
        assert contours.to_coco() == []
        assert contours.to_svg_path() == ""


def test_large_coordinates() -> None:
    mask = Mask([2**40], [3], (2**31 - 1, 2**20), max_pixels=None)
    (feature,) = mask.contours().to_geojson()["features"]
    assert feature["bbox"] == [0, 2**20, 3, 2**20 + 1]
    assert json.loads(mask.contours().to_geojson_text())["features"] == [feature]


def test_sides_that_no_memory_could_hold() -> None:
    """Rows count for nothing, only runs and corners do."""
    for shape in ((2**31 - 1, 3), (3, 2**31 - 2)):
        mask = Mask.full(shape) - Mask.from_bbox((1, 1, 2, 2), shape)
        contours = mask.contours()
        assert contours.areas.sum() == mask.area
        (feature,) = contours.to_geojson()["features"]
        assert feature["properties"] == {"area": mask.area, "holes": 1}
        (polygon,) = contours.to_coco()
        assert polygon[-6:] == [2, 1, 1, 1, 0, 1]


def test_shapely_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "shapely":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"runmask\[geo\]"):
        Mask.full((2, 2)).contours().to_shapely()
    assert Mask.full((2, 2)).contours().to_wkb()


@pytest.mark.parametrize(
    "form",
    [
        Contours.to_geojson,
        Contours.to_geojson_text,
        Contours.to_wkb,
        Contours.to_shapely,
        Contours.to_coco,
    ],
)
def test_rings_through_centers_are_no_polygons(form: Callable[[Contours], Any]) -> None:
    with pytest.raises(InputError, match=f"{form.__name__} is for rings on pixels' edges"):
        form(Mask.full((3, 3)).contours("center"))


# -- COCO ----------------------------------------------------------------------------------------


def from_coco(polygons: list[list[int]], shape: tuple[int, int], reader: Any) -> np.ndarray:
    if not polygons:
        return np.zeros(shape, np.uint8)
    found: np.ndarray = reader.decode(reader.merge(reader.frPyObjects(polygons, *shape)))
    return found


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("connectivity", [4, 8])
def test_coco_reads_the_mask_back(connectivity: Any) -> None:
    theirs = pytest.importorskip("pycocotools.mask")
    for pixels in drawings(350, seed=50 + connectivity):
        contours = mask_of(pixels).contours(connectivity=connectivity)
        polygons = contours.to_coco()
        assert len(polygons) == np.count_nonzero(~contours.is_hole)
        for reader in (theirs, runmask.coco):
            assert np.array_equal(from_coco(polygons, pixels.shape, reader), pixels)
        filled = mask_of(pixels).fill_holes(connectivity).to_array()
        found = from_coco(contours.to_coco(holes="fill"), pixels.shape, theirs)
        assert np.array_equal(found, filled)


@given(pixel_arrays(max_pixels=5000))
def test_coco_of_other_sizes(pixels: np.ndarray) -> None:
    polygons = mask_of(pixels).contours().to_coco()
    assert np.array_equal(from_coco(polygons, pixels.shape, runmask.coco), pixels != 0)


def test_a_bridge_goes_through_the_part() -> None:
    pixels = np.ones((5, 9), bool)
    pixels[2, 3] = pixels[2, 6] = False
    (polygon,) = mask_of(pixels).contours().to_coco()
    points = np.reshape(polygon, (-1, 2)).tolist()
    assert points == [
        *[[0, 0], [9, 0], [9, 5], [0, 5], [0, 2]],
        *[[3, 2], [3, 3], [4, 3], [4, 2]],
        *[[6, 2], [6, 3], [7, 3], [7, 2], [6, 2]],
        *[[4, 2], [3, 2], [0, 2]],
    ]  # fmt: skip


def test_holes_that_hang_on_each_other_by_thousands() -> None:
    pixels = np.ones((3, 20_001), bool)
    pixels[1, 1::2] = False
    (polygon,) = mask_of(pixels).contours().to_coco()
    assert np.array_equal(from_coco([polygon], pixels.shape, runmask.coco), pixels)


def test_simplified_polygons_for_coco() -> None:
    """Of simplified rings, COCO sees what even-odd filling of them gives, but for the border."""
    for pixels in drawings(100, seed=61, side=40):
        contours = mask_of(pixels).contours(simplify=1.5)
        found = from_coco(contours.to_coco(), pixels.shape, runmask.coco)
        filled = Mask.from_polygons(contours).to_array()
        assert np.count_nonzero(found != filled) <= len(contours.points) * 3
        assert all(len(polygon) >= 6 for polygon in contours.to_coco())


def test_what_is_done_about_holes() -> None:
    contours = mask_of([[1, 1, 1], [1, 0, 1], [1, 1, 1]]).contours()
    assert contours.to_coco(holes="fill") == [[0, 0, 3, 0, 3, 3, 0, 3]]
    with pytest.raises(InputError, match="1 holes: COCO's polygons have none"):
        contours.to_coco(holes="refuse")
    with pytest.raises(InputError, match="holes 'drop': not 'bridge', 'fill' or 'refuse'"):
        contours.to_coco(holes="drop")  # type: ignore[arg-type]
    assert Mask.full((1, 2)).contours().to_coco(holes="refuse") == [[0, 0, 2, 0, 2, 1, 0, 1]]


def test_annotation() -> None:
    mask = mask_of([[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]])
    found = annotation(mask.contours())
    assert found["area"] == 8
    assert found["bbox"] == [1, 1, 3, 3] == runmask.coco.toBbox(mask.to_coco()).tolist()
    assert found["iscrowd"] == 0
    assert found["segmentation"] == mask.contours().to_coco()
    assert annotation(Mask.empty((3, 3)).contours())["bbox"] == [0, 0, 0, 0]
    json.dumps(found)


# -- SVG -----------------------------------------------------------------------------------------


def rings_of(path: str) -> list[list[list[int]]]:
    """The points of a path of M, l and z, as SVG reads it."""
    rings = []
    for subpath in path.removesuffix("z").split("z"):
        begin, _, ways = subpath.removeprefix("M").partition("l")
        points = [list(map(int, begin.split()))]
        steps = np.array(list(map(int, ways.split()))).reshape(-1, 2)
        for right, down in steps.tolist():
            points.append([points[-1][0] + right, points[-1][1] + down])
        rings.append(points)
    return rings


@pytest.mark.parametrize("outline", ["edge", "center"])
def test_svg_has_all_rings(outline: Any) -> None:
    for pixels in drawings(150, seed=70):
        contours = mask_of(pixels).contours(outline)
        path = contours.to_svg_path()
        assert re.fullmatch(r"(M\d+ \d+(l-?\d+( -?\d+)*)?z)*", path)
        rings = rings_of(path) if path else []
        assert rings == [ring.tolist() for ring in contours]


def test_svg_is_a_document() -> None:
    mask = Mask.from_circle((20, 12), 9, (30, 50))
    root = ET.fromstring(mask.contours().to_svg(fill="#0f08", title='<a> & "b"'))
    name = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{name}svg"
    assert root.attrib["viewBox"] == "0 0 50 30"
    title, path = root
    assert title.text == '<a> & "b"'
    assert path.attrib["fill"] == "#0f08"
    assert path.attrib["fill-rule"] == "evenodd"
    assert path.attrib["d"] == mask.contours().to_svg_path()
    assert "transform" not in path.attrib
    moved = ET.fromstring(mask.contours("center").to_svg())
    assert moved[1].attrib["transform"] == "translate(.5 .5)"
    hostile = ET.fromstring(mask.contours().to_svg(fill='"/><script x="'))
    assert len(hostile) == 2
    control = ET.fromstring(mask.contours().to_svg(title="a\0b\ud800\n\U0001f600"))
    assert control[0].text == "a\ufffdb\ufffd\n\U0001f600"
    assert ET.fromstring(Mask.empty((0, 0)).contours().to_svg())[1].attrib["d"] == ""
    with pytest.raises(InputError, match="fill None"):
        mask.contours().to_svg(fill=None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="title 3"):
        mask.contours().to_svg(title=3)  # type: ignore[arg-type]
