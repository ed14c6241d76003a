"""Reading image files: what the pixels are, and which way up."""

import io

import numpy as np
import pytest
from image_files import cv2, noise, pillow, saved, smooth
from PIL import Image, ImageOps

from runmask import images
from runmask.errors import ImageError, LimitError

# -- modes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "fmt"),
    [("L", "PNG"), ("P", "PNG"), ("1", "PNG"), ("LA", "PNG"), ("P", "GIF"), ("L", "JPEG"),
     ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF"), ("L", "BMP"), ("P", "BMP")],
)  # fmt: skip
def test_modes_come_out_as_pillow_converts_them(mode, fmt):
    colours = Image.fromarray(smooth(30, 44))
    data = saved(colours.convert("L").convert(mode) if mode == "LA" else colours.convert(mode), fmt)
    assert np.array_equal(images.read(data), pillow(data, "RGB"))
    assert images.read(data, mode="RGBA").shape == (30, 44, 4)
    assert images.read(data, mode=None).shape == (30, 44, 4 if mode == "LA" else 3)


def test_palette_with_transparency():
    image = Image.fromarray(noise(8, 8) % 4, "P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    data = saved(image, "PNG", transparency=bytes([255, 128, 0, 255]))
    got = images.read(data, mode=None)
    assert np.array_equal(got, pillow(data, "RGBA"))
    assert set(np.unique(got[:, :, 3])) == {0, 128, 255}


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_samples_give_their_high_byte(ending, channels):
    deep = np.random.default_rng(4).integers(0, 65536, (20, 30, channels), dtype=np.uint16)
    data = cv2.imencode(ending, deep)[1].tobytes()
    high = (deep >> 8).astype(np.uint8)[:, :, [2, 1, 0, 3][:channels] if channels > 1 else [0] * 3]
    assert np.array_equal(images.read(data, mode=None), high)
    assert np.array_equal(images.read(data), high[:, :, :3])


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_32_bit_samples_are_refused(dtype):
    data = saved(np.ones((8, 9), dtype), "TIFF")
    with pytest.raises(ImageError, match="scale") as caught:
        images.read(data)
    assert caught.value.code == "mode"


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "TIFF", "PNG"])
def test_first_frame_of_many(fmt):
    frames = [Image.fromarray(np.full((20, 30, 3), c, np.uint8)) for c in (10, 120, 240)]
    data = saved(frames[0], fmt, save_all=True, append_images=frames[1:])
    picture = images.load(data)
    assert picture.has_more_frames
    assert not images.load(saved(frames[0], fmt)).has_more_frames
    assert picture.format == fmt
    assert np.abs(picture.pixels.astype(int) - 10).max() <= 2


def test_still_webp_equals_pillow():
    for options in ({"quality": 80}, {"lossless": True}):
        data = saved(smooth(50, 70), "WEBP", **options)
        assert np.array_equal(images.read(data), pillow(data, "RGB"))


def test_heif():
    pytest.importorskip("pillow_heif")
    data = saved(smooth(64, 96), "HEIF", quality=95)
    picture = images.load(data)
    assert picture.format == "HEIF"
    assert np.abs(picture.pixels.astype(int) - smooth(64, 96)).mean() < 5
    with pytest.raises(LimitError, match="6144 pixels > max_pixels 6000"):
        images.read(data, max_pixels=6000)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_damaged_jpeg_is_not_mended(channels, options):
    image = noise(64, 96, 3)
    data = saved(image if channels == 3 else image[:, :, 0], "JPEG", **options)
    scan = data.rindex(b"\xff\xda") if not options else data.index(b"\xff\xda")
    quarter = (len(data) - scan) // 8
    cases = [
        data[:700] + b"\xff\x00\x12" + data[700:],
        data[: scan + 20 + quarter] + data[-quarter:],  # the middle is missing
    ]
    for damaged in cases:
        with pytest.raises(ImageError) as caught:
            images.read(damaged)
        assert caught.value.code == "corrupt"
    assert np.array_equal(images.read(data + b"trailing" * 99), pillow(data, "RGB"))


