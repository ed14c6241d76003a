"""Geometry on runs: the same pixels as NumPy, OpenCV and Pillow give on the decoded image."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from strategies import pixel_arrays

from runmask import Box, Mask, _core
from runmask.errors import InputError, LimitError


def assert_is(mask: Mask, pixels: np.ndarray) -> None:
    """The same pixels, in canonical runs, of the index type that their image takes."""
    expected = Mask.from_array(pixels)
    assert mask == expected
    assert mask.starts.dtype == expected.starts.dtype


def bounds(size: int) -> st.SearchStrategy[slice]:
    ends = st.one_of(st.none(), st.integers(-size - 5, size + 5))
    return st.builds(slice, ends, ends)


# -- cuts and margins


@given(pixel_arrays(), st.data())
def test_crop_is_numpys(kernels: str, pixels: np.ndarray, data: st.DataObject) -> None:
    mask = Mask.from_array(pixels)
    rows = data.draw(bounds(pixels.shape[0]))
    columns = data.draw(bounds(pixels.shape[1]))
    assert_is(mask[rows, columns], pixels[rows, columns])
    assert_is(mask[rows], pixels[rows])
    assert_is(mask[..., columns], pixels[..., columns])
    assert_is(mask[rows, ..., columns], pixels[rows, ..., columns])
    assert mask[:] == mask[...] == mask[:, :, ...] == mask


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (3, "mask.at"), ((3, 4), "mask.at"), ((slice(None), 4), "mask.at"), ("x", "'x'"),
        ((slice(None),) * 3, "mask.at"), (None, "None"), (np.array([1, 2]), "array"),
        (slice(None, None, 2), "step 2.*resize"), (slice(None, None, -1), "step -1.*flip"),
        ((slice(None), slice(0, 9, 3)), "column slice has step 3"), (slice(1.5, 2), "integers"),
        (slice(0, 1, 0), "zero"), ((..., ...), "only mask"),
    ],
)  # fmt: skip
def test_what_is_no_crop(key: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Mask.full((9, 9))[key]


def test_masks_are_no_sequences() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        iter(Mask.full((2, 2)))  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        3 in Mask.full((2, 2))  # type: ignore[operator] # noqa: B015


@given(pixel_arrays())
def test_crop_to_bbox_and_back(kernels: str, pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    part, box = mask.crop_to_bbox()
    assert box == (mask.bbox or Box(0, 0, 0, 0))
    assert_is(part, pixels[box.y0 : box.y1, box.x0 : box.x1])
    assert part.area == mask.area
    back = part.pad(box.y0, mask.height - box.y1, box.x0, mask.width - box.x1)
    assert back == mask


@given(pixel_arrays(10_000), st.tuples(*[st.integers(0, 70)] * 4), st.booleans())
def test_pad_is_numpys(
    kernels: str, pixels: np.ndarray, margins: tuple[int, int, int, int], value: bool
) -> None:
    top, bottom, left, right = margins
    expected = np.pad(pixels != 0, ((top, bottom), (left, right)), constant_values=value)
    padded = Mask.from_array(pixels).pad(top, bottom, left, right, value=value)
    assert_is(padded, expected)
    unpadded = padded[top : padded.height - bottom, left : padded.width - right]
    assert unpadded == Mask.from_array(pixels)


@given(pixel_arrays(), st.data())
def test_translate_is_a_shift(kernels: str, pixels: np.ndarray, data: st.DataObject) -> None:
    height, width = pixels.shape
    dy = data.draw(st.integers(-height - 1, height + 1))
    dx = data.draw(st.integers(-width - 1, width + 1))
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    expected = cv2.warpAffine(
        (pixels != 0).astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST
    )
    assert_is(Mask.from_array(pixels).translate(dy, dx), expected)


def test_nothing_is_left_far_away() -> None:
    mask = Mask.full((5, 5))
    for far in (2**31, 2**63, 2**80):
        assert not mask.translate(far, 0)
        assert not mask.translate(0, -far)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda m: m.pad(-1), "top -1 is below zero"),
        (lambda m: m.pad(right=1.5), "right 1.5: not an integer"),
        (lambda m: m.pad(True), "top True: not an integer"),
        (lambda m: m.translate(0.5, 1), "dy 0.5"),
        (lambda m: m.flip(2), "axis 2"),
        (lambda m: m.flip((0, -3)), "axis -3"),
        (lambda m: m.flip("x"), "axis 'x'"),
        (lambda m: m.rotate90(1.0), "k 1.0"),
        (lambda m: m.orient(0), "exif 0"),
        (lambda m: m.orient(9), "exif 9"),
        (lambda m: m.orient("6"), "exif '6'"),
        (lambda m: m.tile(3), "reps 3"),
        (lambda m: m.tile((1, -1)), "nx -1"),
        (lambda m: m.resize((0, 4, 4)), "shape"),
        (lambda m: m[:0].resize((4, 4)), "0 x 9 has no pixel"),
        (lambda m: Mask.concatenate([]), "no masks"),
        (
            lambda m: Mask.concatenate([m, m[1:]], axis=1),
            "heights: item 0 is 9 x 9 and item 1 is 8",
        ),
        (lambda m: Mask.concatenate([m, m[:, 1:]]), "widths"),
        (lambda m: Mask.concatenate([m, 5]), "item 1 is int"),
    ],
)
def test_arguments_that_mean_nothing(call: Callable[[Mask], Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        call(Mask.full((9, 9)))


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.pad(2**31),
        lambda m: m.tile((2**31, 1)),
        lambda m: m.resize((1, 2**31)),
        lambda m: Mask.concatenate([m.resize((1, 2**31 - 1)), m], axis=1),
        lambda m: m.resize((-1, 5)),
    ],
)
def test_sides_have_a_limit(call: Callable[[Mask], Any]) -> None:
    with pytest.raises(LimitError):
        call(Mask.full((1, 1)))


# -- turns


@given(pixel_arrays())
def test_flips_and_turns_are_numpys(kernels: str, pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    for axis in (0, 1, -1, -2, (0, 1), (1,), (), None):
        assert_is(mask.flip(axis), np.flip(pixels, axis))
    for k in range(-5, 6):
        assert_is(mask.rotate90(k), np.rot90(pixels, k))
    assert_is(mask.transpose(), pixels.T)


@given(pixel_arrays())
def test_orient_is_pillows(kernels: str, pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    back = {6: 8, 8: 6}
    for exif in range(1, 9):
        image = Image.fromarray((pixels != 0).astype(np.uint8))
        image.getexif()[0x0112] = exif
        upright = np.asarray(ImageOps.exif_transpose(image))
        assert_is(mask.orient(exif), upright)
        assert mask.orient(exif).orient(back.get(exif, exif)) == mask


# -- other sizes


def resized(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The formula of the docstring."""
    y = (2 * np.arange(shape[0]) + 1) * pixels.shape[0] // (2 * shape[0])
    x = (2 * np.arange(shape[1]) + 1) * pixels.shape[1] // (2 * shape[1])
    return pixels[np.ix_(y, x)]


