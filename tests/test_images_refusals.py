"""Image files that must be refused: cut, damaged, hostile or no files at all."""

import io
import os
import resource
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import ENDINGS, noise, png_of, saved, smooth
from PIL import Image

from runmask import images
from runmask.errors import ImageError, InputError, LimitError, OutputError
from runmask.images import source as image_source

# -- what must be refused ------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ENDINGS)
def test_every_cut_is_an_error(fmt):
    data = saved(noise(37, 53, 3), fmt)
    # The last bytes of a BMP row and a GIF's end mark are not needed for the pixels.
    needed = len(data) - {"BMP": 3, "GIF": 2}.get(fmt, 0)
    for cut in [*range(0, min(700, needed), 7), *range(700, needed, 61), needed - 1]:
        with pytest.raises(ImageError) as caught:
            images.read(data[:cut])
        code = caught.value.code
        assert code in ({"empty"} if cut == 0 else {"format", "truncated", "corrupt"}), (cut, code)
        if fmt in ("PNG", "JPEG", "WEBP") and cut >= 12:
            assert code == "truncated", cut


@settings(max_examples=300, deadline=None)
@given(
    fmt=st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF"]),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1),
)
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_give_an_image_or_our_error(fmt, flips):
    data = bytearray(saved(noise(9, 13, 3), fmt))
    for place, bits in flips:
        data[int(place * len(data))] ^= bits
    try:
        got = images.read(bytes(data), max_pixels=2**16)
    except (ImageError, LimitError):
        return
    assert got.ndim == 3
    assert got.shape[0] * got.shape[1] <= 2**16


