"""EXIF and colour profiles: left out, or taken along, whole and about the new file."""

import io

import numpy as np
import pytest
from image_files import noise, saved, smooth
from PIL import ExifTags, Image, ImageCms

from runmask import images
from runmask.errors import InputError, LimitError
from runmask.images import Metadata

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = ["JPEG", "PNG", "WEBP"]


def camera(orientation=6):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x0112] = orientation
    exif[0x0201] = 12345  # a thumbnail's place
    exif[0x8769] = {0x9003: "2026:11:20 08:16:41", 0x829A: 0.25, 0xA002: 999, 0x927C: b"preview"}
    exif[0x8825] = {1: "N", 2: (47.0, 22.0, 0.0)}
    return exif


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_it_goes_along(source, target):
    data = saved(smooth(40, 60), source, exif=camera(), icc_profile=SRGB)
    picture = images.load(data, orient=False, metadata="keep")
    out = images.encode(
        picture.pixels, target, orientation=picture.orientation, metadata=picture.metadata
    )
    with opened(out) as image:
        exif = image.getexif()
        assert (exif[0x010F], exif[0x0112]) == ("A camera", 6)
        assert exif.get_ifd(0x8769) == {0x9003: "2026:11:20 08:16:41", 0x829A: 0.25}
        assert exif.get_ifd(0x8825)[2] == (47.0, 22.0, 0.0)
        assert 0x0201 not in exif
        assert image.info["icc_profile"] == SRGB
    assert images.load(out, orient=False).orientation == 6
    assert np.array_equal(images.read(out).shape, (60, 40, 3))


def test_heif_has_it_too():
    data = saved(smooth(64, 96), "HEIF", exif=camera(1).tobytes(), icc_profile=SRGB)
    kept = images.load(data, metadata="keep").metadata
    assert b"A camera" in kept.exif
    assert kept.icc == SRGB
    out = images.encode(smooth(64, 96), "JPEG", metadata=kept)
    assert opened(out).getexif()[0x010F] == "A camera"


def test_the_orientation_is_that_of_the_pixels():
    data = saved(smooth(40, 60), "JPEG", exif=camera(6))
    picture = images.load(data, metadata="keep")  # turned upright
    assert picture.orientation == 1
    out = images.encode(picture.pixels, "JPEG", orientation=1, metadata=picture.metadata)
    assert images.load(out, orient=False).orientation == 1
    with opened(out) as image:
        assert image.getexif()[0x010F] == "A camera"


def test_thumbnails_do_not_go_along():
    small = saved(noise(20, 30, 3), "JPEG")
    block = camera().tobytes()
    # A second directory behind the first one, with the thumbnail's place and size.
    at = 6 + int.from_bytes(block[10:14], "big" if block[6:8] == b"MM" else "little")
    order = "big" if block[6:8] == b"MM" else "little"
    count = int.from_bytes(block[at : at + 2], order)
    link = at + 2 + 12 * count
    tail = len(block) - 6
    entries = [(0x0201, tail + 30), (0x0202, len(small))]
    second = len(entries).to_bytes(2, order) + b"".join(
        tag.to_bytes(2, order) + (4).to_bytes(2, order) + (1).to_bytes(4, order)
        + value.to_bytes(4, order) for tag, value in entries
    ) + bytes(4)  # fmt: skip
    assert len(second) == 30
    exif = block[:link] + tail.to_bytes(4, order) + block[link + 4 :] + second + small
    data = saved(smooth(40, 60), "JPEG", exif=exif)
    assert small in data
    with opened(data) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(small)
    picture = images.load(data, orient=False, metadata="keep")
    assert picture.metadata.exif
    out = images.encode(picture.pixels, "JPEG", metadata=picture.metadata)
    assert small[:200] not in out
    assert b"preview" not in out


@pytest.mark.parametrize("target", [*FORMATS, "TIFF"])
@pytest.mark.parametrize("source", [*FORMATS, "TIFF"])
def test_the_profile_alone_goes_along_unless_asked(source, target):
    """Colours stay what they are; who took the picture, and where, is nobody's business."""
    more = {} if source == "TIFF" else {"exif": camera(1)}  # whose directory is EXIF's
    data = saved(smooth(40, 60), source, icc_profile=SRGB, **more)
    picture = images.load(data)
    assert picture.metadata.exif == b""
    out = images.encode(picture.pixels, target, metadata=picture.metadata)
    with opened(out) as image:
        assert image.info["icc_profile"] == SRGB
        assert 0x010F not in image.getexif()
    assert b"A camera" not in out


