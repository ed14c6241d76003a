"""Polygons as geometries of the Simple Features standard: well-known binary, and shapely's."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingDependencyError

if TYPE_CHECKING:
    from .pieces import Pieces

_LITTLE_ENDIAN, _POLYGON, _MULTIPOLYGON = 1, 3, 6


def wkb(pieces: Pieces) -> bytes:
    """All polygons as one MultiPolygon: a header for it and for each, then counts and doubles."""

    def header(kind: int, count: int) -> bytes:
        return struct.pack("<BII", _LITTLE_ENDIAN, kind, count)

    points = pieces.points.astype("<f8")
    rings, polygons = pieces.rings.tolist(), pieces.polygons.tolist()
    found = [header(_MULTIPOLYGON, len(polygons) - 1)]
    for first, last in itertools.pairwise(polygons):
        found.append(header(_POLYGON, last - first))
        for ring in range(first, last):
            begin, end = rings[ring], rings[ring + 1]
            found += struct.pack("<I", end - begin), points[begin:end].tobytes()
    return b"".join(found)


def shapely_polygons(pieces: Pieces, parts: bool) -> Any:
    """One MultiPolygon of all, or an array of one for each part."""
    try:
        import shapely
    except ImportError as missing:
        raise MissingDependencyError.of("shapely", "geo", "to_shapely") from missing

    bounds = pieces.parts if parts else np.array([0, len(pieces.polygons) - 1])
    found = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        pieces.points.astype(np.float64),
        (pieces.rings, pieces.polygons, bounds),
    )
    return found if parts else found[0]
