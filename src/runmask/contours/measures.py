"""What can be said of rings: areas, lengths, boxes, hulls, and which points are inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import _core
from ..errors import InputError
from .flat import checked_rings, rings_of_blocks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .flat import Rings

_SUBPIXELS = 2**20
_FURTHEST = 2**32


class RingMeasures(NamedTuple):
    """Of each ring:

    ``twice_areas`` int64 (n): sums of ``x[i] * y[i + 1] - x[i + 1] * y[i]``, exact; positive for
    rings that run clockwise on a screen, where y goes down.
    ``perimeters`` float64 (n).
    ``boxes`` int32 (n, 4): the least and the largest x and y of points, x0, y0, x1, y1.
    ``centroids`` float64 (n, 2): x and y of the middle of the area; of the line if there is no
    area; the point if there is no length.
    """

    twice_areas: NDArray[np.int64]
    perimeters: NDArray[np.float64]
    boxes: NDArray[np.int32]
    centroids: NDArray[np.float64]


class RingRects(NamedTuple):
    """Of each ring:

    ``corners`` float64 (n, 4, 2): x and y, in the order of ``cv2.boxPoints``.
    ``centers`` float64 (n, 2).
    ``sizes`` float64 (n, 2): the width along the angle, the height across it.
    ``angles`` float64 (n): degrees from -90 up to, not including, 0, as ``cv2.minAreaRect`` of
    OpenCV 5 gives them.
    """

    corners: NDArray[np.float64]
    centers: NDArray[np.float64]
    sizes: NDArray[np.float64]
    angles: NDArray[np.float64]


def measure_rings(points: ArrayLike, offsets: ArrayLike) -> RingMeasures:
    """Area, perimeter, box and centroid of each ring, in one pass. O(points).

    Raises InputError for rings that are not in the flat form, or of an area beyond int64.
    """
    xy, ends = checked_rings(points, offsets)
    count = len(ends) - 1
    measures = RingMeasures(
        np.empty(count, np.int64),
        np.empty(count, np.float64),
        np.empty((count, 4), np.int32),
        np.empty((count, 2), np.float64),
    )
    _core.measure_rings(xy, ends, *measures)
    for array in measures:
        array.flags.writeable = False
    return measures


def contains_points(points: ArrayLike, offsets: ArrayLike, queries: ArrayLike) -> NDArray[np.bool_]:
    """Whether each query ``(x, y)`` is inside, by the even-odd rule over all rings.

    Queries are floats or integers of shape (n, 2), rounded to 2**-20 of a pixel; from there on
    nothing is rounded. A query on an edge is inside if the edge is a left or an upper one: so of
    shapes that share edges exactly one has it, and a pixel ``(y, x)`` of a mask has its corner
    ``(x, y)`` inside.

    Raises InputError for rings that are not in the flat form, and queries that are of another
    shape or not finite.

    O((points + queries) log points); an edge that is much wider than most costs more.
    """
    xy, ends = checked_rings(points, offsets)
    try:
        places = np.asarray(queries)
    except (TypeError, ValueError) as error:
        raise InputError(f"queries: not an array: {error}") from None
    if places.size == 0 and places.ndim == 1:
        places = places.reshape(0, 2)
    if places.ndim != 2 or places.shape[1] != 2 or (places.size and places.dtype.kind not in "iuf"):
        raise InputError(
            f"queries of type {places.dtype} have shape {places.shape}: not numbers (n, 2)"
        )
    floats = places.astype(np.float64)
    bad = ~np.isfinite(floats)
    if bad.any():
        at = int(np.argmax(bad.any(axis=1)))
        raise InputError(f"query {at}: {tuple(floats[at].tolist())} is not finite")
    # Farther out than any point there is nothing to tell apart.
    floats = np.clip(floats, -_FURTHEST, _FURTHEST)
    places = np.ascontiguousarray(np.rint(floats * _SUBPIXELS), np.int64)
    inside = np.empty(len(places), np.uint8)
    _core.contain_points(xy, ends, places, inside)
    return inside.view(np.bool_)


def convex_hulls(points: ArrayLike, offsets: ArrayLike) -> Rings:
    """The convex hull of each ring, as rings.

    From the topmost, then leftmost point, clockwise on a screen, without points on straight lines.
    A ring without an area has a hull of one point or two. Exact.

    Raises InputError for rings that are not in the flat form, or that span 2**31 pixels or more.
    O(points log points), by the monotone chain of Andrew (1979).
    """
    return rings_of_blocks(*_core.convex_hulls(*checked_rings(points, offsets)))


def min_area_rects(points: ArrayLike, offsets: ArrayLike) -> RingRects:
    """The rectangle of the least area around each ring, at any angle.

    As ``cv2.minAreaRect``, in doubles. Of rectangles of one area it is the one whose side lies on
    the first side of the hull.

    Raises InputError as :func:`convex_hulls` does. O(points log points), by the rotating calipers
    of Toussaint (1983).
    """
    hulls = convex_hulls(points, offsets)
    count = len(hulls[1]) - 1
    rects = RingRects(
        np.empty((count, 4, 2)), np.empty((count, 2)), np.empty((count, 2)), np.empty(count)
    )
    _core.min_area_rects(*hulls, *rects)
    return rects
