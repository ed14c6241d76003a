"""What contours are: rings of one image as flat arrays, held immutably."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, SupportsIndex

import numpy as np

from .. import _core
from ..errors import InputError, counted, shown
from .flat import checked_rings
from .simplify import simplify_rings, simplify_together
from .tracing import Rings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .measures import RingMeasures
    from .simplify import Method

    FlatRings = tuple[NDArray[np.int32], NDArray[np.int64]]  # points and offsets

Outline = Literal["edge", "center"]
Connectivity = Literal[4, 8]


class Simplified(NamedTuple):
    """How rings were simplified: together with those of which masks, and which of them it is."""

    tolerance: float
    method: Method
    together: tuple[_core.Runs, ...]
    which: int


def simpler(every: list[FlatRings], tolerance: float, method: Method) -> list[FlatRings]:
    """The rings of several masks, simplified together."""
    if len(every) == 1:
        return [simplify_rings(*every[0], tolerance, method)]
    return simplify_together(every, tolerance, method)


class Value:
    """Rings. The rooms beside this one add what can be done with them."""

    __slots__ = (
        "__weakref__",
        "_measures",
        "_runs",
        "_simplified",
        "areas",
        "connectivity",
        "is_hole",
        "offsets",
        "outline",
        "parents",
        "points",
        "shape",
    )

    points: NDArray[np.int32]
    offsets: NDArray[np.int64]
    parents: NDArray[np.int32]
    is_hole: NDArray[np.bool_]
    areas: NDArray[np.float64]
    shape: tuple[int, int]
    outline: Outline
    connectivity: Connectivity
    _runs: _core.Runs  # what was traced
    _simplified: Simplified | None
    _measures: RingMeasures | None

    def __init__(self) -> None:
        raise TypeError("Contours are made by Mask.contours")

    @classmethod
    def _of(
        cls,
        rings: Rings,
        runs: _core.Runs,
        outline: Outline,
        connectivity: Connectivity,
        simplified: Simplified | None = None,
    ) -> Self:
        self = object.__new__(cls)
        values = {
            **rings._asdict(),
            "shape": (runs.height, runs.width),
            "outline": outline,
            "connectivity": connectivity,
            "_runs": runs,
            "_simplified": simplified,
            "_measures": None,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Contours are immutable: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Contours are immutable: {name!r} cannot be deleted")

    def __len__(self) -> int:
        return len(self.parents)

    def __getitem__(self, which: SupportsIndex) -> NDArray[np.int32]:
        try:
            ring = index(which)
        except TypeError:
            raise InputError(f"ring {shown(which)}: not an integer") from None
        if not -len(self) <= ring < len(self):
            raise IndexError(f"ring {ring} of {len(self)}")
        ring %= len(self)
        return self.points[self.offsets[ring] : self.offsets[ring + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        bounds = self.offsets.tolist()
        for first, last in pairwise(bounds):
            yield self.points[first:last]

    def __repr__(self) -> str:
        holes = int(np.count_nonzero(self.is_hole))
        height, width = self.shape
        return (
            f"Contours({self.outline}, {counted(len(self) - holes, 'part')} with "
            f"{counted(holes, 'hole')} of {height} x {width}, {counted(len(self.points), 'point')})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return self._kind() == other._kind() and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("offsets", "parents", "is_hole", "points")
        )

    def __hash__(self) -> int:
        return hash((self._kind(), self.offsets.tobytes(), self.points.tobytes()))

    def _kind(self) -> tuple[object, ...]:
        return self.shape, self.outline, self.connectivity

    def __reduce__(self) -> tuple[Any, ...]:
        rings = tuple(getattr(self, name) for name in Rings._fields)
        by: tuple[Any, ...] | None = None
        if self._simplified is not None:
            tolerance, method, together, which = self._simplified
            by = tolerance, method, tuple(map(_pair, together)), which
        kind = self.outline, self.connectivity
        return _restored, (type(self), rings, _pair(self._runs), *kind, by)


def _pair(runs: _core.Runs) -> tuple[Any, ...]:
    return np.asarray(runs.starts), np.asarray(runs.lengths), runs.height, runs.width


def _runs(starts: Any, lengths: Any, height: int, width: int) -> _core.Runs:
    if not all(isinstance(runs, np.ndarray) for runs in (starts, lengths)):
        raise InputError(f"the pickle holds no runs: {shown(starts)}, {shown(lengths)}")
    try:
        return _core.runs_from_pairs(
            starts.astype(np.int64), lengths.astype(np.int64), height, width, False
        )[0]
    except (OverflowError, TypeError):
        raise InputError(f"{shown(height)} x {shown(width)}: no size of an image") from None


def _checked(rings: tuple[Any, ...], height: int, width: int) -> Rings:
    """Rings of a pickle, which may be anybody's, or an InputError."""
    if not isinstance(rings, tuple) or len(rings) != len(Rings._fields):
        raise InputError(f"the pickle holds no rings: {shown(rings)}")
    points, offsets = checked_rings(*rings[:2])
    parents, is_hole, areas = rings[2:]
    count = len(offsets) - 1
    for name, array, kind in (
        ("parents", parents, np.int32),
        ("is_hole", is_hole, np.bool_),
        ("areas", areas, np.float64),
    ):
        if not isinstance(array, np.ndarray) or array.dtype != kind or array.shape != (count,):
            raise InputError(f"{name} {shown(array)}: not {np.dtype(kind)} ({count},)")
    outside = ((points < 0) | (points > (width, height))).any(axis=1)
    if outside.any():
        at = int(np.argmax(outside))
        raise InputError(f"point {at}: {tuple(points[at].tolist())} is outside {height} x {width}")
    # Parents stand before their children, and holes take turns with what is none.
    around = np.append(is_hole, True)[parents.clip(-1, count)]
    bad = (parents < -1) | (parents >= np.arange(count)) | (around == is_hole)
    if bad.any():
        at = int(np.argmax(bad))
        raise InputError(f"ring {at}: ring {parents[at]} cannot be its parent")
    for array in (points, offsets, parents, is_hole, areas):
        array.flags.writeable = False
    return Rings(points, offsets, parents, is_hole, areas)


def _restored(
    cls: type[Value],
    rings: tuple[Any, ...],
    runs: tuple[Any, ...],
    outline: Any,
    connectivity: Any,
    by: tuple[Any, ...] | None,
) -> Value:
    if (type(outline), type(connectivity)) != (str, int) or (
        outline not in ("edge", "center") or connectivity not in (4, 8)
    ):
        raise InputError(f"contours {shown(outline)}, {shown(connectivity)}: there are none such")
    traced = _runs(*runs)
    simplified = None
    if by is not None:
        tolerance, method, together, which = by
        every = tuple(_runs(*each) for each in together)
        if not (isinstance(which, int) and 0 <= which < len(every)):
            raise InputError(f"contours {shown(which)} of {len(every)} that were simplified")
        simplified = Simplified(tolerance, method, every, which)
    checked = _checked(rings, traced.height, traced.width)
    return cls._of(checked, traced, outline, connectivity, simplified)
