"""Heatmaps: confidences of any resolution, or of nested masks, as translucent colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np

from .. import _core
from ..errors import InputError, LimitError, shown
from ..foreign import pixels_of
from ..mask import Mask
from ..mask.algebra import checked_threads
from ..mask.value import row_range
from .colormaps import colormap as built_in
from .overlays import checked_pairs, draw
from .pictures import (
    Layout,
    check_rows,
    checked_byte,
    checked_image,
    checked_layout,
    checked_out,
    luma,
    parts,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .pictures import Samples

Sample = TypeVar("Sample", bound=np.generic)  # uint8, uint16: OpenCV's types say less
Levels: TypeAlias = Iterable[tuple[Mask, float]]
Confidence: TypeAlias = (
    "NDArray[np.floating[Any]] | NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.bool_] | "
    "Mask | Levels"
)
Alpha: TypeAlias = "int | Sequence[int] | NDArray[np.integer[Any]]"

_RISING = (0, 180)
_LONGEST_SIDE = 2**30 - 1
# The types of maps, and the value that means confidence 1 where no range says another.
_FULL = {"b1": 1.0, "u1": 255.0, "u2": 65535.0, "f2": 1.0, "f4": 1.0, "f8": 1.0}


def heatmap(
    image: NDArray[Sample],
    confidence: Confidence,
    colormap: str | NDArray[np.uint8] = "turbo",
    alpha: Alpha | None = None,
    out: NDArray[Sample] | None = None,
    threads: int = 1,
    *,
    range: tuple[float, float] | None = None,  # noqa: A002 - as NumPy's functions name it
    nan: Literal["refuse", "transparent"] = "refuse",
    layout: Layout = "rgb",
    rows: slice | None = None,
    height: int | None = None,
) -> NDArray[Sample]:
    """Show confidences over an image, each in the colour that a colour map has for it.

    Parameters
    ----------
    image : ndarray of uint8 or uint16
        As for :func:`overlay`: grey or colour, with or without alpha, at any strides.
    confidence : ndarray (h, w), Mask, or pairs (Mask, confidence)
        A map of float16, float32, float64, bool, uint8 or uint16, of any size and strides. It is
        stretched over the image from edge to edge, with bilinear interpolation between the centres
        of its values and the outermost values beyond them, as OpenCV's resize does with
        INTER_LINEAR. A map with more values than the image has pixels is not averaged.

        Or a mask of the image's size: as the map of its pixels, 1 in it and 0 elsewhere.

        Or masks of the image's size with a confidence each, nested or not: a pixel has the highest
        confidence of the masks it is in, and pixels in none stay as they are.
    colormap : str or ndarray of uint8 (256, 3) or (256, 4)
        The name of a built-in one (see :func:`colormap`), or RGB or RGBA colours for confidences
        0/255, 1/255 ... 255/255.
    alpha : int, (int, int), 256 integers, or None; 0 to 255
        One for all colours, one rising evenly from confidence 0 to 1, or one for each colour. None
        is what the colour map's own are, or (0, 180) if it has none.
    out : ndarray, optional
        Where to write, as for :func:`overlay`; ``out=image`` works in place.
    threads : int
        At most this many; the result is the same to the byte.
    range : (float, float), optional
        The values that mean confidence 0 and 1, in the map's own numbers. What lies beyond them,
        infinities as well, counts as they do. None is (0, 255) for uint8, (0, 65535) for uint16,
        else (0, 1).
    nan : "refuse" or "transparent"
        Whether NaN is an error or leaves the pixels as they are that take part of it.
    layout : "rgb" or "bgr"
        The order of the image's colours. Those of colour maps are always RGB.
    rows : slice, optional
        The image is only these rows of the whole, which has ``height`` of them. Step 1.
    height : int, optional
        Needed with ``rows``, where confidences are a map.

    Returns
    -------
    ndarray, of the shape and type of ``image``

    Raises
    ------
    ImageError
        The image cannot be drawn on, or has not the size of the masks.
    InputError
        Another argument cannot be used; the message names the place of a NaN.

    Notes
    -----
    The colour's place in the map is 255 times the confidence, halves up. From the confidences on
    all is done in integers: the bytes are the same on every processor, and places are at most one
    from those that real numbers give. Colours are blended as by :func:`overlay`. Nothing is
    allocated but the result and a few rows, and a copy of maps of uint16. O(pixels); with masks in
    place O(pixels in them + runs).
    """
    layout, threads = checked_layout(layout), checked_threads(threads)
    limits = None if range is None else checked_range(range)
    if not isinstance(nan, str) or nan not in ("refuse", "transparent"):
        raise InputError(f"nan {shown(nan)}: not 'refuse' or 'transparent'")
    table = _table(colormap, alpha)
    if _is_array(confidence):
        pixels = checked_image(image)
        top, whole = _checked_band(rows, height, pixels.shape[0])
        values, low, span = _checked_map(confidence, limits)
        _check_side("height", whole)
        _check_side("width", pixels.shape[1])
        result = checked_out(out, pixels)
        if np.may_share_memory(result, values):  # it is read while the result is written
            values = values.copy()
        if pixels.size:
            if nan == "refuse":
                _refuse_nan(values, pixels, top, whole)
            _draw_map(values, low, span, pixels, result, top, whole, table, layout, threads)
        return result
    low, span = limits or (0.0, 1.0)
    if isinstance(confidence, Mask):
        yes, no = (tuple(table[_place(value, low, span)].tolist()) for value in (1, 0))
        layers = [(confidence, yes, no)]
    else:
        levels = _checked_levels(confidence, low, span)
        colours: list[Samples] = [tuple(colour) for colour in table.tolist()]
        layers = [(region, colours[place], (0, 0, 0, 0)) for region, place in _regions(levels)]
    if not layers:
        pixels, top = checked_image(image), 0
        check_rows(rows, pixels)
    else:
        mask_height, width = layers[0][0].shape
        if height is not None and height != mask_height:
            raise InputError(f"height {shown(height)}: the masks have {mask_height}")
        top, bottom = row_range(rows, mask_height)
        pixels = checked_image(image, (bottom - top, width))
    result = checked_out(out, pixels)
    draw(layers, pixels, result, top, layout, threads)
    return result


def _draw_map(
    values: NDArray[Any],
    low: float,
    span: float,
    pixels: NDArray[Any],
    out: NDArray[Any],
    top: int,
    whole: int,
    table: NDArray[np.uint8],
    layout: Layout,
    threads: int,
) -> None:
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        table = table.copy()
        table[:, 0] = [luma(*colour) for colour in table[:, :3].tolist()]
    elif layout == "bgr":
        table = table[:, [2, 1, 0, 3]]
    for part in parts(pixels, out):
        channels = [*(c for c in part.channels if c < 3), 0, 0, 0][:3]
        own = np.ascontiguousarray(table[:, [*channels, 3]])
        _core.heatmap(values, low, span, part.source, part.target, top, whole, own, threads)


def _table(colormap: str | NDArray[np.uint8], alpha: Alpha | None) -> NDArray[np.uint8]:
    """256 colours R G B A."""
    if isinstance(colormap, str):
        colours = built_in(colormap)
    else:
        colours = np.asarray(colormap)
        if colours.dtype != np.uint8 or colours.shape not in ((256, 3), (256, 4)):
            raise InputError(
                f"the colour map is {colours.dtype} {colours.shape}: not a name, or uint8 (256, 3) "
                "or (256, 4)",
                code="colormap",
            )
    if alpha is None and colours.shape[1] == 4:
        return colours
    return np.column_stack((colours[:, :3], _alphas(_RISING if alpha is None else alpha)))


def _alphas(alpha: Alpha) -> NDArray[np.uint8]:
    try:
        several = [alpha, alpha] if np.ndim(alpha) == 0 else list(alpha)  # type: ignore[arg-type]
        given = np.array([checked_byte(value) for value in several])
        if len(given) not in (2, 256):
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"alpha {shown(alpha)}: not an integer of 0 to 255, two of them for confidence 0 and 1,"
            " 256 of them, or None",
            code="alpha",
        ) from None
    if len(given) == 2:
        place = np.arange(256)
        given = (2 * (given[0] * (255 - place) + given[1] * place) + 255) // 510
    return given.astype(np.uint8)


def checked_range(limits: object) -> tuple[float, float]:
    """The low end, and how far the high one is above it."""
    try:
        low, high = map(_as_float, limits)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise InputError(f"range {shown(limits)}: not two numbers") from None
    if not (low < high and math.isfinite(high - low)):
        raise InputError(f"range {shown(limits)}: not two finite numbers, the smaller one first")
    return low, high - low


def _as_float(value: Any) -> float:
    """Integers beyond all floats become infinities."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _check_side(name: str, side: int) -> None:
    if side > _LONGEST_SIDE:
        raise LimitError(
            f"{name} {shown(side)}: heatmaps over images of at most {_LONGEST_SIDE}", code="side"
        )


