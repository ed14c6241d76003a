"""Whether an image file is whole, by the lengths that it states: before any decoder sees it.

Decoders take memory for a length that a file only claims, or are content with half of one.
"""

import re
import struct
from typing import Literal

from ..errors import ImageError
from .extra import extra

MAX_CHUNKS = 2**20
MAX_SCANS = 100  # of a JPEG: photos have about ten, and each costs a pass over all pixels

_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # FF 00 is data, D0 to D7 restart it


def check_complete(data: bytes, fmt: str, name: str) -> None:
    """Refuse what was cut short, and a JPEG that is drawn over and over.

    Raises
    ------
    ImageError
        ``code`` is ``"truncated"`` or ``"corrupt"``.
    """
    whole = True
    if fmt == "PNG":
        whole = _chunks_are_whole(data, name)
    elif fmt == "WEBP":
        whole = len(data) >= 30 and len(data) >= 8 + struct.unpack_from("<I", data, 4)[0]
    elif fmt == "HEIF":
        whole = _boxes_are_whole(data)
    elif fmt == "TIFF":
        whole = _directory_is_whole(data)
    elif fmt == "JPEG" and _has_too_many_scans(data):
        raise ImageError(f"{name}: the JPEG file has over {MAX_SCANS} scans", code="corrupt")
    if not whole:
        raise truncated(fmt, name)


def truncated(fmt: str, name: str) -> ImageError:
    return ImageError(f"{name}: the {fmt} file is truncated", code="truncated")


def _chunks_are_whole(data: bytes, name: str) -> bool:
    """Checksums too: not every reader looks at them."""
    with extra("images"):
        from isal import isal_zlib
    view, at = memoryview(data), 8
    for _ in range(MAX_CHUNKS):
        end = at + 12 + int.from_bytes(view[at : at + 4], "big")
        if end > len(data):
            return False
        if isal_zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise ImageError(f"{name}: a checksum in the PNG file is wrong", code="corrupt")
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at = end
    return False


def _boxes_are_whole(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:  # to the end of the file
            return True
        at += max(size, 8)
    return at == len(data)


def _directory_is_whole(data: bytes) -> bool:
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if data[2:4] in (b"+\0", b"\0+"):  # BigTIFF
        at = int.from_bytes(data[8:16], order)
        return at + 8 + 20 * int.from_bytes(data[at : at + 8], order) <= len(data)
    at = int.from_bytes(data[4:8], order)
    return at + 2 + 12 * int.from_bytes(data[at : at + 2], order) <= len(data)


def _has_too_many_scans(data: bytes) -> bool:
    """Count those of the picture itself: a thumbnail's or a film's behind it are no matter."""
    if data.count(b"\xff\xda") <= MAX_SCANS:
        return False
    scans, at = 0, 2
    while scans <= MAX_SCANS and (found := _JPEG_MARKER.search(data, at)):
        marker, at = data[found.end() - 1], found.end()
        if marker == 0xD9:
            break
        scans += marker == 0xDA
        if marker >= 0xC0 and marker != 0xD8:
            at += int.from_bytes(data[at : at + 2], "big")
    return scans > MAX_SCANS
