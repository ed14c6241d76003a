from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import pixel_arrays

from runmask import Mask, overlay
from runmask.errors import ImageError, InputError

pytest.importorskip("PIL", reason="Pillow is the oracle of blending")

COLOURS = st.one_of(
    st.none(),
    st.tuples(*[st.integers(0, 255)] * 4),
    st.tuples(*[st.integers(0, 255)] * 3, st.sampled_from([0, 1, 254, 255])),
)


def test_recorded_answer_over_a_photograph(golden: Path) -> None:
    """Byte for byte what the service's per-pixel example gives."""
    mask = Mask.from_response((golden / "copyleaks_check_edited_1800x1350.json").read_bytes())
    y, x = np.mgrid[0:1350, 0:1800]
    noise = np.random.default_rng(1).integers(0, 40, (1350, 1800, 3))
    photo = (np.stack([x / 9, y / 7, (x + y) / 15], axis=-1) + noise).astype(np.uint8)
    expected = reference.overlay_by_pixel(photo, mask.to_array())
    assert np.array_equal(overlay(photo, mask), expected[..., :3])
    with_alpha = np.dstack([photo, np.full((1350, 1800), 255, np.uint8)])
    assert np.array_equal(overlay(with_alpha, mask), expected)


def test_each_channel_of_opaque_images(kernels: str) -> None:
    """Every value and alpha in every channel on both sides, in images of 3 and of 4 channels."""
    from PIL import Image

    ramp = np.arange(256, dtype=np.uint8)
    image = np.empty((256, 256, 4), np.uint8)
    image[..., 0] = image[..., 1] = ramp
    image[..., 2] = ramp[::-1]
    image[..., 3] = 255
    below = Image.fromarray(image)
    top = Mask.from_array(np.arange(256)[:, None] % 2 == np.zeros(256, int))
    for alpha in range(256):
        for value in range(0, 256, 64):  # four colour values a call: three channels, two sides
            inside = (value, value + 21, value + 42, alpha)
            outside = (value + 11, value + 32, value + 53, alpha)
            got = overlay(image, top, inside, outside)
            got3 = overlay(np.ascontiguousarray(image[..., :3]), top, inside, outside)
            colours = np.array([outside, inside], np.uint8)[top.to_array()]
            want = np.asarray(Image.alpha_composite(below, Image.fromarray(colours)))
            assert np.array_equal(got, want)
            assert np.array_equal(got3, want[..., :3])


def test_all_opaque_triples(kernels: str) -> None:
    """Each of the 256**3 combinations of image, colour and alpha, against Pillow."""
    from PIL import Image

    image = np.empty((1, 256, 3), np.uint8)
    image[0] = np.arange(256, dtype=np.uint8)[:, None]
    mask = Mask.full((1, 256))
    below = Image.fromarray(image).convert("RGBA")
    for alpha in range(256):
        want = np.empty((256, 256), np.uint8)
        got = np.empty((256, 256), np.uint8)
        for value in range(256):
            colour = (value, value, value, alpha)
            got[value] = overlay(image, mask, inside=colour, outside=None)[0, :, 1]
            layer = Image.new("RGBA", (256, 1), colour)
            want[value] = np.asarray(Image.alpha_composite(below, layer))[0, :, 1]
        assert np.array_equal(got, want), alpha


@given(pixel_arrays(max_pixels=6000), COLOURS, COLOURS, st.integers(0, 2**32 - 1), st.booleans())
def test_any_rgba(
    kernels: str, pixels: np.ndarray, inside: tuple, outside: tuple, seed: int, opaque: bool
) -> None:
    mask = Mask.from_array(pixels)
    image = np.random.default_rng(seed).integers(0, 256, (*pixels.shape, 4), dtype=np.uint8)
    if opaque:
        image[..., 3] = 255
    for layout in (image, np.ascontiguousarray(image[..., :3])):
        want = reference.overlay(layout, pixels, inside, outside)
        assert np.array_equal(overlay(layout, mask, inside, outside), want)
        in_place = layout.copy()
        assert overlay(in_place, mask, inside, outside, out=in_place) is in_place
        assert np.array_equal(in_place, want)
        out = np.zeros_like(layout)
        overlay(layout, mask, inside, outside, out=out, threads=2)
        assert np.array_equal(out, want)


def test_random_rgba_in_bulk(kernels: str) -> None:
    """Millions of pixels of any alpha in the image."""
    rng = np.random.default_rng(9)
    image = rng.integers(0, 256, (1000, 1000, 4), dtype=np.uint8)
    pixels = rng.random((1000, 1000)) < 0.5
    mask = Mask.from_array(pixels)
    for _ in range(3):
        inside, outside = (tuple(c) for c in rng.integers(0, 256, (2, 4)).tolist())
        want = reference.overlay(image, pixels, inside, outside)
        assert np.array_equal(overlay(image, mask, inside, outside), want)