def _checked_band(rows: slice | None, height: object, image_height: int) -> tuple[int, int]:
    """The first row of the image, and how many the whole has."""
    if rows is None and height is None:
        return 0, image_height
    if rows is None or isinstance(height, bool) or not isinstance(height, int | np.integer):
        raise InputError(f"rows {shown(rows)} and height {shown(height)}: a band needs both")
    _check_side("height", int(height))
    top, bottom = row_range(rows, max(int(height), 0))
    if bottom - top != image_height:
        raise InputError(
            f"the image has {image_height} rows and the band {top} to {bottom} of {shown(height)} "
            f"has {bottom - top}",
            code="shape_mismatch",
        )
    return top, int(height)


def _is_array(confidence: object) -> bool:
    """Whether it is an array, or, as Pillow's images and tensors, becomes one."""
    kind = type(confidence)
    return kind is not Mask and (
        hasattr(kind, "__array__")
        or hasattr(kind, "__array_interface__")
        or isinstance(confidence, memoryview)
    )


def _checked_map(
    given: Any, limits: tuple[float, float] | None
) -> tuple[NDArray[Any], float, float]:
    """The map with its range as the core takes it, for which 255 of uint8 is 1."""
    confidence = pixels_of(given, "the confidence", InputError, "confidence")
    full = _FULL.get(confidence.dtype.kind + str(confidence.dtype.itemsize))
    if full is None or not confidence.dtype.isnative:
        raise InputError(
            f"the confidence is of type {confidence.dtype}: not float16, float32, float64, bool, "
            "uint8 or uint16 of this machine's byte order",
            code="confidence",
        )
    if confidence.ndim != 2 or 0 in confidence.shape or max(confidence.shape) > _LONGEST_SIDE:
        raise InputError(
            f"the confidence has shape {confidence.shape}: not (h, w) of 1 to {_LONGEST_SIDE}",
            code="confidence",
        )
    low, span = limits or (0.0, full)
    if confidence.dtype == np.uint8:
        return confidence, low / 255, span / 255
    if confidence.dtype == np.uint16:
        confidence = confidence.astype(np.float32)
    return confidence, low, span


