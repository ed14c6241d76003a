"""Overlays: colours over the pixels of masks, straight from their runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from .. import _core
from ..colours import Colour
from ..errors import InputError, shown
from ..mask import Mask
from ..mask.algebra import checked_threads
from ..mask.value import row_range
from .pictures import (
    Layout,
    Samples,
    check_rows,
    checked_colour,
    checked_image,
    checked_layout,
    checked_out,
    parts,
    samples,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sample = TypeVar("Sample", bound=np.generic)  # uint8, uint16: OpenCV's types say less
_RED: Colour = (255, 0, 0, 120)
_GREEN: Colour = (0, 255, 0, 120)
_ALPHA = 120  # of colours that say none
_NOTHING: Samples = (0, 0, 0, 0)


@overload
def overlay(
    image: NDArray[Sample],
    mask: Mask,
    inside: Colour | None = ...,
    outside: Colour | None = ...,
    out: NDArray[Sample] | None = ...,
    threads: int = ...,
    *,
    layout: Layout = ...,
    rows: slice | None = ...,
) -> NDArray[Sample]: ...
@overload
def overlay(
    image: NDArray[Sample],
    mask: Iterable[tuple[Mask, Colour | None]],
    *,
    out: NDArray[Sample] | None = ...,
    threads: int = ...,
    layout: Layout = ...,
    rows: slice | None = ...,
) -> NDArray[Sample]: ...
def overlay(
    image: NDArray[Sample],
    mask: Mask | Iterable[tuple[Mask, Colour | None]],
    inside: Colour | None = _RED,
    outside: Colour | None = _GREEN,
    out: NDArray[Sample] | None = None,
    threads: int = 1,
    *,
    layout: Layout = "rgb",
    rows: slice | None = None,
) -> NDArray[Sample]:
    """Lay translucent colours over the pixels of a mask and over the rest, or over several masks.

    Parameters
    ----------
    image : ndarray of uint8 or uint16
        Grey (H, W) or (H, W, 1), grey and alpha (H, W, 2), colour (H, W, 3) or colour and alpha
        (H, W, 4), at any strides. Where pixels touch in memory it goes fastest.
    mask : Mask, or pairs (Mask, colour)
        Of the same height and width. The colours of several masks are laid over one another in the
        order of the pairs, each over what the ones before it gave; pixels in none stay as they are.
    inside, outside : (R, G, B, A), (R, G, B), "#rrggbb", "#rrggbbaa", a name of CSS, or None
        The colours for one mask, of 0 to 255; those that say no alpha get 120. None leaves that
        side as it is. The defaults are the service's own example. On grey images they are grey, by
        Pillow's rule for RGB to L.
    out : ndarray, optional
        Where to write, of the shape and type of ``image``; ``out=image`` works in place and takes
        no memory. It is returned. If it overlaps the image otherwise, the image is copied first.
    threads : int
        At most this many; the result is the same to the byte.
    layout : "rgb" or "bgr"
        The order of the image's colours. Those given are always (R, G, B, A).
    rows : slice, optional
        The image is only these rows of the mask's: an image larger than memory can be drawn on band
        by band. Step 1.

    Returns
    -------
    ndarray, of the shape and type of ``image``

    Raises
    ------
    ImageError
        The image has another size than the mask, another type or another number of channels.
    InputError
        A mask, a colour, or an argument after those cannot be used.

    Notes
    -----
    On uint8 the arithmetic is that of Pillow's ``alpha_composite``, to the bit, for any alpha of
    the image. On uint16 colours and their alpha count 257 times as much, and the result is the
    nearest to the exact quotient, halves up. A colour of alpha 0 leaves a pixel as it is.

    In place O(pixels that are coloured + runs), else O(pixels), at the speed of memory.
    """
    layers = _checked_layers(mask, inside, outside)
    layout, threads = checked_layout(layout), checked_threads(threads)
    if not layers:
        pixels = checked_image(image)
        top = 0
        check_rows(rows, pixels)
    else:
        height, width = layers[0][0].shape
        top, bottom = row_range(rows, height)
        pixels = checked_image(image, (bottom - top, width))
    result = checked_out(out, pixels)
    draw(layers, pixels, result, top, layout, threads)
    return result


def draw(
    layers: Sequence[tuple[Mask, Samples, Samples]],
    pixels: NDArray[Any],
    out: NDArray[Any],
    top: int,
    layout: Layout,
    threads: int,
) -> None:
    """Blends checked layers (mask, inside, outside) over a checked image, a band from row `top`."""
    if not layers:
        np.copyto(out, pixels)
        return
    ordered = [
        (mask._runs, samples(inside, pixels, layout), samples(outside, pixels, layout))
        for mask, inside, outside in layers
    ]
    for part in parts(pixels, out):
        own = tuple((runs, part.in_order(a), part.in_order(b)) for runs, a, b in ordered)
        _core.overlay(own, part.source, part.target, top, threads)


def _checked_layers(
    mask: Mask | Iterable[tuple[Mask, Colour | None]],
    inside: Colour | None,
    outside: Colour | None,
) -> list[tuple[Mask, Samples, Samples]]:
    if isinstance(mask, Mask):
        sides = ((inside, "inside"), (outside, "outside"))
        own, rest = (checked_colour(side, name, _ALPHA) for side, name in sides)
        return [(mask, own, rest)]
    if inside is not _RED or outside is not _GREEN:
        raise InputError("inside and outside are for one mask; each of several has its own colour")
    pairs = checked_pairs(
        mask, "colour", f"mask is {type(mask).__name__}: not a Mask (Mask.from_array makes one)"
    )
    return [
        (each, checked_colour(colour, f"the colour of mask {place}", _ALPHA), _NOTHING)
        for place, (each, colour) in enumerate(pairs)
    ]


def checked_pairs(pairs: Any, of: str, what: str) -> list[tuple[Mask, Any]]:
    """A list of masks of one shape, each with something; ``what`` is what pairs are instead of."""
    if isinstance(pairs, (str, bytes, Mapping, np.ndarray, Mask)) or not hasattr(pairs, "__iter__"):
        raise InputError(f"{what} or pairs (Mask, {of})")
    every = list(pairs)
    for place, pair in enumerate(every):
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], Mask):
            raise InputError(f"item {place} is {shown(pair)}: not a pair (Mask, {of})")
        if pair[0].shape != every[0][0].shape:
            raise InputError(
                f"mask {place} is {pair[0].shape} and mask 0 {every[0][0].shape} (height, width)",
                code="shape_mismatch",
            )
    return every
