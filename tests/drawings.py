"""Small masks of all the kinds that have troubled tracers of contours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def drawings(count: int, seed: int = 0, side: int = 30) -> Iterator[np.ndarray]:
    """Bool arrays: noise, blocks, frames in frames, chessboards, spirals, boxes, thin lines."""
    rng = np.random.default_rng(seed)
    kinds = (_noise, _blocks, _frames, _chessboard, _spiral, _rectangles, _line)
    for number in range(count):
        height, width = rng.integers(1, side + 1, 2)
        yield kinds[number % len(kinds)](rng, height, width)


def _noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return rng.random((height, width)) < rng.random()


def _blocks(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    size = rng.integers(2, 5)
    coarse = rng.random((height // size + 1, width // size + 1)) < rng.random()
    return np.kron(coarse, np.ones((size, size), bool))[:height, :width]


def _frames(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    pixels = np.zeros((height, width), bool)
    step = rng.integers(1, 3)
    for at in range(0, (min(height, width) + 1) // 2, step):
        pixels[at : height - at, at : width - at] ^= True
    return pixels ^ (rng.random(pixels.shape) < rng.choice([0, 0.03]))


def _chessboard(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    y, x = np.indices((height, width))
    return ((y + x) % 2 == 0) ^ (rng.random((height, width)) < rng.choice([0, 0.1]))


def _spiral(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    y, x = np.indices((height, width)) - np.array([[[height]], [[width]]]) / 2
    turn = np.arctan2(y, x) / (2 * np.pi)
    return (np.hypot(y, x) / rng.integers(2, 6) + turn) % 1 < 0.5


def _rectangles(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    pixels = np.zeros((height, width), bool)
    for _ in range(rng.integers(0, 12)):
        y, x = rng.integers(0, height), rng.integers(0, width)
        down, right = rng.integers(1, 9, 2)
        pixels[y : y + down, x : x + right] ^= True
    return pixels


def _line(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A way of one pixel's width that goes where it likes, diagonally too."""
    pixels = np.zeros((height, width), bool)
    y, x = rng.integers(0, height), rng.integers(0, width)
    for _ in range(height + width):
        pixels[y, x] = True
        down, right = rng.integers(-1, 2, 2)
        y, x = np.clip(y + down, 0, height - 1), np.clip(x + right, 0, width - 1)
    return pixels
