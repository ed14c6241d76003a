"""Connected parts of a mask: found, measured and sorted out on its runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np

from .. import _core
from ..errors import InputError, LimitError, MaskTypeError, counted, shown
from .value import Value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .mask import Mask

Connectivity = Literal[4, 8]

_MAX_PIECES = 2**31 - 1
_MAX_AREA = 2**63 - 1


class Components:
    """The connected parts of a mask, as a table and as masks.

    The table is made of read-only arrays with one item for each part. Parts come in raster order
    of their first pixels, the order of ``scipy.ndimage.label`` and of OpenCV's 4-connected labels.

    ``len(parts)`` is their number and ``parts[i]`` a :class:`Mask` of part ``i``, in O(its runs)
    once the runs have been put in order by part, which the first call does. A slice, an array of
    bools or an array of distinct numbers gives the :class:`Components` of those parts, in that
    order: ``parts[parts.areas > 100]``.

    Attributes
    ----------
    areas : int64 (n,)
        Pixels of each part.
    boxes : int64 (n, 4)
        The smallest box that holds it: x0, y0, x1, y1, ends exclusive.
    centroids : float64 (n, 2)
        The mean x and y of its pixels.
    labels : int32
        The part of each of ``mask.row_runs()``. A run of the mask that crosses a row end may
        belong to several parts: its pixels are no neighbours there.
    mask : Mask
        All parts together.
    """

    __slots__ = ("_grouped", "areas", "boxes", "centroids", "labels", "mask")

    def __init__(
        self,
        mask: Mask,
        labels: NDArray[np.int32],
        areas: NDArray[np.int64],
        boxes: NDArray[np.int64],
        centroids: NDArray[np.float64],
    ) -> None:
        self.mask = mask
        self.labels = labels
        self.areas = areas
        self.boxes = boxes
        self.centroids = centroids
        for array in (labels, areas, boxes, centroids):
            array.flags.writeable = False
        self._grouped: tuple[_core.Runs, NDArray[np.int64]] | None = None

    def __len__(self) -> int:
        return len(self.areas)

    def __repr__(self) -> str:
        return f"Components({counted(len(self), 'part')} of {self.mask.height} x {self.mask.width})"

    def __iter__(self) -> Iterator[Mask]:
        for part in range(len(self)):
            yield self[part]

    @overload
    def __getitem__(self, which: int | np.integer[Any]) -> Mask: ...
    @overload
    def __getitem__(self, which: slice | ArrayLike) -> Components: ...
    def __getitem__(self, which: Any) -> Mask | Components:
        if not isinstance(which, (int, np.integer)) or isinstance(which, (bool, np.bool_)):
            return self._take(np.arange(len(self))[which])
        part = int(which)
        if not -len(self) <= part < len(self):
            raise IndexError(f"part {part} of {len(self)}")
        if self._grouped is None:
            grouped, ends = _core.group_parts(self.mask._runs, self.labels, len(self))
            self._grouped = grouped, np.asarray(ends).reshape(-1, 2)
        runs, bounds = self._grouped
        first, last = bounds[part].tolist()
        return self.mask._of(_core.part_of(runs, first, last))

    def filter(self, min_area: int = 0, max_area: int | None = None) -> Components:
        """The parts of at least ``min_area`` and at most ``max_area`` pixels. O(runs)."""
        least, most = checked_area(min_area, "min_area"), checked_area(max_area, "max_area")
        return self._take(np.flatnonzero((self.areas >= least) & (self.areas <= most)))

    def largest(self, n: int = 1) -> Components:
        """The ``n`` largest parts, or all if there are fewer, the largest first. O(runs)."""
        if isinstance(n, bool) or not hasattr(n, "__index__") or n.__index__() < 0:
            raise InputError(f"n {shown(n)}: not a number of parts")
        return self._take(np.argsort(-self.areas, kind="stable")[: n.__index__()])

    def to_label_array(self, out: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """An int32 array ``(H, W)``: 0 outside all parts, ``i + 1`` in part ``i``.

        ``out``, if given, is filled and returned; it must be such an array, writable and
        C-contiguous, else InputError. O(pixels).
        """
        if out is None:
            out = np.empty(self.mask.shape, np.int32)
        elif (
            not isinstance(out, np.ndarray)
            or out.shape != self.mask.shape
            or out.dtype != np.int32
            or not (out.flags.c_contiguous and out.flags.writeable)
        ):
            raise InputError(f"out: not a writable, C-contiguous int32 array {self.mask.shape}")
        _core.paint_labels(self.mask._runs, self.labels, out)
        return out

    def _take(self, parts: NDArray[np.intp]) -> Components:
        keep = np.zeros(len(self), np.uint8)
        keep[parts] = 1
        if parts.ndim != 1 or np.count_nonzero(keep) != len(parts):
            raise InputError("parts are chosen by a list of distinct numbers")
        number = np.zeros(len(self), np.int32)
        number[parts] = np.arange(len(parts), dtype=np.int32)
        return Components(
            self.mask._of(_core.select_parts(self.mask._runs, self.labels, keep)),
            number[self.labels[keep[self.labels] != 0]],
            self.areas[parts],
            self.boxes[parts],
            self.centroids[parts],
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Components, (self.mask, self.labels, self.areas, self.boxes, self.centroids)


class Parts(Value):
    """Connected parts and holes.

    ``connectivity`` is that of the set pixels: 4 (those that share an edge are neighbours) or 8
    (those that share a corner too). The background has the other one, so that it cannot pass
    between two pixels that are neighbours; a hole is a part of it that has no pixel on the image's
    border.
    """

    __slots__ = ()

    def components(self, connectivity: Connectivity = 8) -> Components:
        """The connected parts, labelled and measured in one pass over the runs.

        O(runs + rows that runs go through), memory too. Raises InputError for other
        connectivities and LimitError from 2**31 runs in rows on. Sources: He, Chao and Suzuki's
        run-based labelling (2008), with the measures gathered in the same scan (Bailey and
        Johnston, 2007).
        """
        return _components(self, checked_connectivity(connectivity))

    def holes(self, connectivity: Connectivity = 8) -> Components:
        """The holes, as parts of the background. O(runs + rows), memory too."""
        background = self._of(_core.complement(self._runs))
        parts = _components(background, 12 - checked_connectivity(connectivity))
        x0, y0, x1, y1 = parts.boxes.T
        inside = (x0 > 0) & (y0 > 0) & (x1 < self.width) & (y1 < self.height)
        return parts._take(np.flatnonzero(inside))

    def fill_holes(self, connectivity: Connectivity = 8, max_area: int | None = None) -> Self:
        """This mask and its holes, or only those of at most ``max_area`` pixels.

        With 8, what ``scipy.ndimage.binary_fill_holes`` gives. O(runs + rows), memory too.
        """
        most = checked_area(max_area, "max_area")
        check_pieces(self._runs, of_background=True)
        return self._of(_core.fill_holes(self._runs, checked_connectivity(connectivity), most))

    def remove_small(self, min_area: int, connectivity: Connectivity = 8) -> Self:
        """The connected parts of at least ``min_area`` pixels. O(runs + rows), memory too."""
        least = checked_area(min_area, "min_area")
        check_pieces(self._runs)
        return self._of(_core.remove_small(self._runs, checked_connectivity(connectivity), least))


def _components(mask: Value, connectivity: int) -> Components:
    check_pieces(mask._runs)
    labels, areas, boxes, centroids = _core.components(mask._runs, connectivity)
    return Components(
        mask,  # type: ignore[arg-type]  # every mask is a Mask
        np.asarray(labels),
        np.asarray(areas),
        np.asarray(boxes).reshape(-1, 4),
        np.asarray(centroids).view(np.float64).reshape(-1, 2),
    )


def check_pieces(runs: _core.Runs, *, of_background: bool = False) -> None:
    """Labels are int32; all but absurd masks pass without a look at their runs."""
    if len(runs) + runs.height < _MAX_PIECES:
        return
    pieces = _core.count_row_runs(_core.complement(runs) if of_background else runs)
    if pieces > _MAX_PIECES:
        raise LimitError(f"{pieces} runs in rows: at most {_MAX_PIECES} can be labelled")


def checked_connectivity(connectivity: object) -> int:
    whole = isinstance(connectivity, (int, np.integer)) and not isinstance(connectivity, bool)
    if not whole or connectivity not in (4, 8):
        raise InputError(f"connectivity {shown(connectivity)}: not 4 or 8")
    return 4 if connectivity == 4 else 8


def checked_area(value: Any, name: str) -> int:
    """Pixels as the core takes them; None is no limit."""
    if value is None:
        return _MAX_AREA
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise MaskTypeError(f"{name} {shown(value)}: not an integer", code="area")
    if value.__index__() < 0:
        raise InputError(f"{name} {shown(value)}: below 0")
    return min(int(value.__index__()), _MAX_AREA)
