"""The confidences of an answer, where it has some that a heatmap can be made of.

No service documents such; these are the forms that are known::

    [{"level": 0.25, "starts": [...], "lengths": [...]}, ...]    masks, each with its confidence
    [[0.1, 0.2], [0.4, 0.3]]                                     a map of any size, by rows

An address is never fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MaskError, ResponseFormatError
from ..mask import Mask

if TYPE_CHECKING:
    from ..detection import Detection


def confidence_of(detection: Detection) -> Any:
    """What :func:`runmask.heatmap` takes, or None where there is nothing that could be shown.

    Raises
    ------
    ResponseFormatError, MaskError
        There are levels, or a map, that cannot be read as such.
    """
    told = detection.heatmap
    mask = detection.mask
    if not isinstance(told, list) or not told or mask is None:
        return None
    if isinstance(told[0], Mapping):
        return [_level(each, at, mask.shape) for at, each in enumerate(told)]
    try:
        values = np.asarray(told, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 2 or not values.size:
        raise ResponseFormatError("heatmap: not rows of numbers, all as long", path="heatmap")
    return values


def _level(told: Any, at: int, shape: tuple[int, int]) -> tuple[Mask, float]:
    try:
        return Mask(told["starts"], told["lengths"], shape), float(told["level"])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        if isinstance(error, MaskError):
            raise
        message = f"heatmap[{at}]: not 'level', 'starts' and 'lengths'"
        raise ResponseFormatError(message, path=f"heatmap[{at}]") from error


def resized(confidence: Any, shape: tuple[int, ...]) -> Any:
    """The same for a picture of this size: masks are reduced; maps are of any size anyway."""
    if isinstance(confidence, np.ndarray):
        return confidence
    height, width = shape
    return [(mask.resize((height, width)), level) for mask, level in confidence]