def _refuse_nan(values: NDArray[Any], pixels: NDArray[Any], top: int, whole: int) -> None:
    found = _core.find_nan(values, pixels.shape[0], pixels.shape[1], top, whole)
    if found is not None:
        raise InputError(
            f"confidence[{found[0]}, {found[1]}] is NaN; nan='transparent' leaves its pixels as "
            "they are",
            code="nan",
        )


def _checked_levels(pairs: Levels, low: float, span: float) -> list[tuple[Mask, int]]:
    """Masks with the place of their colour in the map."""
    levels = []
    what = f"confidence is {type(pairs).__name__}: not an ndarray, a Mask"
    if isinstance(pairs, list | tuple) and pairs and _is_numbers(pairs[0]):
        raise InputError(
            "confidence is a list of numbers: numpy.asarray(confidence) makes a map of it, and "
            "pairs (Mask, confidence) are levels",
            code="confidence",
        )
    for place, (mask, value) in enumerate(checked_pairs(pairs, "confidence", what)):
        number = _as_float(value) if isinstance(value, int | float | np.number) else math.nan
        if math.isnan(number) or isinstance(value, bool):
            raise InputError(
                f"the confidence of mask {place} is {shown(value)}: not a number", code="confidence"
            )
        levels.append((mask, _place(number, low, span)))
    return levels


def _is_numbers(row: object) -> bool:
    every = row if isinstance(row, list | tuple) else [row]
    return bool(every) and all(isinstance(value, int | float | np.number) for value in every)


def _place(value: float, low: float, span: float) -> int:
    """That of a confidence's colour in the map."""
    return math.floor(255 * min(max((value - low) / span, 0), 1) + 0.5)


def _regions(levels: Sequence[tuple[Mask, int]]) -> list[tuple[Mask, int]]:
    """The masks without what is also in one of a higher level."""
    regions: list[tuple[Mask, int]] = []
    above: Mask | None = None
    for mask, level in sorted(levels, key=lambda pair: -pair[1]):
        regions.append((mask if above is None else mask - above, level))
        above = mask if above is None else above | mask
    return regions
