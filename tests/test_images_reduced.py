"""Pictures read at fewer pixels, and masks with them."""

import numpy as np
import pytest
from image_files import noise, saved, smooth
from PIL import Image

import runmask as rm
from runmask import images
from runmask.errors import ImageError, InputError
from runmask.images.reducing import reduced, reduced_shape


@pytest.mark.parametrize(
    ("shape", "max_side", "wanted"),
    [
        ((100, 200), 200, (100, 200)),
        ((100, 200), None, (100, 200)),
        ((100, 200), 199, (100, 199)),
        ((100, 200), 50, (25, 50)),
        ((3, 1000), 100, (1, 100)),
        ((5, 10), 3, (2, 3)),  # 1.5: halves up
        ((1000, 333), 100, (100, 33)),
    ],
)
def test_shapes(shape, max_side, wanted):
    assert reduced_shape(shape, max_side) == wanted


def test_whole_fractions_are_means():
    image = noise(60, 90, 3)
    means = image.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3))
    assert np.abs(reduced(image, (20, 30)) - means).max() <= 0.51


def test_transparent_pixels_add_no_colour():
    image = np.zeros((40, 40, 4), np.uint8)
    image[:, ::2] = (200, 100, 50, 255)
    image[:, 1::2] = (0, 255, 255, 0)
    small = reduced(image, (20, 20))
    assert np.abs(small.astype(int) - [200, 100, 50, 128]).max() <= 2


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_any_format(fmt):
    image = smooth(400, 610)
    data = saved(image, fmt, **({"quality": 95} if fmt == "JPEG" else {}))
    picture = images.load(data, max_side=100)
    assert picture.pixels.shape == (66, 100, 3)
    assert picture.full_shape == (400, 610)
    whole = reduced(images.read(data), (66, 100))
    assert np.abs(picture.pixels.astype(int) - whole).mean() < 2


def test_a_jpeg_is_decoded_at_that_size(monkeypatch):
    import simplejpeg

    decoded = []
    decode = simplejpeg.decode_jpeg

    def spy(*arguments, **options):
        decoded.append(decode(*arguments, **options))
        return decoded[-1]

    monkeypatch.setattr(simplejpeg, "decode_jpeg", spy)
    data = saved(smooth(801, 1203), "JPEG", quality=95)
    assert images.read(data, max_side=140).shape == (93, 140, 3)
    assert decoded[0].shape[1] < 602
    assert min(decoded[0].shape[0] / 93, decoded[0].shape[1] / 140) >= 2
    assert images.read(data, max_side=1203).shape == (801, 1203, 3)


@pytest.mark.parametrize("size", [(801, 1203), (799, 1207), (1016, 1001), (97, 1555)])
@pytest.mark.parametrize("side", [31, 100, 140, 200])
def test_the_decoders_own_sizes_shift_nothing(size, side):
    """An edge is where it is in the picture that was decoded whole."""
    image = np.zeros((*size, 3), np.uint8)
    image[size[0] * 3 // 4 :, :] = 255
    image[:, size[1] * 5 // 6 :] = 255
    data = saved(image, "JPEG", quality=100, subsampling=0)
    small = images.read(data, max_side=side)
    whole = reduced(image, small.shape[:2])
    for got, want in ((small[:, 0], whole[:, 0]), (small[0], whole[0])):
        moved = got[:, 0].sum(dtype=int) - want[:, 0].sum(dtype=int)
        assert abs(moved) < 255 * 0.6  # of a new pixel


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(smooth(320, 480), "JPEG", quality=95, exif=exif)
    turned = (480, 320) if orientation > 4 else (320, 480)
    picture = images.load(data, max_side=60)
    assert picture.full_shape == turned
    assert picture.pixels.shape[:2] == reduced_shape(turned, 60)
    whole = reduced(images.read(data), reduced_shape(turned, 60))
    assert np.abs(picture.pixels.astype(int) - whole).mean() < 3


@pytest.mark.parametrize("orientation", [1, 6])
def test_pairs_fit(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(smooth(300, 450), "JPEG", exif=exif)
    shape = (450, 300) if orientation == 6 else (300, 450)
    mask = rm.Mask.from_bbox((30, 60, 200, 240), shape)
    picture, small = images.load_pair(data, mask, max_side=90)
    assert small == mask.resize(reduced_shape(shape, 90))
    assert picture.pixels.shape[:2] == small.shape
    assert rm.overlay(picture.pixels, small).shape == picture.pixels.shape
    picture, same = images.load_pair(data, mask)
    assert same is mask
    assert picture.pixels.shape[:2] == shape


def test_pairs_that_do_not_fit():
    data = saved(smooth(300, 450), "PNG")
    with pytest.raises(ImageError, match="300 x 450"):
        images.load_pair(data, rm.Mask.empty((150, 225)), max_side=225)


@pytest.mark.parametrize("side", [0, -1, 2.5, "9"])
def test_sides_that_are_none(side):
    with pytest.raises(InputError, match="max_side"):
        images.read(saved(smooth(3, 4), "PNG"), max_side=side)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", None])
def test_modes(mode):
    clear = np.dstack([smooth(64, 80), np.full((64, 80), 9, np.uint8)])
    got = images.read(saved(clear, "PNG"), mode=mode, max_side=40)
    assert got.shape == (32, 40, 3 if mode == "RGB" else 4)
    got = images.read(saved(smooth(640, 800), "JPEG"), mode=mode, max_side=40)
    assert got.shape == (32, 40, 4 if mode == "RGBA" else 3)


def test_a_picture_says_what_it_is():
    data = saved(smooth(60, 90), "JPEG")
    assert repr(images.load(data)) == "Picture(JPEG, 60 x 90 RGB)"
    reduced_one = images.load(data, max_side=30, mode="RGBA")
    assert repr(reduced_one) == "Picture(JPEG, 20 x 30 RGBA, reduced from 60 x 90)"
    turned = images.load(images.encode(smooth(9, 8), "PNG", orientation=6), orient=False)
    assert repr(turned) == "Picture(PNG, 9 x 8 RGB, orientation 6)"
