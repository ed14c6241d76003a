"""PNG pictures as masks: grey of 1, 2, 4, 8 and 16 bits, and palette pictures, read and written.

What counts is the number of the pixel: its palette index, or its grey level. Pictures in true
colour are not read here: which of their colours mean the mask is a question for pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import _core
from ..errors import ImageError, MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# x, y of the first pixel and steps of the seven passes of an interlaced picture (Adam7)
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_GREY, _PALETTE = 0, 3


class Header(NamedTuple):
    height: int
    width: int
    bits: int
    colour: int
    interlaced: bool

    @property
    def has_palette(self) -> bool:
        return self.colour == _PALETTE


def header(data: bytes) -> Header:
    """What the picture is; raises ImageError for what is none, or none that is read here."""
    if data[:8] != SIGNATURE:
        raise ImageError(f"not a PNG file: it begins {data[:8]!r}", code="format")
    kind, body = next(_chunks(data), (b"", b""))
    if kind != b"IHDR" or len(body) != 13:
        raise ImageError("the PNG file does not begin with its header", code="damaged")
    width, height, bits, colour, packing, filters, interlace = struct.unpack(">IIBBBBB", body)
    if colour not in (_GREY, _PALETTE):
        raise ImageError(
            f"a PNG of colour type {colour}: grey and palette pictures are masks; read this one "
            "with runmask.images and choose with Mask.from_array",
            code="mode",
        )
    if bits not in ((1, 2, 4, 8) if colour == _PALETTE else (1, 2, 4, 8, 16)):
        raise ImageError(f"a PNG of colour type {colour} with {bits} bits", code="damaged")
    if packing != 0 or filters != 0 or interlace > 1:
        raise ImageError("a PNG of an unknown compression, filter or interlace", code="damaged")
    return Header(height, width, bits, colour, interlace == 1)


def read(data: bytes, head: Header, which: tuple[int, ...] | float | None) -> _core.Runs:
    """Pixels whose number is in ``which``, or above it if that is a number; None: is not 0.

    The size in ``head`` is checked before.

    Raises ImageError if the file is damaged.
    """
    height, width = head.height, head.width
    passes = _PASSES if head.interlaced else ((0, 0, 1, 1),)
    sizes = []
    for x, y, dx, dy in passes:
        rows, columns = max(0, -((y - height) // dy)), max(0, -((x - width) // dx))
        row_bytes = (columns * head.bits + 7) // 8
        sizes.append((rows, columns, row_bytes) if rows and columns else (0, 0, 0))
    stored = sum(rows * (row_bytes + 1) for rows, _, row_bytes in sizes)
    packed = np.frombuffer(bytearray(_inflated(data, stored)), np.uint8)
    pixels = np.zeros((height, width), bool)
    at = 0
    for (x, y, dx, dy), (rows, columns, row_bytes) in zip(passes, sizes, strict=True):
        if not rows:
            continue
        part = packed[at : at + rows * (row_bytes + 1)]
        at += len(part)
        try:
            _core.undo_filters(part, rows, row_bytes, max(1, head.bits // 8))
        except MaskError as error:
            raise ImageError(
                f"PNG row {error.index} has an unknown filter", code="damaged"
            ) from None
        chosen = _chosen(part.reshape(rows, row_bytes + 1)[:, 1:], columns, head.bits, which)
        pixels[y::dy, x::dx] = chosen
    return _core.runs_from_pixels(pixels, height, width, 1)


def write(runs: _core.Runs, palette: bytes | None) -> bytes:
    """A picture of 1 bit: black and white, or two colours of a palette (RGB of clear and set)."""
    rows = np.zeros((runs.height, 1 + (runs.width + 7) // 8), np.uint8)
    packed = np.empty((runs.height, rows.shape[1] - 1), np.uint8)
    _core.pack(runs, 0, runs.height, True, packed)
    rows[:, 1:] = packed
    colour = _GREY if palette is None else _PALETTE
    head = struct.pack(">IIBBBBB", runs.width, runs.height, 1, colour, 0, 0, 0)
    chunks = [_chunk(b"IHDR", head)]
    if palette is not None:
        chunks.append(_chunk(b"PLTE", palette))
    return b"".join(
        [SIGNATURE, *chunks, _chunk(b"IDAT", zlib.compress(rows.data)), _chunk(b"IEND", b"")]
    )


def _chosen(
    rows: NDArray[np.uint8], columns: int, bits: int, which: tuple[int, ...] | float | None
) -> NDArray[np.bool_]:
    """Which pixels of packed rows are in the mask."""
    if bits == 16:
        values = np.ascontiguousarray(rows).view(">u2")
    elif bits == 8:
        values = rows
    else:
        fields = np.unpackbits(rows, axis=1)[:, : columns * bits].reshape(len(rows), columns, bits)
        values = np.packbits(fields, axis=2)[..., 0] >> (8 - bits) if bits > 1 else fields[..., 0]
    if isinstance(which, tuple):
        return np.isin(values, which)
    chosen: NDArray[np.bool_] = values != 0 if which is None else values > which
    return chosen


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\0"))
        body = data[at + 8 : at + 8 + size]
        end = data[at + 8 + size : at + 12 + size]
        if len(end) < 4:
            raise ImageError(f"the PNG file is cut off in a chunk at byte {at}", code="truncated")
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(end, "big"):
            raise ImageError(f"the PNG chunk at byte {at} fails its checksum", code="damaged")
        yield kind, body
        if kind == b"IEND":
            return
        at += 12 + size
    raise ImageError("the PNG file ends before its last chunk", code="truncated")


def _inflated(data: bytes, size: int) -> bytes:
    """The picture's bytes; not more than it has are made, whatever the file would give."""
    stream = zlib.decompressobj()
    parts = []
    try:
        for kind, body in _chunks(data):
            if kind == b"IDAT" and size:
                parts.append(stream.decompress(body, size))
                size -= len(parts[-1])
    except zlib.error as error:
        raise ImageError(f"the PNG data is damaged: {error}", code="damaged") from None
    if size:
        raise ImageError(f"the PNG data lacks {size} bytes", code="truncated")
    return b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)))
