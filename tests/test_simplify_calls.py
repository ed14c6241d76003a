"""Simplification as it is called: what goes in, what comes out, what is refused."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from outlines import BAD_RINGS, METHODS, flat, random_masks, simplified, split, trace

from runmask import _core
from runmask.contours.simplify import simplify_rings, simplify_together
from runmask.errors import InputError

# -- what stands in the docstring


def test_tolerance_0_gives_back_the_same() -> None:
    points, offsets = flat([[(0, 0), (2, 0), (4, 0), (4, 4), (0, 4)]])
    after, ends = simplify_rings(points, offsets, 0)
    assert np.array_equal(after, points)
    assert np.array_equal(ends, offsets)
    assert np.shares_memory(after, points)
    assert not after.flags.writeable
    core = _core.simplify_rings(points, offsets, 0.0, False)
    assert np.array_equal(np.frombuffer(core[0], np.int32).reshape(-1, 2), points)
    assert np.array_equal(np.frombuffer(core[1], np.int64), offsets)


def test_results_are_of_the_flat_form() -> None:
    points, offsets = simplify_rings(*flat(trace(np.eye(5, dtype=bool))), 0.5)
    assert (points.dtype, offsets.dtype) == (np.int32, np.int64)
    assert points.ndim == 2
    assert not points.flags.writeable
    assert not offsets.flags.writeable
    assert offsets[-1] == len(points)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_in_nothing_out(method: Any) -> None:
    points, offsets = simplify_rings(np.empty((0, 2), np.int32), [0], 1.0, method)
    assert points.shape == (0, 2)
    assert offsets.tolist() == [0]
    assert simplify_together([], 1.0, method) == []
    (first, second) = simplify_together([flat([]), flat([[(0, 0), (1, 0), (0, 1)]])], 1.0, method)
    assert [len(first[0]), len(second[0])] == [0, 3]


def test_a_ring_begins_where_it_did_if_it_can() -> None:
    ring = [(4, 0), (4, 4), (0, 4), (0, 0), (2, 0)]
    assert simplified([ring], 0.5) == [[(4, 0), (4, 4), (0, 4), (0, 0)]]
    turned = [ring[-1], *ring[:-1]]
    assert simplified([turned], 0.5) == [[(0, 0), (4, 0), (4, 4), (0, 4)][0:1] + ring[:3]]


@pytest.mark.parametrize("method", METHODS)
def test_where_rings_begin_does_not_matter(method: str) -> None:
    rng = np.random.default_rng(8)
    for mask in random_masks(60, seed=10):
        rings = trace(mask, 8)
        turned = [ring[(at := int(rng.integers(len(ring)))) :] + ring[:at] for ring in rings]
        order = rng.permutation(len(rings))
        plain = simplified(rings, 2.0, method)
        other = simplified([turned[i] for i in order], 2.0, method)
        for i, ring in zip(order, other, strict=True):
            assert sorted(ring) == sorted(plain[i])


def test_coordinates_may_lie_anywhere() -> None:
    mask = np.hypot(*np.mgrid[-20:20, -20:20]) < 17
    rings = trace(mask)
    plain = simplified(rings, 1.0)
    for shift in (-(2**31), 2**31 - 1 - 40):
        moved = [[(x + shift, y + shift) for x, y in ring] for ring in rings]
        after = simplified(moved, 1.0)
        assert [[(x - shift, y - shift) for x, y in ring] for ring in after] == plain


def test_large_coordinates_are_exact() -> None:
    """As large as they can be, and a bend of one pixel: no product may wrap."""
    far = 2**31 - 1
    ring = [(0, 0), (far, 0), (far, far), (far // 2, far - 1), (0, far)]
    assert simplified([ring], 1.0) == [[(0, 0), (far, 0), (far, far), (0, far)]]
    assert simplified([ring], 0.99) == [ring]
    area = far / 2
    assert simplified([ring], math.sqrt(area) + 1, METHODS[1]) == [ring[:3] + ring[4:]]
    assert simplified([ring], math.sqrt(area) - 1, METHODS[1]) == [ring]
    triangle = [(0, far // 2), (far, 0), (far, far)]
    assert simplified([triangle, [(far // 2, far // 2)]], 1e12, METHODS[1])[0] == triangle


# -- refusals


GOOD = (np.array([[0, 0], [4, 0], [4, 4]], np.int32), np.array([0, 3]))


@pytest.mark.parametrize("tolerance", [-1, -1e-9, math.nan, math.inf, "1", None, True, 1j, [1.0]])
def test_bad_tolerances(tolerance: Any) -> None:
    with pytest.raises(InputError, match="tolerance"):
        simplify_rings(*GOOD, tolerance)


@pytest.mark.parametrize("tolerance", [np.float32(1), np.int64(1), Fraction(1, 2), 5e-324, 1e308])
def test_good_tolerances(tolerance: Any) -> None:
    assert len(simplify_rings(*GOOD, tolerance)[0]) == 3


@pytest.mark.parametrize("method", ["dp", "", None, 3, ["visvalingam"], sys.maxsize])
def test_bad_methods(method: Any) -> None:
    with pytest.raises(InputError, match="method"):
        simplify_rings(*GOOD, 1.0, method)


@pytest.mark.parametrize(("points", "offsets", "message"), BAD_RINGS)
def test_bad_rings(points: Any, offsets: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        simplify_rings(points, offsets, 1.0)
    with pytest.raises(InputError, match=message):
        simplify_together([GOOD, (points, offsets)], 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_rings_that_span_too_much(method: Any) -> None:
    wide = [[-1, 0], [2**31 - 1, 0], [0, 5]]
    with pytest.raises(InputError, match="too far apart"):
        simplify_rings(wide, [0, 3], 1.0, method)
    assert len(simplify_rings([[0, 0], *wide[1:]], [0, 3], 1.0, method)[0]) == 3


def test_the_bridge_refuses_what_does_not_fit() -> None:
    points = np.zeros((2, 2), np.int32)
    for offsets in ([0], [0, 3], [0, 0, 2], [1, 2], [0, 2, 1, 2]):
        with pytest.raises(InputError):
            _core.simplify_rings(points, np.array(offsets, np.int64), 1.0, False)
    with pytest.raises(ValueError, match="dtype"):
        _core.simplify_rings(points.astype(np.int64), np.array([0, 2]), 1.0, False)


def test_any_integers_and_strides_will_do() -> None:
    ring = [(0, 0), (2, 0), (4, 0), (4, 4), (0, 4)]
    want = simplified([ring], 0.5)
    points = np.array(ring)
    for form in (points.astype(np.uint8), points.astype(">i8"), np.asfortranarray(points), ring):
        assert split(*simplify_rings(form, [0, 5], 0.5)) == want
    assert split(*simplify_rings(points.repeat(2, 0)[::2], np.array([0, 9, 5])[::2], 0.5)) == want
