"""Colouring images by masks, straight from their runs."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .errors import ImageError, InputError, shown
from .mask.algebra import checked_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .mask import Mask

    Colour = Sequence[int]


def overlay(
    image: NDArray[np.uint8],
    mask: Mask,
    inside: Colour | None = (255, 0, 0, 120),
    outside: Colour | None = (0, 255, 0, 120),
    out: NDArray[np.uint8] | None = None,
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Lay one translucent colour over the pixels of a mask and another over the rest.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W, 4)
        RGB or RGBA, of any strides. (BGR works as well: give the colours in that order.)
    mask : Mask
        Of the same height and width.
    inside, outside : (R, G, B, A), 0 to 255, or None
        The colours; None leaves that side as it is. The defaults are the service's own example.
    out : ndarray, optional
        Where to write, of the shape and type of ``image``; ``out=image`` works in place and takes
        no memory. It is returned.
    threads : int
        At most this many; the result is the same to the byte.

    Returns
    -------
    ndarray of uint8, the shape of ``image``

    Raises
    ------
    ImageError
        The image has another size than the mask, another type or another number of channels.
    InputError
        A colour, ``out`` or ``threads`` cannot be used.

    Notes
    -----
    The arithmetic is that of Pillow's ``alpha_composite``, to the bit, for any alpha of the image.
    O(pixels), at the speed of memory.
    """
    if not hasattr(mask, "_runs"):
        raise InputError(f"mask is {type(mask).__name__}: not a Mask; Mask.from_array makes one")
    pixels = _checked_image(image, mask.shape)
    over, beside = _checked_colour(inside, "inside"), _checked_colour(outside, "outside")
    threads = checked_threads(threads)
    if out is None:
        result: NDArray[np.uint8] = np.empty(pixels.shape, np.uint8)
        _core.overlay(mask._runs, _rows_of_pixels(pixels), result, over, beside, threads)
        return result
    _check_out(out, pixels)
    if out is not image and np.may_share_memory(out, pixels) and not _same_place(out, pixels):
        pixels = pixels.copy()
    if _is_rows_of_pixels(out):
        _core.overlay(mask._runs, _rows_of_pixels(pixels), out, over, beside, threads)
    else:
        out[...] = overlay(pixels, mask, inside, outside, threads=threads)
    return out


def _checked_image(image: object, shape: tuple[int, int]) -> NDArray[np.uint8]:
    if isinstance(image, np.ma.MaskedArray):
        raise ImageError("the image is a masked array; fill it first")
    try:
        pixels = np.asarray(image)
    except (TypeError, ValueError) as error:
        raise ImageError(f"the image is no array: {error}") from None
    if pixels.dtype != np.uint8:
        raise ImageError(f"the image is of type {pixels.dtype}: not uint8", code="dtype")
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        raise ImageError(
            f"the image has shape {pixels.shape}: not (height, width, 3 or 4)", code="mode"
        )
    if pixels.shape[:2] != shape:
        turned = "; the other way round it fits" if pixels.shape[1::-1] == shape else ""
        raise ImageError(
            f"the image is {pixels.shape[0]} x {pixels.shape[1]} and the mask "
            f"{shape[0]} x {shape[1]} (height x width){turned}",
            code="shape_mismatch",
        )
    return pixels


def _checked_colour(colour: Colour | None, name: str) -> tuple[int, int, int, int]:
    if colour is None:
        return 0, 0, 0, 0
    try:
        r, g, b, a = (_channel(value) for value in colour)
    except (TypeError, ValueError):
        raise InputError(
            f"{name} {shown(colour)}: not (R, G, B, A) of integers 0 to 255, alpha too, or None",
            code="colour",
        ) from None
    return r, g, b, a


def _channel(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not 0 <= index(value) <= 255:
        raise ValueError
    return index(value)


def _check_out(out: object, pixels: NDArray[np.uint8]) -> None:
    if not isinstance(out, np.ndarray) or out.dtype != np.uint8 or out.shape != pixels.shape:
        found = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise InputError(f"out is {found}: not uint8 {pixels.shape}", code="out")
    if not out.flags.writeable:
        raise InputError("out is read-only", code="readonly_output")


def _same_place(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return (
        a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and a.strides == b.strides
    )


def _is_rows_of_pixels(pixels: NDArray[np.uint8]) -> bool:
    return pixels.strides[2] == 1 and pixels.strides[1] == pixels.shape[2]


def _rows_of_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The layout that the core takes: the pixels of a row touch, rows may lie anywhere."""
    return pixels if _is_rows_of_pixels(pixels) else np.ascontiguousarray(pixels)
