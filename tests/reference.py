"""The slow and obvious truth that the core is held against. Never optimised."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor

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
    """Pillow's ``alpha_composite`` of two RGBA colours chosen by the mask."""
    colours = np.array([outside or (0, 0, 0, 0), inside or (0, 0, 0, 0)], np.uint8)
    return composite(image, colours[(pixels != 0).astype(np.intp)])


def composite(image: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Pillow's ``alpha_composite`` of RGBA pixels over grey, LA, RGB or RGBA ones of uint8."""
    from PIL import Image

    top = Image.fromarray(np.ascontiguousarray(painted))
    plain = image[..., 0] if image.shape[2:] == (1,) else image
    below = Image.fromarray(np.ascontiguousarray(plain))
    mode = "LA" if below.mode in ("L", "LA") else "RGBA"
    grey = np.dstack([np.asarray(top.convert("RGB").convert("L")), painted[..., 3]])
    top = Image.fromarray(grey) if mode == "LA" else top
    blended = np.asarray(Image.alpha_composite(below.convert(mode), top))
    channels = image.shape[2] if image.ndim == 3 else 1
    return blended[..., :channels].reshape(image.shape)


def composite_wide(pixel: Sequence[int], colour: Sequence[int]) -> list[int]:
    """One pixel of 16-bit samples under a colour in its own order, alpha last, by fractions."""
    alpha = Fraction(colour[-1], 255)
    if alpha == 0:
        return list(pixel)
    has_alpha = len(pixel) in (2, 4)
    under = Fraction(pixel[-1], 65535) if has_alpha else Fraction(1)
    result = alpha + under * (1 - alpha)
    samples = [
        (value * 257 * alpha + below * under * (1 - alpha)) / result
        for value, below in zip(colour[:-1], pixel, strict=False)
    ]
    samples += [result * 65535] if has_alpha else []
    return [floor(sample + Fraction(1, 2)) for sample in samples]


def heat_places(
    confidence: np.ndarray, shape: tuple[int, int], limits: tuple[float, float] = (0, 1)
) -> np.ndarray:
    """Where in a colour map of 256 each pixel's confidence lies, by real numbers."""
    low, high = limits
    values = np.clip((confidence.astype(np.float64) - low) / (high - low), 0, 1)

    def between(out: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        at = np.clip((np.arange(out) + 0.5) * size / out - 0.5, 0, size - 1)
        first = np.floor(at).astype(int)
        return first, np.minimum(first + 1, size - 1), at - first

    top, bottom, down = between(shape[0], values.shape[0])
    left, right, along = between(shape[1], values.shape[1])
    rows = values[top] * (1 - down)[:, None] + np.where(
        down[:, None] == 0, 0, values[bottom] * down[:, None]
    )
    return 255 * (rows[:, left] * (1 - along) + np.where(along == 0, 0, rows[:, right] * along))


def unpack_brush(data: bytes) -> np.ndarray:
    """The words of a Label Studio brush, read bit by bit as its format is written down."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    count, size = take(32), take(5) + 1
    groups = [take(4) + 1 for _ in range(4)]
    words: list[int] = []
    while len(words) < count:
        repeated, group = take(1), take(2)
        length = take(groups[group]) + 1
        words += [take(size)] * length if repeated else [take(size) for _ in range(length)]
    assert len(words) == count
    return np.array(words, np.uint8)


def pack_brush(words: np.ndarray, groups: Sequence[int] = (3, 4, 8, 16)) -> bytes:
    """Words as a Label Studio brush, some of them in literal blocks, in groups chosen in turn."""
    bits = f"{len(words):032b}" + f"{7:05b}" + "".join(f"{group - 1:04b}" for group in groups)
    at = 0
    turn = 0
    while at < len(words):
        turn += 1
        group = turn % 4
        most = 1 << groups[group]
        same = 1
        while same < most and at + same < len(words) and words[at + same] == words[at]:
            same += 1
        literal = same < 4
        length = min(most, len(words) - at, 5) if literal else same
        bits += f"{not literal:b}{group:02b}" + f"{length - 1:0{groups[group]}b}"
        bits += "".join(f"{word:08b}" for word in words[at : at + length][: None if literal else 1])
        at += length
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
