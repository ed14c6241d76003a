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
    """What a service takes; sizes in pixels.

    ``advised``: above this long side or this short side there is a warning.
    """

    service: str
    formats: frozenset[str]
    max_bytes: int
    min_side: int
    max_pixels: int
    advised: tuple[int, int]


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
    if width * height > limits.max_pixels:
        raise LimitError(
            f"the image has {width} x {height} = {width * height:,} pixels: {limits.service} takes"
            f" {limits.max_pixels:,}",
            code="image_pixels",
        )
    if max(width, height) > limits.advised[0] or min(width, height) > limits.advised[1]:
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
    "HEIF": _heif_size,
}
