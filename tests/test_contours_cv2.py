"""Contours in OpenCV's form against ``cv2.findContours``: rings, points, starts, order, tree.

``RUNMASK_DRAWINGS=10000 pytest tests/test_contours_cv2.py`` compares more of them.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from drawings import drawings

from runmask import Contours, Mask
from runmask.errors import InputError

cv2 = pytest.importorskip("cv2")

COUNT = int(os.environ.get("RUNMASK_DRAWINGS", "1400"))
MODES = [cv2.RETR_EXTERNAL, cv2.RETR_LIST, cv2.RETR_CCOMP, cv2.RETR_TREE]
METHODS = [cv2.CHAIN_APPROX_NONE, cv2.CHAIN_APPROX_SIMPLE]


def centers(pixels: np.ndarray) -> Contours:
    return Mask.from_array(pixels).contours("center")


def assert_same(found: Any, expected: Any) -> None:
    contours, hierarchy = found
    assert type(contours) is tuple
    assert len(contours) == len(expected[0])
    for mine, theirs in zip(contours, expected[0], strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape
        assert mine.tolist() == theirs.tolist()
    if expected[1] is None:
        assert hierarchy is None
    else:
        assert hierarchy.dtype == expected[1].dtype
        assert hierarchy.shape == expected[1].shape
        assert hierarchy.tolist() == expected[1].tolist()


@pytest.mark.parametrize("part", range(7))
def test_all_that_find_contours_returns(part: int) -> None:
    for pixels in drawings(COUNT // 7, seed=part):
        contours, image = centers(pixels), pixels.astype(np.uint8)
        for mode in MODES:
            for method in METHODS:
                expected = cv2.findContours(image, mode, method)
                assert_same(contours.to_cv2(mode, method), expected)


def test_deep_nesting() -> None:
    """Frames in frames, some beside each other: the order of a deep tree."""
    frames = np.zeros((240, 240), bool)
    for at in range(0, 120, 2):
        frames[at : 240 - at, at : 240 - at] = True
        frames[at + 1 : 239 - at, at + 1 : 239 - at] = False
    pixels = np.block([[frames, frames[:, :101]], [frames[:77], frames[:77, :101]]])
    pixels[:, 60] = True
    contours = centers(pixels)
    assert len(contours) > 200
    for mode in MODES:
        expected = cv2.findContours(pixels.astype(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
        assert_same(contours.to_cv2(mode, "none"), expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 7)])
@pytest.mark.parametrize("value", [0, 1])
def test_empty_and_full(shape: tuple[int, int], value: int) -> None:
    image = np.full(shape, value, np.uint8)
    for mode in MODES:
        for method in METHODS:
            expected = cv2.findContours(image, mode, method)
            assert_same(centers(image).to_cv2(mode, method), expected)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_no_pixels(shape: tuple[int, int]) -> None:
    assert Mask.empty(shape).contours("center").to_cv2("tree", "none") == ((), None)


def test_names_and_numbers() -> None:
    contours = centers(next(drawings(1, seed=4)))
    for name in ("external", "list", "ccomp", "tree"):
        number = getattr(cv2, f"RETR_{name.upper()}")
        for way in ("none", "simple"):
            approximation = getattr(cv2, f"CHAIN_APPROX_{way.upper()}")
            expected = contours.to_cv2(number, approximation)
            assert_same(contours.to_cv2(name, way), expected)
            assert_same(
                contours.to_cv2(f"RETR_{name.upper()}", f"CHAIN_APPROX_{way.upper()}"), expected
            )
    assert_same(contours.to_cv2(), contours.to_cv2("tree", "simple"))


@pytest.mark.parametrize(
    ("mode", "method", "text"),
    [
        (cv2.RETR_FLOODFILL, 2, "mode 4"),
        ("treee", 2, "mode 'treee'"),
        (True, 2, "mode True"),
        (None, 2, "mode None"),
        (1.0, 2, "mode 1.0"),
        (3, cv2.CHAIN_APPROX_TC89_L1, "method 3"),
        (3, "chain", "method 'chain'"),
        (3, 0, "method 0"),
    ],
)
def test_other_modes_and_methods(mode: Any, method: Any, text: str) -> None:
    with pytest.raises(InputError, match=f"{text}: not one of"):
        Mask.full((3, 3)).contours("center").to_cv2(mode, method)


def test_results_are_their_own() -> None:
    """cv2 draws into what it returns; here too, and contours stay as they are."""
    contours = Mask.full((5, 5)).contours("center")
    before = contours.points.copy()
    for method in ("none", "simple"):
        rings, _ = contours.to_cv2("tree", method)
        rings[0][:] = 7
    assert np.array_equal(contours.points, before)


def test_rings_on_edges_take_the_same_form() -> None:
    pixels = np.zeros((6, 8), bool)
    pixels[1:5, 1:6] = True
    pixels[2:4, 2:4] = False
    contours = Mask.from_array(pixels).contours()
    (outer, hole), hierarchy = contours.to_cv2()
    assert outer[:, 0].tolist() == [[1, 1], [6, 1], [6, 5], [1, 5]]
    assert hole[:, 0].tolist() == [[2, 2], [2, 4], [4, 4], [4, 2]]
    assert hierarchy is not None
    assert hierarchy.tolist() == [[[-1, -1, 1, -1], [-1, -1, -1, 0]]]
    (outer, hole), _ = contours.to_cv2(method="none")
    assert len(outer) == contours.perimeters[0] == 18
    assert len(hole) == contours.perimeters[1] == 8
    steps = np.abs(np.diff(outer[:, 0], axis=0, append=outer[:1, 0])).sum(axis=1)
    assert (steps == 1).all()
    assert cv2.contourArea(outer, True) == contours.areas[0]


def test_simplified_rings_have_no_steps() -> None:
    contours = Mask.from_circle((20, 20), 15, (40, 40)).contours("center", simplify=2)
    rings, _ = contours.to_cv2()
    assert np.array_equal(rings[0][:, 0], contours[0])
    with pytest.raises(InputError, match="'none'"):
        contours.to_cv2(method="none")


def test_cv2_fills_what_was_traced() -> None:
    for pixels in drawings(300, seed=11):
        rings, _ = centers(pixels).to_cv2()
        image = np.zeros(pixels.shape, np.uint8)
        cv2.fillPoly(image, rings, 1)
        assert np.array_equal(image != 0, pixels)
