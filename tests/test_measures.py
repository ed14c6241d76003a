from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

from runmask import Mask
from runmask.errors import InputError


@given(pixel_arrays(max_pixels=9000))
def test_measures(kernels: str, pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    set_ = pixels != 0
    ys, xs = np.nonzero(set_)
    if len(ys):
        assert mask.centroid == pytest.approx((xs.mean(), ys.mean()), rel=1e-12)
    else:
        assert mask.centroid is None
    x, y = xs.astype(float), ys.astype(float)
    for name, value in mask.moments()._asdict().items():
        p, q = int(name[1]), int(name[2])
        assert value == pytest.approx((x**p * y**q).sum(), rel=1e-12, abs=1e-6)
    assert np.array_equal(mask.row_areas(), set_.sum(axis=1))
    assert np.array_equal(mask.column_areas(), set_.sum(axis=0))
    around = np.pad(set_, 1)
    edges = (around[1:] != around[:-1]).sum() + (around[:, 1:] != around[:, :-1]).sum()
    assert mask.perimeter == edges


@given(pixel_arrays(max_pixels=9000))
def test_row_runs(kernels: str, pixels: np.ndarray) -> None:
    found = Mask.from_array(pixels).row_runs()
    expected = []
    for row, values in enumerate(pixels != 0):
        turns = np.flatnonzero(np.diff(np.concatenate(([0], values.astype(int), [0]))))
        expected += [(row, a, b) for a, b in zip(turns[::2], turns[1::2], strict=True)]
    assert list(zip(*(a.tolist() for a in found), strict=True)) == expected
    assert all(array.dtype == np.int32 for array in found)


@given(pixel_arrays(), st.data())
def test_packed(kernels: str, pixels: np.ndarray, data: st.DataObject) -> None:
    mask = Mask.from_array(pixels)
    for bitorder in ("big", "little"):
        want = np.packbits(pixels != 0, axis=1, bitorder=bitorder)
        assert np.array_equal(mask.to_packed(bitorder=bitorder), want)
        rows = slice(data.draw(st.integers(0, 60)), data.draw(st.integers(0, 60)))
        assert np.array_equal(mask.to_packed(rows, bitorder), want[rows])


@given(pixel_arrays(max_pixels=2000), st.data())
def test_single_pixels(pixels: np.ndarray, data: st.DataObject) -> None:
    mask = Mask.from_array(pixels)
    y = data.draw(st.integers(0, pixels.shape[0] - 1))
    x = data.draw(st.integers(0, pixels.shape[1] - 1))
    assert mask.at(y, x) is bool(pixels[y, x])
    assert mask.at(np.int64(y), np.uint8(x % 200)) is bool(pixels[y, x % 200])


def test_moments_are_those_of_opencv() -> None:
    pixels = (np.random.default_rng(1).random((90, 140)) < 0.3).astype(np.uint8)
    found, wanted = Mask.from_array(pixels).moments(), cv2.moments(pixels, binaryImage=True)
    for name, value in found._asdict().items():
        assert value == pytest.approx(wanted[name], rel=1e-12)


def test_ten_thousand_million_pixels() -> None:
    mask = Mask.full((100_000, 100_000))
    assert mask.centroid == (49_999.5, 49_999.5)
    assert mask.perimeter == 400_000
    assert mask.column_areas().tolist() == [100_000] * 100_000
    two = Mask([5, 9_999_999_990], [3, 10], (100_000, 100_000), max_pixels=None)
    assert two.row_runs().y.tolist() == [0, 99_999]
    assert two.at(99_999, 99_999)
    assert not two.at(99_999, 99_989)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_no_pixels(shape: tuple[int, int]) -> None:
    mask = Mask.empty(shape)
    assert mask.perimeter == 0
    assert mask.centroid is None
    assert mask.row_areas().shape == shape[:1]
    assert mask.column_areas().shape == shape[1:]
    assert mask.to_packed().shape == (shape[0], (shape[1] + 7) // 8)
    assert len(mask.row_runs().y) == 0


def test_what_cannot_be_asked() -> None:
    mask = Mask.full((3, 4))
    for place in (3, 0), (0, 4), (-1, 0), (0, -1):
        with pytest.raises(InputError, match="outside 3 x 4"):
            mask.at(*place)
    with pytest.raises(InputError, match="bitorder"):
        mask.to_packed(bitorder="middle")
