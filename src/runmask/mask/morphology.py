"""Growing and shrinking what is set: dilate, erode, open, close."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from .. import _core
from ..errors import InputError, MaskTypeError, shown
from .value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

Shape = Literal["rectangle", "cross", "disc", "diamond"]

_MAX_RADIUS = 2**31 - 1


class Morphology(Value):
    """Morphology by a symmetric element laid around each pixel; :meth:`dilate` says which.

    Done on the runs. Where runs are many for the size of the image, packed bits take their place,
    a band of rows at a time, with the same result.
    """

    __slots__ = ()

    def dilate(self, radius: int | tuple[int, int] = 1, shape: Shape = "rectangle") -> Self:
        """All pixels that the element covers when its centre is on a set pixel.

        Parameters
        ----------
        radius : int or (int, int)
            How far the element reaches from its centre, in pixels: one number, or two, down and
            across (height before width). It is ``2 * radius + 1`` high and wide; 0 changes nothing.
        shape : {"rectangle", "cross", "disc", "diamond"}
            All of it, as ``cv2.MORPH_RECT``; its middle row and column, as ``cv2.MORPH_CROSS``;
            ``(x / across)**2 + (y / down)**2 <= 1``, as ``skimage.morphology.disk``; or
            ``|x| / across + |y| / down <= 1``, as ``skimage.morphology.diamond``.

        Raises
        ------
        InputError
            The radius is not between 0 and 2**31 - 1, or there is no such shape.
        MaskTypeError
            The radius is no integer.

        Notes
        -----
        Outside the image nothing is set for a dilation and everything for an erosion, as with
        OpenCV's default border: the border neither grows nor eats. Each step of opening and
        closing ends at the border.

        O(runs of the result * log(down)) for each of the rectangles that make up the element (one,
        two for a cross, about 0.6 * radius for a disc); O(pixels / 64 * log(down)) for each where
        packed bits are faster. Source: Breuel, "Binary morphology and related operations on
        run-length representations" (2008).
        """
        return self._morphed(_element(radius, shape, self.height), eroding=False)

    def erode(self, radius: int | tuple[int, int] = 1, shape: Shape = "rectangle") -> Self:
        """The pixels around which the element covers set pixels only. As :meth:`dilate`."""
        return self._morphed(_element(radius, shape, self.height), eroding=True)

    def open(self, radius: int | tuple[int, int] = 1, shape: Shape = "rectangle") -> Self:
        """Eroded, then dilated: what is too small for the element goes, the rest keeps its size.

        As :meth:`dilate`.
        """
        element = _element(radius, shape, self.height)
        return self._morphed(element, eroding=True)._morphed(element, eroding=False)

    def close(self, radius: int | tuple[int, int] = 1, shape: Shape = "rectangle") -> Self:
        """Dilated, then eroded: gaps that are too small for the element are filled.

        As :meth:`dilate`.
        """
        element = _element(radius, shape, self.height)
        return self._morphed(element, eroding=False)._morphed(element, eroding=True)

    def _morphed(self, element: NDArray[np.int64], *, eroding: bool, route: int = 0) -> Self:
        return self._of(_core.morph(self._runs, element, eroding, route))


def _element(radius: Any, shape: str, height: int) -> NDArray[np.int64]:
    """The rectangles, (across, down) each, whose union is the element; its rows in the image."""
    if shape not in get_args(Shape):
        raise InputError(f"shape {shown(shape)}: not one of {', '.join(get_args(Shape))}")
    down, across = (
        radius if isinstance(radius, (tuple, list)) and len(radius) == 2 else (radius,) * 2
    )
    for value in (down, across):
        if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
            raise MaskTypeError(f"radius {shown(radius)}: not an integer or two", code="radius")
        if not 0 <= value.__index__() <= _MAX_RADIUS:
            raise InputError(f"radius {shown(radius)}: not between 0 and {_MAX_RADIUS}")
    return _rectangles(down.__index__(), across.__index__(), shape, height)


@lru_cache(maxsize=64)
def _rectangles(down: int, across: int, shape: str, height: int) -> NDArray[np.int64]:
    if shape == "rectangle" or down == 0 or across == 0:
        return np.array([(across, down)], np.int64)
    if shape == "cross":
        return np.array([(across, 0), (0, down)], np.int64)
    found: list[tuple[int, int]] = []
    for y in range(min(down, max(height - 1, 0)) + 1):
        if shape == "disc":
            x = isqrt(across**2 * (down**2 - y**2)) // down
        else:
            x = across * (down - y) // down
        if found and found[-1][0] == x:
            found[-1] = (x, y)
        else:
            found.append((x, y))
    return np.array(found, np.int64)
