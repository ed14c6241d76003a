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


Ring = list[tuple[int, int]]

_RIGHT, _DOWN, _LEFT, _UP = (1, 0), (0, 1), (-1, 0), (0, -1)


def edge_rings(pixels: np.ndarray, connectivity: int) -> tuple[list[Ring], list[int], list[bool]]:
    """The rings on the pixels' edges, the parent of each (-1 for none), and whether it is a hole's.

    One unit edge after the other, with what is set on the right of the way: outer rings go round
    clockwise on the screen, holes the other way. A ring consists of its corners and begins with the
    topmost, of several the leftmost of them; rings come in raster order of that first point.
    """
    height, width = pixels.shape
    inside = np.pad(pixels != 0, 1)
    parts = _flooded(inside, connectivity)
    gaps = _flooded(~inside, 12 - connectivity)

    def is_set(x: int, y: int) -> bool:
        return bool(inside[y + 1, x + 1])

    edges = {  # each edge between a set and a clear pixel: where it begins, and where to
        edge
        for y in range(height)
        for x in range(width)
        if is_set(x, y)
        for edge, beside in (
            (((x, y), _RIGHT), (x, y - 1)),
            (((x + 1, y), _DOWN), (x + 1, y)),
            (((x + 1, y + 1), _LEFT), (x, y + 1)),
            (((x, y + 1), _UP), (x - 1, y)),
        )
        if not is_set(*beside)
    }
    found = []
    while edges:
        # Of the edges left, one at the topmost and then leftmost point begins a ring.
        (x, y), way = start = min(edges, key=lambda edge: (edge[0][1], edge[0][0]))
        beside = {_RIGHT: ((x, y), (x, y - 1)), _DOWN: ((x - 1, y), (x, y))}[way]
        (set_x, set_y), (clear_x, clear_y) = beside
        ring, steps = [], []
        edge = start
        while True:
            edges.remove(edge)
            (x, y), way = edge
            ring.append((x, y))
            steps.append(way)
            x, y = x + way[0], y + way[1]
            turn_right, turn_left = (-way[1], way[0]), (way[1], -way[0])
            # With 4, two pixels that meet in a corner are apart: the way goes on round its own one.
            choices = (turn_right, turn_left) if connectivity == 4 else (turn_left, turn_right)
            if (x, y) == start[0]:
                break
            edge = next(((x, y), to) for to in (*choices, way) if ((x, y), to) in edges)
        corners = [p for i, p in enumerate(ring) if steps[i] != steps[i - 1]]
        part = parts[set_y + 1, set_x + 1]
        gap = gaps[clear_y + 1, clear_x + 1]
        found.append((corners, start[1] == _DOWN, part, gap))
    outer_of = {part: i for i, (_, is_hole, part, _) in enumerate(found) if not is_hole}
    hole_of = {gap: i for i, (_, is_hole, _, gap) in enumerate(found) if is_hole}
    parents = [
        outer_of[part] if is_hole else hole_of.get(gap, -1) for _, is_hole, part, gap in found
    ]
    return [ring for ring, *_ in found], parents, [is_hole for _, is_hole, *_ in found]


def _flooded(pixels: np.ndarray, connectivity: int) -> np.ndarray:
    """The number of the connected part of each pixel that is set, 0 for the others."""
    labels = np.zeros(pixels.shape, int)
    steps = [
        (y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if 0 < abs(y) + abs(x) <= connectivity // 4
    ]
    for number, seed in enumerate(zip(*np.nonzero(pixels), strict=True), 1):
        stack = [seed]
        while stack:
            y, x = stack.pop()
            if not (0 <= y < pixels.shape[0] and 0 <= x < pixels.shape[1]):
                continue
            if pixels[y, x] and not labels[y, x]:
                labels[y, x] = number
                stack += [(y + down, x + right) for down, right in steps]
    return labels


def twice_area(ring: Sequence[tuple[int, int]]) -> int:
    """The shoelace formula: positive for a ring that goes round clockwise on the screen."""
    before = [*ring[-1:], *ring[:-1]]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(before, ring, strict=True))
