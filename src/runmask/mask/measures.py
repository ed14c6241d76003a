"""What can be measured on the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, SupportsIndex

import numpy as np

from .. import _core
from ..errors import InputError, shown
from ..formats import run_triples
from .value import Value, row_range

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


class Moments(NamedTuple):
    """Raw moments: ``m21`` is the sum of ``x * x * y`` over the pixels set, as in cv2.moments."""

    m00: float
    m10: float
    m01: float
    m20: float
    m11: float
    m02: float
    m30: float
    m21: float
    m12: float
    m03: float


class RowRuns(NamedTuple):
    """Runs cut at row ends, in order: row, first column, the column behind the last. All int32."""

    y: NDArray[np.int32]
    x0: NDArray[np.int32]
    x1: NDArray[np.int32]


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

    @property
    def centroid(self) -> tuple[float, float] | None:
        """The mean ``(x, y)`` of the pixels set; None if there are none. O(runs).

        Of indices: the middle of pixel (0, 0) is (0, 0) here, and (0.5, 0.5) for rings on the edges
        of pixels.
        """
        if not self:
            return None
        found = self.moments()
        return found.m10 / found.m00, found.m01 / found.m00

    @property
    def perimeter(self) -> int:
        """The number of pixel edges between set and clear, the image's border included. O(runs).

        Left and right edges are the ends of the runs in each row; for upper and lower ones the mask
        is laid over itself one row lower.
        """
        beside = 2 * _core.count_row_runs(self._runs)
        return beside + 2 * (self.area - _core.overlap(self._runs, self._runs, self.width))

    def moments(self) -> Moments:
        """The raw moments up to the third order. O(runs)."""
        return Moments(*_core.moments(self._runs))

    def at(self, y: SupportsIndex, x: SupportsIndex) -> bool:
        """Whether a pixel is set. Raises InputError outside the image. O(log runs)."""
        return _core.is_set(self._runs, y.__index__(), x.__index__())

    def row_areas(self) -> NDArray[np.int64]:
        """The number of pixels set in each row, ``(H,)``. O(runs + height)."""
        areas = np.zeros(self.height, np.int64)
        _core.row_areas(self._runs, areas)
        return areas

    def column_areas(self) -> NDArray[np.int64]:
        """The number of pixels set in each column, ``(W,)``. O(runs + width)."""
        areas = np.zeros(self.width, np.int64)
        _core.column_areas(self._runs, areas)
        return areas

    def row_runs(self) -> RowRuns:
        """The runs cut at row ends. O(row runs): at most runs + height."""
        return RowRuns(*run_triples.cut_at_rows(self._runs))

    def to_packed(self, rows: slice | None = None, bitorder: str = "big") -> NDArray[np.uint8]:
        """The pixels as bits: ``np.packbits(mask.to_array(rows=rows), axis=1, bitorder=bitorder)``.

        Shape ``(H, (W + 7) // 8)``. O(runs + pixels / 64).
        """
        if bitorder not in ("big", "little"):
            raise InputError(f"bitorder {shown(bitorder)}: not 'big' or 'little'")
        top, bottom = row_range(rows, self.height)
        packed = np.empty((bottom - top, (self.width + 7) // 8), np.uint8)
        _core.pack(self._runs, top, bottom, bitorder == "big", packed)
        return packed
