"""What every mask is: runs held immutably, with the shape of their image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import _core
from ..errors import InputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .untrusted import ReadReport


class Value:
    """Runs of one image. The rooms beside this one add what can be done with them."""

    __slots__ = ("__weakref__", "_hash", "_report", "_runs")

    _runs: _core.Runs
    _report: ReadReport | None
    _hash: int | None

    @classmethod
    def _of(cls, runs: _core.Runs, report: ReadReport | None = None) -> Self:
        self = object.__new__(cls)
        object.__setattr__(self, "_runs", runs)
        object.__setattr__(self, "_report", report)
        object.__setattr__(self, "_hash", None)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Mask is immutable: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Mask is immutable: {name!r} cannot be deleted")

    @property
    def starts(self) -> NDArray[np.integer[Any]]:
        """The flat index of each run's first pixel: a read-only view, sorted."""
        return np.asarray(self._runs.starts)

    @property
    def lengths(self) -> NDArray[np.integer[Any]]:
        """The number of pixels of each run: a read-only view."""
        return np.asarray(self._runs.lengths)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self._runs.height, self._runs.width

    @property
    def height(self) -> int:
        return self._runs.height

    @property
    def width(self) -> int:
        return self._runs.width

    @property
    def report(self) -> ReadReport | None:
        """What was found on reading, for a mask made from runs by hand; else None."""
        return self._report

    def __len__(self) -> int:
        """The number of runs."""
        return len(self._runs)

    def __bool__(self) -> bool:
        """Whether any pixel is set."""
        return len(self._runs) > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return (
            self.shape == other.shape
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.lengths, other.lengths)
        )

    def __hash__(self) -> int:
        if self._hash is None:
            value = hash((self.shape, self.starts.tobytes(), self.lengths.tobytes()))
            object.__setattr__(self, "_hash", value)
        assert self._hash is not None
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.starts, self.lengths, self.shape)


def _unpickle(
    cls: Any, starts: NDArray[Any], lengths: NDArray[Any], shape: tuple[int, int]
) -> Value:
    mask: Value = cls(starts, lengths, shape, max_pixels=None, max_runs=None, allow_empty=True)
    return mask


def row_range(rows: slice | None, height: int) -> tuple[int, int]:
    """First row and the one behind the last, of a slice of step 1."""
    if rows is None:
        return 0, height
    if not isinstance(rows, slice):
        raise InputError(f"rows {shown(rows)}: not a slice")
    try:
        top, bottom, step = rows.indices(height)
    except (TypeError, ValueError):
        top = bottom = step = 0
    if step != 1:
        raise InputError(f"rows {shown(rows)}: not a slice of integers with step 1")
    return top, max(top, bottom)
