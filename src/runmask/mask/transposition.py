"""Rows become columns."""

from __future__ import annotations

from typing import Self

from .. import _core
from .value import Value


class Transposition(Value):
    __slots__ = ()

    def transpose(self) -> Self:
        """The mask of the transposed image: pixel ``(y, x)`` becomes ``(x, y)``.

        O(runs + columns + runs of the result) when runs are few; where they are many,
        O(pixels / 64 + runs) in squares of packed bits, the same result.
        """
        return self._of(_core.transposed(self._runs, 0))

    @property
    def T(self) -> Self:  # noqa: N802, as NumPy calls it
        """:meth:`transpose`, as NumPy writes it."""
        return self.transpose()
