from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

from runmask import Mask, iou_matrix
from runmask.errors import InputError


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays of one shape, the second sometimes a part or a copy of the first."""
    a = draw(pixel_arrays()) != 0
    b = draw(pixel_arrays()) != 0
    b = np.resize(b, a.shape)
    return draw(st.sampled_from([(a, b), (a, a & b), (a, a), (a, ~a), (a, a | b)]))


def check(mask: Mask, pixels: np.ndarray) -> None:
    """Same pixels, and canonical runs."""
    assert mask == Mask.from_array(pixels)
    assert np.array_equal(mask.to_array(), pixels)


@given(pairs())
def test_operators(kernels: str, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = arrays
    m, n = Mask.from_array(a), Mask.from_array(b)
    check(m & n, a & b)
    check(m | n, a | b)
    check(m - n, a & ~b)
    check(m ^ n, a ^ b)
    check(~m, ~a)
    assert m.overlap(n) == np.count_nonzero(a & b)
    union = np.count_nonzero(a | b)
    assert m.iou(n) == (np.count_nonzero(a & b) / union if union else 1.0)
    assert m.is_subset(n) == bool((b >= a).all())
    assert m.is_disjoint(n) == (not (a & b).any())


@given(pairs())
def test_laws(kernels: str, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    m, n = map(Mask.from_array, arrays)
    assert ~(m & n) == ~m | ~n
    assert ~(m | n) == ~m & ~n
    assert m - n == m & ~n
    assert m ^ n == (m | n) - (m & n)
    assert ~~m == m
    assert m & m == m | m == m
    assert not m ^ m
    assert (m - n) | (m & n) == m


@given(st.data(), st.integers(1, 9))
def test_of_many(kernels: str, data: st.DataObject, count: int) -> None:
    first = data.draw(pixel_arrays(max_pixels=9000)) != 0
    arrays = [first] + [
        np.resize(data.draw(pixel_arrays(max_pixels=9000)) != 0, first.shape)
        for _ in range(count - 1)
    ]
    masks = [Mask.from_array(array) for array in arrays]
    votes = np.sum(arrays, axis=0)
    check(Mask.union(masks), votes > 0)
    check(Mask.intersection(iter(masks)), votes == count)
    for k in (1, count // 2 + 1, count, count + 1, 2**40):
        check(Mask.at_least(masks, k), votes >= k)
    matrix = iou_matrix(masks)
    for i, j in np.ndindex(count, count):
        assert matrix[i, j] == masks[i].iou(masks[j])
    assert np.array_equal(iou_matrix(masks, masks[:2], threads=3), matrix[:, :2])


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5])
def test_sparse_and_dense_stretches_in_one_mask(kernels: str, share: float) -> None:
    """The way changes back and forth between runs and words."""
    rng = np.random.default_rng(3)
    a = rng.random((60, 2048)) < share
    b = rng.random((60, 2048)) < 0.5
    a[10:13] = rng.random((3, 2048)) < 0.5
    a[30:31] = True
    b[20:40] = False
    b[33, 5:2000] = True
    m, n = Mask.from_array(a), Mask.from_array(b)
    for x, y, p, q in [(m, n, a, b), (n, m, b, a)]:
        check(x & y, p & q)
        check(x | y, p | q)
        check(x - y, p & ~q)
        check(x ^ y, p ^ q)
    check(~m, ~a)
    check(~n, ~b)


def test_ten_thousand_million_pixels(kernels: str) -> None:
    shape = (100_000, 100_000)
    rng = np.random.default_rng(5)
    starts = np.sort(rng.choice(10**9, 100_000, replace=False)) * 10
    m = Mask(starts, np.full(100_000, 4), shape, max_pixels=None)
    n = Mask(starts + 2, np.full(100_000, 4), shape, max_pixels=None)
    assert (m & n).area == 200_000
    assert (m | n).area == 600_000
    assert (m - n).area == 200_000
    assert (m ^ n).area == 400_000
    assert (~m).area == 10**10 - 400_000
    assert Mask.at_least([m, n, m], 2) == m
    assert m.iou(n) == 200_000 / 600_000


def test_what_cannot_be_combined() -> None:
    m = Mask.empty((3, 4))
    for bad in Mask.empty((4, 3)), Mask.empty((3, 5)):
        for operation in (
            lambda b: m & b,
            lambda b: m | b,
            lambda b: m - b,
            lambda b: m ^ b,
            lambda b: m.iou(b),
            lambda b: Mask.union([m, b]),
            lambda b: iou_matrix([m], [b]),
        ):
            with pytest.raises(InputError, match="different shapes: 3 x 4 and"):
                operation(bad)
    with pytest.raises(TypeError):
        m & np.zeros((3, 4))  # type: ignore[operator]
    with pytest.raises(InputError, match="no masks"):
        Mask.union([])
    with pytest.raises(InputError, match="item 1 is int"):
        Mask.intersection([m, 5])  # type: ignore[list-item]
    for k in (0, -1, 1.5, True, "1"):
        with pytest.raises(InputError, match="k "):
            Mask.at_least([m], k)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threads"):
        iou_matrix([m], threads=0)
    assert iou_matrix([]).shape == (0, 0)
    assert iou_matrix([m], []).shape == (1, 0)


def test_a_vote_of_one_costs_its_runs() -> None:
    far = Mask([5], [3], (2**30, 2**30), max_pixels=None)
    assert Mask.at_least([far], 1) == far
    assert not Mask.at_least([far], 2)


def test_masks_and_arrays_do_not_mix() -> None:
    mask = Mask.full((3, 4))
    for mixed in (lambda: mask & mask.to_array(), lambda: mask.to_array() | mask):
        with pytest.raises(TypeError):
            mixed()
    assert np.asarray(mask).all()


def test_matrix_of_masks_far_apart() -> None:
    rng = np.random.default_rng(3)
    masks = [
        Mask.from_circle(rng.uniform(0, 90, 2), rng.uniform(1, 20), (90, 80)) for _ in range(20)
    ]
    found = iou_matrix(masks, threads=2)
    assert found.tolist() == [[a.iou(b) for b in masks] for a in masks]
    assert (found == 0).any()
