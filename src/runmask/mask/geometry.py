"""Masks cut, moved, turned, scaled and put together, on their runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from .. import _core
from ..errors import InputError, shown
from .measures import Box
from .untrusted import checked_shape
from .value import Value

if TYPE_CHECKING:
    from types import EllipsisType

    Slices = slice | EllipsisType | tuple[slice | EllipsisType, ...]

_FAR = 2**31  # further than any image is high or wide

# How a stored image becomes upright: rows and columns exchanged, then rows or columns reversed.
_UPRIGHT = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}

_TURNED = (_UPRIGHT[1], _UPRIGHT[8], _UPRIGHT[3], _UPRIGHT[6])  # by 90 degrees counterclockwise


class Geometry(Value):
    __slots__ = ()

    __iter__ = None
    """A mask is sliced, but it is no sequence of rows."""

    def __getitem__(self, key: Slices) -> Self:
        """The part ``mask[y0:y1, x0:x1]`` as a mask of its own, by NumPy's rules for slices.

        Negative bounds count from the end, bounds outside the image are cut, and ``mask[y0:y1]``
        keeps whole rows. Raises InputError for anything but slices of step 1; :meth:`Mask.at`
        reads one pixel. O(log runs + runs of the rows kept).
        """
        rows, columns = _two_slices(key)
        y0, y1 = _bounds(rows, "row", self.height)
        x0, x1 = _bounds(columns, "column", self.width)
        return self._of(_core.placed(self._runs, y1 - y0, x1 - x0, -y0, -x0, False))

    def crop_to_bbox(self) -> tuple[Self, Box]:
        """The smallest part that holds all set pixels, and where it lies: ``mask[y0:y1, x0:x1]``.

        Of a mask with no pixel set: 0 x 0, and a box of zeros. O(runs).
        """
        box = Box(*(_core.bounding_box(self._runs) if self else (0, 0, 0, 0)))
        return self[box.y0 : box.y1, box.x0 : box.x1], box

    def pad(
        self,
        top: SupportsIndex = 0,
        bottom: SupportsIndex = 0,
        left: SupportsIndex = 0,
        right: SupportsIndex = 0,
        value: bool = False,
    ) -> Self:
        """The mask with so many rows and columns around it, which are set if ``value``.

        Raises InputError for margins below zero and LimitError for sides above 2**31 - 1.
        O(runs), and O(rows) more where ``value`` is set beside the image.
        """
        margins = [
            _not_negative(name, margin)
            for name, margin in (("top", top), ("bottom", bottom), ("left", left), ("right", right))
        ]
        height, width = _checked_size(
            self.height + margins[0] + margins[1], self.width + margins[2] + margins[3]
        )
        return self._of(
            _core.placed(self._runs, height, width, margins[0], margins[2], bool(value))
        )

    def translate(self, dy: SupportsIndex, dx: SupportsIndex) -> Self:
        """The mask moved down by ``dy`` rows and right by ``dx`` columns; the image keeps its size.

        What leaves the image is lost, and what comes in is not set. O(runs).
        """
        top, left = (
            min(max(_integer(name, by), -_FAR), _FAR) for name, by in (("dy", dy), ("dx", dx))
        )
        return self._of(_core.placed(self._runs, self.height, self.width, top, left, False))

    def flip(self, axis: SupportsIndex | tuple[SupportsIndex, ...] | None = None) -> Self:
        """The order of pixels reversed along an axis, as :func:`numpy.flip` does it.

        ``axis=0`` turns the image upside down, ``axis=1`` exchanges left and right, None or
        ``(0, 1)`` does both. Raises InputError for other axes. O(runs), and O(rows) more for runs
        that cross row ends.
        """
        if axis is None:
            axes = {0, 1}
        else:
            axes = {_axis(each) for each in (axis if isinstance(axis, tuple) else (axis,))}
        return self._of(_core.oriented(self._runs, False, 0 in axes, 1 in axes))

    def rotate90(self, k: SupportsIndex = 1) -> Self:
        """The mask turned by ``k`` times 90 degrees counterclockwise, as :func:`numpy.rot90` does.

        Negative ``k`` turns clockwise. The cost of :meth:`flip`, and of :meth:`transpose` for odd
        ``k``.
        """
        return self._of(_core.oriented(self._runs, *_TURNED[_integer("k", k) % 4]))

    def orient(self, exif: SupportsIndex) -> Self:
        """The mask of the upright image, from that of the image as it is stored.

        ``exif`` is the value of the EXIF tag Orientation, 1 to 8, and the result that of Pillow's
        ``ImageOps.exif_transpose``: 6, say, turns clockwise by 90 degrees. For the way back, from
        upright to stored, give 8 in the place of 6 and 6 in the place of 8; the others undo
        themselves. Raises InputError for other values. The cost of :meth:`flip`, and of
        :meth:`transpose` for 5 to 8.
        """
        value = _integer("exif", exif)
        if value not in _UPRIGHT:
            raise InputError(f"exif {shown(value)}: the EXIF orientations are 1 to 8")
        return self._of(_core.oriented(self._runs, *_UPRIGHT[value]))

    def resize(self, shape: tuple[SupportsIndex, SupportsIndex]) -> Self:
        """The mask at another size, by nearest neighbour.

        Each new pixel is the old one that its centre lies in, the lower right one if it lies
        between two; exactly, at any size::

            y = (2 * np.arange(shape[0]) + 1) * mask.height // (2 * shape[0])
            x = (2 * np.arange(shape[1]) + 1) * mask.width // (2 * shape[1])
            mask.to_array()[np.ix_(y, x)]

        This is what cv2's INTER_NEAREST_EXACT gives for whole factors, up or down; elsewhere its
        own arithmetic takes the neighbour for centres that lie between two pixels or next to it.

        Raises InputError where a mask without pixels would have to give some. O(runs + runs of the
        result); rows in which runs are dense are sampled pixel by pixel, which is then faster.
        """
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        if height * width > 0 and self.height * self.width == 0:
            raise InputError(
                f"{self.height} x {self.width} has no pixel to fill {height} x {width} with"
            )
        return self._of(_core.resized(self._runs, height, width, 0))

    @classmethod
    def concatenate(cls, masks: Iterable[Self], axis: SupportsIndex = 0) -> Self:
        """Masks of one width below each other (``axis=0``) or of one height beside each other (1).

        Raises InputError for no masks and for masks that do not fit, LimitError for sides above
        2**31 - 1. O(runs) below each other, O(runs + rows * masks) beside.
        """
        beside = _axis(axis) == 1
        every = list(masks)
        if not every:
            raise InputError("no masks: their shape is unknown")
        side, common = ("heights", 0) if beside else ("widths", 1)
        for at, mask in enumerate(every):
            if not isinstance(mask, Value):
                raise InputError(f"item {at} is {type(mask).__name__}: not a Mask")
            if mask.shape[common] != every[0].shape[common]:
                raise InputError(
                    f"masks of different {side}: item 0 is {every[0].height} x {every[0].width} "
                    f"and item {at} is {mask.height} x {mask.width}"
                )
        total = sum(mask.shape[1 - common] for mask in every)
        _checked_size(*((every[0].height, total) if beside else (total, every[0].width)))
        return cls._of(_core.concatenated(tuple(mask._runs for mask in every), beside))

    def tile(self, reps: tuple[SupportsIndex, SupportsIndex]) -> Self:
        """The mask ``(ny, nx)`` times below and beside itself, as :func:`numpy.tile` does it.

        Raises InputError for numbers below zero and LimitError for sides above 2**31 - 1.
        O(runs of the result).
        """
        try:
            ny, nx = reps
        except (TypeError, ValueError):
            raise InputError(f"reps {shown(reps)}: not (ny, nx)") from None
        down, across = _not_negative("ny", ny), _not_negative("nx", nx)
        _checked_size(self.height * down, self.width * across)
        return self._of(_core.tiled(self._runs, down, across))


def _two_slices(key: Any) -> tuple[slice, slice]:
    parts = list(key) if isinstance(key, tuple) else [key]
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    if at is None:
        parts += [slice(None)] * (2 - len(parts))
    else:
        parts[at : at + 1] = [slice(None)] * (3 - len(parts))
    if len(parts) != 2 or not all(isinstance(part, slice) for part in parts):
        raise InputError(
            f"mask[{shown(key)}]: only mask[y0:y1, x0:x1] is possible; mask.at(y, x) reads a pixel"
        )
    rows, columns = parts
    return rows, columns


def _bounds(part: slice, name: str, size: int) -> tuple[int, int]:
    try:
        first, last, step = part.indices(size)
    except (TypeError, ValueError) as error:
        raise InputError(f"the {name} slice {shown(part)}: {error}") from None
    if step != 1:
        raise InputError(
            f"the {name} slice has step {shown(step)}: only 1 is possible; flip() reverses and "
            "resize() takes every other pixel"
        )
    return first, max(first, last)


def checked_window(window: Any, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of two slices, or of a box (x0, y0, x1, y1) within the image."""
    parts = window if isinstance(window, tuple) else (window,)
    if any(isinstance(part, slice) or part is Ellipsis for part in parts):
        rows, columns = _two_slices(window)
        y0, y1 = _bounds(rows, "row", shape[0])
        x0, x1 = _bounds(columns, "column", shape[1])
        return y0, x0, y1, x1
    try:
        numbers = [_integer("window", value) for value in window]
    except (TypeError, InputError):
        numbers = []
    if len(numbers) != 4:
        raise InputError(f"window {shown(window)}: neither two slices nor (x0, y0, x1, y1)")
    x0, y0, x1, y1 = (
        min(max(number, 0), side)
        for number, side in zip(numbers, (*shape[::-1], *shape[::-1]), strict=True)
    )
    if numbers[2] < numbers[0] or numbers[3] < numbers[1]:
        raise InputError(f"window {shown(window)}: ends before it begins; it is (x0, y0, x1, y1)")
    return y0, x0, y1, x1


def _integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{name} {shown(value)}: not an integer")
    return int(value.__index__())


def _not_negative(name: str, value: Any) -> int:
    number = _integer(name, value)
    if number < 0:
        raise InputError(f"{name} {shown(number)} is below zero")
    return number


def _axis(value: Any) -> int:
    number = _integer("axis", value)
    if not -2 <= number < 2:
        raise InputError(f"axis {shown(number)}: the rows are 0 and the columns 1")
    return number % 2


def _checked_size(height: int, width: int) -> tuple[int, int]:
    return checked_shape((height, width), max_pixels=None, allow_empty=True)
