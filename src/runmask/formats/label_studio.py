"""Label Studio: a brush stroke, the RGBA bytes of a picture packed by ``@thi.ng/rle-pack``.

The mask is the alpha, which a brush with soft edges leaves between 0 and 255.
"""

from __future__ import annotations

from .. import _core
from ..errors import LimitError
from .refusal import refusing

MAX_PIXELS = 2**30 - 1
"""The form counts the bytes of the picture, four a pixel, in 32 bits."""


def from_bytes(data: bytes, height: int, width: int, threshold: int) -> _core.Runs:
    """Raises MaskError with the index of the byte."""
    with refusing("Label Studio brush", height, width):
        return _core.runs_from_brush(data, height, width, threshold)


def to_bytes(runs: _core.Runs) -> bytes:
    pixels = runs.height * runs.width
    if pixels > MAX_PIXELS:
        raise LimitError(
            f"{pixels} px: a Label Studio brush has at most {MAX_PIXELS}", code="max_pixels"
        )
    return _core.brush_from_runs(runs)
