"""Dilate, erode, open and close against OpenCV, by both routes and on every kernel set."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

from runmask import Box, Mask, _core
from runmask.errors import InputError, MaskTypeError
from runmask.mask.morphology import _element

SHAPES = ("rectangle", "cross", "disc", "diamond")
ROUTES = {"runs": 1, "bits": 2}


def kernel(radius: int | tuple[int, int], shape: str) -> np.ndarray:
    """What OpenCV takes as the element, from each shape's definition."""
    down, across = radius if isinstance(radius, tuple) else (radius, radius)
    y, x = np.mgrid[-down : down + 1, -across : across + 1].astype(float)
    y, x = abs(y) / max(down, 1), abs(x) / max(across, 1)
    if shape == "cross":
        inside = (x == 0) | (y == 0)
    elif shape == "disc":
        inside = x * x + y * y <= 1 + 1e-12
    elif shape == "diamond":
        inside = x + y <= 1 + 1e-12
    else:
        inside = np.ones(y.shape, bool)
    return inside.astype(np.uint8)


radii = st.tuples(
    st.one_of(st.integers(0, 4), st.sampled_from([7, 32, 40])),
    st.one_of(st.integers(0, 4), st.sampled_from([31, 32, 63, 64, 65, 130])),
)


@pytest.mark.parametrize("shape", SHAPES)
@given(pixels=pixel_arrays(max_pixels=6000), radius=radii)
def test_as_opencv(kernels: str, shape: str, pixels: np.ndarray, radius: tuple) -> None:
    pixels = (pixels != 0).astype(np.uint8)
    mask = Mask.from_array(pixels)
    around = kernel(radius, shape)
    for eroding, operation in ((False, cv2.dilate), (True, cv2.erode)):
        expected = Mask.from_array(operation(pixels, around))
        element = _element(radius, shape, mask.height)
        for name, route in ROUTES.items():
            assert mask._morphed(element, eroding=eroding, route=route) == expected, name
    assert mask.dilate(radius, shape) == Mask.from_array(cv2.dilate(pixels, around))
    assert mask.erode(radius, shape) == Mask.from_array(cv2.erode(pixels, around))
    for found, operation in (
        (mask.open(radius, shape), cv2.MORPH_OPEN),
        (mask.close(radius, shape), cv2.MORPH_CLOSE),
    ):
        assert found == Mask.from_array(cv2.morphologyEx(pixels, operation, around))


@given(pixels=pixel_arrays(max_pixels=6000), radius=radii, shape=st.sampled_from(SHAPES))
def test_laws(pixels: np.ndarray, radius: tuple, shape: str) -> None:
    mask = Mask.from_array(pixels)
    outside = Mask.from_array(pixels == 0)
    grown, shrunk = mask.dilate(radius, shape), mask.erode(radius, shape)
    assert Mask.from_array(~outside.dilate(radius, shape).to_array(dtype=bool)) == shrunk
    assert Mask.from_array(~outside.erode(radius, shape).to_array(dtype=bool)) == grown
    opened, closed = mask.open(radius, shape), mask.close(radius, shape)
    assert opened.open(radius, shape) == opened
    assert closed.close(radius, shape) == closed
    assert not (shrunk.to_array() > opened.to_array()).any()
    assert not (opened.to_array() > pixels.astype(bool)).any()
    assert not (pixels.astype(bool) > closed.to_array().astype(bool)).any()
    assert not (closed.to_array() > grown.to_array()).any()


@pytest.mark.parametrize(("down", "across"), [(1, 1), (2, 5), (9, 9), (30, 4), (1, 40)])
def test_shapes_are_what_they_are_called(down: int, across: int) -> None:
    point = Mask([40 * 200 + 100], [1], (81, 200))
    for shape in SHAPES:
        grown = point.dilate((down, across), shape)
        assert grown.bbox == Box(100 - across, 40 - down, 101 + across, 41 + down)
        box = np.s_[40 - down : 41 + down, 100 - across : 101 + across]
        assert np.array_equal(grown.to_array()[box], kernel((down, across), shape))
    rectangle = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * across + 1, 2 * down + 1))
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (2 * across + 1, 2 * down + 1))
    assert np.array_equal(kernel((down, across), "rectangle"), rectangle)
    assert np.array_equal(kernel((down, across), "cross"), cross)


