"""Polygons as GeoJSON.

Rings end with their first point, outer ones counterclockwise and holes clockwise by the right-hand
rule of RFC 7946, which takes y to point up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .pieces import twice_areas

if TYPE_CHECKING:
    from .pieces import Pieces

_Rings = list[range]  # the rings of each polygon, by number


def features(pieces: Pieces) -> Iterator[dict[str, Any]]:
    """A feature for each part: a Polygon, a MultiPolygon if it hangs together by corners only."""
    points, bounds = pieces.points, pieces.rings.tolist()
    for feature, polygons in _described(pieces):
        coordinates = [
            [points[bounds[ring] : bounds[ring + 1]].tolist() for ring in rings]
            for rings in polygons
        ]
        alone = len(polygons) == 1
        feature["geometry"]["coordinates"] = coordinates[0] if alone else coordinates
        yield feature


def text(pieces: Pieces) -> Iterator[str]:
    """A FeatureCollection as JSON, a feature a line. No object is made for a point."""
    texts = _ring_texts(pieces)
    before = '{"type":"FeatureCollection","features":[\n'
    for feature, polygons in _described(pieces):
        head = json.dumps(feature, separators=(",", ":")).removesuffix("}}")
        coordinates = ",".join(
            f"[{','.join(texts[rings.start : rings.stop])}]" for rings in polygons
        )
        whole = coordinates if len(polygons) == 1 else f"[{coordinates}]"
        yield f'{before}{head},"coordinates":{whole}}}}}'
        before = ",\n"
    yield "\n]}\n" if before == ",\n" else f"{before}]}}\n"


def _described(pieces: Pieces) -> Iterator[tuple[dict[str, Any], _Rings]]:
    """Each feature without its coordinates, and the rings of its polygons."""
    if len(pieces.parts) < 2:
        return
    first_rings = pieces.polygons[pieces.parts[:-1]]
    first_points = pieces.rings[first_rings]
    lowest = np.minimum.reduceat(pieces.points, first_points).tolist()
    highest = np.maximum.reduceat(pieces.points, first_points).tolist()
    areas = (np.add.reduceat(twice_areas(pieces), first_rings) / 2).tolist()
    polygons = pieces.polygons.tolist()
    for part, (first, last) in enumerate(pairwise(pieces.parts.tolist())):
        rings = [range(*pair) for pair in pairwise(polygons[first : last + 1])]
        holes = polygons[last] - polygons[first] - len(rings)
        feature = {
            "type": "Feature",
            "id": part,
            "bbox": lowest[part] + highest[part],
            "properties": {"area": areas[part], "holes": holes},
            "geometry": {"type": "Polygon" if len(rings) == 1 else "MultiPolygon"},
        }
        yield feature, rings


def _ring_texts(pieces: Pieces) -> list[str]:
    """The coordinates of each ring as JSON: from "x y x y" for all points to "x,y],[x,y"."""
    plain = _core.text_from_numbers(pieces.points.astype(np.int64))
    numbers = np.frombuffer(plain, np.uint8).copy()
    spaces = np.flatnonzero(numbers == ord(" "))
    between = spaces[1::2]
    numbers[spaces[::2]] = ord(",")
    numbers[between] = ord("]")
    widths = np.ones(len(numbers), np.uint8)
    widths[between] = 3
    text = np.repeat(numbers, widths)
    ends = between + 2 * np.arange(len(between))
    text[ends + 1] = ord(",")
    text[ends + 2] = ord("[")
    whole = text.tobytes().decode("ascii")
    # Where the point behind so many begins, and where the one before it ends.
    begins, ends = np.append(0, ends + 3), np.append(ends, len(whole))
    firsts, lasts = begins[pieces.rings[:-1]].tolist(), ends[pieces.rings[1:] - 1].tolist()
    return [f"[[{whole[a:b]}]]" for a, b in zip(firsts, lasts, strict=True)]
