"""Writing image files: what other readers find, what is refused, what fails."""

import io
import os
import stat
import struct
import subprocess
import sys
import textwrap
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import ENDINGS, LOSSLESS, cv2, noise, pillow, saved, smooth
from PIL import Image

from runmask import images
from runmask.errors import ImageError, InputError, LimitError, OutputError

# -- writing and reading back ------------------------------------------------------------------


@pytest.mark.parametrize("fmt", LOSSLESS)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 70, 3), (70, 1, 3), (37, 53, 3), (37, 53)])
def test_lossless_round_trip(tmp_path, fmt, shape):
    image = noise(*shape)
    path = tmp_path / f"a{ENDINGS[fmt]}"
    images.write(path, image)
    assert np.array_equal(pillow(path.read_bytes()), image)
    got = images.read(path)
    assert got.dtype == np.uint8
    assert got.flags.writeable
    assert got.flags.c_contiguous
    assert np.array_equal(got, image if image.ndim == 3 else np.dstack([image] * 3))


@pytest.mark.parametrize("shape", [(1, 1), (53, 37), (1, 9, 3), (700, 301, 3), (19, 31, 4)])
def test_sixteen_bits(shape):
    """As OpenCV reads them; the largest is written in several strips."""
    image = np.random.default_rng(0).integers(0, 65536, shape, dtype=np.uint16)
    data = images.encode(image, "PNG")
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(image.shape[-1] if image.ndim == 3 else 1)
    assert np.array_equal(found if order is None else found[..., order], image)
    assert images.encode(image, "PNG", threads=3) == data
    assert images.encode(image[::-1, ::-1][::-1, ::-1], "PNG") == data
    for fmt in ("JPEG", "WEBP", "TIFF", "BMP"):
        with pytest.raises(ImageError, match=f"{fmt} is written with 8 bits a sample; PNG holds"):
            images.encode(image, fmt)


@pytest.mark.parametrize("fmt", ["PNG", "TIFF"])
def test_alpha_round_trip(fmt):
    image = noise(19, 31, 4)
    data = images.encode(image, fmt)
    assert np.array_equal(pillow(data), image)
    assert np.array_equal(images.read(data, mode=None), image)
    assert np.array_equal(images.read(data, mode="RGBA"), image)
    assert np.array_equal(images.read(data), image[:, :, :3])


@pytest.mark.parametrize("fmt", ["JPEG", "WEBP"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossy_round_trip(fmt, channels):
    image = smooth(90, 130)
    given = {1: image[:, :, 0], 3: image, 4: np.dstack([image, np.full((90, 130), 255, np.uint8)])}
    got = images.read(images.encode(given[channels], fmt, quality=95))
    want = np.dstack([image[:, :, 0]] * 3) if channels == 1 else image
    assert got.shape == want.shape
    assert np.abs(got.astype(int) - want).mean() < 3


def test_webp_keeps_transparency():
    image = np.dstack([smooth(40, 60), np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))])
    got = images.read(images.encode(image, "WEBP"), mode=None)
    assert got.shape == image.shape
    assert np.array_equal(got[:, :, 3], image[:, :, 3])


@pytest.mark.parametrize("fmt", ["PNG", "TIFF", "BMP"])
def test_bool_masks(fmt):
    mask = noise(33, 41) > 128
    data = images.encode(mask, fmt)
    assert np.array_equal(pillow(data, "L"), mask * np.uint8(255))
    assert (pillow(data).dtype == np.bool_) is (fmt == "PNG")


def test_strides_do_not_matter():
    image = noise(40, 60, 3)
    assert images.encode(image[::2, ::-1], "PNG") == images.encode(
        np.ascontiguousarray(image[::2, ::-1]), "PNG"
    )


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([1, 3, 4]),
    flat=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_png_is_what_two_other_decoders_read(height, width, channels, flat, seed):
    image = noise(height, width, channels, seed=seed)
    if flat:
        image[:] = image[0, 0]
    image = image[:, :, 0] if channels == 1 else image
    data = images.encode(image, "PNG")
    assert np.array_equal(pillow(data), image)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if channels > 1:
        other = cv2.cvtColor(other, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA)
    assert np.array_equal(other, image)


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth", "bool"])
def test_png_of_many_strips_is_the_same_for_every_thread_count(kind):
    image = {
        "noise": noise(1300, 1100, 3),
        "flat": np.full((2000, 900, 3), 7, np.uint8),
        "smooth": smooth(1200, 1000),
        "bool": noise(3000, 4001) > 250,
    }[kind]
    data = images.encode(image, "PNG", threads=1)
    assert images.encode(image, "PNG", threads=2) == data
    assert images.encode(image, "PNG", threads=7) == data
    assert data.count(b"IDAT") > 3  # the zlib header, the checksum, and more than one strip
    assert np.array_equal(pillow(data), image)
    whole = b"".join(data[at : at + size] for at, size in idat(data))
    assert len(zlib.decompress(whole)) == len(image) * (1 + row_bytes(image))


