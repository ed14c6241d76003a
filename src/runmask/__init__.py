"""Run-length masks of AI-image detectors: decode, measure, draw and fetch them."""

from .blend import overlay
from .contours import Contours
from .detection import Detection
from .errors import RunmaskError
from .mask import Box, ClippedRunsWarning, Components, Mask, ReadReport, iou_matrix
from .stroke import outline

__all__ = [
    "Box",
    "ClippedRunsWarning",
    "Components",
    "Contours",
    "Detection",
    "Mask",
    "ReadReport",
    "RunmaskError",
    "__version__",
    "iou_matrix",
    "outline",
    "overlay",
]

__version__ = "0.1.0"
