"""The inputs of the benchmarks: masks from sparse to dense, and a photograph-like image."""

from __future__ import annotations

from functools import cache

import numpy as np

SIZE = 4096
MASKS = ("blobs", "patches", "rows", "text", "noise", "empty", "full")


@cache
def pixels(name: str, size: int = SIZE) -> np.ndarray:
    """A mask as uint8 0 or 1, ``(size, size)``; read-only."""
    made: np.ndarray = globals()[f"_{name}"](size, np.random.default_rng(7)).astype(np.uint8)
    made.flags.writeable = False
    return made


@cache
def image(channels: int = 3, size: int = SIZE) -> np.ndarray:
    """Smooth colours with sensor-like noise, opaque; read-only."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    planes = [np.sin(5 * x + 2 * c) * np.cos(4 * y - c) * 90 + 128 for c in range(3)]
    made = np.stack(planes, axis=-1) + rng.normal(0, 4, (size, size, 1)).astype(np.float32)
    made = np.clip(made, 0, 255).astype(np.uint8)
    if channels == 4:
        made = np.dstack([made, np.full((size, size), 255, np.uint8)])
    made.flags.writeable = False
    return made


def _blobs(size: int, rng: np.random.Generator) -> np.ndarray:
    """Three dozen discs: what a detector returns for edited regions."""
    mask = np.zeros((size, size), bool)
    for _ in range(36):
        radius = int(size * rng.uniform(0.01, 0.09))
        cy, cx = rng.integers(radius, size - radius, 2)
        y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        mask[cy - radius : cy + radius + 1, cx - radius : cx + radius + 1] |= (
            x * x + y * y <= radius * radius
        )
    return mask


def _patches(size: int, rng: np.random.Generator) -> np.ndarray:
    """Tiles of 16 x 16, one in seven set: what a patch-wise model returns."""
    return np.kron(rng.random((size // 16, size // 16)) < 0.147, np.ones((16, 16), bool))


def _rows(size: int, rng: np.random.Generator) -> np.ndarray:
    """One wide run in each row."""
    mask = np.zeros((size, size), bool)
    for y, (left, right) in enumerate(np.sort(rng.integers(0, size, (size, 2)), axis=1)):
        mask[y, left : right + 1] = True
    return mask


def _text(size: int, rng: np.random.Generator) -> np.ndarray:
    """Lines of strokes a few pixels wide, like a page of small print: 650 000 runs."""
    strokes = rng.random((size, size // 8)) < 0.25
    wide = np.repeat(strokes, 8, axis=1)
    wide &= np.tile(rng.random((size, 8)) < 0.85, size // 8)
    wide[np.arange(size) % 14 >= 11] = False
    return wide


def _noise(size: int, rng: np.random.Generator) -> np.ndarray:
    return rng.random((size, size)) < 0.5


def _empty(size: int, rng: np.random.Generator) -> np.ndarray:
    return np.zeros((size, size), bool)


def _full(size: int, rng: np.random.Generator) -> np.ndarray:
    return np.ones((size, size), bool)
