"""``Mask``: an immutable run-length mask, and all that is done on its runs.

``Mask`` is put together from rooms that each hold one kind of method over the same runs:
``value`` (what is held), ``arrays`` (pixels in and out), ``algebra``, ``measures``, ``geometry``,
``transposition``, ``shapes`` (drawn masks), ``morphology``, ``components``, ``outlines``,
``conversion`` (wire forms); ``mask`` is the class itself and ``untrusted`` reads numbers from
outside.
"""

from .algebra import iou_matrix
from .components import Components
from .mask import Mask
from .measures import Box, Moments, RowRuns
from .untrusted import MAX_PIXELS, MAX_RUNS, ClippedRunsWarning, Policy, ReadReport

__all__ = [
    "MAX_PIXELS",
    "MAX_RUNS",
    "Box",
    "ClippedRunsWarning",
    "Components",
    "Mask",
    "Moments",
    "Policy",
    "ReadReport",
    "RowRuns",
    "iou_matrix",
]
