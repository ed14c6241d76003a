"""The sandbox's answer, computed from the pixels of the image.

This is an analysis for development. It is not a trained detector: it finds where an image
differs from itself, and says nothing about who or what made it.

Each tile of the image gives three measurements of the luma plane:

* error level: how much one more JPEG compression changes it;
* noise: the level of its finest grain, taken where the tile is quietest;
* spectrum: its finest grain in relation to the next coarser octave.

How a tile's texture and brightness drive these is learned from the image itself, by a robust fit.
What the fit does not explain, in units of its usual spread, marks the tiles that are unlike the
rest; their neighbours' agreement turns that into a confidence from 0 to 1. Tiles that are clipped
to black or white have lost their grain, and count less. The mask is where the confidence, drawn
to the edges of the image's content, passes one half.

The same pixels give the same answer, bit for bit, on one machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from .measurements import Floats, Image, measure
from .regions import regions

MARKED_AT = 2.6  # spreads from the usual at which the confidence is one half
EVEN_SHARE = 0.05  # the marked share of an image at which its score is one half
SOFTNESS = 0.35  # spreads over which it rises from one half to 0.73


@dataclass(frozen=True, eq=False, slots=True)
class Analysis:
    """What a detector says of one image.

    Attributes
    ----------
    confidence : float32 array (rows, columns)
        One value from 0 to 1 per tile, any number of tiles.
    mask : bool array (height, width)
        The marked pixels.
    score : float
        From 0 to 1, for the image as a whole.
    """

    confidence: Floats
    mask: NDArray[np.bool_]
    score: float


Detector: TypeAlias = Callable[[Image], Analysis]
"""Takes an RGB image ``(height, width, 3)`` of uint8; is called from several threads at once."""


def analyse(image: Image) -> Analysis:
    """Analyse an RGB image ``(height, width, 3)`` of uint8, at least 64 pixels on each side.

    Takes about 40 ns a pixel on one core, and memory for one float and one bool a pixel.
    """
    height, width = image.shape[:2]
    tile = tile_side(height, width)
    measured, drivers, unclipped = measure(image, tile)
    confidence = agree(unexplained(measured, drivers) * unclipped)
    soft = regions(confidence, image, tile)
    mask = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    return Analysis(confidence, mask, score_of(mask))


def score_of(mask: NDArray[np.bool_]) -> float:
    """Return the score of an image from the share of it that is marked."""
    share = float(mask.mean())
    return share / (share + EVEN_SHARE)


def tile_side(height: int, width: int) -> int:
    """Return the side of a tile in pixels: 8, 16 or 32, for some hundred tiles along the image."""
    side = max(height, width)
    return 8 if side <= 1280 else 16 if side <= 3200 else 32


def unexplained(measured: Floats, drivers: Floats) -> Floats:
    """Return what texture and brightness do not explain of each measurement, in robust spreads."""
    texture, brightness = (spread_units(driver).ravel() for driver in drivers)
    terms = np.stack([np.ones_like(texture), texture, texture**2, brightness, brightness**2])
    rests = [robust_rest(terms, values.ravel()) for values in measured]
    return np.stack([spread_units(rest) for rest in rests]).reshape(measured.shape)


def robust_rest(terms: Floats, values: Floats) -> Floats:
    """Return the rest of a least-squares fit in which outlying values count less (Huber)."""
    ridge = 1e-6 * len(values) * np.eye(len(terms))
    weights = np.ones_like(values)
    rest = values
    for _ in range(6):
        # einsum, not the BLAS: its sums do not depend on how many threads happen to be free
        weighted = terms * weights
        normal = np.einsum("it,jt->ij", weighted, terms)
        target = np.einsum("it,t->i", weighted, values)
        solution = np.linalg.solve(normal + ridge, target)
        rest = values - np.einsum("it,i->t", terms, np.asarray(solution, np.float32))
        weights = np.asarray(1 / np.maximum(1, np.abs(spread_units(rest))), np.float32)
    return rest


def spread_units(values: Floats) -> Floats:
    """Return values less their median, over their median deviation; zeros when all are alike."""
    centred = values - np.median(values)
    spread = 1.4826 * float(np.median(np.abs(centred)))
    if spread < 1e-4:
        spread = float(centred.std())
    if spread < 1e-4:
        return np.zeros_like(values)
    return np.asarray(np.clip(centred / spread, -8, 8), np.float32)


def agree(deviations: Floats) -> Floats:
    """Return the confidence of every tile from its own and its neighbours' deviations."""
    smooth = [spread_units(cv2.GaussianBlur(d, (0, 0), 2.0)) for d in deviations]
    distance = np.sqrt(np.mean(np.square(smooth), axis=0))
    return np.asarray(1 / (1 + np.exp((MARKED_AT - distance) / SOFTNESS)), np.float32)
