"""Contours drawn: against the distance of every pixel's centre to every segment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from drawings import drawings

import runmask as rm
from runmask import Contours, Mask
from runmask.errors import ImageError, InputError

WIDTHS = [1, 1.5, 2, 8**0.5, 3, 4, 7]


def drawn(contours: Contours, pixels: np.ndarray, width: float) -> np.ndarray:
    """Pixels closer than half the width to a segment, and set ones that are just so far.

    In half pixels, in which all points and centres of pixels are whole.
    """
    y, x = np.indices(pixels.shape, dtype=np.int64) * 2 + 1
    found = np.zeros(pixels.shape, bool)
    for ring in contours:
        points = 2 * ring.astype(np.int64) + (contours.outline == "center")
        for (px, py), (qx, qy) in zip(points, np.roll(points, -1, axis=0), strict=True):
            dx, dy, vx, vy = qx - px, qy - py, x - px, y - py
            square, along = dx**2 + dy**2, vx * dx + vy * dy
            to_begin, to_end = vx**2 + vy**2, (x - qx) ** 2 + (y - qy) ** 2
            beside = (vx * dy - vy * dx) ** 2
            between = (along > 0) & (along < square)
            apart = np.where(between, beside, np.minimum(to_begin, to_end))
            limit = np.where(between, width**2 * square, width**2)
            found |= (apart < limit) | ((apart == limit) & pixels)
    return found


def stroke(contours: Contours | Mask, width: float) -> np.ndarray:
    """The pixels that are drawn."""
    paper = np.zeros(contours.shape, np.uint8)
    return rm.outline(paper, contours, (255, 255, 255, 255), width) != 0


@pytest.mark.parametrize("outline", ["edge", "center"])
@pytest.mark.parametrize("simplify", [0, 1, 3])
def test_strokes_are_what_is_near(kernels: str, outline: Any, simplify: float) -> None:
    for pixels in drawings(50, seed=20, side=20):
        contours = Mask.from_array(pixels).contours(outline, simplify=simplify)
        for width in WIDTHS:
            assert np.array_equal(stroke(contours, width), drawn(contours, pixels, width)), width


def test_a_mask_stands_for_its_contours() -> None:
    for pixels in drawings(20, seed=22, side=20):
        mask = Mask.from_array(pixels)
        image = np.full((*pixels.shape, 3), 70, np.uint8)
        for smooth in (False, True):
            want = rm.outline(image, mask.contours(), width=2.5, antialias=smooth)
            assert np.array_equal(rm.outline(image, mask, width=2.5, antialias=smooth), want)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("simplify", [0, 1])
def test_bands_of_rows(smooth: bool, simplify: float) -> None:
    rng = np.random.default_rng(7)
    image = rng.integers(0, 256, (90, 70, 3), dtype=np.uint8)
    mask = Mask.from_circle((30, 40), 25, (90, 70)) - Mask.from_circle((28, 40), 9, (90, 70))
    rings = mask.contours(simplify=simplify)
    whole = rm.outline(image, rings, width=9, antialias=smooth)
    bands = [
        rm.outline(image[y : y + 13], rings, width=9, antialias=smooth, rows=slice(y, y + 13))
        for y in range(0, 90, 13)
    ]
    assert np.array_equal(np.concatenate(bands), whole)
    with pytest.raises(ImageError, match="the mask 40 x 70"):
        rm.outline(image[:13], rings, antialias=smooth, rows=slice(0, 40))
    with pytest.raises(InputError, match="rows"):
        rm.outline(image, rings, antialias=smooth, rows=slice(0, 90, 2))


def test_out_that_overlaps_the_image() -> None:
    rng = np.random.default_rng(8)
    strip = rng.integers(0, 256, (41, 60, 3), dtype=np.uint8)
    rings = Mask.from_circle((30, 20), 14, (40, 60)).contours(simplify=1)
    want = rm.outline(strip[:40], rings, width=3)
    rm.outline(strip[:40], rings, width=3, out=strip[1:])
    assert np.array_equal(strip[1:], want)


def test_a_box_gets_a_border_of_that_width() -> None:
    box = Mask.from_bbox((10, 8, 30, 28), (40, 40))
    for width in range(1, 9):
        outside, inside = width // 2, (width + 1) // 2
        border = Mask.from_array(stroke(box, width))
        inner = Mask.from_bbox((10 + inside, 8 + inside, 30 - inside, 28 - inside), (40, 40))
        assert border & box == box - inner
        assert np.flatnonzero(border.to_array()[18]).tolist() == [
            *range(10 - outside, 10 + inside),
            *range(30 - inside, 30 + outside),
        ]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("colour", [(255, 0, 0, 255), (10, 200, 30, 77), (1, 2, 3, 0)])
def test_colours_are_blended_once(channels: int, colour: tuple[int, int, int, int]) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.random((40, 50)) < 0.5
    image = rng.integers(0, 256, (40, 50, channels), dtype=np.uint8)
    contours = Mask.from_array(pixels).contours()
    before = image.copy()
    expected = reference.overlay(image, drawn(contours, pixels, 2), colour, None)
    found = rm.outline(image, contours, colour, 2)
    assert np.array_equal(found, expected)
    assert np.array_equal(image, before)
    assert rm.outline(image, contours, colour, 2, out=image, threads=2) is image
    assert np.array_equal(image, expected)


def test_other_layouts() -> None:
    contours = Mask.from_circle((20, 15), 9, (30, 40)).contours()
    image = np.zeros((60, 80, 3), np.uint8)
    part = image[::2, ::2]
    rm.outline(part, contours, out=part)
    assert np.array_equal(part, rm.outline(np.zeros((30, 40, 3), np.uint8), contours))
    assert not image[1::2].any()
    grey = rm.outline(np.zeros((30, 40), np.uint16), contours, (255, 255, 255, 255))
    assert set(np.unique(grey)) == {0, 65535}
    blue_first = rm.outline(np.zeros((30, 40, 3), np.uint8), contours, layout="bgr")
    assert np.array_equal(blue_first[..., ::-1], part)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (1, 1), (6, 5)])
def test_nothing_and_everything(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 9, np.uint8)
    assert np.array_equal(rm.outline(image, Mask.empty(shape).contours(), width=5), image)
    full = rm.outline(image, Mask.full(shape).contours(), (1, 2, 3, 255))
    assert np.array_equal((full == [1, 2, 3]).all(axis=2), drawn(
        Mask.full(shape).contours(), np.ones(shape, bool), 1
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"width": 0}, InputError, "width 0: not a number from 1"),
        ({"width": 2**5000}, InputError, "width a number of about 1500 digits: not"),
        ({"width": np.float64("nan")}, InputError, "width .*nan.*: not a number from 1"),
        ({"width": 0.99}, InputError, r"width 0\.99"),
        ({"width": -3}, InputError, "width -3"),
        ({"width": 10**9}, InputError, "width 1000000000"),
        ({"width": np.nan}, InputError, "width nan"),
        ({"width": "2"}, InputError, "width '2'"),
        ({"width": True}, InputError, "width True"),
        ({"width": None}, InputError, "width None"),
        ({"colour": None}, InputError, "colour None"),
        ({"colour": (1, 2)}, InputError, "R, G, B, A"),
        ({"colour": (1, 2, 3, 256)}, InputError, "R, G, B, A"),
        ({"threads": 0}, InputError, "threads 0"),
        ({"out": np.zeros((4, 4, 3), np.uint8)}, InputError, "out"),
        ({"contours": [np.zeros((4, 2), np.int32)]}, InputError, "contours are list"),
        ({"contours": None}, InputError, "contours are NoneType: not Contours or a Mask"),
        ({"image": np.zeros((6, 5, 3), np.uint8)}, ImageError, "6 x 5"),
        ({"image": np.zeros((5, 5, 3), np.float32)}, ImageError, "float32"),
    ],
)
def test_arguments_that_mean_nothing(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    usual: dict[str, Any] = {
        "image": np.zeros((5, 5, 3), np.uint8),
        "contours": Mask.full((5, 5)).contours(),
    }
    with pytest.raises(error, match=text):
        rm.outline(**{**usual, **arguments})
