"""Plain PNG files, which are inflated and unfiltered here: as Pillow reads them, and silently."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import noise, pillow, png_of, smooth

from runmask import images
from runmask.errors import ImageError


def filtered(pixels, filters):
    """The rows under PNG's filters, by its definition of them."""
    height, width, channels = pixels.shape
    rows = np.zeros((height + 1, (width + 1) * channels), int)  # zeros above and to the left
    rows[1:, channels:] = pixels.reshape(height, -1)
    here, left = rows[1:, channels:], rows[1:, :-channels]
    up, corner = rows[:-1, channels:], rows[:-1, :-channels]
    foretold = left + up - corner
    nearest = np.where(abs(foretold - up) <= abs(foretold - corner), up, corner)
    to_left = abs(foretold - left)
    paeth = np.where(
        (to_left <= abs(foretold - up)) & (to_left <= abs(foretold - corner)), left, nearest
    )
    guesses = [np.zeros_like(here), left, up, (left + up) // 2, paeth]
    return b"".join(
        bytes([kind]) + ((here - guesses[kind])[y] % 256).astype(np.uint8).tobytes()
        for y, kind in enumerate(filters)
    )


def in_pieces(data, size):
    return [(b"IDAT", data[at : at + size]) for at in range(0, len(data), size)]


@given(
    height=st.integers(1, 12),
    width=st.integers(1, 20),
    channels=st.sampled_from([3, 4]),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_every_filter_in_chunks_of_any_size(height, width, channels, seed, data):
    pixels = noise(height, width, channels, seed=seed)
    filters = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    stream = zlib.compress(filtered(pixels, filters))
    chunks = in_pieces(stream, data.draw(st.integers(1, 40)))
    png = png_of(*chunks, (b"tEXt", b"after\0it"), shape=pixels.shape)
    assert np.array_equal(pillow(png), pixels)
    assert np.array_equal(images.read(png, mode=None), pixels)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", None])
def test_modes(channels, mode):
    pixels = noise(9, 14, channels)
    png = png_of((b"IDAT", zlib.compress(filtered(pixels, [4] * 9))), shape=pixels.shape)
    found = images.read(png, mode=mode)
    assert np.array_equal(found[:, :, :3], pixels[:, :, :3])
    assert found.shape[2] == {"RGB": 3, "RGBA": 4, None: channels}[mode]
    if found.shape[2] == 4:
        assert np.array_equal(found[:, :, 3], pixels[:, :, 3] if channels == 4 else found[:, :, 3])
        assert channels == 4 or (found[:, :, 3] == 255).all()
    assert found.flags.c_contiguous
    assert found.flags.writeable


PIXELS = smooth(20, 30)
ROWS = filtered(PIXELS, [0] * 20)
STREAM = zlib.compress(ROWS)


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"iCCP", b"x\0\0garbage"), (b"IDAT", STREAM)],
        [(b"sRGB", b"\0"), (b"sRGB", b"\0"), (b"IDAT", STREAM)],
        [(b"gAMA", b"\0\0\0\0"), (b"cHRM", b"\xff" * 32), (b"IDAT", STREAM)],
        [(b"PLTE", b"\0\0"), (b"IDAT", STREAM)],
        [(b"IDAT", STREAM), (b"zTXt", b"a\0\0garbage")],
        [(b"IDAT", STREAM[:-4])],  # without its checksum
        [(b"IDAT", STREAM + b"garbage")],
        [(b"IDAT", STREAM), (b"IDAT", b"garbage")],
        [(b"IDAT", zlib.compress(ROWS + bytes(50)))],
    ],
)
def test_oddities_that_harm_no_pixel_are_read_without_a_word(capfd, chunks):
    assert np.array_equal(images.read(png_of(*chunks, shape=PIXELS.shape)), PIXELS)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [(b"IDAT", b"")],
        [(b"IDAT", STREAM[:50] + b"\xff" * 50)],
        [(b"IDAT", STREAM[:-1] + b"x")],  # its checksum
        [(b"IDAT", zlib.compress(ROWS[:300]))],
        [(b"IDAT", zlib.compress(b"\7" + ROWS[1:]))],
    ],
)
def test_damage_is_an_error_without_another_word(capfd, chunks):
    with pytest.raises(ImageError) as caught:
        images.read(png_of(*chunks, shape=PIXELS.shape))
    assert caught.value.code in ("corrupt", "truncated")
    assert capfd.readouterr() == ("", "")


def test_no_more_is_inflated_than_the_picture_has():
    import tracemalloc

    png = png_of((b"IDAT", zlib.compress(bytes(2**27), 9)), shape=(50, 60, 3))
    images.read(png)
    tracemalloc.start()
    images.read(png)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
