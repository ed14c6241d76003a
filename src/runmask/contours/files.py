"""Contours as text for files, by the ending of their names."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    import os

    from .contours import Contours

ENDINGS = (".geojson", ".svg", ".json")


def ending_of(path: str | os.PathLike[str]) -> str:
    """One of :data:`ENDINGS`; InputError for other names."""
    ending = PurePath(path).suffix.lower()
    if ending not in ENDINGS:
        found = f"the ending {ending!r:.40} is none" if ending else "a name without ending, not one"
        raise InputError(f"{found} of contours: {', '.join(ENDINGS)}")
    return ending


def file_text(contours: Contours, ending: str) -> str:
    """GeoJSON, SVG, or (``.json``) an annotation as COCO has it."""
    if ending == ".geojson":
        return contours.to_geojson_text()
    if ending == ".svg":
        return contours.to_svg()
    return json.dumps(annotation(contours), separators=(",", ":")) + "\n"


def annotation(contours: Contours) -> dict[str, Any]:
    """What an annotation of COCO says of a shape; its ids and category are left to who knows them.

    ``bbox`` is x, y, width, height; of nothing, zeros.
    """
    segmentation = contours.to_coco()
    box = [0, 0, 0, 0]
    if len(contours):
        (x0, y0), (x1, y1) = (
            contours.points.min(axis=0).tolist(),
            contours.points.max(axis=0).tolist(),
        )
        box = [x0, y0, x1 - x0, y1 - y0]
    return {
        "segmentation": segmentation,
        "area": float(contours.areas.sum()),
        "bbox": box,
        "iscrowd": 0,
    }
