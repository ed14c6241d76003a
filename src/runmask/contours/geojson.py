"""Polygons as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .pieces import twice_areas

if TYPE_CHECKING:
    from .pieces import Pieces


def features(pieces: Pieces) -> Iterator[dict[str, Any]]:
    """A feature for each part: a Polygon, or a MultiPolygon if it hangs together by corners only.

    Rings end with their first point, outer ones counterclockwise and holes clockwise by the right-
    hand rule of RFC 7946, which takes y to point up.
    """
    areas = twice_areas(pieces)
    rings, polygons, parts = (each.tolist() for each in pieces[1:])
    for part in range(len(parts) - 1):
        some = range(parts[part], parts[part + 1])
        first, last = polygons[some.start], polygons[some.stop]
        points = pieces.points[rings[first] : rings[last]]
        coordinates = [
            [pieces.points[rings[k] : rings[k + 1]].tolist() for k in range(*polygons[j : j + 2])]
            for j in some
        ]
        alone = len(coordinates) == 1
        yield {
            "type": "Feature",
            "id": part,
            "bbox": [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()],
            "properties": {
                "area": int(areas[first:last].sum()) / 2,
                "holes": last - first - len(some),
            },
            "geometry": {
                "type": "Polygon" if alone else "MultiPolygon",
                "coordinates": coordinates[0] if alone else coordinates,
            },
        }


def text(pieces: Pieces) -> Iterator[bytes]:
    """A FeatureCollection as JSON, one feature a line: no more than one of them is in memory."""
    yield b'{"type":"FeatureCollection","features":['
    before = b"\n"
    for feature in features(pieces):
        yield before + json.dumps(feature, separators=(",", ":")).encode("ascii")
        before = b",\n"
    yield b"\n]}\n"
