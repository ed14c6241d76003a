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


def test_ten_million_random_rgba(kernels: str) -> None:
    """Any colour over pixels of any alpha."""
    rng = np.random.default_rng(9)
    image = rng.integers(0, 256, (1000, 500, 4), dtype=np.uint8)
    pixels = rng.random((1000, 500)) < 0.5
    mask = Mask.from_array(pixels)
    for _ in range(20):
        inside, outside = (tuple(c) for c in rng.integers(0, 256, (2, 4)).tolist())
        want = reference.overlay(image, pixels, inside, outside)
        assert np.array_equal(overlay(image, mask, inside, outside), want)


@pytest.mark.parametrize("channels", [0, 1, 2])
def test_grey_images(kernels: str, channels: int) -> None:
    """Grey, and grey with any alpha; the colours' grey is Pillow's."""
    rng = np.random.default_rng(10)
    shape = (300, 257) if channels == 0 else (300, 257, channels)
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    pixels = rng.random((300, 257)) < 0.5
    mask = Mask.from_array(pixels)
    for opaque in (False, True):
        if channels == 2 and opaque:
            image[..., 1] = 255
        for _ in range(20):
            inside, outside = (tuple(c) for c in rng.integers(0, 256, (2, 4)).tolist())
            want = reference.overlay(image, pixels, inside, outside)
            got = overlay(image, mask, inside, outside)
            assert np.array_equal(got, want)
            assert got.shape == shape


@pytest.mark.parametrize("channels", [3, 4])
def test_bgr(channels: int) -> None:
    rng = np.random.default_rng(11)
    image = rng.integers(0, 256, (30, 40, channels), dtype=np.uint8)
    mask = Mask.from_array(rng.random((30, 40)) < 0.5)
    order = [2, 1, 0, 3][:channels]
    bgr = np.ascontiguousarray(image[..., order])
    assert np.array_equal(overlay(bgr, mask, layout="bgr")[..., order], overlay(image, mask))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits(kernels: str, channels: int) -> None:
    """The nearest to the exact quotient, for random and for extreme samples and alphas."""
    rng = np.random.default_rng(12)
    image = rng.integers(0, 65536, (20, 70, channels), dtype=np.uint16)
    extremes = np.array([0, 1, 32767, 32768, 65534, 65535], np.uint16)
    image[::3] = rng.choice(extremes, (7, 70, channels))
    if channels in (2, 4):
        image[:9, :, -1] = 65535
    pixels = rng.random((20, 70)) < 0.5
    mask = Mask.from_array(pixels)
    for alphas in (0, 255), (1, 254), (120, 37):
        inside, outside = ((*rng.integers(0, 256, 3).tolist(), alpha) for alpha in alphas)
        got = overlay(image, mask, inside, outside)
        for colour, chosen in ((inside, pixels), (outside, ~pixels)):
            r, g, b, a = colour
            grey = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16
            own = (grey, a) if channels < 3 else colour
            want = [reference.composite_wide(p, own) for p in image[chosen].tolist()]
            assert got[chosen].tolist() == want


def test_sixteen_bits_agree_with_eight() -> None:
    """On opaque images that 257 divides, the two rules are the same but for the rounding."""
    rng = np.random.default_rng(13)
    image = rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)
    mask = Mask.from_array(rng.random((50, 60)) < 0.5)
    wide = overlay(image.astype(np.uint16) * np.uint16(257), mask) / 257
    assert np.abs(wide - overlay(image, mask)).max() <= 0.5


