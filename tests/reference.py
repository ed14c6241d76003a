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
