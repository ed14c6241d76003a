"""The quick way to read plain PNG files: 8-bit colour, row by row, one picture.

OpenCV's reader takes longer, and what it thinks of a file it prints to stderr.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..errors import MaskError
from .extra import extra
from .orientation import Pixels

if TYPE_CHECKING:
    from PIL import Image

# Where an orientation could stand. Pillow must decode a file before it can tell that, so only where
# there is none does another decoder save time.
_PLACES = (b"eXIf", b"Raw profile type", b"adobe.xmp")


def is_plain(data: bytes, image: "Image.Image") -> bool:
    """Whether :func:`decode` reads it; ``image`` is what Pillow finds in the header."""
    bits, interlace = data[24], data[28]
    return (
        image.mode in ("RGB", "RGBA")
        and bits == 8
        and interlace == 0
        and "transparency" not in image.info
        and not any(place in data for place in _PLACES)
    )


def decode(data: bytes, height: int, width: int, channels: int) -> Pixels | None:
    """The pixels of a file whose chunks are whole; None if there is something wrong within."""
    rows = _inflated(data, height * (1 + width * channels))
    if rows is None:
        return None
    try:
        _core.undo_filters(rows, height, width * channels, channels)
    except MaskError:
        return None
    return rows.reshape(height, -1)[:, 1:].reshape(height, width, channels)


def _inflated(data: bytes, size: int) -> Pixels | None:
    """The picture's bytes if there are just as many; no more memory is taken, whatever comes."""
    with extra("images"):
        from isal import isal_zlib
    stream = isal_zlib.decompressobj()
    inflated = np.empty(size, np.uint8)
    done = 0
    try:
        for body in _bodies(data):
            part = stream.decompress(body, size - done + 1)
            if len(part) > size - done:
                return None
            inflated[done : done + len(part)] = np.frombuffer(part, np.uint8)
            done += len(part)
    except isal_zlib.error:  # type: ignore[misc]  # a class, whatever its stubs say
        return None
    return inflated if done == size and stream.eof else None


def _bodies(data: bytes) -> Iterator[memoryview]:
    """Those of the chunks with picture data."""
    view, at = memoryview(data), 8
    while (kind := data[at + 4 : at + 8]) != b"IEND":
        end = at + 12 + int.from_bytes(view[at : at + 4], "big")
        if kind == b"IDAT":
            yield view[at + 8 : end - 4]
        at = end
