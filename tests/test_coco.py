"""``runmask.coco`` in the place of ``pycocotools.mask``: the same answers, types and pixels."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import coco as peer_coco
from pycocotools import cocoeval as peer_eval
from pycocotools import mask as peer
from strategies import pixel_arrays

from runmask import coco
from runmask.errors import InputError, LimitError, MaskError, MaskTypeError

# what the peer's own binding to NumPy 2 gives
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

A = {"size": [3, 4], "counts": b"01210O10"}
OTHER = {"size": [4, 4], "counts": b"0`0"}
NONE = {"size": [3, 4], "counts": b"<"}


def assert_same(ours: Any, theirs: Any) -> None:
    assert type(ours) is type(theirs)
    if isinstance(theirs, (np.ndarray, np.generic)):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert np.array_equal(ours, theirs)
        if isinstance(theirs, np.ndarray):
            assert ours.flags.f_contiguous == theirs.flags.f_contiguous
    else:
        assert ours == theirs


@st.composite
def batches(draw: st.DrawFn) -> np.ndarray:
    """uint8 arrays (H, W, masks) of 0 and 1 in Fortran order."""
    height, width, count = (
        draw(st.integers(1, 66)),
        draw(st.integers(1, 40)),
        draw(st.integers(1, 4)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    return np.asfortranarray(rng.random((height, width, count)) < share).astype(np.uint8, order="F")


@given(batches())
def test_batches_and_single_masks(pixels: np.ndarray) -> None:
    masks = peer.encode(pixels)
    assert_same(coco.encode(pixels), masks)
    assert_same(coco.encode(pixels[:, :, 0]), masks[0])
    assert_same(coco.encode(np.ascontiguousarray(pixels)), masks)  # the peer raises
    for name in ("decode", "area", "toBbox"):
        assert_same(getattr(coco, name)(masks), getattr(peer, name)(masks))
        assert_same(getattr(coco, name)(masks[0]), getattr(peer, name)(masks[0]))
    for intersect in (False, True):
        assert_same(coco.merge(masks, intersect), peer.merge(masks, intersect))
    text = [{"size": tuple(m["size"]), "counts": m["counts"].decode()} for m in masks]
    assert_same(coco.decode(text), peer.decode(masks))


@given(batches(), st.data())
def test_iou_of_masks(pixels: np.ndarray, data: st.DataObject) -> None:
    masks = peer.encode(pixels)
    others = peer.encode(np.asfortranarray(pixels[::-1, :, : data.draw(st.integers(0, 3))]))
    crowd = data.draw(st.lists(st.integers(0, 1), min_size=len(others), max_size=len(others)))
    assert_same(coco.iou(masks, others, crowd), peer.iou(masks, others, crowd))


_SIDES = st.floats(-5, 70, allow_nan=False)
_BOXES = st.lists(st.tuples(_SIDES, _SIDES, st.floats(0, 50), st.floats(0, 50)), max_size=5)


@given(_BOXES, _BOXES, st.booleans())
def test_iou_of_boxes(dt: list, gt: list, as_arrays: bool) -> None:
    crowd = [i % 2 for i in range(len(gt))]
    first, second = [list(box) for box in dt], [list(box) for box in gt]
    if as_arrays:
        first, second = np.array(dt).reshape(-1, 4), np.array(gt).reshape(-1, 4)
    assert_same(coco.iou(first, second, crowd), peer.iou(first, second, crowd))


def test_iou_of_different_sizes() -> None:
    assert_same(coco.iou([A], [OTHER], [0]), peer.iou([A], [OTHER], [0]))
    assert_same(coco.iou([A, NONE], [NONE, A], [1, 0]), peer.iou([A, NONE], [NONE, A], [1, 0]))


# -- polygons

_NUMBERS = st.one_of(
    st.floats(-30, 130, allow_nan=False),
    st.integers(-10, 110),
    st.integers(-100, 1000).map(lambda n: n / 10),  # on the fine grid and half way between
)


@given(st.lists(st.lists(_NUMBERS, min_size=6, max_size=25), min_size=1, max_size=3), st.data())
def test_polygons(polygons: list, data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 100)), data.draw(st.integers(1, 100))
    expected = peer.frPyObjects(polygons, height, width)
    assert_same(coco.frPyObjects(polygons, height, width), expected)
    arrays = [np.array(polygon) for polygon in polygons]
    assert_same(coco.frPyObjects(arrays, height, width), expected)


def test_many_polygons() -> None:
    """Long and steep edges, large images, points far outside."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        height, width = rng.integers(1, 3000, 2).tolist()
        spread = rng.choice([10, 300, 4000, 50_000])
        points = rng.normal(rng.uniform(0, 2000), spread, 2 * rng.integers(3, 9))
        polygon = [points.round(rng.integers(0, 6)).tolist()]
        assert coco.frPyObjects(polygon, height, width) == peer.frPyObjects(polygon, height, width)


