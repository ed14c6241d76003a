"""Rings as SVG."""

from __future__ import annotations

import math
import re
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from .. import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def path(points: NDArray[np.int32], offsets: NDArray[np.int64]) -> str:
    """One subpath a ring: where it begins, and the ways from point to point, which are short."""
    ways = np.diff(points.astype(np.int64), axis=0, append=np.int64(0))
    found = []
    begins = points[offsets[:-1]].tolist()
    for (x, y), first, last in zip(begins, *_bounds(offsets), strict=True):
        way = _core.text_from_numbers(ways[first : last - 1]).decode("ascii")
        found.append(f"M{x} {y}l{way}z" if way else f"M{x} {y}z")
    return "".join(found)


def _bounds(offsets: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    return offsets[:-1].tolist(), offsets[1:].tolist()


def document(
    path: str, shape: tuple[int, int], moved: bool, fill: str, title: str, side: float = math.inf
) -> str:
    """Of the size of the image, or smaller, so that its longer side is no longer than ``side``."""
    height, width = shape
    scale = min(1, side / max(height, width, 1))
    transform = ' transform="translate(.5 .5)"' if moved else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width * scale:.6g}" height="{height * scale:.6g}">\n'
        f"<title>{_text(title)}</title>\n"
        f'<path fill="{_text(fill)}" fill-rule="evenodd"{transform} d="{path}"/>\n'
        "</svg>\n"
    )


def _text(value: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", value))
