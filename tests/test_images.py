"""Image files: every format both ways, orientation, and what must be refused."""

import io
import os
import resource
import stat
import struct
import subprocess
import sys
import textwrap
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from runmask import images
from runmask.errors import ImageError, InputError, LimitError, OutputError
from runmask.images import source as image_source

cv2 = pytest.importorskip("cv2")

LOSSLESS = ["PNG", "BMP", "TIFF"]
ENDINGS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "GIF": ".gif",
    "HEIF": ".heic",
}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(height, width):
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x / width, 255 * y / height, 127 + 100 * np.sin((x + 2 * y) / 9)]
    return np.stack(planes, axis=2).astype(np.uint8)


def saved(image, fmt, **options):
    if fmt == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    out = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(out, fmt, **options)
    return out.getvalue()


def pillow(data, mode=None):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode) if mode else image)


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


def test_16_bit_png_gives_the_high_byte():
    deep = np.random.default_rng(3).integers(0, 65536, (20, 30), dtype=np.uint16)
    got = images.read(saved(deep, "PNG"))
    assert np.array_equal(got[:, :, 1], (deep >> 8).astype(np.uint8))
    colour = np.random.default_rng(4).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    data = cv2.imencode(".png", colour)[1].tobytes()
    assert np.array_equal(images.read(data), (colour >> 8).astype(np.uint8)[:, :, ::-1])


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
    with pytest.raises(ImageError, match=r"30x50.*51x30") as caught:
        images.read(data, shape=(51, 30))
    assert caught.value.code == "shape_mismatch"
    assert ("upright 50x30" in str(caught.value)) is (tag == 6)


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


def png_of(*chunks):
    header = (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (header, *chunks, (b"IEND", b""))
    )


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


def test_opencv_does_not_talk_to_the_terminal(capfd):
    with pytest.raises(ImageError):
        images.read(png_of())
    assert capfd.readouterr() == ("", "")


def test_the_limit_is_the_callers():
    data = images.encode(noise(10, 10, 3), "PNG")
    assert images.read(data, max_pixels=100).shape == (10, 10, 3)
    with pytest.raises(LimitError, match="10x10 = 100 pixels > max_pixels 99"):
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


@pytest.fixture
def small_disk(tmp_path):
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


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