def test_several_masks(kernels: str) -> None:
    """What Pillow gives for one after the other, in the order given."""
    rng = np.random.default_rng(14)
    for channels in (1, 2, 3, 4):
        image = rng.integers(0, 256, (400, 301, channels), dtype=np.uint8)
        layers = []
        want = image
        for share in (0.5, 0.01, 0.0, 1.0, 0.3):
            pixels = rng.random((400, 301)) < share
            colour = tuple(rng.integers(0, 256, 4).tolist())
            layers.append((Mask.from_array(pixels), colour))
            want = reference.overlay(want, pixels, colour, None)
        assert np.array_equal(overlay(image, layers), want)
        assert not np.array_equal(overlay(image, layers[::-1]), want)
        for threads in (1, 3):
            out = image.copy()
            assert overlay(out, layers, out=out, threads=threads) is out
            assert np.array_equal(out, want)
    assert np.array_equal(overlay(image, []), image)
    assert np.array_equal(overlay(image, [(layers[0][0], None)]), image)


def test_bands_of_rows(kernels: str) -> None:
    rng = np.random.default_rng(15)
    image = rng.integers(0, 256, (333, 101, 3), dtype=np.uint8)
    masks = [Mask.from_array(rng.random((333, 101)) < share) for share in (0.5, 0.02)]
    pairs = [(mask, (9, 8, 7, 100)) for mask in masks]
    for what in (masks[0], pairs):
        whole = overlay(image, what)
        bands = [
            overlay(image[top : top + 50], what, rows=slice(top, top + 50))
            for top in range(0, 333, 50)
        ]
        assert np.array_equal(np.concatenate(bands), whole)
    last = overlay(image[-5:], masks[0], rows=slice(-5, None))
    assert np.array_equal(last, overlay(image, masks[0])[-5:])
    with pytest.raises(ImageError, match="the mask 40 x 101"):
        overlay(image[:50], masks[0], rows=slice(0, 40))
    for rows in (slice(0, 50, 2), 3):
        for what in (masks[0], pairs, []):
            with pytest.raises(InputError, match="rows"):
                overlay(image[:50], what, rows=rows)  # type: ignore[arg-type]
    for rows in (None, slice(None), slice(50), slice(7, 57), slice(-50, None), slice(-57, -7)):
        assert np.array_equal(overlay(image[:50], [], rows=rows), image[:50])
    with pytest.raises(ImageError, match="the image has 50 rows and the band 7 to 60 has 53"):
        overlay(image[:50], [], rows=slice(7, 60))