@given(_BOXES.filter(bool), st.integers(1, 80), st.integers(1, 80))
def test_boxes(boxes: list, height: int, width: int) -> None:
    array = np.array(boxes, np.float64)
    assert_same(coco.frPyObjects(array, height, width), peer.frPyObjects(array, height, width))


@given(pixel_arrays(max_pixels=3000))
def test_uncompressed(pixels: np.ndarray) -> None:
    bits = np.asfortranarray(pixels != 0).view(np.uint8)
    flat = bits.ravel(order="F")
    turns = np.flatnonzero(np.diff(flat, prepend=0))
    counts = np.diff(np.concatenate(([0], turns, [flat.size]))).tolist()
    rle = {"size": list(bits.shape), "counts": counts}
    assert_same(coco.frPyObjects(rle, *bits.shape), peer.frPyObjects(rle, *bits.shape))
    assert_same(coco.frPyObjects([rle], *bits.shape), peer.frPyObjects([rle], *bits.shape))
    assert np.array_equal(coco.decode(rle), bits)


def test_edges_of_the_interface() -> None:
    assert_same(coco.area([]), peer.area([]))
    assert_same(coco.toBbox([]), peer.toBbox([]))
    assert_same(coco.merge([]), peer.merge([]))
    assert_same(coco.iou([], [], []), peer.iou([], [], []))
    assert_same(coco.iou([], [A], [0]), peer.iou([], [A], [0]))
    empty = np.zeros((0, 0), np.uint8, order="F")
    assert_same(coco.encode(empty), peer.encode(empty))
    assert_same(coco.decode(coco.encode(empty)), peer.decode(peer.encode(empty)))


# -- what the peer gets wrong

