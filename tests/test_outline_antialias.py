"""Smooth outlines: against 64 samples of every pixel, each measured to every segment."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import reference
import slow_outlines
from drawings import drawings

import runmask as rm
from runmask import Contours, Mask
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


def blended(photo: np.ndarray, count: np.ndarray, samples: int, colour: Any) -> np.ndarray:
    """Each pixel with so many of its samples drawn."""
    layer = np.empty((*count.shape, 4), np.uint8)
    layer[:] = colour
    layer[..., 3] = (2 * colour[3] * count + samples) // (2 * samples)
    return reference.composite(photo, layer)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("outline", ["edge", "center"])
def test_large_drawings(kernels: str, outline: Any, smooth: bool) -> None:
    """Bands, threads, all layouts and long segments, against the same in NumPy."""
    rng = np.random.default_rng(5)
    height, columns = 333, 1111
    mask = Mask.empty((height, columns))
    for _ in range(12):  # slivers across the image, and some discs
        corners = rng.integers(-50, (columns + 50, height + 50), (3, 2))
        mask ^= Mask.from_polygons([corners], (height, columns))
    mask |= Mask.from_circle((600, 100), 80, (height, columns))
    contours = mask.contours(outline, simplify=0.8)
    colour = (200, 100, 50, 180)
    fine = 8 if smooth else 1
    for width in (1, 2, 5.5, 40, 300):
        count = slow_outlines.coverage(contours, width, fine)
        for channels in (1, 2, 3, 4):
            photo = rng.integers(0, 256, (height, columns, channels), dtype=np.uint8)
            want = blended(photo, count, fine * fine, colour)
            got = rm.outline(photo, contours, colour, width, antialias=smooth)
            assert np.array_equal(got, want)
            view = np.zeros((2 * height, columns, channels + 1), np.uint8)[::-2, ::-1, 1:]
            options: dict[str, Any] = {"antialias": smooth, "threads": 3}
            assert rm.outline(photo, contours, colour, width, out=view, **options) is view
            assert np.array_equal(view, want)


def test_sixteen_bits() -> None:
    """As an overlay has them, whose own test is against fractions."""
    mask = Mask.from_circle((20, 15), 9, (30, 40))
    rings = mask.contours(simplify=0.5)
    photo = np.random.default_rng(6).integers(0, 65536, (30, 40, 4), dtype=np.uint16)
    count = slow_outlines.coverage(rings, 3, 8)
    layers = [
        (Mask.from_array(count == n), (9, 99, 199, (2 * 150 * n + 64) // 128)) for n in range(1, 65)
    ]
    got = rm.outline(photo, rings, (9, 99, 199, 150), 3, antialias=True)
    assert np.array_equal(got, rm.overlay(photo, layers))


def test_one_very_long_segment_takes_no_memory() -> None:
    """A diagonal through 40,000 rows: what is taken is a few rows of samples."""
    done = subprocess.run(
        [sys.executable, "-c", LONG], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(done.stdout) < 4e6


LONG = """
import resource
import numpy as np
import runmask as rm
height = 40_000
sliver = rm.Mask.from_polygons([[(0, 0), (60, height), (50, height)]], (height, 64))
rings = sliver.contours(simplify=2)
image = np.full((height, 64, 3), 9, np.uint8)
rm.outline(np.zeros((4, 4), np.uint8), rm.Mask.full((4, 4)), antialias=True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rm.outline(image, rings, width=30, out=image, antialias=True)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


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
        rm.outline(photo, rings, (1, 2), antialias=True)
    with pytest.raises(ImageError, match="5 x 9"):
        rm.outline(photo[1:], rings, antialias=True)
    with pytest.raises(ImageError, match="5 x 9"):
        rm.outline(photo[1:], Mask.empty((6, 9)).contours(), antialias=True)