def test_layouts(kernels: str) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.random((50, 70)) < 0.3
    mask = Mask.from_array(pixels)
    planes = rng.integers(0, 256, (4, 50, 70), dtype=np.uint8)
    big = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    for view in (
        planes[:3].transpose(1, 2, 0),  # channels first
        planes.transpose(1, 2, 0),
        planes[3:0:-2].transpose(1, 2, 0),
        planes[1, :, ::-1],
        planes.transpose(1, 2, 0)[::-1, :, 1:],
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
        around = np.zeros((60, 90, *view.shape[2:]), np.uint8)
        for out in (around[10:, 20:], around[:-10, ::-1][:, 20:]):
            overlay(view, mask, (1, 2, 3, 99), (200, 0, 50, 10), out=out)
            assert np.array_equal(out, want)
            out[...] = 0
            assert not around.any()
        overlay(view, mask, (1, 2, 3, 99), (200, 0, 50, 10), out=view)
        assert np.array_equal(view, want)
        view[...] = before


def test_nothing_but_the_view_is_written(kernels: str) -> None:
    """Not the alpha beside RGB, not the pixels beside a crop."""
    rng = np.random.default_rng(16)
    image = rng.integers(0, 256, (60, 90, 4), dtype=np.uint8)
    before = image.copy()
    mask = Mask.from_array(rng.random((40, 50)) < 0.5)
    view = image[5:45, 30:80, :3]
    overlay(view, mask, out=view)
    assert np.array_equal(view, overlay(before[5:45, 30:80, :3], mask))
    beside = np.ones((60, 90, 4), bool)
    beside[5:45, 30:80, :3] = False
    assert np.array_equal(image[beside], before[beside])


def test_samples_that_are_not_aligned() -> None:
    rng = np.random.default_rng(17)
    memory = rng.integers(0, 256, 40 * 50 * 6 + 1, dtype=np.uint8)
    image = memory[1:].view(np.uint16).reshape(40, 50, 3)
    mask = Mask.from_array(rng.random((40, 50)) < 0.5)
    want = overlay(image.copy(), mask)
    assert np.array_equal(overlay(image, mask), want)
    overlay(image, mask, out=image)
    assert np.array_equal(image, want)


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
        for image in np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint16):
            assert overlay(image, Mask.empty(shape)).shape == image.shape
            assert overlay(image, [(Mask.empty(shape), (1, 2, 3, 4))]).shape == image.shape


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (np.zeros((4, 5, 3), np.uint8), "shape_mismatch"),
        (np.zeros((8, 4, 3), np.uint8), "shape_mismatch"),
        (np.zeros((4, 8, 3), np.float32), "dtype"),
        (np.zeros((4, 8, 3), ">u2"), "dtype"),
        (np.zeros((4, 8, 3), object), "dtype"),
        (np.zeros((4, 8, 3), bool), "dtype"),
        (np.zeros(32, np.uint8), "mode"),
        (np.zeros((4, 8, 0), np.uint8), "mode"),
        (np.zeros((4, 8, 5), np.uint8), "mode"),
        (np.zeros((4, 8, 3, 1), np.uint8), "mode"),
        (np.ma.masked_equal(np.zeros((4, 8, 3), np.uint8), 0), "image"),
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
            overlay(image, no_mask)  # type: ignore[call-overload]
    for colour in (1, 2), (1, 2, 3, 256), (1, 2, 3, -1), (1, 2, 3, 0.5), (1, 2, 3, True):
        with pytest.raises(InputError, match="0 to 255"):
            overlay(image, mask, inside=colour)  # type: ignore[arg-type]
    readonly = image.copy()
    readonly.flags.writeable = False
    for out in readonly, image[:3], image.astype(np.int16), bytearray(96), image[..., :2]:
        with pytest.raises(InputError, match="out is"):
            overlay(image, mask, out=out)  # type: ignore[arg-type]
    folded = np.lib.stride_tricks.as_strided(image.copy(), (4, 8, 3), (0, 3, 1))
    with pytest.raises(InputError, match="same memory"):
        overlay(image, mask, out=folded)
    for shape, strides in ((4, 4), (2, 1)), ((4, 4), (1, -2)), ((3, 3, 3), (9, 2, 1)):
        folded = np.lib.stride_tricks.as_strided(np.zeros(99, np.uint8)[40:], shape, strides)
        with pytest.raises(InputError, match="same memory"):
            overlay(folded, Mask.full(shape[:2]), out=folded)
    for strides in (24, 3, 1), (-40, 5, -1), (3, 12, 1), (1, 12, 4):
        apart = np.lib.stride_tricks.as_strided(np.zeros(999, np.uint8)[400:], (4, 8, 3), strides)
        if strides == (3, 12, 1):
            apart = apart[:, ::-2]
        overlay(apart, Mask.full(apart.shape[:2]), out=apart)
        assert np.array_equal(apart, overlay(np.zeros_like(apart), Mask.full(apart.shape[:2])))
    for pairs in [mask], [(mask,)], [(image, (1, 2, 3, 4))], {mask: 1}, [(mask, 1, 2)]:
        with pytest.raises(InputError, match="pair"):
            overlay(image, pairs)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="mask 1 is"):
        overlay(image, [(mask, None), (Mask.empty((8, 4)), None)])
    with pytest.raises(InputError, match="colour of mask 0"):
        overlay(image, [(mask, (1, 2))])
    with pytest.raises(InputError, match="each of several"):
        overlay(image, [(mask, None)], inside=(1, 2, 3, 4))  # type: ignore[call-overload]
    for layout in "RGB", None, "rgba", np.array(["rgb", "bgr"]):
        with pytest.raises(InputError, match="layout"):
            overlay(image, mask, layout=layout)  # type: ignore[call-overload]
    for threads in 0, -1, 1.5, True, None:
        with pytest.raises(InputError, match="threads"):
            overlay(image, mask, threads=threads)  # type: ignore[arg-type]