def test_a_jpeg_of_too_many_scans_is_refused():
    data = saved(noise(64, 96, 3), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert images.read(data + b"\xff\xda" * 200).shape == (64, 96, 3)  # behind the picture
    with pytest.raises(ImageError, match="over 100 scans") as caught:
        images.read(data[:last] + data[last:-2] * 101 + data[-2:])
    assert caught.value.code == "corrupt"
    comment = b"\xff\xfe\x04\x02" + b"\xff\xda" * 512
    assert images.read(data[:2] + comment + data[2:]).shape == (64, 96, 3)


# -- orientation ---------------------------------------------------------------------------------

ORIENTABLE = {"JPEG": {}, "PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("fmt", ORIENTABLE)
def test_pixels_come_out_as_viewers_show_them(fmt, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    data = saved(smooth(37, 53), fmt, exif=exif, **ORIENTABLE[fmt])
    with Image.open(io.BytesIO(data)) as image:
        shown = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(images.read(data), shown)
    stored = images.load(data, orient=False)
    assert stored.orientation == tag
    assert stored.pixels.shape == (37, 53, 3)
    assert np.array_equal(images.upright(stored.pixels, tag), shown)
    assert images.load(data).orientation == 1


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_written_tag_turns_the_picture_and_keeps_the_grid(fmt, tag):
    image = smooth(40, 64)
    data = images.encode(image, fmt, orientation=tag, quality=95)
    shown = images.read(data).astype(int)
    want = images.upright(image, tag)
    assert shown.shape == want.shape
    assert np.abs(shown - want).mean() < 3
    stored = images.load(data, orient=False)
    assert stored.orientation == (1 if fmt == "BMP" else tag)


def test_the_orientation_that_fits_the_mask_is_chosen():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(smooth(30, 50), "JPEG", exif=exif)
    assert images.load(data, shape=(30, 50)).orientation == 6
    turned = images.load(data, shape=(50, 30))
    assert turned.orientation == 1
    assert np.array_equal(turned.pixels, images.read(data))


@pytest.mark.parametrize("tag", [0, 1, 6])
def test_a_size_that_fits_neither_is_refused(tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    data = saved(smooth(30, 50), "JPEG", exif=exif)
    with pytest.raises(ImageError, match=r"30 x 50.*51 x 30") as caught:
        images.read(data, shape=(51, 30))
    assert caught.value.code == "shape_mismatch"
    assert ("upright 50 x 30" in str(caught.value)) is (tag == 6)


def test_a_lost_orientation_is_named():
    with pytest.raises(ImageError, match="turned by 90 degrees they agree"):
        images.read(saved(smooth(30, 50), "JPEG"), shape=(50, 30))


@pytest.mark.parametrize(("height", "width", "tag"), [(40, 40, 6), (30, 50, 3), (30, 50, 2)])
def test_an_orientation_that_keeps_the_size_warns(height, width, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    data = saved(smooth(height, width), "JPEG", exif=exif)
    with pytest.warns(UserWarning, match=f"EXIF orientation {tag}"):
        picture = images.load(data, shape=(height, width))
    assert picture.orientation == tag


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_no_reason_to_refuse():
    data = saved(smooth(30, 50), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff garbage")
    assert images.read(data).shape == (30, 50, 3)


@pytest.mark.parametrize("fmt", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_samples_are_those_that_are_stored(fmt, orientation, dtype):
    full = np.iinfo(dtype).max
    values = np.random.default_rng(1).integers(0, full, (9, 14), dtype, endpoint=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = images.read_grey(saved(values, fmt, exif=exif))
    assert got.dtype == dtype
    assert np.array_equal(got, values)
    with pytest.raises(ImageError, match="picture with colours, not grey") as caught:
        images.read_grey(saved(noise(9, 14, 3), fmt))
    assert caught.value.code == "mode"
