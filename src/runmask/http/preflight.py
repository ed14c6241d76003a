"""What an image says of itself in its header, and whether the service would take it.

Read before anything is sent, so that a refusal costs no upload; the pixels are never decoded.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import ImageError, InputError, LimitError
from ..images.source import sniff

SKIP = "preflight=False sends it all the same"


class Size(NamedTuple):
    width: int
    height: int


@dataclass(frozen=True)
class Limits:
    """What a service takes; sizes in pixels, as far as its pages tell.

    ``advised``: above this long side or this short side there is a warning.
    """

    service: str
    formats: frozenset[str]
    max_bytes: int
    min_side: int = 1
    max_pixels: int | None = None
    advised: tuple[int, int] | None = None


def examine(data: bytes, limits: Limits) -> str:
    """The format of the image (``"PNG"``, ...), if the service takes it. O(header).

    Raises
    ------
    ImageError
        No image, a format that the service does not take, cut off, or too small.
    LimitError
        Too many bytes or pixels.
    """
    try:
        return _examine(data, limits)
    except InputError as error:
        if data:  # nothing is no image, whoever judges it
            error.add_note(SKIP)
        raise


def _examine(data: bytes, limits: Limits) -> str:
    if len(data) > limits.max_bytes:
        raise LimitError(
            f"the image has {len(data):,} bytes: {limits.service} takes {limits.max_bytes:,}",
            code="image_bytes",
        )
    name = sniff(data, "the image")
    if name not in limits.formats:
        raise ImageError(
            f"the image is {name}, and {limits.service} takes {', '.join(sorted(limits.formats))}",
            code="format",
        )
    try:
        width, height = _READERS[name](data)
    except (_CutOffError, IndexError, struct.error):
        raise ImageError(f"the {name} image is cut off or broken", code="truncated") from None
    if min(width, height) < limits.min_side:
        raise ImageError(
            f"the image has {width} x {height} pixels: {limits.service} takes sides from"
            f" {limits.min_side}",
            code="too_small",
        )
    if limits.max_pixels is not None and width * height > limits.max_pixels:
        raise LimitError(
            f"the image has {width} x {height} = {width * height:,} pixels: {limits.service} takes"
            f" {limits.max_pixels:,}",
            code="image_pixels",
        )
    if limits.advised is not None and (
        max(width, height) > limits.advised[0] or min(width, height) > limits.advised[1]
    ):
        warnings.warn(
            f"the image has {width} x {height} pixels; {limits.service} may refuse sides over"
            f" {limits.advised[0]} x {limits.advised[1]}",
            stacklevel=5,
        )
    return name


class _CutOffError(Exception):
    pass


# The readers may also raise IndexError and struct.error where the data ends.


def _png_size(data: bytes) -> Size:
    size = Size(*struct.unpack_from(">II", data, 16))
    at = 8
    while data[at + 4 : at + 8] != b"IEND":
        at += 12 + _unpack(">I", data, at)
    if at + 12 > len(data):
        raise _CutOffError
    return size


def _jpeg_size(data: bytes) -> Size:
    size: Size | None = None
    for marker, at in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = Size(width, height)
        if marker == 0xDA:
            # The scan: among its bytes FF D9 stands for nothing but the end.
            if size is None or data.find(b"\xff\xd9", at) < 0:
                raise _CutOffError
            return size
    raise _CutOffError


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Markers and where their segments begin, the two bytes of length included."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise _CutOffError
        while data[at] == 0xFF:
            at += 1
        yield data[at], at + 1
        at += 1 + _unpack(">H", data, at + 1)


def _webp_size(data: bytes) -> Size:
    if 8 + _unpack("<I", data, 4) > len(data):
        raise _CutOffError
    kind = data[12:16]
    if kind == b"VP8X":
        return Size(1 + _u24(data, 24), 1 + _u24(data, 27))
    if kind == b"VP8L":
        bits = _unpack("<I", data, 21)
        return Size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    width, height = struct.unpack_from("<HH", data, 26)
    return Size(width & 0x3FFF, height & 0x3FFF)


def _bmp_size(data: bytes) -> Size:
    begin, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        packed = 0
    else:
        width, height, _, bits, packed = struct.unpack_from("<iiHHI", data, 18)
    height = abs(height)  # a negative one: rows from the top
    rows = 0 if packed else (width * bits + 31) // 32 * 4 * height
    if begin + rows > len(data):
        raise _CutOffError
    return Size(width, height)


def _gif_size(data: bytes) -> Size:
    """The canvas; every frame must be there to the end."""
    size = Size(*struct.unpack_from("<HH", data, 6))
    at = 13 + _colour_table(data[10])
    while (kind := data[at]) != 0x3B:
        if kind == 0x2C:  # a frame: its place, its colours, the width of its codes
            at += 11 + _colour_table(data[at + 9])
        elif kind == 0x21:
            at += 2
        else:
            raise _CutOffError
        while data[at]:
            at += 1 + data[at]
        at += 1
    return size


def _colour_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _tiff_size(data: bytes) -> Size:
    """Of the first image; its strips or tiles must lie within the file."""
    end = "<" if data[:2] == b"II" else ">"
    big = _unpack(f"{end}H", data, 2) == 43
    word, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    at = _unpack(end + word, data, 8 if big else 4)
    entries = _unpack(end + count, data, at)
    first = at + struct.calcsize(end + count)
    tags: dict[int, list[int]] = {}
    for at in range(first, first + entries * entry, entry):
        tag, kind = struct.unpack_from(f"{end}HH", data, at)
        if tag in _TIFF_TAGS and kind in _TIFF_INTEGERS:
            number = _unpack(end + word, data, at + 4)
            form = f"{end}{number}{_TIFF_INTEGERS[kind]}"
            if number > len(data):
                raise _CutOffError
            place = at + 4 + struct.calcsize(word)
            if struct.calcsize(form) > struct.calcsize(end + word):
                place = _unpack(end + word, data, place)
            tags[tag] = list(struct.unpack_from(form, data, place))
    if not tags.get(256) or not tags.get(257):
        raise _CutOffError
    for starts, lengths in ((273, 279), (324, 325)):
        for start, length in zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False):
            if start + length > len(data):
                raise _CutOffError
    return Size(tags[256][0], tags[257][0])


_TIFF_TAGS = frozenset((256, 257, 273, 279, 324, 325))
_TIFF_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def _heif_size(data: bytes) -> Size:
    sizes = [
        Size(*struct.unpack_from(">II", data, size + 4))
        for meta, meta_end in _boxes(data, 0, len(data), b"meta")
        for properties, properties_end in _boxes(data, meta + 4, meta_end, b"iprp")
        for container, container_end in _boxes(data, properties, properties_end, b"ipco")
        for size, _ in _boxes(data, container, container_end, b"ispe")
    ]
    if not sizes:
        raise _CutOffError
    # Tiles, thumbnails and depth maps have a size as well, all of them smaller ones.
    return max(sizes, key=lambda size: size.width * size.height)


def _boxes(data: bytes, at: int, end: int, kind: bytes) -> Iterator[tuple[int, int]]:
    """Where the content of each box of that kind begins and ends (ISO base media format)."""
    while at < end:
        length, header = _unpack(">I", data, at), 8
        if length == 1:
            length, header = _unpack(">Q", data, at + 8), 16
        elif length == 0:
            length = end - at
        if length < header or at + length > end:
            raise _CutOffError
        if data[at + 4 : at + 8] == kind:
            yield at + header, at + length
        at += length


def _unpack(form: str, data: bytes, at: int) -> int:
    value: int = struct.unpack_from(form, data, at)[0]
    return value


def _u24(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


_READERS: dict[str, Callable[[bytes], Size]] = {
    "PNG": _png_size,
    "JPEG": _jpeg_size,
    "WEBP": _webp_size,
    "BMP": _bmp_size,
    "GIF": _gif_size,
    "TIFF": _tiff_size,
    "HEIF": _heif_size,
}
