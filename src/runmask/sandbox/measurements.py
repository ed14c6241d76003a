"""What is measured of every tile: error level, noise and spectrum, and what drives them."""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Image: TypeAlias = NDArray[np.uint8]

JPEG_QUALITY = 90
STRIP_ROWS = 128  # measured in strips, so that memory does not grow with the image's height
STRIP_HALO = 16  # rows of context for the filters; a multiple of the JPEG block


def measure(image: Image, tile: int) -> tuple[Floats, Floats, Floats]:
    """Return the logarithms ``(3, rows, columns)`` of the three measurements of every tile,
    ``(2, rows, columns)`` of what drives them, texture and brightness, and ``(rows, columns)``
    of the share of its pixels that are not clipped to black or white."""
    height, width = image.shape[:2]
    columns = -(-width // tile)
    strips = []
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        first = max(top - STRIP_HALO, 0)
        last = min(bottom + STRIP_HALO, height)
        luma = cv2.cvtColor(image[first:last], cv2.COLOR_RGB2GRAY)
        rows = -(-(bottom - top) // tile)
        below, right = rows * tile - (bottom - top), columns * tile - width
        whole: Any = cv2.copyMakeBorder(luma, 0, below, 0, right, cv2.BORDER_REFLECT)
        strips.append(measure_strip(whole, top - first, rows * tile, tile))
    maps = np.concatenate(strips, axis=1)
    return maps[:3], maps[3:5], maps[5]


def measure_strip(luma: Image, skip: int, rows: int, tile: int) -> Floats:
    size = (luma.shape[1] // tile, rows // tile)

    def tile_means(plane: Any) -> Floats:
        inner = plane[skip : skip + rows]
        means: Floats = cv2.resize(inner.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return means

    encoded = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    again: Any = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    level = tile_means(cv2.absdiff(luma, again))
    plane = luma.astype(np.float32)
    coarse = cv2.GaussianBlur(plane, (0, 0), 1.0)
    coarser = cv2.GaussianBlur(coarse, (0, 0), 2.0)
    grain: Any = cv2.absdiff(plane, coarse)
    octave = tile_means(cv2.absdiff(coarse, coarser))
    quiet = quietest(grain[skip : skip + rows], tile)
    spectrum = tile_means(grain) / (octave + 0.25)
    measured = np.stack([level + 0.05, quiet + 0.05, spectrum + 0.02, octave + 0.25])
    unclipped = tile_means(cv2.inRange(luma, 3, 252)) / 255
    return np.concatenate([np.log(measured), [tile_means(luma) / 255, unclipped]])


def quietest(grain: Floats, tile: int) -> Floats:
    """Return the mean grain of the quietest quarter of every tile: noise without the edges."""
    part = tile // 4
    rows, columns = grain.shape[0] // part, grain.shape[1] // part
    means = cv2.resize(grain, (columns, rows), interpolation=cv2.INTER_AREA)
    parts = means.reshape(rows // 4, 4, columns // 4, 4).swapaxes(1, 2)
    ordered = np.sort(parts.reshape(rows // 4, columns // 4, 16), axis=2)
    quiet: Floats = ordered[..., :4].mean(axis=2)
    return quiet
