"""Smooth outlines: against 64 samples of every pixel, each measured to every segment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawings import drawings

import runmask as rm
from runmask import Contours, Mask
from runmask.blend import coverage
from runmask.errors import ImageError, InputError


def coverage_of(contours: Contours, pixels: np.ndarray, width: float) -> np.ndarray:
    """The samples of each pixel that are closer than half the width, or set and just so far.

    In sixteenths of a pixel, in which all points and samples are whole.
    """
    height, columns = pixels.shape
    y, x = np.indices((8 * height, 8 * columns), dtype=np.int64) * 2 + 1
    is_set = np.kron(pixels, np.ones((8, 8))) != 0
    found = np.zeros(y.shape, bool)
    for ring in contours:
        points = 16 * ring.astype(np.int64) + 8 * (contours.outline == "center")
        for (px, py), (qx, qy) in zip(points, np.roll(points, -1, axis=0), strict=True):
            dx, dy, vx, vy = qx - px, qy - py, x - px, y - py
            square, along = dx**2 + dy**2, vx * dx + vy * dy
            between = (along > 0) & (along < square)
            ends = np.minimum(vx**2 + vy**2, (x - qx) ** 2 + (y - qy) ** 2)
            apart = np.where(between, (vx * dy - vy * dx) ** 2, ends)
            limit = np.where(between, (8 * width) ** 2 * square, (8 * width) ** 2)
            found |= (apart < limit) | ((apart == limit) & is_set)
    return found.reshape(height, 8, columns, 8).sum(axis=(1, 3))


@pytest.mark.parametrize("outline", ["edge", "center"])
@pytest.mark.parametrize("simplify", [0, 1.5])
@pytest.mark.parametrize("width", [1, 1.5, 4])
def test_alpha_is_the_share_of_the_samples(outline: Any, simplify: float, width: float) -> None:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(4)
    for pixels in drawings(6, seed=21, side=11):
        contours = Mask.from_array(pixels).contours(outline, simplify=simplify)
        count = coverage_of(contours, pixels, width)
        photo = rng.integers(0, 256, (*pixels.shape, 4), dtype=np.uint8)
        photo[..., 3] = 255
        layer = np.empty_like(photo)
        layer[:] = (200, 100, 50, 0)
        layer[..., 3] = (2 * 180 * count + 64) // 128
        want = image.alpha_composite(image.fromarray(photo), image.fromarray(layer))
        got = rm.outline(photo, contours, (200, 100, 50, 180), width, antialias=True)
        assert np.array_equal(got, np.asarray(want))


def test_bands_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = Mask.from_circle((30, 30), 25, (64, 70)) - Mask.from_circle((30, 30), 9, (64, 70))
    photo = np.full((64, 70, 3), 90, np.uint8)
    rings = mask.contours("center", simplify=1)
    whole = rm.outline(photo, rings, width=3, antialias=True)
    assert len(np.unique(whole[..., 0])) > 20  # shades
    monkeypatch.setattr(coverage, "_AT_ONCE", 211)
    assert np.array_equal(rm.outline(photo, rings, width=3, antialias=True), whole)
    assert np.array_equal(rm.outline(photo, rings, width=3, threads=2, antialias=True), whole)
    assert rm.outline(photo, rings, width=3, antialias=True, out=photo) is photo
    assert np.array_equal(photo, whole)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 4)])
def test_nothing_to_draw(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 90, np.uint8)
    got = rm.outline(photo, Mask.empty(shape).contours(), antialias=True)
    assert np.array_equal(got, photo)


def test_a_full_mask_at_the_images_border() -> None:
    photo = np.zeros((6, 9), np.uint8)
    got = rm.outline(photo, Mask.full((6, 9)).contours(), (255, 255, 255, 255), 1, antialias=True)
    inner = got[1:-1, 1:-1]
    assert (inner == 0).all()
    assert (got[0, 1:-1] == 128).all()  # half a pixel's width lies in the image


def test_bad_arguments() -> None:
    photo = np.zeros((6, 9, 3), np.uint8)
    rings = Mask.full((6, 9)).contours()
    with pytest.raises(InputError, match="antialias 1"):
        rm.outline(photo, rings, antialias=1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="colour"):
        rm.outline(photo, rings, (1, 2, 3), antialias=True)
    with pytest.raises(ImageError, match="5 x 9"):
        rm.outline(photo[1:], rings, antialias=True)
    with pytest.raises(ImageError, match="5 x 9"):
        rm.outline(photo[1:], Mask.empty((6, 9)).contours(), antialias=True)