def test_nothing_goes_along_if_asked():
    data = saved(smooth(40, 60), "JPEG", exif=camera(), icc_profile=SRGB)
    picture = images.load(data, metadata="none")
    assert picture.metadata is None
    out = images.encode(picture.pixels, "JPEG", metadata=picture.metadata)
    assert b"camera" not in out
    assert b"ICC" not in out
    plain = saved(smooth(40, 60), "JPEG", exif=camera())
    assert images.load(plain).metadata is None  # there is no profile


def test_profiles_of_other_colours_are_left_out():
    """Pixels come out as RGB: the profile of their CMYK would be a lie."""
    cmyk = SRGB[:16] + b"CMYK" + SRGB[20:]
    data = saved(Image.fromarray(smooth(20, 30)).convert("CMYK"), "JPEG", icc_profile=cmyk)
    assert images.load(data, metadata="keep").metadata is None
    grey = images.encode(noise(9, 9), "PNG", metadata=Metadata(icc=SRGB))
    assert "icc_profile" not in opened(grey).info


def test_long_profiles_take_several_segments():
    profile = SRGB + noise(150_000).tobytes()
    out = images.encode(smooth(20, 30), "JPEG", metadata=Metadata(icc=profile))
    assert out.count(b"ICC_PROFILE\0") == 3
    assert opened(out).info["icc_profile"] == profile
    assert images.read(out).shape == (20, 30, 3)


def test_exif_that_jpeg_cannot_hold():
    exif = Image.Exif()
    exif[0x010E] = "x" * 70_000
    with pytest.raises(LimitError, match="JPEG holds 65533"):
        images.encode(smooth(9, 9), "JPEG", metadata=Metadata(exif=exif.tobytes()[6:]))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("junk", [b"Exif\0\0junk", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_broken_metadata_costs_nobody_the_picture(junk):
    data = saved(smooth(20, 30), "JPEG", exif=junk)
    picture = images.load(data, metadata="keep")
    out = images.encode(picture.pixels, "JPEG", metadata=picture.metadata)
    assert images.read(out).shape == (20, 30, 3)


@pytest.mark.parametrize("fmt", ["BMP", "TIFF"])
def test_formats_without_a_place_for_it(fmt):
    with pytest.raises(InputError, match=f"EXIF is not written to {fmt}"):
        images.encode(smooth(9, 9), fmt, metadata=Metadata(exif=camera().tobytes()[6:]))
    with_profile = images.encode(smooth(9, 9), fmt, metadata=Metadata(icc=SRGB))
    assert (SRGB in with_profile) is (fmt == "TIFF")


def test_arguments_that_are_none():
    data = saved(smooth(9, 9), "PNG")
    with pytest.raises(InputError, match="metadata 'all'"):
        images.load(data, metadata="all")
    with pytest.raises(InputError, match="what load\\(\\) gives"):
        images.encode(smooth(9, 9), "PNG", metadata=b"exif")
    with pytest.raises(InputError, match="lossless 1"):
        images.encode(smooth(9, 9), "PNG", lossless=1)
    with pytest.raises(InputError, match="JPEG cannot be lossless"):
        images.encode(smooth(9, 9), "JPEG", lossless=True)


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp(channels):
    image = noise(40, 50, channels)
    data = images.encode(image, "WEBP", lossless=True)
    assert np.array_equal(images.read(data, mode=None), image)
    lossy = images.encode(image, "WEBP")
    assert not np.array_equal(images.read(lossy, mode=None), image)


def test_quality_makes_files_smaller():
    image = smooth(200, 300) ^ (noise(200, 300, 3) >> 5)
    for fmt in ("JPEG", "WEBP"):
        sizes = [len(images.encode(image, fmt, quality=q)) for q in (20, 60, 95)]
        assert sizes == sorted(sizes)
        assert sizes[2] > 2 * sizes[0]
