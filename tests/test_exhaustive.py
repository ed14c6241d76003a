"""Drawing over everything there is: all bytes, colours and alphas, in every layout and stride.

Takes some minutes on each kernel set, so it runs when it is asked for: pytest -m exhaustive
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import reference

from runmask import Mask, heatmap, overlay

image_of_pillow = pytest.importorskip("PIL.Image", reason="Pillow is the oracle of blending")

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(3600)]

Colour = tuple[int, int, int, int]

# Channels, and the order of the image's colours.
LAYOUTS = {
    "grey": (1, "rgb"),
    "grey+alpha": (2, "rgb"),
    "RGB": (3, "rgb"),
    "BGR": (3, "bgr"),
    "RGBA": (4, "rgb"),
    "BGRA": (4, "bgr"),
}


def touching(image: np.ndarray) -> np.ndarray:
    return image.copy()


def rows_apart(image: np.ndarray) -> np.ndarray:
    height, width, channels = image.shape
    view = np.zeros((height, width + 7, channels), image.dtype)[:, 3 : 3 + width]
    view[...] = image
    return view


def upside_down_and_every_second(image: np.ndarray) -> np.ndarray:
    height, width, channels = image.shape
    view = np.zeros((2 * height, 2 * width, channels), image.dtype)[::-2, ::-2]
    view[...] = image
    return view


def planes(image: np.ndarray) -> np.ndarray:
    return image.transpose(2, 0, 1).copy().transpose(1, 2, 0)


def channels_backwards(image: np.ndarray) -> np.ndarray:
    return image[..., ::-1].copy()[..., ::-1]


STRIDES = (touching, rows_apart, upside_down_and_every_second, planes, channels_backwards)


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STRIDES, ids=lambda view: view.__name__)
def strided(request: pytest.FixtureRequest) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    return request.param  # type: ignore[no-any-return]


@cache
def opaque_blends() -> np.ndarray:
    """Pillow's blend of each [alpha, value] over each byte."""
    blends = np.empty((256, 256, 256), np.uint8)
    below = np.full((256, 256, 4), 255, np.uint8)
    below[..., :3] = np.arange(256, dtype=np.uint8)[:, None]
    layer = np.empty((256, 256, 4), np.uint8)
    layer[..., :3] = np.arange(256, dtype=np.uint8)[:, None, None]
    for alpha in range(256):
        layer[..., 3] = alpha
        pair = image_of_pillow.fromarray(below), image_of_pillow.fromarray(layer)
        blends[alpha] = np.asarray(image_of_pillow.alpha_composite(*pair))[..., 0]
    return blends


def test_all_opaque_combinations(
    kernels: str, layout: str, strided: Callable[[np.ndarray], np.ndarray]
) -> None:
    """256**3 in each channel: a row inside the mask, one outside, and two of single pixels."""
    channels, order = LAYOUTS[layout]
    colours = channels - (channels % 2 == 0)
    image = np.repeat(np.arange(256, dtype=np.uint8)[:, None], channels, axis=1)[None]
    image = np.repeat(image, 4, axis=0)
    if channels % 2 == 0:
        image[..., -1] = 255
    x = np.arange(256)
    inside = np.stack((x >= 0, x < 0, x % 2 == 0, x % 3 == 0))
    mask = Mask.from_array(inside)
    view = strided(image)
    out = strided(image)
    blends = opaque_blends()
    want = image.copy()
    for alpha in range(256):
        for value in range(256):
            one = [(value + 85 * c) % 256 if colours == 3 else value for c in range(3)]
            other = [255 - v for v in one]
            overlay(view, mask, (*one, alpha), (*other, alpha), out, layout=order)
            for c in range(colours):
                at = 2 - c if order == "bgr" else c
                want[..., c] = np.where(inside, blends[alpha, one[at]], blends[alpha, other[at]])
            assert np.array_equal(out, want), (alpha, value)


def random_pairs(rng: np.random.Generator) -> list[Colour]:
    return [tuple(colour) for colour in rng.integers(0, 256, (2, 4)).tolist()]


