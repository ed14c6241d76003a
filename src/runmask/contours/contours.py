"""``Contours``: the class itself, and contours made from contours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from ..errors import InputError
from . import svg
from .forms import Forms
from .measured import Measured
from .measures import measure_rings
from .tracing import MAX_CORNERS, Rings, traced
from .value import Connectivity, Outline, Simplified, simpler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .simplify import Method

_SHOWN_SIDE = 512
_SHOWN_POINTS = 2**15  # some 200 KB of text
_MOST_POINTS = 2**21  # that are simplified to show them


class Contours(Forms, Measured):
    """The rings of a mask, as :meth:`Mask.contours` gives them: an immutable value.

    ``len(contours)`` is the number of rings, ``contours[i]`` the points of one as an array
    ``(n, 2)`` and iteration goes through them. Rings are closed; the first point does not come
    again at the end. All arrays are read-only views.

    Attributes
    ----------
    points : int32 (P, 2)
        The points ``(x, y)`` of all rings, one ring after the other.
    offsets : int64 (R + 1,)
        Ring ``i`` has the points ``offsets[i]`` to ``offsets[i + 1]``, end exclusive.
    parents : int32 (R,)
        The ring next around each, or -1: of a hole the outer ring of its part, of an outer ring the
        hole that the part lies in. Parents stand before their children.
    is_hole : bool (R,)
        Whether a ring goes round a hole.
    areas : float64 (R,)
        What each ring encloses, by the shoelace formula: holes count below zero. On pixels' edges
        they add up to the area of the mask.
    shape : (int, int)
        Height and width of the image.
    outline, connectivity
        As they were given to :meth:`Mask.contours`.
    """

    __slots__ = ()

    @classmethod
    def of_runs(
        cls,
        runs: _core.Runs,
        outline: Outline,
        connectivity: Connectivity,
        max_corners: int = MAX_CORNERS,
        threads: int = 1,
    ) -> Contours:
        """The rings of canonical runs. Arguments are checked by those who call."""
        rings = traced(runs, outline, connectivity, max_corners, threads)
        return cls._of(rings, runs, outline, connectivity)

    def simplify(self, tolerance: float, method: Method = "douglas-peucker") -> Contours:
        """Rings with fewer points, all of them points of the traced ones, that do not cross.

        Parameters
        ----------
        tolerance : float
            In pixels. ``"douglas-peucker"``: what is left out lies no further from what stays.
            ``"visvalingam"``: triangles of an area up to ``tolerance ** 2`` go, as in
            ``shapely.coverage_simplify``. 0 leaves all as it is.
        method : {"douglas-peucker", "visvalingam"}

        Notes
        -----
        Number, order and nesting of the rings stay. Rings that are simplified already are traced
        anew: the result depends on the last tolerance alone. :func:`simplify_together` does it for
        masks that share borders.
        """
        return simplify_together([self], tolerance, method)[0]

    def _repr_svg_(self) -> str | None:
        """What a notebook shows: 512 pixels a side at most, simplified by less than one of them."""
        rings = self
        if _SHOWN_POINTS < len(self.points) <= _MOST_POINTS:
            rings = self.simplify(max(0.5, max(self.shape) / _SHOWN_SIDE / 2))
        if len(rings.points) > _SHOWN_POINTS or not all(self.shape):
            return None
        moved = self.outline == "center"
        return svg.document(rings.to_svg_path(), self.shape, moved, "#f00", repr(self), _SHOWN_SIDE)

    def _traced_anew(self) -> Contours:
        return Contours.of_runs(self._runs, self.outline, self.connectivity)

    def _with_points(
        self, points: NDArray[np.int32], offsets: NDArray[np.int64], by: Simplified
    ) -> Contours:
        twice_areas = measure_rings(points, offsets).twice_areas
        areas = twice_areas / (2 if self.outline == "edge" else -2)  # cv2's go the other way round
        areas.flags.writeable = False
        rings = Rings(points, offsets, self.parents, self.is_hole, areas)
        return self._of(rings, self._runs, self.outline, self.connectivity, by)


def simplify_together(
    contours: Sequence[Contours], tolerance: float, method: Method = "douglas-peucker"
) -> list[Contours]:
    """Contours of masks that touch each other, simplified so that shared borders stay shared.

    Parameters
    ----------
    contours : sequence of Contours
        Of one shape, one outline and one connectivity, such as those of the classes of an image.
    tolerance, method
        As for :meth:`Contours.simplify`.

    Raises
    ------
    InputError
        They do not fit each other, or the tolerance or method is none.
    """
    every = list(contours)
    for at, each in enumerate(every):
        if not isinstance(each, Contours):
            raise InputError(f"item {at} is {type(each).__name__}: not Contours")
        if each._kind() != every[0]._kind():
            raise InputError(f"items 0 and {at} differ in shape, outline or connectivity")
    plain = [each if each._simplified is None else each._traced_anew() for each in every]
    found = simpler([(each.points, each.offsets) for each in plain], tolerance, method)
    together = tuple(each._runs for each in every)
    return [
        each
        if tolerance == 0
        else each._with_points(*rings, Simplified(float(tolerance), method, together, which))
        for which, (each, rings) in enumerate(zip(plain, found, strict=True))
    ]
