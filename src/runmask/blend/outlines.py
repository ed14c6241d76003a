"""Contours drawn on images.

Overlapping rings are blended once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..colours import Colour, rgba
from ..contours import Contours
from ..errors import InputError, shown
from ..mask import Mask
from ..mask.algebra import checked_threads
from ..mask.value import row_range
from .overlays import overlay
from .pictures import (
    Layout,
    checked_image,
    checked_layout,
    checked_out,
    parts,
    samples,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .overlays import Sample

_WIDEST = 2**15


def outline(
    image: NDArray[Sample],
    contours: Contours | Mask,
    colour: Colour = (255, 0, 0, 255),
    width: float = 1,
    out: NDArray[Sample] | None = None,
    threads: int = 1,
    *,
    antialias: bool = False,
    layout: Layout = "rgb",
    rows: slice | None = None,
) -> NDArray[Sample]:
    """Draw the rings of contours as lines.

    Parameters
    ----------
    image : ndarray of uint8 or uint16
        As for :func:`overlay`: grey or colour, with alpha or without, of any strides.
    contours : Contours or Mask
        Of a mask of the same height and width; a mask itself stands for ``mask.contours()``.
    colour : (R, G, B, A), (R, G, B), "#rrggbb", "#rrggbbaa" or a name of CSS
        Of 0 to 255; opaque if it says no alpha.
    width : float, 1 to 32768
        Of the line, in pixels. A pixel is drawn if its centre is closer than ``width / 2`` to a
        ring, and at just that distance if it is in the mask. So a box in a mask gets a border of
        exactly so many pixels, the odd one inside; at width 1 it is the mask's outermost pixels.
    out : ndarray, optional
        Where to write, of the shape and type of ``image``; ``out=image`` works in place. It is
        returned.
    threads : int
        At most this many; the result is the same to the byte.
    antialias : bool
        Draw pixels that the line covers in part in part. Each has 8 x 8 samples, evenly spaced, the
        outer ones 1/16 from its edges; a sample counts as a pixel's centre does above. A pixel with
        ``n`` of its 64 samples in the line gets the colour with alpha ``A * n / 64``, halves up.
    layout : {"rgb", "bgr"}
        The order of the image's channels; the colour is R, G, B, A in any case.
    rows : slice, optional
        The image is only these rows of the mask's, as for :func:`overlay`.

    Returns
    -------
    ndarray of the shape and type of ``image``

    Raises
    ------
    ImageError, InputError
        As for :func:`overlay`; the width is none.

    Notes
    -----
    Each pixel is blended once, by the arithmetic of :func:`overlay`. Without antialias, rings on
    pixels' edges that are not simplified, and masks: as a dilation and an erosion of the mask.
    Else O(segments + rows that each goes through + pixels drawn on), with antialias 8 times the
    rows; memory O(segments + width of the image).
    """
    layout, threads = checked_layout(layout), checked_threads(threads)
    if not isinstance(antialias, bool):
        raise InputError(f"antialias {shown(antialias)}: not True or False")
    ink = rgba(colour)
    wide = _checked_width(width)
    if isinstance(contours, Mask):
        runs, rings = contours._runs, contours.contours(threads=threads) if antialias else None
    elif isinstance(contours, Contours):
        on_edges = contours.outline == "edge" and contours._simplified is None
        runs, rings = contours._runs, contours if antialias or not on_edges else None
    else:
        raise InputError(f"contours are {type(contours).__name__}: not Contours or a Mask")
    if rings is None:
        line = Mask._of(_around_edges(runs, wide))
        return overlay(image, line, ink, None, out, threads, layout=layout, rows=rows)
    top, bottom = row_range(rows, runs.height)
    pixels = checked_image(image, (bottom - top, runs.width))
    result = checked_out(out, pixels)
    if result is not pixels:
        np.copyto(result, pixels)
    for part in parts(result, result):
        own = part.in_order(samples(ink, pixels, layout))
        _core.outline(
            rings.points, rings.offsets, rings.outline == "center", runs, wide, antialias, own,
            part.target, top, threads,
        )  # fmt: skip
    return result


def _checked_width(width: object) -> float:
    number = isinstance(width, (int, float, np.integer, np.floating)) and width is not True
    if not number or not 1 <= width <= _WIDEST:  # type: ignore[operator]
        raise InputError(f"width {shown(width)}: not a number from 1 to {_WIDEST}")
    return float(width)  # type: ignore[arg-type]


def _around_edges(runs: _core.Runs, width: float) -> _core.Runs:
    """A pixel is close to an edge of the mask if it is to a pixel of the other side: as squares."""
    outer = _core.morph(runs, _element(width, runs.height, ties=False), False, 0)
    # Beside the image nothing is set, but an erosion takes all there as set: hence the margin.
    padded = _core.placed(runs, runs.height + 2, runs.width + 2, 1, 1, False)
    inner = _core.morph(padded, _element(width, runs.height, ties=True), True, 0)
    return _core.difference(outer, _core.placed(inner, runs.height, runs.width, -1, -1, False))


def _element(width: float, height: int, *, ties: bool) -> NDArray[np.int64]:
    """Offsets of squares whose nearest points are within half the width of the centre of one.

    As rectangles (across, down), the first the lowest.
    """

    def is_near(x: int, y: int) -> bool:
        square = max(2 * x - 1, 0) ** 2 + max(2 * y - 1, 0) ** 2
        return square <= width**2 if ties else square < width**2

    found: list[tuple[int, int]] = []
    across = int(width) // 2 + 1
    for down in range(min(across, height) + 1):
        while across >= 0 and not is_near(across, down):
            across -= 1
        if across < 0:
            break
        if found and found[-1][0] == across:
            found[-1] = across, down
        else:
            found.append((across, down))
    return np.array(found, np.int64)