def test_layouts(kernels: str) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.random((50, 70)) < 0.3
    mask = Mask.from_array(pixels)
    big = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    for view in (
        big[10:60, 20:90],  # a part of a larger image
        big[100:0:-2, 20:90],  # upside down, every second row
        big[10:60, 150:10:-2],  # mirrored
        big[10:60, 20:90, ::-1],  # BGR to RGB
        big.transpose(1, 0, 2)[20:70, 10:80],
        np.asfortranarray(big[10:60, 20:90]),
    ):
        before = view.copy()
        want = reference.overlay(before, pixels, (1, 2, 3, 99), (200, 0, 50, 10))
        assert np.array_equal(overlay(view, mask, (1, 2, 3, 99), (200, 0, 50, 10)), want)
        assert np.array_equal(view, before)
        around = big.copy()
        out = around[10:60, 20:90] if view.base is None or view.base is not big else view
        overlay(view, mask, (1, 2, 3, 99), (200, 0, 50, 10), out=out)
        assert np.array_equal(out, want)
        out[...] = before


def test_out_that_overlaps_the_image() -> None:
    rng = np.random.default_rng(4)
    pixels = rng.random((40, 60)) < 0.5
    mask = Mask.from_array(pixels)
    strip = rng.integers(0, 256, (41, 60, 3), dtype=np.uint8)
    want = reference.overlay(strip[:40], pixels, (9, 9, 9, 50), None)
    overlay(strip[:40], mask, (9, 9, 9, 50), None, out=strip[1:])
    assert np.array_equal(strip[1:], want)


@pytest.mark.parametrize("channels", [3, 4])
def test_one_side_only(kernels: str, channels: int) -> None:
    image = np.random.default_rng(6).integers(0, 256, (64, 64, channels), dtype=np.uint8)
    mask = Mask([100], [900], (64, 64))
    inside = mask.to_array(dtype=bool)
    assert np.array_equal(overlay(image, mask, outside=None)[~inside], image[~inside])
    assert np.array_equal(overlay(image, mask, inside=None)[inside], image[inside])
    assert np.array_equal(overlay(image, mask, inside=None, outside=None), image)
    assert not np.array_equal(overlay(image, mask, outside=None)[inside], image[inside])


def test_threads_give_the_same_bytes(kernels: str) -> None:
    rng = np.random.default_rng(8)
    pixels = rng.random((1500, 1200)) < 0.5
    image = rng.integers(0, 256, (1500, 1200, 3), dtype=np.uint8)
    for mask in Mask.from_array(pixels), Mask.full((1500, 1200)), Mask.empty((1500, 1200)):
        one = overlay(image, mask)
        for threads in (2, 3, 7):
            assert np.array_equal(overlay(image, mask, threads=threads), one)
            wide = np.zeros((1500, 1300, 3), np.uint8)
            overlay(image, mask, out=wide[:, :1200], threads=threads)
            assert np.array_equal(wide[:, :1200], one)


def test_sizes_without_pixels() -> None:
    for shape in (0, 7), (7, 0), (0, 0):
        image = np.zeros((*shape, 3), np.uint8)
        assert overlay(image, Mask.empty(shape)).shape == (*shape, 3)


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (np.zeros((4, 5, 3), np.uint8), "shape_mismatch"),
        (np.zeros((8, 4, 3), np.uint8), "shape_mismatch"),
        (np.zeros((4, 8, 3), np.float32), "dtype"),
        (np.zeros((4, 8, 3), np.uint16), "dtype"),
        (np.zeros((4, 8), np.uint8), "mode"),
        (np.zeros((4, 8, 2), np.uint8), "mode"),
        (np.zeros((4, 8, 5), np.uint8), "mode"),
        (None, "dtype"),
    ],
)
def test_images_that_do_not_fit(image: np.ndarray, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        overlay(image, Mask.empty((4, 8)))
    assert caught.value.code == code
    if image is not None and image.shape == (8, 4, 3):
        assert "other way round" in str(caught.value)


def test_arguments_that_cannot_be_used() -> None:
    image, mask = np.zeros((4, 8, 3), np.uint8), Mask.empty((4, 8))
    for no_mask in image, None, "mask":
        with pytest.raises(InputError, match="not a Mask"):
            overlay(image, no_mask)  # type: ignore[arg-type]
    for colour in (1, 2, 3), (1, 2, 3, 256), (1, 2, 3, -1), (1, 2, 3, 0.5), "red", (1, 2, 3, True):
        with pytest.raises(InputError, match="0 to 255"):
            overlay(image, mask, inside=colour)  # type: ignore[arg-type]
    readonly = image.copy()
    readonly.flags.writeable = False
    for out in readonly, image[:3], image.astype(np.int16), bytearray(96), image[..., :2]:
        with pytest.raises(InputError, match="out is"):
            overlay(image, mask, out=out)  # type: ignore[arg-type]
    for threads in 0, -1, 1.5, True, None:
        with pytest.raises(InputError, match="threads"):
            overlay(image, mask, threads=threads)  # type: ignore[arg-type]