HOSTILE = {
    "no size": ({"counts": b"0<"}, MaskError),
    "size of strings": ({"size": ["3", "4"], "counts": b"0<"}, MaskTypeError),
    "size of three": ({"size": [3, 4, 1], "counts": b"0<"}, MaskError),
    "negative size": ({"size": [-3, -4], "counts": b"0<"}, LimitError),
    "counts cut off": ({"size": [3, 4], "counts": b"0l"}, MaskError),
    "counts short": ({"size": [3, 4], "counts": b"05"}, MaskError),
    "counts long": ({"size": [3, 4], "counts": b"0=1"}, MaskError),
    "counts negative": ({"size": [3, 4], "counts": b"O<"}, MaskError),
    "base64": ({"size": [3, 4], "counts": b"MDw="}, MaskError),
    "long number": ({"size": [3, 4], "counts": b"o" * 40}, MaskError),
    "huge count": ({"size": [3, 4], "counts": [0, 2**70]}, MaskError),
    "not a mask": ("0<", MaskTypeError),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("call", ["decode", "area", "toBbox", "merge", "iou"])
def test_hostile_masks(name: str, call: str) -> None:
    rle, error = HOSTILE[name]
    arguments = {"merge": ([rle],), "iou": ([A], [rle], [0])}.get(call, (rle,))
    if name == "not a mask" and call == "iou":
        error = MaskTypeError
    with pytest.raises(error):
        getattr(coco, call)(*arguments)
    if call not in ("merge", "iou"):
        with pytest.raises(error):
            getattr(coco, call)([rle])


def test_sizes_that_wrap_in_the_peer() -> None:
    side = 70_000
    full = {"size": [side, side], "counts": [0, side * side]}
    with pytest.raises(LimitError, match="4900000000"):
        coco.area(full)
    with pytest.raises(LimitError):
        coco.decode(full)
    assert coco.toBbox(full).tolist() == [0, 0, side, side]
    half = {"size": [side, side], "counts": [side * side // 2, side * side // 2]}
    assert coco.iou([full], [half], [0]).tolist() == [[0.5]]
    assert coco.merge([full, half], intersect=True) == coco.merge([half])


def test_values_other_than_one() -> None:
    """The peer takes 1, 2 for two turns."""
    pixels = np.array([[0, 1, 2, 255]], np.uint8, order="F")
    assert coco.decode(coco.encode(pixels)).tolist() == [[0, 1, 1, 1]]
    assert coco.decode(coco.encode(pixels.astype(np.int64) * 256)).tolist() == [[0, 1, 1, 1]]


@pytest.mark.parametrize(
    "points", [[0.0, 0, np.nan, 1, 2, 2], [0, 0, np.inf, 1, 2, 2], [0, 0, 1e30, 1, 2, 2]]
)
def test_points_that_are_none(points: list) -> None:
    with pytest.raises(InputError):
        coco.frPyObjects([points], 10, 10)


@pytest.mark.parametrize(
    "objects", [[], "x", 5, None, [[]], [[1, 2]], [[1, 2, 3, 4]], [["a"] * 6], [[[1, 2]] * 3], (A,)]
)
def test_objects_that_are_none(objects: object) -> None:
    with pytest.raises(InputError):
        coco.frPyObjects(objects, 10, 10)


def test_calls_that_cannot_be() -> None:
    with pytest.raises(InputError, match="sizes"):
        coco.merge([A, OTHER])
    with pytest.raises(InputError, match="sizes"):
        coco.decode([A, OTHER])
    with pytest.raises(InputError, match="no masks"):
        coco.decode([])
    with pytest.raises(InputError, match="iscrowd"):
        coco.iou([A], [A], [])
    with pytest.raises(MaskTypeError, match="alike"):
        coco.iou([A], [[0, 0, 1, 1]], [0])
    with pytest.raises(InputError):
        coco.iou([[1, 2, 3]], [[1, 2, 3]], [0])
    for dt, gt, crowd, name in (
        ([], [], None, "iscrowd: NoneType"),
        (5, 5, [1], "dt: int"),
        ([], np.zeros(()), [], "gt: ndarray"),
        ([A], [A], ["a"], "iscrowd: <U1"),
        ([A], [A], [[1]], "iscrowd: int"),
    ):
        with pytest.raises(InputError, match=name):
            coco.iou(dt, gt, crowd)
    with pytest.raises(InputError):
        coco.encode(np.zeros(3, np.uint8))


# -- evaluation


def annotations(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Made-up truths for recorded results: some moved, some as polygons, some crowds."""
    rng = np.random.default_rng(3)
    images, made = {}, []
    for at, result in enumerate(results):
        height, width = result["segmentation"]["size"]
        images[result["image_id"]] = {"id": result["image_id"], "height": height, "width": width}
        if at % 5 == 0:
            continue  # found, but not there
        pixels = np.roll(peer.decode(result["segmentation"]), rng.integers(-9, 10, 2), (0, 1))
        rle = peer.encode(np.asfortranarray(pixels))
        x, y, w, h = box = peer.toBbox(rle).tolist()
        crowd = at % 17 == 1
        segmentation: Any = {"size": rle["size"], "counts": rle["counts"].decode()}
        if crowd:
            flat = pixels.ravel(order="F")
            turns = np.flatnonzero(np.diff(flat, prepend=0))
            counts = np.diff(np.concatenate(([0], turns, [flat.size]))).tolist()
            segmentation = {"size": rle["size"], "counts": counts}
        elif at % 3 == 0:
            segmentation = [[x, y, x + w, y + 0.3, x + w - 2, y + h, x + 0.7 * w, y + h / 2]]
        made.append(
            {
                "id": at + 1,
                "image_id": result["image_id"],
                "category_id": result["category_id"],
                "segmentation": segmentation,
                "area": float(peer.area(rle)),
                "bbox": box,
                "iscrowd": int(crowd),
            }
        )
    categories = [{"id": i} for i in sorted({result["category_id"] for result in results})]
    return {"images": list(images.values()), "annotations": made, "categories": categories}


def figures(truth: dict[str, Any], results: list[dict[str, Any]], kind: str) -> np.ndarray:
    with contextlib.redirect_stdout(io.StringIO()):
        ground = peer_coco.COCO()
        ground.dataset = copy.deepcopy(truth)
        ground.createIndex()
        found = ground.loadRes(copy.deepcopy(results))
        evaluation = peer_eval.COCOeval(ground, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats: np.ndarray = evaluation.stats
    return stats


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_evaluation_gives_the_same_twelve_figures(
    golden: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = json.loads((golden / "coco_fakesegm100.json").read_bytes())
    truth = annotations(results)
    expected = figures(truth, results, kind)
    assert (expected > 0.05).all()
    assert len(set(expected.tolist())) > 8
    monkeypatch.setattr(peer_coco, "maskUtils", coco)
    monkeypatch.setattr(peer_eval, "maskUtils", coco)
    assert np.array_equal(figures(truth, results, kind), expected)
