"""Image files for tests, and Pillow's view of them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

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


def png_of(*chunks, shape=(8, 8, 3)):
    """A PNG file put together from chunks between its header and its end."""
    height, width, channels = shape
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *chunks, (b"IEND", b""))
    )
