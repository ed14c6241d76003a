"""``Mask``: an immutable run-length mask, and all that is done on its runs.

``Mask`` is put together from rooms that each hold one kind of method over the same runs:
``value`` (what is held), ``arrays`` (pixels in and out), ``algebra``, ``measures``,
``transposition``, ``conversion`` (the forms of other tools); ``mask`` is the class itself,
``untrusted`` and ``arguments`` read what comes from outside.
"""

from .algebra import iou_matrix
from .mask import Mask
from .measures import Box
from .untrusted import MAX_PIXELS, MAX_RUNS, ClippedRunsWarning, Policy, ReadReport

__all__ = [
    "MAX_PIXELS",
    "MAX_RUNS",
    "Box",
    "ClippedRunsWarning",
    "Mask",
    "Policy",
    "ReadReport",
    "iou_matrix",
]