def test_ten_million_random_pixels(kernels: str, layout: str) -> None:
    channels, order = LAYOUTS[layout]
    rng = np.random.default_rng(9)
    swap = [2, 1, 0, 3][:channels] if order == "bgr" else list(range(channels))
    for _ in range(20):
        image = rng.integers(0, 256, (1000, 500, channels), dtype=np.uint8)
        pixels = rng.random((1000, 500)) < 0.5
        mask = Mask.from_array(pixels)
        inside, outside = random_pairs(rng)
        want = reference.overlay(image, pixels, inside, outside)[..., swap]
        given = np.ascontiguousarray(image[..., swap])
        for strided in STRIDES:
            view = strided(given)
            overlay(view, mask, inside, outside, view, layout=order)
            assert np.array_equal(view, want)


def nearest_wide(image: np.ndarray, samples: list[int], alpha: int) -> np.ndarray:
    """The quotients in whole numbers of 64 bits, which hold them, halves up."""
    has_alpha = image.shape[2] % 2 == 0
    below = image.astype(np.int64)
    under = (below[..., -1:] if has_alpha else np.int64(65535)) * (255 - alpha)
    result = np.maximum(alpha * 65535 + under, 1)
    sums = np.array(samples[: image.shape[2]]) * 257 * alpha * 65535
    blended = (2 * (sums + below[..., : len(sums)] * under) + result) // (2 * result)
    if has_alpha:
        blended[..., -1:] = (2 * result + 255) // 510
    return blended.astype(np.uint16) if alpha else image


def test_sixteen_bits(kernels: str, layout: str) -> None:
    """10**7 pixels of each, against exact quotients; those against fractions."""
    channels, order = LAYOUTS[layout]
    rng = np.random.default_rng(10)
    extremes = np.array([0, 1, 32767, 32768, 65534, 65535], np.uint16)
    for turn in range(20):
        image = rng.integers(0, 65536, (1000, 500, channels), dtype=np.uint16)
        image[::7] = rng.choice(extremes, (143, 500, channels))
        if channels % 2 == 0 and turn % 2:
            image[..., -1] = 65535
        pixels = rng.random((1000, 500)) < 0.5
        mask = Mask.from_array(pixels)
        sides = []
        for r, g, b, alpha in random_pairs(rng):
            grey = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16
            samples = [grey, 0] if channels < 3 else [r, g, b] if order == "rgb" else [b, g, r]
            samples += [0] * (channels - len(samples))
            wide = nearest_wide(image, samples, alpha)
            colour = (*samples[: channels - (channels % 2 == 0)], alpha)
            for y, x in rng.integers(0, (1000, 500), (50, 2)).tolist():
                exact = reference.composite_wide(image[y, x].tolist(), colour)
                assert wide[y, x].tolist() == exact
            sides.append(((r, g, b, alpha), wide))
        (inside, within), (outside, without) = sides
        want = np.where(pixels[..., None], within, without)
        for strided in STRIDES:
            view = strided(image)
            overlay(view, mask, inside, outside, view, layout=order)
            assert np.array_equal(view, want)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, np.bool_])
def test_heatmaps(kernels: str, dtype: Any) -> None:
    """Within one place of real numbers, Pillow's colours, the same for every kernel and thread."""
    from runmask import _core

    rng = np.random.default_rng(11)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    table = rng.integers(0, 256, (256, 4), dtype=np.uint8)
    for _ in range(60):
        size = tuple(rng.integers(1, 1200, 2).tolist())
        shape = tuple(rng.integers(1, 1200, 2).tolist())
        if rng.random() < 0.3:
            size = shape
        noise = rng.uniform(-0.1, 1.1, size)
        confidence = (noise * 255).clip(0, 255).astype(np.uint8) if dtype is np.uint8 else noise
        confidence = noise > 0.5 if dtype is np.bool_ else confidence.astype(dtype)
        real = confidence / 255 if dtype is np.uint8 else confidence
        used = heatmap(np.zeros((*shape, 3), np.uint8), confidence, ramp, 255)[..., 0]
        apart = np.abs(used - reference.heat_places(np.asarray(real), shape)).max()
        assert apart < 0.52
        for channels in (1, 2, 3, 4):
            image = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
            want = reference.composite(image, table[used])
            for threads in (1, 2, 5):
                assert np.array_equal(heatmap(image, confidence, table, threads=threads), want)
            _core.use_kernels("scalar")
            assert np.array_equal(heatmap(image, confidence, table), want)
            _core.use_kernels(kernels)
