"""From a confidence per tile to regions that follow the content of the image."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .measurements import Floats, Image

WORKING_PIXELS = 1 << 20  # regions are shaped at this size and enlarged afterwards
SMALLEST_PART = 0.003  # share of the image below which a region, or a hole in one, is dropped


def regions(confidence: Floats, image: Image, tile: int) -> Floats:
    """Return the confidence drawn to the image's edges, at no more than the working size, without
    the small parts and small holes of where it passes one half."""
    height, width = image.shape[:2]
    scale = min(1.0, (WORKING_PIXELS / (height * width)) ** 0.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    guide = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    guide = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    soft = enlarge(confidence, tile, (height, width), size)
    soft = guided_filter(guide, soft, radius=max(2, round(tile * scale)))
    return clean(soft)


def enlarge(confidence: Floats, tile: int, shape: tuple[int, int], size: tuple[int, int]) -> Floats:
    """Resample the tiles to ``size`` (width, height); the last tiles may overhang the image."""
    height, width = shape
    sx, sy = width / tile / size[0], height / tile / size[1]
    matrix = np.array([[sx, 0, sx / 2 - 0.5], [0, sy, sy / 2 - 0.5]], np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    soft: Any = cv2.warpAffine(confidence, matrix, size, flags=flags, borderMode=border)
    return np.asarray(soft, np.float32)


def guided_filter(guide: Floats, values: Floats, radius: int, epsilon: float = 1e-3) -> Floats:
    """Smooth ``values`` so that their steps fall on the steps of ``guide`` (He, Sun, Tang 2010)."""

    def mean(plane: Any) -> Any:
        return cv2.boxFilter(plane, -1, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_values = mean(guide), mean(values)
    variance = mean(guide * guide) - mean_guide * mean_guide
    covariance = mean(guide * values) - mean_guide * mean_values
    slope = covariance / (variance + epsilon)
    smooth: Floats = mean(slope) * guide + mean(mean_values - slope * mean_guide)
    return smooth


def clean(soft: Floats) -> Floats:
    """Take small parts and small holes out of where ``soft`` passes one half."""
    smallest = max(1, round(SMALLEST_PART * soft.size))
    soft = np.where(small_parts(soft > 0.5, smallest), np.minimum(soft, 0.45), soft)
    return np.where(small_parts(soft <= 0.5, smallest), np.maximum(soft, 0.55), soft)


def small_parts(marked: NDArray[np.bool_], smallest: int) -> NDArray[np.bool_]:
    """Return the pixels of the connected parts that have fewer than ``smallest`` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marked.view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < smallest
    small[0] = False  # label 0 is what is not marked
    picked: NDArray[np.bool_] = small[labels]
    return picked
