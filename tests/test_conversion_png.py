"""PNG pictures as masks, against Pillow and a writer of all filters, depths and passes."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from strategies import pixel_arrays

from runmask import Mask
from runmask.errors import ImageError, InputError, LimitError, MaskTypeError

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
PASSES += ((0, 1, 1, 2),)


def chunk(kind: bytes, body: bytes) -> bytes:
    end = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + end


def filtered(rows: np.ndarray, pixel_bytes: int, rng: np.random.Generator) -> bytes:
    """Rows of bytes, each through a filter chosen by chance, as the standard writes it down."""
    out = b""
    above = [0] * rows.shape[1]
    for row in rows.tolist():
        kind = int(rng.integers(0, 5))
        made = []
        for i, value in enumerate(row):
            left = row[i - pixel_bytes] if i >= pixel_bytes else 0
            corner = above[i - pixel_bytes] if i >= pixel_bytes else 0
            guess = left + above[i] - corner
            near = min((left, above[i], corner), key=lambda each: abs(guess - each))
            foretold = (0, left, above[i], (left + above[i]) // 2, near)[kind]
            made.append((value - foretold) % 256)
        out += bytes([kind, *made])
        above = row
    return out


def picture(
    numbers: np.ndarray, bits: int, colour: int, *, interlaced: bool, seed: int, cuts: int = 1
) -> bytes:
    rng = np.random.default_rng(seed)
    data = b""
    for x, y, dx, dy in PASSES if interlaced else ((0, 0, 1, 1),):
        part = numbers[y::dy, x::dx]
        if part.size == 0:
            continue
        fields = part[..., None] >> np.arange(bits - 1, -1, -1) & 1
        rows = np.packbits(fields.reshape(len(part), -1).astype(np.uint8), axis=1)
        data += filtered(rows, max(1, bits // 8), rng)
    packed = zlib.compress(data)
    step = len(packed) // cuts + 1
    height, width = numbers.shape
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    palette = [chunk(b"PLTE", bytes(3 * 2**bits))] if colour == 3 else []
    pieces = [chunk(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step)]
    chunks = [chunk(b"IHDR", head), chunk(b"tEXt", b"any"), *palette, *pieces, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


KINDS = [(bits, 0) for bits in (1, 2, 4, 8, 16)] + [(bits, 3) for bits in (1, 2, 4, 8)]


@settings(max_examples=25)
@pytest.mark.parametrize(("bits", "colour"), KINDS)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 40),
    interlaced=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_all_depths_filters_and_passes(
    bits: int, colour: int, height: int, width: int, interlaced: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 2**bits, (height, width)) * (rng.random((height, width)) < 0.7)
    data = picture(numbers, bits, colour, interlaced=interlaced, seed=seed, cuts=seed % 3 + 1)
    if bits < 16:  # the test's own writer is right
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))) != 0, numbers != 0) or colour
    assert Mask.from_png(data) == Mask.from_array(numbers)
    label = int(rng.integers(0, 2**bits))
    assert Mask.from_png(data, labels=label) == Mask.from_array(numbers == label)
    some = {0, label, 2**bits - 1}
    assert Mask.from_png(data, labels=some) == Mask.from_array(np.isin(numbers, list(some)))


@given(pixel_arrays(max_pixels=9000))
def test_pillow_reads_ours_and_we_its(pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    grey = Image.open(io.BytesIO(mask.to_png()))
    assert grey.mode == "1"
    assert np.array_equal(np.asarray(grey), pixels != 0)
    colours = ((1, 2, 3), (250, 0, 9))
    palette = Image.open(io.BytesIO(mask.to_png(colours)))
    assert palette.mode == "P"
    assert np.array_equal(np.asarray(palette), pixels != 0)
    assert palette.convert("RGB").getpixel((0, 0)) == colours[int(pixels[0, 0] != 0)]
    for mode, numbers in (("1", pixels != 0), ("L", pixels), ("P", pixels)):
        image = Image.fromarray(numbers)
        if mode == "P":
            image.putpalette(bytes(range(256)) * 3)
        file = io.BytesIO()
        image.save(file, "PNG")
        assert Mask.from_png(file.getvalue()) == mask


def test_void_is_named_by_the_labels() -> None:
    """VOC and DAVIS: 255 is neither inside nor outside."""
    numbers = np.array([[0, 1, 255], [2, 255, 0]], np.uint8)
    data = picture(numbers, 8, 3, interlaced=False, seed=0)
    assert Mask.from_png(data).area == 4
    assert Mask.from_png(data, labels=range(1, 255)).area == 2
    assert Mask.from_png(data, labels=[]).area == 0
    for labels, error in (
        (256, InputError),
        (-1, InputError),
        (1.5, MaskTypeError),
        ([True], MaskTypeError),
    ):
        with pytest.raises(error):
            Mask.from_png(data, labels=labels)  # type: ignore[arg-type]


GOOD = picture(np.eye(9, dtype=int), 1, 0, interlaced=False, seed=1)


def test_files_cut_off_anywhere() -> None:
    for size in range(len(GOOD)):
        with pytest.raises(ImageError):
            Mask.from_png(GOOD[:size])
    assert Mask.from_png(GOOD + b"more").area == 9


def test_damage_anywhere() -> None:
    for at in range(len(GOOD)):
        damaged = bytearray(GOOD)
        damaged[at] ^= 0x55
        with pytest.raises(InputError):
            Mask.from_png(bytes(damaged))


def test_limits_before_memory() -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    small = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")
    with pytest.raises(LimitError, match="max_pixels"):
        Mask.from_png(small)
    none = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(4) + head[4:]) + chunk(b"IEND", b"")
    with pytest.raises(LimitError):
        Mask.from_png(none)
    bomb = GOOD[:33] + chunk(b"IDAT", zlib.compress(bytes(10**7))) + chunk(b"IEND", b"")
    assert Mask.from_png(bomb).area == 0  # no more is unpacked than the picture has


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_pictures_in_colour_are_refused(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (3, 3)).save(file, "PNG")
    with pytest.raises(ImageError, match=r"Mask\.from_array"):
        Mask.from_png(file.getvalue())


def test_other_files_are_refused() -> None:
    for data in (b"", b"GIF89a", GOOD[1:], bytes(100)):
        with pytest.raises(ImageError):
            Mask.from_png(data)
    unknown = picture(np.ones((1, 1), int), 1, 0, interlaced=False, seed=1)
    bad = zlib.compress(b"\x05\x80")
    with pytest.raises(ImageError, match="row 0"):
        Mask.from_png(unknown[:33] + chunk(b"IDAT", bad) + chunk(b"IEND", b""))
    with pytest.raises(ImageError):
        Mask.from_png(unknown[:33] + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b""))


@pytest.mark.parametrize("palette", [((0, 0, 0),), ((0, 0), (1, 1)), ((0, 0, 0), (0, 0, 256))])
def test_palettes_that_are_none(palette: tuple) -> None:
    with pytest.raises(InputError):
        Mask.full((2, 2)).to_png(palette)
