"""Run-length masks of AI-image detectors: decode, measure, draw and fetch them."""

from .blend import colormap, heatmap, outline, overlay
from .contours import Contours, simplify_together
from .detection import Detection
from .errors import RunmaskError
from .mask import Box, ClippedRunsWarning, Components, Mask, ReadReport, iou_matrix

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
    "colormap",
    "heatmap",
    "iou_matrix",
    "outline",
    "overlay",
    "simplify_together",
]

__version__ = "0.1.0"
