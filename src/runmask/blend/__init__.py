"""Colouring images: overlays and outlines straight from runs, and heatmaps of confidences."""

from .colormaps import colormap
from .heatmaps import heatmap
from .outlines import outline
from .overlays import overlay

__all__ = ["colormap", "heatmap", "outline", "overlay"]
