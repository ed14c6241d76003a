"""Rows become columns: on the runs and in packed bits, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

from runmask import Mask, _core

ROUTES = {"measured": 0, "runs": 1, "bits": 2}


def transposed(mask: Mask, route: str) -> Mask:
    return Mask._of(_core.transposed(mask._runs, ROUTES[route]))


@pytest.mark.parametrize("route", ROUTES)
@given(pixels=pixel_arrays())
def test_transpose_is_numpys(kernels: str, route: str, pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    result = transposed(mask, route)
    assert result == Mask.from_array(pixels.T)
    assert transposed(result, route) == mask


@given(pixel_arrays())
def test_public_names(pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    assert mask.T == mask.transpose() == Mask.from_array(pixels.T)
    assert type(mask.T) is Mask


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 200), (200, 1)])
def test_small_shapes(kernels: str, route: str, shape: tuple[int, int]) -> None:
    for mask in (Mask.empty(shape), Mask.full(shape)):
        result = transposed(mask, route)
        assert result.shape == shape[::-1]
        assert result.area == mask.area
        assert transposed(result, route) == mask


@given(st.integers(0, 2**32 - 1))
def test_huge_images(seed: int) -> None:
    """10**10 pixels, in time and memory of the runs."""
    rng = np.random.default_rng(seed)
    shape = (100_000, 100_000)
    starts = rng.integers(0, 10**10 - 10**6, 30)
    lengths = rng.integers(1, [10, 10**5, 10**6] * 10)
    mask = Mask(starts, lengths, shape, max_pixels=None)
    result = mask.T
    assert result.area == mask.area
    assert mask == result.T
    ys, xs = np.divmod(mask.starts, shape[1])
    inside = np.searchsorted(result.starts, xs * shape[0] + ys, side="right") - 1
    assert (xs * shape[0] + ys < result.starts[inside] + result.lengths[inside]).all()


def test_longest_sides() -> None:
    side = 2**31 - 1
    row = Mask([5], [10], (1, side), max_pixels=None)
    assert row.T.shape == (side, 1)
    assert row.T.starts.tolist() == [5]
    full = Mask.full((side, 2))
    assert Mask.full((2, side)) == full.T
    pair = Mask([3 * side - 2], [4], (5, side), max_pixels=None)
    assert pair.T.starts.tolist() == [3, 8, 5 * (side - 2) + 2, 5 * (side - 1) + 2]
    assert pair == pair.T.T
