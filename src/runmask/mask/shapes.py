"""Masks drawn: boxes, discs and polygons.

Shapes live in the plane that the pixels tile: pixel ``(y, x)`` covers ``[x, x + 1] x [y, y + 1]``
and its centre is at ``(x + 0.5, y + 0.5)``. A pixel is set when its centre is inside. What lies
outside the image is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsIndex

import numpy as np

from .. import _core
from ..contours import Contours
from ..errors import InputError, shown
from .untrusted import checked_shape
from .value import Value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Shape = tuple[SupportsIndex, SupportsIndex]

_SUBPIXELS = 2**20
_FURTHEST = {"center": 2**31, "cv2": 2**30}


class Shapes(Value):
    __slots__ = ()

    @classmethod
    def from_bbox(cls, box: Sequence[float], shape: Shape) -> Self:
        """The pixels of a box ``(x0, y0, x1, y1)``, ends exclusive: ``image[y0:y1, x0:x1]``.

        A :class:`Box`, or any four numbers; of a box that cuts pixels, those whose centres are
        inside. Raises InputError for a box with an end before its beginning. O(rows).
        """
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        x0, y0, x1, y1 = _numbers("box", box, "(x0, y0, x1, y1)")
        for first, last, names in ((x0, x1, "x1 {} < x0 {}"), (y0, y1, "y1 {} < y0 {}")):
            if last < first:
                raise InputError(
                    f"box {shown(box)}: {names.format(last, first)}; a box is (x0, y0, x1, y1)"
                )
        top, bottom = _centers(y0, y1, height)
        left, right = _centers(x0, x1, width)
        inside = _full(bottom - top, right - left)
        return cls._of(_core.placed(inside, height, width, top, left, False))

    @classmethod
    def from_circle(cls, center: Sequence[float], radius: float, shape: Shape) -> Self:
        """The pixels of a disc around ``(x, y)``.

        Pixels are set where, in 64-bit floats::

            (x + 0.5 - center[0]) ** 2 + (y + 0.5 - center[1]) ** 2 <= radius ** 2

        A disc around the middle of pixel ``(y, x)`` has the centre ``(x + 0.5, y + 0.5)``. Raises
        InputError for a radius or centre that :meth:`from_ellipse` refuses. O(rows).
        """
        x, y = _numbers("center", center, "(x, y)")
        (number,) = _numbers("radius", (radius,), "(radius)")
        _check_radii(number)
        return cls._of(_ellipse((x, y), (1.0, 1.0), number**2, number, shape))

    @classmethod
    def from_ellipse(cls, center: Sequence[float], radii: Sequence[float], shape: Shape) -> Self:
        """The pixels of an ellipse around ``(x, y)`` with half axes ``(rx, ry)``.

        Pixels are set where, in 64-bit floats::

            ((x + 0.5 - center[0]) * ry) ** 2 + ((y + 0.5 - center[1]) * rx) ** 2 <= (rx * ry) ** 2

        Raises InputError for radii outside 2**-40 to 2**40. O(rows).
        """
        x, y = _numbers("center", center, "(x, y)")
        rx, ry = _numbers("radii", radii, "(rx, ry)")
        _check_radii(rx, ry)
        return cls._of(_ellipse((x, y), (ry, rx), (rx * ry) ** 2, ry, shape))

    @classmethod
    def from_polygons(
        cls,
        rings: Iterable[ArrayLike] | Contours,
        shape: Shape | None = None,
        rule: Literal["center", "cv2"] | None = None,
    ) -> Self:
        """The pixels of a polygon of one ring or more.

        Parameters
        ----------
        rings : sequence of arrays ``(N, 2)``
            The points ``(x, y)`` of each ring, floats or integers; the last point is joined to the
            first. Arrays ``(N, 1, 2)``, as cv2 has them, do too. What an odd number of rings
            surrounds is inside: a ring in a ring is a hole, and rings apart are parts. For parts
            that overlap, draw each alone and take the union.

            :class:`Contours` as well: they give back the mask they are of, if they are not
            simplified and ``rule`` is left to them.
        shape : (int, int)
            Height and width. Contours bring their own.
        rule : {"center", "cv2"}
            What a pixel is, and when it is set. ``"cv2"`` for contours through the centres of
            pixels, else ``"center"``, if none is given.

            ``"center"``: pixel ``(y, x)`` covers ``[x, x + 1] x [y, y + 1]``, and is set when its
            centre is inside. Coordinates are rounded to 2**-20 of a pixel; from there on nothing
            is rounded. A centre that lies on an edge is inside if the edge is a left or an upper
            one, so that polygons along one edge share no pixel and leave none out.

            ``"cv2"``: points are the centres of pixels, in whole numbers; the pixels are those
            that ``cv2.fillPoly`` sets (OpenCV 4.10 to 5.0), with all that its lines touch.

        Raises
        ------
        InputError
            A ring is no such array, a coordinate is not finite or too far away, or not a whole
            number where the rule needs one.

        Notes
        -----
        O(points + rows that each edge crosses). The crossings are sorted row by row, an even-odd
        scan conversion; memory follows them, not the image.
        """
        points: NDArray[Any]
        if isinstance(rings, Contours):
            shape = rings.shape if shape is None else shape
            rule = rule or ("cv2" if rings.outline == "center" else "center")
            points, offsets = rings.points, rings.offsets
        else:
            rule = rule or "center"
            points, offsets = _flat(_each_ring(rings))
        if shape is None:
            raise InputError("rings do not say their image's size: a shape is needed")
        if rule not in _FURTHEST:
            raise InputError(f"rule {shown(rule)}: not 'center' or 'cv2'")
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        _check_points(points, offsets, rule)
        if rule == "center":
            if points.dtype.kind == "f":
                points = np.rint(points.astype(np.float64) * _SUBPIXELS)
                whole = points.astype(np.int64)
            else:
                whole = points.astype(np.int64) * _SUBPIXELS
        else:
            whole = points.astype(np.int64)
        return cls._of(
            _core.filled(np.ascontiguousarray(whole), offsets, height, width, rule == "cv2")
        )


def _full(height: int, width: int) -> _core.Runs:
    starts, lengths = np.zeros(1, np.int64), np.full(1, height * width)
    return _core.runs_from_pairs(starts, lengths, height, width, False)[0]


def _check_radii(*radii: float) -> None:
    for radius in radii:
        if not 2.0**-40 <= radius <= 2.0**40:
            raise InputError(f"radius {shown(radius)}: not between 2**-40 and 2**40")


def _ellipse(
    center: tuple[float, float],
    scale: tuple[float, float],
    limit: float,
    reach: float,
    shape: Shape,
) -> _core.Runs:
    """Pixels whose scaled offset from the centre has a square of at most the limit.

    ``reach`` is how many rows it can be above or below.
    """
    height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
    (cx, cy), (by_x, by_y) = center, scale
    top, bottom = _centers(cy - reach - 1, cy + reach + 1, height)
    y = np.arange(top, bottom, dtype=np.int64)
    down = ((y + 0.5 - cy) * by_y) ** 2
    y, down = y[down <= limit], down[down <= limit]
    half = np.sqrt(limit - down) / by_x
    first = np.clip(np.ceil(cx - half - 0.5), 0, width).astype(np.int64)
    last = np.clip(np.floor(cx + half - 0.5), -1, width - 1).astype(np.int64)

    def inside(x: NDArray[np.int64]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = ((x + 0.5 - cx) * by_x) ** 2 + down <= limit
        return found

    # Rounding may have put an end beside its place: the formula decides.
    while (more := (first > 0) & inside(first - 1)).any():
        first -= more
    while (more := (last < width - 1) & inside(last + 1)).any():
        last += more
    while (less := (first <= last) & ~inside(first)).any():
        first += less
    while (less := (first <= last) & ~inside(last)).any():
        last -= less
    some = first <= last
    starts, lengths = y * width + first, last - first + 1
    return _core.runs_from_pairs(starts[some], lengths[some], height, width, False)[0]


def _centers(first: float, last: float, size: int) -> tuple[int, int]:
    """The pixels of ``size`` whose centres lie in [first, last)."""
    begin, end = (min(max(math.ceil(bound - 0.5), 0), size) for bound in (first, last))
    return begin, end


def _numbers(name: str, values: Any, meaning: str) -> list[float]:
    try:
        numbers = np.asarray(values)
    except (TypeError, ValueError):
        numbers = np.empty(0, object)
    wanted = meaning.count(",") + 1
    if numbers.dtype.kind not in "iuf" or numbers.shape != (wanted,):
        raise InputError(f"{name} {shown(values)}: not {meaning}")
    if not np.isfinite(numbers).all():
        raise InputError(f"{name} {shown(values)}: not finite")
    return [float(number) for number in numbers]


def _flat(rings: list[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """All points, and where each ring begins among them."""
    points = _joined(rings)
    if points is None:
        rings = [_ring(ring, at) for at, ring in enumerate(rings)]
        points = np.concatenate([np.empty((0, 2), np.int64), *rings])
    offsets = np.zeros(len(rings) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, rings), np.int64, len(rings)), out=offsets[1:])
    return points, offsets


def _joined(rings: list[Any]) -> NDArray[Any] | None:
    """The points of arrays that are as they should be, and alike: contours come by thousands."""
    if set(map(type, rings)) != {np.ndarray} or len({ring.dtype for ring in rings}) != 1:
        return None
    try:
        points: NDArray[Any] = np.concatenate(rings)
    except ValueError:
        return None
    if points.dtype.kind not in "iuf" or points.shape[1:] not in ((2,), (1, 2)):
        return None
    return points.reshape(-1, 2)


def _each_ring(rings: Any) -> list[Any]:
    if isinstance(rings, (str, bytes)) or not hasattr(rings, "__iter__"):
        raise InputError(f"rings {shown(rings)}: not a sequence of arrays (N, 2)")
    return list(rings)


def _ring(ring: Any, at: int) -> NDArray[Any]:
    try:
        array = np.asarray(ring)
    except (TypeError, ValueError) as error:
        raise InputError(f"ring {at}: not an array of points: {error}") from None
    if array.ndim == 3 and array.shape[1:] == (1, 2):
        array = array[:, 0]
    if array.size == 0:
        return np.empty((0, 2), np.int64)
    if array.ndim != 2 or array.shape[1] != 2:
        hint = "; rings is a sequence of rings, even if there is one" if array.ndim < 2 else ""
        raise InputError(f"ring {at} has shape {array.shape}: not (N, 2){hint}")
    if array.dtype.kind not in "iuf":
        raise InputError(f"ring {at} is of type {array.dtype}: not numbers")
    return array


def _check_points(points: NDArray[Any], offsets: NDArray[np.int64], rule: str) -> None:
    furthest = _FURTHEST[rule]

    def refuse(bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            index = int(np.argmax(bad.any(axis=1)))
            ring = int(np.searchsorted(offsets, index, side="right")) - 1
            x, y = points[index].tolist()
            raise InputError(f"ring {ring}, point {index - int(offsets[ring])}: ({x}, {y}) {what}")

    if points.dtype.kind == "f":
        refuse(~np.isfinite(points), "is not finite")
        if rule == "cv2":
            refuse(points != np.rint(points), "is not whole; rule 'cv2' takes whole numbers")
    refuse((points > furthest) | (points < -furthest), f"is more than {furthest} px away")
