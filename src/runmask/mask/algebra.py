"""Set algebra: masks of one image as sets of pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import _core
from ..errors import InputError, shown
from .value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Algebra(Value):
    """``&``, ``|``, ``-``, ``^`` and ``~``, and what follows from them.

    All of it is O(runs) when masks are sparse. Where runs are dense, the core works on packed bits,
    a block at a time: noise costs O(pixels / 64 + runs).
    """

    __slots__ = ()

    def __and__(self, other: Self) -> Self:
        return self._combined(other, _core.intersection)

    def __or__(self, other: Self) -> Self:
        return self._combined(other, _core.union)

    def __sub__(self, other: Self) -> Self:
        return self._combined(other, _core.difference)

    def __xor__(self, other: Self) -> Self:
        return self._combined(other, _core.symmetric_difference)

    def __invert__(self) -> Self:
        return self._of(_core.complement(self._runs))

    def _combined(
        self, other: Self, operation: Callable[[_core.Runs, _core.Runs], _core.Runs]
    ) -> Self:
        if not isinstance(other, Algebra):
            return NotImplemented
        _check_shapes(self, other)
        return self._of(operation(self._runs, other._runs))

    # -- of many

    @classmethod
    def union(cls, masks: Iterable[Self]) -> Self:
        """Pixels set in any of the masks. Raises InputError for none, or different shapes.

        O(runs log masks), or O(runs + masks * pixels / 64) where that is less.
        """
        runs = _checked_runs(masks)
        return cls._of(_core.at_least(runs, 1) if len(runs) > 1 else runs[0])

    @classmethod
    def intersection(cls, masks: Iterable[Self]) -> Self:
        """Pixels set in all of the masks. Raises InputError for none, or different shapes.

        O(runs log masks), or O(runs + masks * pixels / 64) where that is less.
        """
        runs = _checked_runs(masks)
        return cls._of(_core.at_least(runs, len(runs)) if len(runs) > 1 else runs[0])

    @classmethod
    def at_least(cls, masks: Iterable[Self], k: int) -> Self:
        """Pixels set in at least ``k`` of the masks: a vote.

        Raises InputError for no masks, different shapes, or a ``k`` below 1; more than there are
        masks gives an empty one. O(runs log masks), or O(masks * pixels / 64) where that is less.
        """
        runs = _checked_runs(masks)
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise InputError(f"k {shown(k)}: not an integer from 1")
        return cls._of(_core.at_least(runs, min(int(k), len(runs) + 1)))

    # -- how much of one is in the other

    def overlap(self, other: Self) -> int:
        """The number of pixels set in both. O(runs); nothing is made."""
        _check_shapes(self, other)
        return _core.overlap(self._runs, other._runs, 0)

    def iou(self, other: Self) -> float:
        """Pixels set in both over pixels set in either; 1 if neither has any. O(runs)."""
        common = self.overlap(other)
        either = _core.area(self._runs) + _core.area(other._runs) - common
        return common / either if either else 1.0

    def is_subset(self, other: Self) -> bool:
        """Whether every pixel set here is set there. O(runs)."""
        return self.overlap(other) == _core.area(self._runs)

    def is_disjoint(self, other: Self) -> bool:
        """Whether no pixel is set in both. O(runs)."""
        return self.overlap(other) == 0


def iou_matrix(
    a: Iterable[Algebra], b: Iterable[Algebra] | None = None, *, threads: int = 1
) -> NDArray[np.float64]:
    """:meth:`Mask.iou` of each mask of ``a`` with each of ``b`` (default: of ``a``), as an array.

    Returns float64 of shape ``(len(a), len(b))``; the result is the same for every number of
    threads. Raises InputError for different shapes. O(len(a) * len(b) * runs).
    """
    rows = list(a)
    columns = rows if b is None else list(b)
    threads = checked_threads(threads)
    if not rows or not columns:
        return np.zeros((len(rows), len(columns)))
    _checked_masks([*rows, *columns])
    common = np.empty((len(rows), len(columns)), np.uint64)
    first, second = (tuple(mask._runs for mask in masks) for masks in (rows, columns))
    _core.overlaps(first, second, threads, common)
    areas = [np.array([_core.area(runs) for runs in side], float) for side in (first, second)]
    either = areas[0][:, None] + areas[1][None, :] - common
    result: NDArray[np.float64] = np.where(either > 0, common / np.maximum(either, 1), 1.0)
    return result


def checked_threads(threads: object) -> int:
    """A number of threads; what is more than a machine can have is as good as 1024."""
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise InputError(f"threads {shown(threads)}: not a positive integer")
    return min(int(threads), 1024)


def _checked_masks(masks: Iterable[Any]) -> list[Any]:
    every = list(masks)
    if not every:
        raise InputError("no masks: their shape is unknown")
    for at, mask in enumerate(every):
        if not isinstance(mask, Algebra):
            raise InputError(f"item {at} is {type(mask).__name__}: not a Mask")
        _check_shapes(every[0], mask)
    return every


def _checked_runs(masks: Iterable[Any]) -> tuple[_core.Runs, ...]:
    return tuple(mask._runs for mask in _checked_masks(masks))


def _check_shapes(a: Value, b: Value) -> None:
    if not isinstance(b, Value):
        raise InputError(f"{type(b).__name__}: not a Mask")
    if a.shape != b.shape:
        raise InputError(
            f"masks of different shapes: {a.height} x {a.width} and {b.height} x {b.width}"
        )
