"""Images that are drawn on: their layouts, and where a result goes. All pixels are in the core."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..colours import Colour, rgba
from ..errors import ImageError, InputError, shown
from ..foreign import pixels_of
from ..mask.value import row_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Layout: TypeAlias = Literal["rgb", "bgr"]
Samples: TypeAlias = tuple[int, int, int, int]

_SIZES = "(height, width) or (height, width, 1 to 4)"
_KINDS = {np.dtype(np.uint8), np.dtype(np.uint16)}


class Part(NamedTuple):
    """What the core can draw on: two arrays (H, W, channels) and which channels of the image."""

    source: NDArray[Any]
    target: NDArray[Any]
    channels: tuple[int, ...]

    def in_order(self, samples: Sequence[int]) -> Samples:
        """The samples of a colour in the order of this part's channels, its alpha last."""
        if self.channels[:3] == (0, 1, 2):
            return samples[0], samples[1], samples[2], samples[3]
        own = [samples[channel] for channel in self.channels if channel < 3]
        first, second, third = (*own, 0, 0, 0)[:3]
        return first, second, third, samples[3]


def checked_image(image: object, shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """The image as an array of a type and shape that can be drawn on; of that size, if given."""
    pixels = pixels_of(image)
    if pixels.dtype not in _KINDS or not pixels.dtype.isnative:
        raise ImageError(
            f"the image is of type {pixels.dtype}: not uint8 or native uint16", code="dtype"
        )
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and not 1 <= pixels.shape[2] <= 4):
        raise ImageError(f"the image has shape {pixels.shape}: not {_SIZES}", code="mode")
    if shape is not None and pixels.shape[:2] != shape:
        turned = "; the other way round it fits" if pixels.shape[1::-1] == shape else ""
        raise ImageError(
            f"the image is {pixels.shape[0]} x {pixels.shape[1]} and the mask "
            f"{shape[0]} x {shape[1]} (height x width){turned}",
            code="shape_mismatch",
        )
    return pixels


def check_rows(rows: slice | None, pixels: NDArray[Any]) -> None:
    """As far as can be where there is no mask to tell how many rows the whole image has."""
    row_range(rows, 0)
    if rows is not None and rows.stop is not None and min(index(rows.start or 0), rows.stop) >= 0:
        top, bottom = row_range(rows, index(rows.stop))
        if bottom - top != pixels.shape[0]:
            raise ImageError(
                f"the image has {pixels.shape[0]} rows and the band {top} to {bottom} has "
                f"{bottom - top}",
                code="shape_mismatch",
            )


def checked_out(out: object, pixels: NDArray[Any]) -> NDArray[Any]:
    """Where the result goes: ``out``, or a new array if it is None."""
    if out is None:
        return np.empty(pixels.shape, pixels.dtype)
    if not isinstance(out, np.ndarray) or out.dtype != pixels.dtype or out.shape != pixels.shape:
        found = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise InputError(f"out is {found}: not {pixels.dtype} {pixels.shape}", code="out")
    if not out.flags.writeable:
        raise InputError("out is read-only", code="readonly_output")
    if _may_overlap_itself(out):
        raise InputError("out shows the same memory in several pixels", code="out")
    return out


def _may_overlap_itself(array: NDArray[Any]) -> bool:
    """Whether steps along an axis are shorter than what the axes of shorter steps span."""
    if not array.size:
        return False
    span = array.itemsize
    axes = zip(array.strides, array.shape, strict=True)
    for step, count in sorted((abs(stride), count) for stride, count in axes if count > 1):
        if step < span:
            return True
        span += step * (count - 1)
    return False


def parts(pixels: NDArray[Any], out: NDArray[Any]) -> Iterator[Part]:
    """What to hand to the core to draw on ``pixels`` and get the result in ``out``.

    An image that overlaps ``out`` without being it is copied first.
    """
    if out is not pixels and np.may_share_memory(out, pixels) and not _same_place(out, pixels):
        pixels = pixels.copy()
    if not pixels.size:
        return
    source, target = (a[..., None] if a.ndim == 2 else a for a in (pixels, out))
    channels = source.shape[2]
    item = source.itemsize
    if channels == 3 and source.strides[1] == target.strides[1] == item:  # plane by plane
        for c in range(3):
            yield Part(source[..., c : c + 1], target[..., c : c + 1], (c,))
    elif channels == 3 and source.strides[2] == target.strides[2] == -item:
        yield Part(source[..., ::-1], target[..., ::-1], (2, 1, 0))
    else:
        yield Part(source, target, tuple(range(channels)))


def _same_place(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return (
        a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and a.strides == b.strides
    )


def checked_layout(layout: object) -> Layout:
    if not isinstance(layout, str) or layout not in ("rgb", "bgr"):
        raise InputError(f"layout {shown(layout)}: not 'rgb' or 'bgr'", code="layout")
    return "rgb" if layout == "rgb" else "bgr"


def checked_colour(given: Colour | None, name: str, alpha: int) -> Samples:
    """(R, G, B, A), all zero for None; ``alpha`` is that of colours that say none."""
    return (0, 0, 0, 0) if given is None else rgba(given, alpha, name)


def checked_byte(value: Any) -> int:
    """An integer of 0 to 255; a ValueError or TypeError otherwise."""
    if isinstance(value, (bool, np.bool_)) or not 0 <= index(value) <= 255:
        raise ValueError
    return index(value)


def samples(colour: Samples, pixels: NDArray[Any], layout: Layout) -> Samples:
    """A colour in the order of the image's channels, its alpha last."""
    r, g, b, a = colour
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return luma(r, g, b), 0, 0, a
    return (r, g, b, a) if layout == "rgb" else (b, g, r, a)


def luma(r: int, g: int, b: int) -> int:
    """Grey by Pillow's rule for RGB to L: ITU-R 601-2 in 16 bits, rounded."""
    return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16