def test_one_radius_is_both() -> None:
    mask = Mask([40], [1], (9, 9))
    assert mask.dilate() == mask.dilate(1) == mask.dilate((1, 1)) == mask.dilate(np.int8(1))
    assert mask.dilate().area == 9
    assert mask.dilate(0) == mask
    assert mask.erode(0) == mask
    assert mask.dilate(2, "disc").area == 13
    assert mask.dilate(2, "diamond").area == 13
    assert mask.dilate(3, "disc").area == 29
    assert mask.dilate(3, "cross").area == 13


def test_runs_over_row_ends_do_not_leak() -> None:
    mask = Mask([3], [2], (3, 4))  # the end of row 0 and the start of row 1
    assert mask.dilate((0, 1)).to_array().tolist() == [[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert mask.erode((0, 1)).area == 0
    full = Mask.full((5, 7))
    assert full.erode(3) == full
    assert full.dilate(3) == full
    assert len(full.dilate(3)) == 1


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("radius", [0, 1, 2**31 - 1])
def test_small_images(shape: tuple[int, int], radius: int) -> None:
    for mask in (Mask.empty(shape), Mask.full(shape)):
        for element in ("rectangle", "cross", "disc"):
            assert mask.dilate(radius, element) == mask
            assert mask.erode(radius, element) == mask
            assert mask.open(radius, element) == mask
            assert mask.close(radius, element) == mask


def test_radius_beyond_the_image() -> None:
    mask = Mask([50], [1], (10, 10))
    for radius in (10, 2**31 - 1):
        assert mask.dilate(radius) == Mask.full((10, 10))
        assert mask.dilate(radius, "cross").area == 19
        assert mask.dilate((radius, 0)).area == 10
        assert not Mask([0, 51], [50, 49], (10, 10)).erode(radius)


def test_giants_in_memory_of_their_runs() -> None:
    """10**10 pixels and 10**5 runs; a row of bits for each of them would be 1.25 GB."""
    rng = np.random.default_rng(3)
    starts = np.sort(rng.choice(10**7, 10**5, replace=False)) * 1000 + 3
    mask = Mask(starts, np.full(10**5, 5), (100_000, 100_000), max_pixels=None)
    assert mask.dilate((0, 2)).area == 9 * 10**5
    grown = mask.dilate((1, 0))
    assert 14 * 10**5 < grown.area <= 15 * 10**5
    assert not (set(mask.erode((0, 2)).starts.tolist()) ^ {start + 2 for start in starts.tolist()})
    assert mask.open((0, 2)) == mask
    rows = Mask.full((100_000, 100_000))
    assert rows.erode(7, "disc") == rows


def test_dense_masks_take_the_bits() -> None:
    """Both routes give the same where the choice is made: here their results are compared at it."""
    rng = np.random.default_rng(5)
    for share in (0.001, 0.01, 0.02, 0.05, 0.5):
        mask = Mask.from_array(rng.random((300, 517)) < share)
        element = _element((2, 3), "disc", 300)
        for eroding in (False, True):
            ways = [_core.morph(mask._runs, element, eroding, route) for route in (0, 1, 2)]
            assert len({Mask._of(way) for way in ways}) == 1


@pytest.mark.parametrize("method", ["dilate", "erode", "open", "close"])
def test_wrong_arguments(method: str) -> None:
    call = getattr(Mask.full((4, 4)), method)
    for radius in (1.0, True, "1", None, (1, 2.5), (1, 2, 3), (1,), np.float32(2)):
        with pytest.raises(MaskTypeError, match="radius"):
            call(radius)
    for radius in (-1, 2**31, (0, -2)):
        with pytest.raises(InputError, match=r"radius .* not between 0 and 2147483647"):
            call(radius)
    with pytest.raises(InputError, match="'ball': not one of rectangle, cross, disc, diamond"):
        call(1, "ball")
