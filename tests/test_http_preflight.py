"""What is read in an image's header, and what is refused before it is sent."""

from __future__ import annotations

import io
import os
import re
import struct
import threading
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runmask.errors import ImageError, InputError, LimitError
from runmask.http.copyleaks_wire import LIMITS
from runmask.http.preflight import examine
from runmask.http.upload import prepare


def png(width: int = 512, height: int = 512) -> bytes:
    """A black one, of any size for next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 7) // 8 + 1) * min(height, 9))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def encoded(form: str, size: tuple[int, int] = (640, 512), **options: object) -> bytes:
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    target = io.BytesIO()
    Image.new("RGB", size, (9, 99, 200)).save(target, form, **options)
    return target.getvalue()


FORMATS = [
    ("PNG", {}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\10\0\0"}),
    ("BMP", {}),
    ("HEIF", {}),
]


def size_told(data: bytes) -> tuple[int, int]:
    """By the refusal of an image that is too small."""
    with pytest.raises(ImageError, match="sides from 512") as caught:
        examine(data, LIMITS)
    width, height = re.findall(r"(\d+) x (\d+)", str(caught.value))[0]
    return int(width), int(height)


@pytest.mark.parametrize(("form", "options"), FORMATS)
def test_sizes_of_all_formats(form: str, options: dict[str, object]) -> None:
    assert examine(encoded(form, **options), LIMITS) == form
    for size in ((64, 510), (300, 70)):
        assert size_told(encoded(form, size, **options)) == size


def test_a_bmp_from_the_top_and_an_old_one() -> None:
    data = bytearray(encoded("BMP", (300, 200)))
    struct.pack_into("<i", data, 22, -200)
    assert size_told(bytes(data)) == (300, 200)
    old = b"BM" + struct.pack("<IHHIIHHHH", 26, 0, 0, 26, 12, 300, 200, 1, 24)
    assert size_told(old + bytes(900 * 200)) == (300, 200)


@pytest.mark.parametrize(("form", "options"), FORMATS)
def test_cut_images_are_refused(form: str, options: dict[str, object]) -> None:
    data = encoded(form, **options)
    for length in {*range(min(60, len(data))), *range(60, len(data), len(data) // 50 + 1)}:
        with pytest.raises(ImageError) as caught:
            examine(data[:length], LIMITS)
        assert caught.value.code in ("truncated", "format", "empty", "too_small")
    with pytest.raises(ImageError, match="cut off"):
        examine(data[:-3], LIMITS)


@given(st.data())
def test_damaged_headers_never_crash(data: st.DataObject) -> None:
    form, options = data.draw(st.sampled_from(FORMATS[:-1]))
    damaged = bytearray(encoded(form, (64, 64), **options))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, min(200, len(damaged) - 1)))] = data.draw(
            st.integers(0, 255)
        )
    with suppress(ImageError, LimitError), warnings.catch_warnings(action="ignore"):
        assert examine(bytes(damaged), LIMITS) == form


def test_limits_of_size() -> None:
    assert examine(png(512, 512), LIMITS) == "PNG"
    assert examine(png(6000, 4500), LIMITS) == "PNG"
    assert examine(png(4500, 6000), LIMITS) == "PNG"
    with pytest.raises(ImageError, match="512") as too_small:
        examine(png(511, 512), LIMITS)
    assert too_small.value.code == "too_small"
    assert too_small.value.__notes__ == ["preflight=False sends it all the same"]
    assert "preflight" not in str(too_small.value)  # which the command line shows
    with pytest.raises(ImageError) as empty:
        examine(b"", LIMITS)
    assert not hasattr(empty.value, "__notes__")  # it helps nobody to send nothing
    with pytest.raises(LimitError, match="27,000,000") as too_large:
        examine(png(6000, 4501), LIMITS)
    assert too_large.value.code == "image_pixels"
    with pytest.raises(LimitError, match="400,000,000"):
        examine(png(20000, 20000), LIMITS)
    with pytest.warns(UserWarning, match="6000 x 4500"):
        assert examine(png(9000, 3000), LIMITS) == "PNG"


def test_limits_of_bytes() -> None:
    image = png()
    examine(image[:-12] + bytes(0) + image[-12:], LIMITS)
    with pytest.raises(LimitError, match="32,000,000 bytes") as caught:
        examine(image + bytes(32_000_000 - len(image)), LIMITS)
    assert caught.value.code == "image_bytes"


@pytest.mark.parametrize("form", ["TIFF", "GIF"])
def test_formats_that_the_service_does_not_take(form: str) -> None:
    with pytest.raises(ImageError, match=f"is {form}") as caught:
        examine(encoded(form), LIMITS)
    assert caught.value.code == "format"


# -- paths, bytes, files


def test_sources(tmp_path: Path) -> None:
    path = tmp_path / "photo é.png"
    path.write_bytes(png())
    for image in (path, str(path)):
        upload = prepare(image, None, LIMITS, preflight=True)
        assert (upload.data, upload.filename) == (png(), "photo é.png")
        assert upload.media_type == "image/png"
    for image in (png(), bytearray(png()), memoryview(png()), io.BytesIO(png())):
        assert prepare(image, None, LIMITS, preflight=True).filename == "image.png"
    with open(path, "rb") as file:
        assert prepare(file, None, LIMITS, preflight=True).filename == "photo é.png"
    assert prepare(png(), "x.PNG", LIMITS, preflight=True).filename == "x.PNG"
    assert "data" not in repr(upload)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a", "a.png"),
        ("a.jfif", "a.png"),
        ("b" * 255, "b" * 250 + ".png"),
        ("c" * 251 + ".png", "c" * 251 + ".png"),
        (".png", ".png.png"),
        ("x\x1b[31m.PNG", "x_[31m.PNG"),
    ],
)
def test_made_names(tmp_path: Path, name: str, sent: str) -> None:
    file = io.BytesIO(png())
    file.name = f"/some/where/{name}"  # type: ignore[attr-defined]
    assert prepare(file, None, LIMITS, preflight=True).filename == sent


def test_a_name_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(png())
    with pytest.warns(UserWarning, match="PNG"):
        assert prepare(path, None, LIMITS, preflight=True).filename == "photo.png"


@pytest.mark.parametrize(
    "name", ["", "a" * 256, "a/b.png", "a\\b.png", "a\n.png", "a.tiff", "a", 3]
)
def test_given_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InputError, match="filename"):
        prepare(png(), name, LIMITS, preflight=True)


def test_without_preflight_anything_goes(tmp_path: Path) -> None:
    upload = prepare(b"anything", None, LIMITS, preflight=False)
    assert (upload.filename, upload.media_type) == ("image", "application/octet-stream")
    assert prepare(b"x", "a.tiff", LIMITS, preflight=False).filename == "a.tiff"
    assert prepare(png(9, 9), None, LIMITS, preflight=False).filename == "image.png"


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "empty").touch()
    for bad in (tmp_path, tmp_path / "fifo", tmp_path / "none", tmp_path / "empty", "a\0b"):
        with pytest.raises(ImageError):
            prepare(bad, None, LIMITS, preflight=True)
    for bad in (None, 3, ["x"]):
        with pytest.raises(InputError, match="not a path"):
            prepare(bad, None, LIMITS, preflight=True)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'rb'"):
        prepare(io.StringIO("x"), None, LIMITS, preflight=True)  # type: ignore[arg-type]


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with open(path, "wb") as file:
        file.truncate(2**40)
    with pytest.raises(LimitError, match="bytes"):
        prepare(path, None, LIMITS, preflight=True)


class Dripping:
    """A file that gives a few bytes at a time, in a type of its own."""

    def __init__(self, data: bytes, kind: type) -> None:
        self.left, self.kind = data, kind

    def read(self, size: int = -1) -> object:
        most = 7 if size < 0 else min(size, 7)
        chunk, self.left = self.left[:most], self.left[most:]
        return self.kind(chunk)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("preflight", [True, False])
def test_short_reads_are_read_on(kind: type, preflight: bool) -> None:
    data = png()
    sent = prepare(Dripping(data, kind), None, LIMITS, preflight=preflight)  # type: ignore[arg-type]
    assert (type(sent.data), sent.data) == (bytes, data)


def test_a_pipe_is_read_to_its_end() -> None:
    data = png() + bytes(200_000)
    there, here = os.pipe()

    def feed() -> None:
        with open(here, "wb") as end:
            end.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(there, "rb", buffering=0) as pipe:
        assert prepare(pipe, None, LIMITS, preflight=True).data == data
    feeder.join()


def test_files_that_give_no_bytes() -> None:
    for kind in (str, list, lambda _: None):
        with pytest.raises(InputError):
            prepare(Dripping(b"abc", kind), None, LIMITS, preflight=False)  # type: ignore[arg-type]