def bomb(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes((width + 1) * 400))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def test_bombs_are_refused_from_the_header():
    png = bomb(20_000, 20_000)
    webp = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\xfe\x3f\0" * 2
    gif = (
        b"GIF89a\xff\xff\xff\xff\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;"
    )
    bmp = bytearray(saved(noise(4, 4, 3), "BMP"))
    struct.pack_into("<ii", bmp, 18, 40_000, 40_000)
    jpeg = bytearray(saved(noise(16, 16, 3), "JPEG"))
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, 65_000, 65_000)
    tiff = bytearray(saved(noise(4, 4, 3), "TIFF"))
    for tag in (b"\x00\x01", b"\x01\x01"):
        struct.pack_into("<HI", tiff, tiff.index(tag + b"\x04\0\x01\0\0\0") + 2, 4, 1)
        struct.pack_into("<I", tiff, tiff.index(tag + b"\x04\0\x01\0\0\0") + 8, 50_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for data in (png, webp, gif, bmp, jpeg, tiff):
        with pytest.raises(LimitError, match=r"pixels > max_pixels 67108864"):
            images.read(bytes(data))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_a_claimed_length_takes_no_memory():
    png = bytearray(png_of((b"IDAT", bytes(12))))
    struct.pack_into(">I", png, png.index(b"IDAT") - 4, 0x7FFF0000)
    images.read(images.encode(noise(9, 9, 3), "PNG"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError) as caught:
        images.read(bytes(png))
    assert caught.value.code == "truncated"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_a_wrong_checksum_is_corrupt():
    data = bytearray(images.encode(noise(64, 64, 3), "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(ImageError, match="checksum") as caught:
        images.read(bytes(data))
    assert caught.value.code == "corrupt"


def test_the_limit_is_the_callers():
    data = images.encode(noise(10, 10, 3), "PNG")
    assert images.read(data, max_pixels=100).shape == (10, 10, 3)
    with pytest.raises(
        LimitError, match=r"10 x 10 \(height x width\) = 100 pixels > max_pixels 99"
    ):
        images.read(data, max_pixels=99)


def test_a_wrong_ending_warns_and_the_content_decides(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(smooth(20, 30), "JPEG"))
    with pytest.warns(UserWarning, match="named as PNG but holds JPEG"):
        assert images.load(path).format == "JPEG"


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF", b"%PDF-1.7", b"<svg xmlns=''/>", b"<!DOCTYPE html>", b"x"]
)
def test_other_content_is_refused(tmp_path, content):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match="no image of a known format") as caught:
        images.read(path)
    assert caught.value.code == "format"


def test_files_that_are_no_files(tmp_path):
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    cases = {
        tmp_path / "empty.png": "0 bytes",
        tmp_path: "Is a directory",
        tmp_path / "fifo.png": "not a regular file",
        tmp_path / "broken.png": "No such file",
        tmp_path / "missing.png": "No such file",
        "/dev/zero": "not a regular file",
        "a\0b.png": "null",
    }
    for path, words in cases.items():
        start = time.monotonic()
        with pytest.raises(ImageError, match=words):
            images.read(path)
        assert time.monotonic() - start < 5  # it did not wait for a writer


@pytest.fixture
def as_nobody():
    """Root may do everything, so become somebody else for the length of a test."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def closed_folder(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "a.png").write_bytes(images.encode(noise(4, 4, 3), "PNG"))
    (folder / "a.png").chmod(0)
    folder.chmod(0o500)
    yield folder
    folder.chmod(0o700)


def test_unreadable_file(closed_folder, as_nobody):
    with pytest.raises(ImageError, match="Permission denied") as caught:
        images.read(closed_folder / "a.png")
    assert caught.value.code == "unreadable"


def test_a_folder_that_may_not_be_written(closed_folder, as_nobody):
    for name in ("a.png", "new.png"):
        with pytest.raises(OutputError, match="EACCES") as caught:
            images.write(closed_folder / name, noise(4, 4, 3))
        assert caught.value.errno == 13


def test_huge_files_are_not_read(tmp_path, monkeypatch):
    path = tmp_path / "sparse.png"
    with open(path, "wb") as file:
        file.truncate(image_source.MAX_BYTES + 1)
    with pytest.raises(LimitError, match="limit of 1073741824"):
        images.read(path)


def test_reading_takes_no_more_than_the_file_needs(tmp_path):
    path = tmp_path / "a.png"
    images.write(path, noise(4, 4, 3))
    tracemalloc.start()
    images.read_bytes(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_file_that_does_not_tell_its_size():
    assert images.read_bytes("/proc/self/status").startswith(b"Name:")


def test_bad_arguments():
    data = images.encode(noise(4, 4, 3), "PNG")
    with pytest.raises(InputError, match="mode 'L'"):
        images.read(data, mode="L")
    with pytest.raises(ImageError, match="orientation 9"):
        images.upright(noise(2, 2, 3), 9)


HUGE = 10**5000  # more digits than Python writes


@pytest.mark.parametrize(
    "options",
    [
        *({"shape": shape} for shape in (5, (1, 2, 3), ("a", 4), (4.0, 4), (HUGE, 4), "x" * 999)),
        *({"mode": mode} for mode in (["RGB"], "x" * 999, np.zeros(2))),
        *({"max_pixels": most} for most in ("1", None, 0, -HUGE)),
    ],
)
def test_arguments_of_reading_that_cannot_be(options):
    with pytest.raises(InputError) as caught:
        images.read(images.encode(noise(4, 4, 3), "PNG"), **options)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "options",
    [
        *({"format": fmt} for fmt in (5, "x" * 999, ["PNG"])),
        *({"quality": quality} for quality in ("x", None, 50.0, HUGE)),
        *({"orientation": tag} for tag in (6.0, "6", None, HUGE, [6])),
        *({"threads": count} for count in (0, 1.5, "2")),
    ],
)
def test_arguments_of_writing_that_cannot_be(options):
    with pytest.raises(InputError) as caught:
        images.encode(noise(4, 4, 3), **({"format": "PNG"} | options))
    assert len(str(caught.value)) < 250


def test_file_objects(tmp_path):
    data = images.encode(noise(4, 5, 3), "PNG")
    path = tmp_path / "a.jpg"  # a name that lies is none of a file object's business
    path.write_bytes(b"before" + data)
    assert np.array_equal(images.read(io.BytesIO(data)), images.read(data))
    for buffering in (-1, 0):
        with open(path, "rb", buffering=buffering) as file:
            file.seek(6)
            assert np.array_equal(images.load(file).pixels, images.read(data))
            assert not file.closed
            with pytest.raises(ImageError, match=r"a\.jpg' is empty"):
                images.read(file)
    with pytest.raises(ImageError, match=r"cannot read .*closed file"):
        images.read(file)
    with pytest.raises(InputError, match="open it with mode 'rb'"), open(__file__) as text:
        images.read(text)
    with pytest.raises(ImageError, match="image is empty"):
        images.read(io.BytesIO())


def test_file_objects_without_an_end(monkeypatch):
    monkeypatch.setattr(image_source, "MAX_BYTES", 2**22)
    with open("/dev/zero", "rb") as file, pytest.raises(LimitError, match="limit of 4194304 bytes"):
        images.read(file)


def test_arrays_are_no_files():
    for pixels in noise(4, 5, 3), Image.fromarray(noise(4, 5, 3)):
        with pytest.raises(InputError, match="pixels already, and no file"):
            images.load(pixels)
    for other in 5, None, ["a.png"]:
        with pytest.raises(InputError, match="not a path, bytes, or a file opened in binary mode"):
            images.load(other)


def test_sources_and_shapes_of_other_kinds(tmp_path):
    data = images.encode(noise(4, 5, 3), "PNG")
    assert images.read(data, shape=np.array([4, 5])).shape == (4, 5, 3)
    for source in (5, None, ["a.png"], tmp_path / "x" / ("y" * 5000)):
        with pytest.raises(InputError) as caught:
            images.read(source)
        assert len(str(caught.value)) < 250
    for path in (5, tmp_path / ("y" * 5000)):
        with pytest.raises(InputError) as caught:
            images.writable_format(path)
        assert len(str(caught.value)) < 250
    with pytest.raises(ImageError, match=r"orientation 6\.0"):
        images.upright(noise(2, 2, 3), 6.0)
