"""A PNG writer: one filter, a fast deflate, strips of rows on all cores.

The filter is Up for every row: it is a plain subtraction, and at the fastest level of
deflate no choice of filters pays for its search. Every strip is compressed alone and ends
with a flush, so that the strips in a row are one deflate stream, and the cut depends on the
image alone, so that the bytes do not depend on the number of threads.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from .extra import extra

_STRIP_BYTES = 2**20
_ADLER = 65521
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # channels -> grey, truecolour, truecolour with alpha


def png_chunks(
    image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.bool_],
    *,
    exif: bytes = b"",
    icc: bytes = b"",
    threads: int | None = None,
) -> list[bytes]:
    """The file in pieces. ``image`` is C-contiguous: uint8 or uint16 (H, W), (H, W, 3 or 4), or
    bool (H, W).

    ``exif`` is a TIFF block without the ``Exif`` prefix, ``icc`` a colour profile.
    ``threads=None`` uses the cores there are.
    """
    with extra("images"):
        from isal import isal_zlib
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    bits = 1 if image.dtype == np.bool_ else 8 * image.itemsize

    def compress(strip: range) -> tuple[bytes, int, int]:
        filtered = _filter_up(image, strip)
        stream = isal_zlib.compressobj(level=1, wbits=-15)
        last = strip.stop == height
        end = isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH
        data = stream.compress(filtered) + stream.flush(end)
        return _chunk(b"IDAT", data, isal_zlib.crc32), isal_zlib.adler32(filtered), filtered.size

    strips = list(_strips(height, 1 + (width * channels * bits + 7) // 8))
    workers = min(threads or len(os.sched_getaffinity(0)), len(strips))
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(compress, strips))
    else:
        parts = list(map(compress, strips))

    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    checksum = 1
    for _, adler, size in parts:
        checksum = _adler_of_both(checksum, adler, size)
    return [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", header, isal_zlib.crc32),
        *([_chunk(b"iCCP", b"ICC\0\0" + zlib.compress(icc), isal_zlib.crc32)] if icc else []),
        *([_chunk(b"eXIf", exif, isal_zlib.crc32)] if exif else []),
        _chunk(b"IDAT", b"\x78\x01", isal_zlib.crc32),  # the zlib header
        *(chunk for chunk, _, _ in parts),
        _chunk(b"IDAT", struct.pack(">I", checksum), isal_zlib.crc32),
        _chunk(b"IEND", b"", isal_zlib.crc32),
    ]


def _strips(height: int, row_bytes: int) -> Iterator[range]:
    step = max(1, _STRIP_BYTES // row_bytes)
    for top in range(0, height, step):
        yield range(top, min(top + step, height))


def _stored(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Rows as the file has them: bits packed, the higher byte of a sample first."""
    if image.dtype == np.bool_:
        return np.packbits(image, axis=1)
    return (
        image.reshape(len(image), -1).astype(image.dtype.newbyteorder(">"), copy=False).view("u1")
    )


def _filter_up(image: npt.NDArray[Any], strip: range) -> npt.NDArray[np.uint8]:
    first = max(strip.start - 1, 0)  # nothing stands above the first row
    rows = _stored(image[first : strip.stop])
    filtered = np.empty((len(strip), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 2
    rest = filtered[len(strip) - len(rows) + 1 :, 1:]
    np.subtract(rows[1:], rows[:-1], out=rest)
    if strip.start == 0:
        filtered[0, 1:] = rows[0]
    return filtered


def _chunk(kind: bytes, data: bytes, crc32: Callable[[bytes], int]) -> bytes:
    body = kind + data
    return b"".join((struct.pack(">I", len(data)), body, struct.pack(">I", crc32(body))))


def _adler_of_both(first: int, second: int, second_size: int) -> int:
    """The Adler-32 of two texts in a row from the sums of each."""
    a1, b1 = first & 0xFFFF, first >> 16
    a2, b2 = second & 0xFFFF, second >> 16
    a = (a1 + a2 - 1) % _ADLER
    b = (b1 + b2 + second_size * (a1 - 1)) % _ADLER
    return b << 16 | a
