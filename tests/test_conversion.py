"""Masks from and to the forms of other tools: golden vectors, round trips, oracles, refusals."""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as peer
from strategies import pixel_arrays

from runmask import Mask
from runmask.errors import InputError, LimitError, MaskError, MaskTypeError

SHAPE = (3, 4)
PIXELS = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], np.uint8)
A = Mask.from_array(PIXELS)
DOT = Mask([6], [1], SHAPE)

# -- golden vectors

COCO_STRINGS = {
    "52203": [5, 2, 2, 2, 5],
    "8<63": [8, 12, 6, 15],
    "01210O10": [0, 1, 2, 2, 2, 1, 3, 1],
    "<": [12],
    "0<": [0, 12],
    "01;": [0, 1, 11],
    ";1": [11, 1],
    "ooooo?": [2**29 - 1],
    "PPPPP`0": [2**29],
    "PPPPPP2": [2**31],
    "oooooo3": [2**32 - 1],
}


@pytest.mark.parametrize("text", COCO_STRINGS)
def test_coco_strings(text: str) -> None:
    counts = COCO_STRINGS[text]
    shape = (1, sum(counts)) if sum(counts) < 2**31 else (sum(counts) // 3, 3)
    if shape[0] * shape[1] != sum(counts):
        shape = (sum(counts) // 2, 2)
    mask = Mask.from_coco_counts(counts, shape, max_pixels=None)
    assert mask.to_coco() == {"size": list(shape), "counts": text}
    assert mask.to_coco_counts().tolist() == counts
    for form in (text, text.encode(), bytearray(text.encode())):
        assert Mask.from_coco(form, shape, max_pixels=None) == mask
        assert Mask.from_coco({"size": shape, "counts": form}, max_pixels=None) == mask


def test_the_sample_in_every_form() -> None:
    assert A.starts.tolist() == [0, 5, 11]
    assert A.lengths.tolist() == [2, 2, 1]
    assert A.to_coco() == {"size": [3, 4], "counts": "01210O10"}
    assert A.to_coco("list") == A.to_sam() == {"size": [3, 4], "counts": [0, 1, 2, 2, 2, 1, 3, 1]}
    assert zlib.decompress(A.to_coco("zlib")["zcounts"]) == b"01210O10"
    assert A.to_nuscenes() == {"size": [3, 4], "counts": "MDEyMTBPMTA="}
    assert zlib.decompress(base64.b64decode(A.to_open_images())) == b"01210O10"
    assert A.to_kaggle(order="columns", base=1) == "1 1 4 2 8 1 12 1"
    assert A.to_kaggle(order="rows", base=1) == "1 2 6 2 12 1"
    assert A.to_kaggle(order="rows", base=0) == "0 2 5 2 11 1"
    assert A.to_kaggle(order="columns", base=0, relative=True) == "0 1 2 2 2 1 3 1"
    assert A.to_cvat() == [0, 2, 3, 2, 4, 1, 0, 0, 3, 2]
    assert DOT.to_cvat() == [0, 1, 2, 1, 2, 1]
    assert A.to_cvat_xml() == {
        "rle": "0, 2, 3, 2, 4, 1",
        "left": "0",
        "top": "0",
        "width": "4",
        "height": "3",
    }
    assert A.to_label_studio() == [
        *(0, 0, 0, 48, 57, 27, 252, 255, 246, 192, 39, 255, 190, 1, 31, 248)
    ]
    assert Mask.empty(SHAPE).to_label_studio() == [0, 0, 0, 48, 57, 27, 254, 47, 0, 0]
    assert Mask.full(SHAPE).to_label_studio() == [0, 0, 0, 48, 57, 27, 254, 47, 255, 0]
    compact = DOT.to_compact()
    assert compact.counts.tolist() == [0, 1]
    assert compact[1:] == ((1, 1), (2, 1), SHAPE)
    assert Mask.empty(SHAPE).to_compact().counts.tolist() == [1]
    rows, begins, ends = A.to_run_triples()
    assert (rows.tolist(), begins.tolist(), ends.tolist()) == ([0, 1, 2], [0, 1, 3], [1, 2, 3])
    assert A.to_opencv_rl().tolist() == [[4, 3, 0], [0, 1, 0], [1, 2, 1], [3, 3, 2]]


# -- there and back

Trip = Callable[[Mask], Mask]

TRIPS: dict[str, Trip] = {
    "coco": lambda m: Mask.from_coco(m.to_coco()),
    "coco list": lambda m: Mask.from_coco(m.to_coco("list")),
    "coco zlib": lambda m: Mask.from_coco(m.to_coco("zlib")),
    "coco counts": lambda m: Mask.from_coco_counts(m.to_coco_counts(), m.shape),
    "nuscenes": lambda m: Mask.from_nuscenes(m.to_nuscenes()),
    "open images": lambda m: Mask.from_open_images(m.to_open_images(), m.shape),
    "sam": lambda m: Mask.from_sam(m.to_sam()),
    "sam record": lambda m: Mask.from_sam({"segmentation": m.to_coco(), "area": m.area}),
    "kaggle columns 1": lambda m: kaggle(m, order="columns", base=1),
    "kaggle rows 1": lambda m: kaggle(m, order="rows", base=1),
    "kaggle rows 0": lambda m: kaggle(m, order="rows", base=0),
    "kaggle relative": lambda m: kaggle(m, order="columns", base=0, relative=True),
    "cvat": lambda m: Mask.from_cvat(m.to_cvat(), m.shape) if m else m,
    "cvat floats": lambda m: Mask.from_cvat(list(map(float, m.to_cvat())), m.shape) if m else m,
    "cvat xml": lambda m: Mask.from_cvat(m.to_cvat_xml(), m.shape) if m else m,
    "label studio": lambda m: Mask.from_label_studio(m.to_label_studio(), m.shape),
    "compact": lambda m: Mask.from_compact(*m.to_compact()),
    "png": lambda m: Mask.from_png(m.to_png()),
    "png palette": lambda m: Mask.from_png(m.to_png(((0, 0, 0), (9, 0, 255))), labels=1),
    "run triples": lambda m: Mask.from_run_triples(*m.to_run_triples(), m.shape),
    "opencv rl": lambda m: Mask.from_opencv_rl(m.to_opencv_rl()),
}


def kaggle(mask: Mask, **form: Any) -> Mask:
    return Mask.from_kaggle(mask.to_kaggle(**form), mask.shape, **form)


def test_recorded_masks_there_and_back(golden: Path) -> None:
    results = json.loads((golden / "coco_fakesegm100.json").read_bytes())
    assert len(results) == 734
    for result in results:
        mask = Mask.from_coco(result["segmentation"])
        assert mask.to_coco() == result["segmentation"]
        assert mask.area == peer.area(result["segmentation"])
        for form, trip in TRIPS.items():
            assert trip(mask) == mask, form


@settings(max_examples=60)
@given(pixels=pixel_arrays(max_pixels=6000))
def test_random_masks_there_and_back(pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    for form, trip in TRIPS.items():
        assert trip(mask) == mask, form


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (3, 4)])
@pytest.mark.parametrize("form", TRIPS)
def test_plain_masks_there_and_back(form: str, shape: tuple[int, int]) -> None:
    last = shape[0] * shape[1] - 1
    for mask in (
        Mask.empty(shape),
        Mask.full(shape),
        Mask([0], [1], shape),
        Mask([last], [1], shape),
    ):
        assert TRIPS[form](mask) == mask


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_images_without_pixels(shape: tuple[int, int]) -> None:
    mask = Mask.empty(shape)
    assert mask.to_coco() == {"size": list(shape), "counts": "0"}
    for counts in ("0", "", [], [0]):
        assert Mask.from_coco(counts, shape, allow_empty=True) == mask
        with pytest.raises(LimitError, match="allow_empty"):
            Mask.from_coco(counts, shape)
    assert mask.to_kaggle(order="rows", base=1) == ""
    assert Mask.from_kaggle("", shape, order="rows", base=1, allow_empty=True) == mask
    written = mask.to_label_studio()
    assert Mask.from_label_studio(written, shape, allow_empty=True) == mask
    with pytest.raises(InputError):
        mask.to_png()


def test_huge_images() -> None:
    """10**10 pixels in the memory of the runs; counts beyond 2**32."""
    shape = (100_000, 100_000)
    mask = Mask([7, 5_000_000_000], [3, 250_000], shape, max_pixels=None)
    for form in ("coco", "nuscenes", "sam", "cvat", "compact"):
        written = {
            "coco": mask.to_coco,
            "nuscenes": mask.to_nuscenes,
            "sam": mask.to_sam,
            "cvat": lambda: (mask.to_cvat(), shape),
            "compact": mask.to_compact,
        }[form]()
        arguments = written if isinstance(written, tuple) else (written,)
        assert getattr(Mask, f"from_{form}")(*arguments, max_pixels=None) == mask
    corners = Mask([0, 10**10 - 1], [1, 1], shape, max_pixels=None)
    counts = corners.to_compact().counts
    assert counts.tolist() == [0, 1, *[2**31 - 1, 0] * 4, 10**10 - 2 - 4 * (2**31 - 1), 1]
    assert Mask.from_compact(*corners.to_compact(), max_pixels=None) == corners
    triples = mask.to_run_triples()
    assert Mask.from_run_triples(*triples, shape, max_pixels=None) == mask
    with pytest.raises(LimitError):
        mask.to_label_studio()


# -- against others


@given(pixel_arrays(max_pixels=9000))
def test_coco_is_the_peers(kernels: str, pixels: np.ndarray) -> None:
    rle = peer.encode(np.asfortranarray(pixels != 0).view(np.uint8))
    mask = Mask.from_array(pixels)
    assert mask.to_coco() == {"size": rle["size"], "counts": rle["counts"].decode()}
    assert Mask.from_coco(rle) == mask
    assert peer.frPyObjects(mask.to_sam(), *mask.shape) == rle


@given(pixel_arrays(max_pixels=3000), st.integers(1, 255))
def test_label_studio_by_the_bit(pixels: np.ndarray, alpha: int) -> None:
    """Also as other writers have it: any alpha, literal blocks, other groups."""
    mask = Mask.from_array(pixels)
    picture = reference.unpack_brush(bytes(mask.to_label_studio()))
    assert np.array_equal(picture.reshape(*mask.shape, 4)[..., 3], mask.to_array() * 255)
    painted = np.repeat((pixels != 0).astype(np.uint8).ravel() * np.uint8(alpha), 4)
    painted.reshape(-1, 4)[:, 0] = 77  # other channels mean nothing
    packed = reference.pack_brush(painted, groups=(1, 5, 9, 12))
    assert Mask.from_label_studio(packed, mask.shape, threshold=alpha - 1) == mask
    if alpha < 255:
        assert not Mask.from_label_studio(packed, mask.shape, threshold=alpha)


@given(pixel_arrays(max_pixels=3000))
def test_supervision_takes_and_gives_the_same(pixels: np.ndarray) -> None:
    module = pytest.importorskip("supervision.detection.compact_mask")
    mask = Mask.from_array(pixels)
    counts, crop_shape, offset, shape = mask.to_compact()
    theirs = module.CompactMask([counts], np.array([crop_shape]), np.array([offset]), shape)
    assert np.array_equal(theirs.to_dense()[0], mask.to_array(dtype=bool))
    height, width = shape
    whole = np.array([[0, 0, width - 1, height - 1]])
    dense = module.CompactMask.from_dense(mask.to_array(dtype=bool)[None], whole, shape)
    item = dense._rles[0], dense._crop_shapes[0], dense._offsets[0]
    assert Mask.from_compact(*item, shape) == mask


# -- what readers refuse

BAD_STRINGS = {
    "a byte below": ("5/203", "bad_character", 1),
    "a byte above": ("52p03", "bad_character", 2),
    "a blank": ("522 3", "bad_character", 3),
    "beyond ASCII": ("52é03", "bad_character", 2),
    "cut off": ("5220P", "cut_off", 4),
    "too long": ("5" + "o" * 20, "number_too_long", 1),
    "65 bits": ("P" * 12 + "8", "number_too_long", 0),
    "negative": ("52O03", "negative_count", 2),
    "negative difference": ("5220M", "negative_count", 4),
    "past the end": ("5220<", "counts_past_end", 4),
    "far past the end": ("5" + "P" * 11 + "1", "counts_past_end", 1),
    "short": ("5220", "counts_short", 4),
    "nothing": ("", "counts_short", 0),
}


@pytest.mark.parametrize("name", BAD_STRINGS)
def test_strings_that_are_refused(name: str) -> None:
    text, code, index = BAD_STRINGS[name]
    with pytest.raises(MaskError) as caught:
        Mask.from_coco(text, (4, 4))
    if code == "number_too_long" and caught.value.code == "cut_off":
        pytest.fail("the length is to be found before the end")
    assert (caught.value.code, caught.value.index) == (code, index)


BAD_COUNTS = {
    "negative": ([3, -1, 10], "negative_count", 1),
    "past the end": ([3, 1, 9], "counts_past_end", 2),
    "wraps": ([3, 2**63 - 1, 2**63 - 1], "counts_past_end", 1),
    "beyond 64 bits": ([3, 2**70], "run_past_end", 1),
    "short": ([3, 1, 7], "counts_short", 3),
    "float": ([3, 1.0, 8], "mask_type", 1),
    "bool": ([3, True, 8], "mask_type", 1),
    "text": ([3, "1", 8], "mask_type", 1),
}


@pytest.mark.parametrize("name", BAD_COUNTS)
def test_counts_that_are_refused(name: str) -> None:
    counts, code, index = BAD_COUNTS[name]
    with pytest.raises(MaskError) as caught:
        Mask.from_coco_counts(counts, SHAPE)
    assert (caught.value.code, caught.value.index) == (code, index)
    with pytest.raises(MaskError):
        Mask.from_sam({"size": SHAPE, "counts": counts})


def test_zeros_between_counts_join() -> None:
    for counts in ([0, 2, 0, 3, 7], [5, 0, 0, 0, 0, 7], [0, 0, 0, 12], [12, 0], [3, 2, 7, 0, 0]):
        flat = np.repeat(np.arange(len(counts)) % 2, counts).reshape(4, 3).T
        assert Mask.from_coco_counts(counts, SHAPE) == Mask.from_array(flat)


def test_coco_dicts_that_are_refused() -> None:
    for bad in ({}, {"size": [3, 4]}, {"counts": "<"}, {"size": [3], "counts": "<"}):
        with pytest.raises(MaskError):
            Mask.from_coco(bad)
    for wrong in (
        {"size": 3, "counts": "<"},
        {"size": [3, 4], "counts": 5},
        {"size": "34", "counts": ""},
    ):
        with pytest.raises(MaskTypeError):
            Mask.from_coco(wrong)
    with pytest.raises(InputError, match="shape is needed"):
        Mask.from_coco("<")
    with pytest.raises(InputError, match="not the size"):
        Mask.from_coco(A.to_coco(), (4, 3))
    assert Mask.from_coco(A.to_coco(), (3, 4)) == A
    with pytest.raises(InputError, match="'string'"):
        A.to_coco("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="max_pixel"):
        Mask.from_coco(A.to_coco(), max_pixel=3)  # type: ignore[call-arg]


def test_wrappers_that_are_refused() -> None:
    with pytest.raises(MaskError) as caught:
        Mask.from_nuscenes({"size": SHAPE, "counts": "MDEy*TBPMTA="})
    assert caught.value.code == "base64"
    good = zlib.compress(b"01210O10")
    for bad in (b"x", good[:-1], good + b"0", good[:3] + b"\0" + good[4:]):
        with pytest.raises(MaskError) as caught:
            Mask.from_open_images(base64.b64encode(bad), SHAPE)
        assert caught.value.code == "zlib"
    bomb = zlib.compress(bytes(10**7), 9)
    with pytest.raises(LimitError):
        Mask.from_coco({"size": SHAPE, "zcounts": bomb})


def test_limits_come_first() -> None:
    huge = {"size": [2**31 - 1, 2**31 - 1], "counts": "0"}
    with pytest.raises(LimitError, match="max_pixels"):
        Mask.from_coco(huge)
    with pytest.raises(LimitError, match="max_pixels 11"):
        Mask.from_coco(A.to_coco(), max_pixels=11)
    for read in (
        lambda: Mask.from_coco(A.to_coco(), max_runs=2),
        lambda: Mask.from_coco_counts(A.to_coco_counts(), SHAPE, max_runs=2),
        lambda: Mask.from_kaggle("1 1 4 1", SHAPE, order="rows", base=1, max_runs=1),
        lambda: Mask.from_cvat(A.to_cvat(), SHAPE, max_runs=2),
        lambda: Mask.from_label_studio(A.to_label_studio(), SHAPE, max_runs=2),
        lambda: Mask.from_run_triples([0, 1], [0, 0], [1, 1], SHAPE, max_runs=1),
        lambda: Mask.from_png(A.to_png(), max_runs=2),
    ):
        with pytest.raises(LimitError, match="max_runs"):
            read()


def test_kaggle_needs_its_order_and_base() -> None:
    text = "1 1 4 2 8 1 12 1"
    with pytest.raises(TypeError):
        Mask.from_kaggle(text, SHAPE)  # type: ignore[call-arg]
    for form in (
        {"order": "C", "base": 1},
        {"order": "rows", "base": 2},
        {"order": "rows", "base": True},
        {"order": "rows", "base": 1, "relative": True},
    ):
        with pytest.raises(InputError):
            Mask.from_kaggle(text, SHAPE, **form)  # type: ignore[arg-type]
        with pytest.raises(InputError):
            A.to_kaggle(**form)  # type: ignore[arg-type]


@pytest.mark.parametrize("nothing", ["", "  \n", None, math.nan, "1 0", b""])
def test_kaggle_without_pixels(nothing: Any) -> None:
    assert Mask.from_kaggle(nothing, SHAPE, order="columns", base=1) == Mask.empty(SHAPE)


def test_kaggle_relative_without_pixels() -> None:
    form: Any = {"order": "columns", "base": 0, "relative": True}
    assert Mask.empty(SHAPE).to_kaggle(**form) == "-1"
    for nothing in ("-1", " -1 ", ""):
        assert Mask.from_kaggle(nothing, SHAPE, **form) == Mask.empty(SHAPE)


BAD_KAGGLE = {
    "odd": ("1 1 4", "length_mismatch", 2),
    "word": ("1 1 four 2", "bad_character", 4),
    "float": ("1 1 4.0 2", "bad_character", 5),
    "two commas": ("1,,1", "bad_character", 2),
    "comma at the end": ("1 1,", "bad_character", 4),
    "sign alone": ("1 - 1", "bad_character", 2),
    "zero with base 1": ("0 2", "negative_start", 0),
    "past the end": ("1 1 12 2", "run_past_end", 1),
    "negative length": ("1 1 4 -2", "negative_length", 1),
    "beyond 64 bits": ("1 99999999999999999999", "number_too_long", 2),
    "wraps": ("-9223372036854775808 1", "run_past_end", 0),
}


@pytest.mark.parametrize("name", BAD_KAGGLE)
def test_kaggle_that_is_refused(name: str) -> None:
    text, code, index = BAD_KAGGLE[name]
    with pytest.raises(MaskError) as caught:
        Mask.from_kaggle(text, SHAPE, order="rows", base=1)
    assert (caught.value.code, caught.value.index) == (code, index)


def test_cvat_that_is_refused() -> None:
    with pytest.raises(InputError, match="CVAT"):
        Mask.empty(SHAPE).to_cvat()
    for points in ([], [1, 2, 3], [0, 1, 2, 1, 4, 1], [0, 1, 2, 1, 1, 1], [0, 1, -1, 1, 2, 1]):
        with pytest.raises(MaskError) as caught:
            Mask.from_cvat(points, SHAPE)
        assert caught.value.code == "box"
    for points, code in (
        ([0, 2, 2, 1, 2, 1], "counts_past_end"),
        ([1, 2, 1, 3, 1], "counts_short"),
        ([-1, 2, 2, 1, 3, 1], "negative_count"),
        ([0, math.nan, 2, 1, 2, 1], "not_finite"),
        ([0, 1e300, 2, 1, 2, 1], "not_finite"),
    ):
        with pytest.raises(MaskError) as caught:
            Mask.from_cvat(points, SHAPE)
        assert caught.value.code == code
    for wrong in ("0, 1", [["a"]], ["a", 1, 2, 3, 4], {"rle": "0, 1", "left": "x"}):
        with pytest.raises(MaskError):
            Mask.from_cvat(wrong, SHAPE)  # type: ignore[arg-type]
    with pytest.raises(MaskError, match="byte 3"):
        Mask.from_cvat(DOT.to_cvat_xml() | {"rle": "0, x"}, SHAPE)


def test_label_studio_that_is_refused() -> None:
    good = bytes(A.to_label_studio())
    for size in range(len(good) - 1):
        with pytest.raises(MaskError) as caught:
            Mask.from_label_studio(good[:size], SHAPE)
        assert caught.value.code == "cut_off"
    assert Mask.from_label_studio(good + b"more", SHAPE) == A
    with pytest.raises(MaskError) as caught:
        Mask.from_label_studio(b"\xff" * 4 + good[4:], SHAPE)  # 4 GiB by its head
    assert caught.value.code == "bad_header"
    with pytest.raises(MaskError) as caught:
        Mask.from_label_studio([1, 256], SHAPE)
    assert (caught.value.code, caught.value.index) == ("bad_byte", 1)
    long = reference.pack_brush(np.zeros(50, np.uint8))
    with pytest.raises(MaskError) as caught:
        Mask.from_label_studio(b"\0\0\0\x30" + long[4:], SHAPE)
    assert caught.value.code == "counts_past_end"
    for threshold in (-1, 255, 1.5, True, "x"):
        with pytest.raises(InputError):
            Mask.from_label_studio(good, SHAPE, threshold=threshold)  # type: ignore[arg-type]


def test_compact_that_is_refused() -> None:
    for crop, offset in (((3, 3), (2, 0)), ((3, 3), (-1, 0)), ((1, 1), (4, 0)), ((2, 2), (0, 2))):
        with pytest.raises(MaskError) as caught:
            Mask.from_compact([crop[0] * crop[1]], crop, offset, SHAPE)
        assert caught.value.code == "box"
    with pytest.raises(MaskError) as caught:
        Mask.from_compact([3], (2, 2), (0, 0), SHAPE)
    assert caught.value.code == "counts_short"


def test_run_triples_in_any_order() -> None:
    assert Mask.from_run_triples([2, 0, 1, 0], [3, 1, 1, 0], [3, 1, 2, 0], SHAPE) == A
    for run in ((3, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 4), (0, 2, 1)):
        with pytest.raises(MaskError) as caught:
            Mask.from_run_triples([0, run[0]], [0, run[1]], [0, run[2]], SHAPE)
        assert (caught.value.code, caught.value.index) == ("run_outside", 1)
    with pytest.raises(MaskError, match="2 rows, 1 begins"):
        Mask.from_run_triples([0, 1], [0], [0], SHAPE)
    points = A.to_opencv_rl()
    assert Mask.from_opencv_rl(points[:, None]) == A
    for bad in (points[:0], points[:, :2], points.astype(float)):
        with pytest.raises(MaskError):
            Mask.from_opencv_rl(bad)