_SIDES = st.one_of(st.integers(1, 200), st.sampled_from([1, 63, 64, 65, 2047, 2048, 2049]))


@given(pixel_arrays(), _SIDES, _SIDES)
def test_resize_is_the_formula(kernels: str, pixels: np.ndarray, height: int, width: int) -> None:
    mask = Mask.from_array(pixels)
    shape = (height, min(width, max(1, 100_000 // height)))
    expected = resized(pixels, shape)
    assert_is(mask.resize(shape), expected)
    for route in (1, 2):  # whatever the density
        assert Mask._of(_core.resized(mask._runs, *shape, route)) == Mask.from_array(expected)


@given(pixel_arrays(5_000), st.integers(1, 9), st.integers(1, 9))
def test_resize_by_whole_factors_is_cv2s(pixels: np.ndarray, down: int, across: int) -> None:
    height, width = pixels.shape
    plain = (pixels != 0).astype(np.uint8)
    larger = cv2.resize(
        plain, (width * across, height * down), interpolation=cv2.INTER_NEAREST_EXACT
    )
    mask = Mask.from_array(plain)
    assert_is(mask.resize((height * down, width * across)), larger)
    assert mask.resize((height * down, width * across)).resize((height, width)) == mask
    smaller = cv2.resize(larger, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    assert_is(Mask.from_array(larger).resize((height, width)), smaller)


@pytest.mark.parametrize("width", [16384, 16385, 30_000, 65_599])
def test_resize_of_long_rows(kernels: str, width: int) -> None:
    pixels = np.random.default_rng(1).random((3, 40_000)) < 0.5
    assert_is(Mask.from_array(pixels).resize((2, width)), resized(pixels, (2, width)))


def test_resize_to_nothing() -> None:
    assert Mask.full((5, 5)).resize((0, 7)) == Mask.empty((0, 7))
    assert Mask.empty((0, 5)).resize((0, 0)) == Mask.empty((0, 0))


# -- put together


@given(st.lists(pixel_arrays(4_000), min_size=1, max_size=5), st.integers(0, 1))
def test_concatenate_is_numpys(kernels: str, arrays: list[np.ndarray], axis: int) -> None:
    common = min(array.shape[1 - axis] for array in arrays)
    arrays = [array[:, :common] if axis == 0 else array[:common] for array in arrays]
    masks = [Mask.from_array(array) for array in arrays]
    assert_is(Mask.concatenate(masks, axis), np.concatenate(arrays, axis))
    assert_is(Mask.concatenate(iter(masks), axis - 2), np.concatenate(arrays, axis))


@given(pixel_arrays(3_000), st.integers(0, 4), st.integers(0, 4))
def test_tile_is_numpys(kernels: str, pixels: np.ndarray, down: int, across: int) -> None:
    mask = Mask.from_array(pixels)
    assert_is(mask.tile((down, across)), np.tile(pixels, (down, across)))
    assert Mask.tile(mask, (down, across)) == mask.tile((down, across))


# -- any size


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (1, 1), (1, 200), (200, 1)])
def test_thin_and_empty_images(kernels: str, shape: tuple[int, int]) -> None:
    for pixels in np.zeros(shape, np.uint8), np.ones(shape, np.uint8):
        mask = Mask.from_array(pixels)
        for axis in (0, 1, None):
            assert_is(mask.flip(axis), np.flip(pixels, axis))
        assert_is(mask.rotate90(), np.rot90(pixels))
        assert_is(mask[1:, :-1], pixels[1:, :-1])
        for value in (False, True):
            margins = ((1, 2), (3, 0))
            assert_is(
                mask.pad(1, 2, 3, 0, value=value), np.pad(pixels, margins, constant_values=value)
            )
        assert_is(mask.translate(0, 1), np.pad(pixels, ((0, 0), (1, 0)))[:, : shape[1]])
        assert_is(mask.tile((2, 3)), np.tile(pixels, (2, 3)))
        for axis in (0, 1):
            assert_is(Mask.concatenate([mask, mask], axis), np.concatenate([pixels, pixels], axis))
        if pixels.size:
            assert_is(mask.resize((3, 4)), resized(pixels, (3, 4)))


def test_ten_thousand_million_pixels() -> None:
    """100,000 x 100,000 with 10**5 runs: time and memory follow the runs."""
    side = 100_000
    rng = np.random.default_rng(8)
    starts = np.arange(side, dtype=np.int64) * side + rng.integers(0, side - 900, side)
    mask = Mask(starts, rng.integers(1, 900, side), (side, side), max_pixels=None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert mask.flip(0).flip(1).flip() == mask
    turned = mask.flip()
    assert turned[20_000:20_010, 5:].to_array().tolist() == (
        mask[side - 20_010 : side - 20_000, : side - 5].to_array()[::-1, ::-1].tolist()
    )
    assert (
        mask.translate(7, 11).translate(-7, -11)[: side - 7, : side - 11]
        == (mask[: side - 7, : side - 11])
    )
    assert mask.pad(3, 4, 5, 6)[3 : side + 3, 5 : side + 5] == mask
    assert mask.pad(3, 4, 5, 6, value=True)[3 : side + 3, 5 : side + 5] == mask
    assert mask.crop_to_bbox()[0].area == mask.area
    half = mask.resize((side // 2, side // 2))
    band = mask.to_array(rows=slice(60_000, 60_020))
    assert np.array_equal(half.to_array(rows=slice(30_000, 30_010)), band[1::2, 1::2])
    assert mask.resize((side * 2, side * 2)).area == 4 * mask.area
    assert Mask.concatenate([mask, mask], axis=1).area == 2 * mask.area
    assert mask.tile((3, 2)).area == 6 * mask.area
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kilobytes; decoded, one mask is 10 GB


def test_the_index_type_follows_the_image() -> None:
    small = Mask([5], [3], (10, 10))
    large = small.pad(bottom=2**31 - 11, right=10)
    assert large.starts.dtype == np.int64
    assert large[:10, :10] == small
    assert large[:10, :10].starts.dtype == np.int32
    assert large.resize((10, 10)).starts.dtype == np.int32
    both = Mask.concatenate([large, large], axis=1)
    assert both.area == 6
    assert both.starts.dtype == np.int64