def row_bytes(image):
    return (image.shape[1] + 7) // 8 if image.dtype == np.bool_ else image[0].size


def idat(data):
    at = 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            yield at + 8, size
        at += 12 + size


def test_output_carries_no_metadata(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    exif[0x0112] = 6
    data = saved(smooth(40, 60), "JPEG", exif=exif, comment=b"SECRET-COMMENT")
    picture = images.load(data, orient=False)
    for fmt in ("JPEG", "PNG", "WEBP", "TIFF"):
        out = images.encode(picture.pixels, fmt, orientation=picture.orientation)
        assert b"SECRET" not in out
        with Image.open(io.BytesIO(out)) as image:
            assert dict(image.getexif()).get(0x0112) == 6


# -- writing that must be refused, or fails ------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (noise(4, 4, 3).astype(np.float32), "got float32"),
        (noise(4, 4, 2), "1, 3 or 4 channels"),
        (noise(4), "got uint8"),
        (noise(0, 4, 3), "some pixels"),
        (np.zeros((2, 3, 3), bool), "got bool"),
    ],
)
def test_arrays_that_are_no_image(tmp_path, image, error):
    with pytest.raises(ImageError, match=error):
        images.write(tmp_path / "a.png", image)
    assert not list(tmp_path.iterdir())


def test_refusals_of_write(tmp_path):
    image = noise(4, 4, 4)
    with pytest.raises(InputError, match=r"ends in '\.txt'"):
        images.write(tmp_path / "a.txt", image)
    with pytest.raises(InputError, match="'HEIF'"):
        images.encode(image, "HEIF")
    with pytest.raises(InputError, match="quality 0"):
        images.write(tmp_path / "a.png", image, quality=0)
    with pytest.raises(ImageError, match="orientation 9"):
        images.write(tmp_path / "a.png", image, orientation=9)
    for ending in (".jpg", ".bmp"):
        with pytest.raises(ImageError, match="cannot hold transparency"):
            images.write(tmp_path / f"a{ending}", image)
    with pytest.raises(LimitError, match="at most 16383"):
        images.write(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8))
    with pytest.raises(LimitError, match="at most 65500"):
        images.write(tmp_path / "a.jpg", np.zeros((65501, 1, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_overwrite(tmp_path):
    path = tmp_path / "a.png"
    images.write(path, noise(4, 4, 3), overwrite=False)
    old = path.read_bytes()
    with pytest.raises(OutputError, match="exists") as caught:
        images.write(path, noise(5, 5, 3), overwrite=False)
    assert caught.value.code == "exists"
    assert path.read_bytes() == old
    images.write(path, noise(5, 5, 3))
    assert images.read(path).shape == (5, 5, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_permissions_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        images.write(tmp_path / "a.png", noise(4, 4, 3))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640


LIMITED = """
    import resource, sys
    import numpy as np
    from runmask import images
    from runmask.errors import OutputError
    image = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    images.encode(image, sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    try:
        images.write(sys.argv[1], image)
    except OutputError as error:
        print(error.errno, error.path, error)
"""


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_a_file_size_limit_leaves_the_old_file(tmp_path, fmt):
    path = tmp_path / f"a{ENDINGS[fmt]}"
    path.write_bytes(b"the old file")
    code = textwrap.dedent(LIMITED)
    out = subprocess.run(
        [sys.executable, "-c", code, path, fmt], capture_output=True, text=True, timeout=60
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith(f"27 {path} cannot write '{path}': File too large (EFBIG)")
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_full_disk_leaves_the_old_file(small_disk):
    path = small_disk / "a.png"
    path.write_bytes(b"the old file")
    with pytest.raises(OutputError, match="ENOSPC") as caught:
        images.write(path, noise(300, 300, 3))
    assert (caught.value.errno, caught.value.path) == (28, str(path))
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in small_disk.iterdir()] == ["a.png"]


# -- previews ------------------------------------------------------------------------------------


def test_preview_is_small_upright_and_on_white():
    image = np.zeros((300, 600, 4), np.uint8)
    small = images.read(images.preview(image, side=100, orientation=6))
    assert small.shape == (100, 50, 3)
    assert small.min() > 250
    assert images.read(images.preview(noise(4, 1, 3))).shape == (4, 1, 3)
    assert images.read(images.preview(noise(1, 5000, 3), side=100)).shape == (1, 100, 3)
    image = np.dstack([smooth(307, 611)[:, :, 2]] * 3)
    means = image[:304, :608].reshape(76, 4, 152, 4, 3).mean(axis=(1, 3))
    small = images.read(images.preview(image, side=200))
    assert np.abs(small - means).mean() < 6
