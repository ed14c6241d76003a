"""Colouring images: overlays straight from the runs of masks, and heatmaps of confidences."""

from .colormaps import colormap
from .heatmaps import heatmap
from .overlays import overlay

__all__ = ["colormap", "heatmap", "overlay"]
