"""Measures of an image that do not judge it: error level, noise, frequencies, as numbers and maps.

* Error level: how much one more JPEG compression (quality 90) changes a tile, in grey levels.
* Noise: the mean absolute residual above a Gaussian of sigma 1, in grey levels, where the tile is
  quietest.
* Frequencies: the mean power spectrum of windows of 256 x 256 pixels of the luma plane. ``octaves``
  are the shares of its power between 1/4 and 1/2 cycle a pixel, 1/8 and 1/4, and so on, without the
  mean. A ``peak`` stands out of its neighbourhood, as the traces of enlargement and of regular
  patterns do; what lies on the grid of JPEG's blocks, multiples of 1/8 cycle on both axes, is left
  out.

How unlike the rest a tile is, is what texture and brightness do not explain of its measure: see
:mod:`.analysis`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .analysis import MARKED_AT, spread_units, tile_side, unexplained
from .measurements import Floats, Image, measure

WINDOW = 256
MAX_WINDOWS = 64
OCTAVES = 5
NEIGHBOURHOOD = 9  # bins on a side of the square whose median a peak is held against
PEAK_DB = 12.0  # from which a peak is called an anomaly
FROM = 0.1  # cycles a pixel: below, photos have peaks of their own
UNLIKE_SHARE = 0.05  # of the tiles, from which the noise is called inconsistent


@dataclass(frozen=True, eq=False)
class Forensics:
    """What was measured.

    Attributes
    ----------
    error_level, noise : float32 array (rows, columns)
        By tile, in grey levels.
    detail : float32 array (rows, columns)
        By tile, the finest grain over the next coarser octave.
    unlike : float32 array (3, rows, columns)
        How unlike the rest each tile is in these, in spreads.
    octaves : tuple of float
        Shares of the power, from the finest octave on; zeros for an image of one colour.
    peak_db, peak_at : float, tuple of float
        The highest peak above its neighbourhood, and where: cycles a pixel along x and y.
    """

    error_level: Floats
    noise: Floats
    detail: Floats
    unlike: Floats
    octaves: tuple[float, ...]
    peak_db: float
    peak_at: tuple[float, float]

    @property
    def unlike_shares(self) -> tuple[float, float, float]:
        """The shares of the tiles that are unlike the rest in error level, noise and detail."""
        first, second, third = (float((np.abs(each) > MARKED_AT).mean()) for each in self.unlike)
        return first, second, third

    @property
    def maps(self) -> Mapping[str, Floats]:
        """How unlike the rest the tiles are, 0 to 1, by measure."""
        names = ("error_level", "noise", "frequency")
        shown = np.clip(np.abs(self.unlike) / (2 * MARKED_AT), 0, 1)
        return dict(zip(names, shown, strict=True))


def examine(image: Image) -> Forensics:
    """Measure an RGB image ``(height, width, 3)`` of uint8.

    O(pixels), some tenths of a microsecond each.
    """
    tile = tile_side(*image.shape[:2])
    measured, drivers, _ = measure(image, tile)
    raw = unexplained(measured, drivers)
    unlike = np.stack([spread_units(np.asarray(cv2.GaussianBlur(d, (0, 0), 2.0))) for d in raw])
    power = spectrum(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)))
    peak_db, peak_at = highest_peak(power)
    level, noise, detail = (
        np.exp(measured) - np.array([0.05, 0.05, 0.02], np.float32)[:, None, None]
    )
    return Forensics(level, noise, detail, unlike, octaves_of(power), peak_db, peak_at)


def spectrum(luma: Any) -> NDArray[np.float64]:
    """The mean power of windows that are spread over the plane; the frequency 0 in the middle."""
    height, width = luma.shape
    side = min(WINDOW, height, width)
    rows, columns = starts(height, side), starts(width, side)
    hann = np.hanning(side + 2)[1:-1]
    taper = np.outer(hann, hann)
    total = np.zeros((side, side))
    for top in rows:
        for left in columns:
            window = luma[top : top + side, left : left + side].astype(np.float64)
            total += np.abs(np.fft.fft2((window - window.mean()) * taper)) ** 2
    return np.asarray(np.fft.fftshift(total / (len(rows) * len(columns))))


def starts(length: int, side: int) -> NDArray[np.int64]:
    """Where windows begin along a side: half overlapping, but no more than are needed."""
    count = min(round(MAX_WINDOWS**0.5), 1 + 2 * (length - side) // side)
    return np.linspace(0, length - side, max(1, count)).round().astype(np.int64)


def octaves_of(power: NDArray[np.float64]) -> tuple[float, ...]:
    fx, fy = frequencies(power.shape[0])
    radius = np.hypot(fx, fy)
    total = float(power[radius > 0].sum())
    if total <= 0:
        return (0.0,) * OCTAVES
    shares = []
    for octave in range(OCTAVES):
        below = np.inf if octave == 0 else 0.5 / 2**octave  # the corners are as fine as it gets
        inside = (radius >= 0.25 / 2**octave) & (radius < below)
        shares.append(float(power[inside].sum()) / total)
    return tuple(shares)


def highest_peak(power: NDArray[np.float64]) -> tuple[float, tuple[float, float]]:
    """The peak in decibels above the median around it, and its place; 0 where there is none."""
    level = 10 * np.log10(power + 1e-3)
    shown = np.clip((level + 60) * 1.5, 0, 255).astype(np.uint8)  # a median of bytes is quick
    around = np.asarray(cv2.medianBlur(shown, NEIGHBOURHOOD), np.float64) / 1.5 - 60
    fx, fy = frequencies(power.shape[0])
    on_grid = nearly_whole(fx * 8, power.shape[0]) & nearly_whole(fy * 8, power.shape[0])
    height = np.where((np.hypot(fx, fy) < FROM) | on_grid | (level < 0), 0, level - around)
    height = np.where(fx < 0, 0, height)  # the other half is the same
    at = np.unravel_index(int(height.argmax()), height.shape)
    return float(height[at]), (float(fx[at]), float(fy[at]))


def frequencies(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    axis = np.fft.fftshift(np.fft.fftfreq(side))
    fx, fy = np.meshgrid(axis, axis)
    return fx, fy


def nearly_whole(values: NDArray[np.float64], side: int) -> NDArray[np.bool_]:
    """Within two bins, which is as far as the taper smears a line."""
    return np.abs(values - np.round(values)) <= 8 * 2 / side


def told(found: Forensics) -> dict[str, object]:
    """The numbers, in the words of the service's page where it has some."""
    by_error_level, by_noise, by_detail = found.unlike_shares
    return {
        "ela_score": round(by_error_level, 4),
        "frequency_anomalies": found.peak_db >= PEAK_DB,
        "noise_pattern": "inconsistent" if by_noise >= UNLIKE_SHARE else "consistent",
        "error_level": {
            "mean": rounded(found.error_level.mean()),
            "max": rounded(found.error_level.max()),
            "unlike_share": round(by_error_level, 4),
        },
        "noise": {
            "median": rounded(np.median(found.noise)),
            "max": rounded(found.noise.max()),
            "unlike_share": round(by_noise, 4),
        },
        "frequency": {
            "octaves": [round(share, 4) for share in found.octaves],
            "peak_db": rounded(found.peak_db),
            "peak_at": [round(each, 4) for each in found.peak_at],
            "unlike_share": round(by_detail, 4),
        },
    }


def rounded(value: Any) -> float:
    return round(float(value), 3)
