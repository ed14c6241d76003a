"""What can be measured on the runs."""

from __future__ import annotations

from typing import NamedTuple

from .. import _core
from .value import Value


class Box(NamedTuple):
    """A box of pixels; ``x1`` and ``y1`` are the first column and row behind it."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0


class Measures(Value):
    __slots__ = ()

    @property
    def area(self) -> int:
        """The number of pixels set. O(runs)."""
        return _core.area(self._runs)

    @property
    def fraction(self) -> float:
        """The share of pixels set, 0 to 1; 0 for an image without pixels. O(runs)."""
        pixels = self.height * self.width
        return self.area / pixels if pixels else 0.0

    @property
    def bbox(self) -> Box | None:
        """The smallest box that holds all set pixels, ends exclusive; None if there are none.

        O(runs).
        """
        return Box(*_core.bounding_box(self._runs)) if self else None
