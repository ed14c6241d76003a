"""What can be measured on rings."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from . import measures
from .value import Value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Measured(Value):
    __slots__ = ()

    @property
    def perimeters(self) -> NDArray[np.float64]:
        """The length of each ring, ``(R,)``. O(points), once."""
        return self._measured().perimeters

    @property
    def boxes(self) -> NDArray[np.int32]:
        """The box of each ring's points, ``(R, 4)``: x0, y0, x1, y1. O(points), once."""
        return self._measured().boxes

    @property
    def centroids(self) -> NDArray[np.float64]:
        """The ``(x, y)`` of the middle of what each ring encloses, ``(R, 2)``. O(points), once.

        Where that has no area, the middle of the line.
        """
        return self._measured().centroids

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """For points ``(N, 2)``, whether an odd number of rings is around each.

        On pixels' edges, that it lies in the mask; a left or an upper edge is inside, a right or a
        lower one is not.
        """
        return measures.contains_points(self.points, self.offsets, points)

    def convex_hulls(self) -> list[NDArray[np.int32]]:
        """The convex hull of each ring, from its topmost, then leftmost point, clockwise."""
        points, offsets = measures.convex_hulls(self.points, self.offsets)
        bounds = offsets.tolist()
        return [points[a:b] for a, b in pairwise(bounds)]

    def min_area_rects(self) -> measures.RingRects:
        """The smallest rectangle, turned as need be, around each ring, as ``cv2.minAreaRect``.

        Arrays: ``corners (R, 4, 2)`` as cv2.boxPoints has them, ``centers (R, 2)``, ``sizes
        (R, 2)`` (width and height), ``angles (R,)`` in degrees.
        """
        return measures.min_area_rects(self.points, self.offsets)

    def _measured(self) -> measures.RingMeasures:
        if self._measures is None:
            found = measures.measure_rings(self.points, self.offsets)
            object.__setattr__(self, "_measures", found)
        assert self._measures is not None
        return self._measures
