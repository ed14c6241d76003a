"""The slow and obvious truth that the core is held against. Never optimised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def decode(starts: Sequence[int], lengths: Sequence[int], shape: tuple[int, int]) -> np.ndarray:
    """The per-pixel loop of the service's guide, for runs that its contract allows."""
    height, width = shape
    total = height * width
    mask = [0] * total
    for start, length in zip(starts, lengths, strict=True):
        for position in range(start, start + length):
            if position < total:
                mask[position] = 1
    return np.array(mask, np.uint8).reshape(shape)


def encode(pixels: np.ndarray) -> tuple[list[int], list[int]]:
    starts: list[int] = []
    lengths: list[int] = []
    before = False
    for index, value in enumerate((pixels != 0).ravel().tolist()):
        if value and not before:
            starts.append(index)
            lengths.append(0)
        if value:
            lengths[-1] += 1
        before = value
    return starts, lengths


def box(pixels: np.ndarray) -> tuple[int, int, int, int] | None:
    ys, xs = np.nonzero(pixels)
    if len(ys) == 0:
        return None
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def overlay_by_pixel(image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The service's example: paint a red and green picture pixel by pixel, then composite."""
    from PIL import Image

    height, width = pixels.shape
    painted = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    access = painted.load()
    for y in range(height):
        for x in range(width):
            access[x, y] = (255, 0, 0, 120) if pixels[y, x] == 1 else (0, 255, 0, 120)
    original = Image.fromarray(image).convert("RGBA")
    return np.asarray(Image.alpha_composite(original, painted))


def overlay(
    image: np.ndarray,
    pixels: np.ndarray,
    inside: Sequence[int] | None,
    outside: Sequence[int] | None,
) -> np.ndarray:
    """Pillow's ``alpha_composite`` of two colours chosen by the mask."""
    from PIL import Image

    colours = np.array([outside or (0, 0, 0, 0), inside or (0, 0, 0, 0)], np.uint8)
    painted = Image.fromarray(colours[(pixels != 0).astype(np.intp)])
    below = Image.fromarray(np.ascontiguousarray(image)).convert("RGBA")
    blended = np.asarray(Image.alpha_composite(below, painted))
    return blended[..., : image.shape[2]]
