"""Contours of masks: rings of points, traced, measured, simplified and written."""
