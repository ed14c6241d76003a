"""``Mask``: an immutable run-length mask.

A mask is a height, a width and runs over the flattened, row-major image: pixel ``(y, x)`` has the
index ``y * width + x``. Runs are kept canonical (sorted, disjoint, not touching, not empty), so
that two masks of the same pixels have the same runs. A run may cross row ends.

``starts`` and ``lengths`` are int32 for images below 2**31 pixels and int64 from there on: at
4096 x 4096 pixels of noise, int64 makes encoding 1.7 times slower for no use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, SupportsIndex

import numpy as np

from . import _core, formats
from .errors import InputError, MaskError
from .untrusted import (
    MAX_PIXELS,
    MAX_RUNS,
    Policy,
    ReadReport,
    checked_shape,
    read_runs,
    warn_of_clipping,
    why_not_canonical,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .untrusted import Numbers


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


class Mask:
    """A binary mask of ``shape == (height, width)``, held as runs.

    Parameters
    ----------
    starts, lengths : sequence of int, or integer array
        The runs: flat indices and numbers of pixels. Any order; runs may overlap, touch and be
        empty: the mask is their union. Bools, floats and strings are no integers here.
    shape : (int, int)
        Height and width.
    policy : {"strict", "clip"}
        What happens to runs that leave the image (and to negative lengths): an error, or the part
        inside is kept, :attr:`report` counts the rest and one warning is given. Nothing wraps.
    max_pixels, max_runs : int or None
        Limits, checked before memory is taken. None: no limit.
    allow_empty : bool
        Accept a height or width of zero.
    require_canonical : bool
        Refuse runs that are not sorted, disjoint, apart and not empty.

    Raises
    ------
    MaskError
        A run leaves the image, or the arrays differ in length. Says which run, and the arithmetic.
    MaskTypeError
        Something is not an integer.
    LimitError
        The shape is not positive, or a limit is passed.

    Notes
    -----
    O(runs), and O(runs log runs) if they are not sorted.
    """

    __slots__ = ("__weakref__", "_hash", "_report", "_runs")

    _runs: _core.Runs
    _report: ReadReport | None
    _hash: int | None

    def __new__(
        cls,
        starts: Numbers,
        lengths: Numbers,
        shape: tuple[SupportsIndex, SupportsIndex],
        policy: Policy = "strict",
        *,
        max_pixels: int | None = MAX_PIXELS,
        max_runs: int | None = MAX_RUNS,
        allow_empty: bool = False,
        require_canonical: bool = False,
    ) -> Self:
        if policy not in ("strict", "clip"):
            raise InputError(f"policy {policy!r}: not 'strict' or 'clip'")
        height, width = checked_shape(shape, max_pixels=max_pixels, allow_empty=allow_empty)
        clip = policy == "clip"
        runs, report = read_runs(starts, lengths, height, width, clip=clip, max_runs=max_runs)
        if require_canonical and not report.canonical:
            raise MaskError(
                f"the runs are not canonical: {why_not_canonical(report)}", code="not_canonical"
            )
        warn_of_clipping(report, height, width, stacklevel=2)
        return cls._of(runs, report)

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

    # -- other ways to make one

    @classmethod
    def from_array(cls, a: ArrayLike, threshold: float | None = None) -> Self:
        """The mask of an array ``(H, W)`` of bools or numbers, of any strides.

        A pixel is set where ``a`` is not zero, or, with a threshold, where ``a > threshold``.
        Raises InputError for other shapes and types, NaN and masked values. O(pixels).
        """
        values = _plain_array(a)
        if threshold is not None:
            values = values > threshold
        elif values.dtype.itemsize != 1 or values.dtype.kind not in "biu":
            values = values != 0
        values = np.ascontiguousarray(values)
        height, width = values.shape
        return cls._of(_core.runs_from_pixels(values, height, width))

    @classmethod
    def from_response(
        cls, body: bytes | str | dict[str, Any], policy: Policy = "strict", **limits: Any
    ) -> Self:
        """The mask in a Copyleaks answer or webhook: its JSON, or the dict read from it.

        ``limits`` are ``max_pixels`` and ``max_runs``. Raises ResponseFormatError if the body is no
        such answer, and what :class:`Mask` raises.
        """
        starts, lengths, shape = formats.response_runs(body)
        return cls(starts, lengths, shape, policy, **limits)

    @classmethod
    def empty(cls, shape: tuple[SupportsIndex, SupportsIndex]) -> Self:
        """No pixel set."""
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        return cls((), (), (height, width), max_pixels=None, allow_empty=True)

    @classmethod
    def full(cls, shape: tuple[SupportsIndex, SupportsIndex]) -> Self:
        """All pixels set."""
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        return cls((0,), (height * width,), (height, width), max_pixels=None, allow_empty=True)

    # -- what it holds

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

    # -- measures

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

    # -- pixels

    def to_array(
        self,
        out: NDArray[Any] | None = None,
        dtype: DTypeLike = np.uint8,
        values: tuple[Any, Any] = (0, 1),
        rows: slice | None = None,
    ) -> NDArray[Any]:
        """The pixels as an array ``(H, W)``.

        Parameters
        ----------
        out : ndarray, optional
            Where to write; it is returned. Of the right shape, writable, and of type ``dtype`` if
            that is given too.
        dtype : dtype
            The type of a new array.
        values : (outside, inside)
            What to write for pixels that are not set and for those that are.
        rows : slice, optional
            Only these rows: an image larger than memory can be decoded band by band. Step 1.

        Raises InputError for an ``out`` of another shape or type. O(runs + pixels); one-byte types
        in contiguous arrays are written directly, others through a band of bytes.
        """
        runs = self._runs
        if out is None and rows is None and dtype is np.uint8 and values == (0, 1):
            out = np.empty((runs.height, runs.width), np.uint8)
            _core.pixels_from_runs(runs, 0, runs.height * runs.width, 0, 1, out)
            return out
        top, bottom = _row_range(rows, runs.height)
        shape = (bottom - top, runs.width)
        if out is None:
            out = np.empty(shape, dtype)
        else:
            _check_out(out, shape, dtype)
        pair = _as_bytes(values, out.dtype)
        if pair is not None and out.flags.c_contiguous:
            first, last = top * runs.width, bottom * runs.width
            _core.pixels_from_runs(runs, first, last, *pair, out)
            return out
        return self._write_bands(out, top, values)

    def _write_bands(self, out: NDArray[Any], top: int, values: tuple[Any, Any]) -> NDArray[Any]:
        choices = np.asarray(values).astype(out.dtype)
        width = self.width
        step = max(1, 2**18 // max(width, 1))
        band = np.empty((step, width), np.uint8)
        for row in range(0, out.shape[0], step):
            part = band[: out.shape[0] - row]
            first = (top + row) * width
            _core.pixels_from_runs(self._runs, first, first + part.size, 0, 1, part)
            out[row : row + step] = choices[part]
        return out

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a Mask holds runs: an array of its pixels is always a copy")
        return self.to_array(dtype=bool if dtype is None else dtype)

    # -- comparison

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
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

    def __repr__(self) -> str:
        return (
            f"Mask({self.height} x {self.width}, {len(self)} runs, "
            f"{self.area} px, {self.fraction:.2%})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.starts, self.lengths, self.shape)


def _unpickle(
    cls: type[Mask], starts: NDArray[Any], lengths: NDArray[Any], shape: tuple[int, int]
) -> Mask:
    return cls(starts, lengths, shape, max_pixels=None, max_runs=None, allow_empty=True)


# -- arrays in


def _plain_array(a: ArrayLike) -> NDArray[Any]:
    if isinstance(a, np.ma.MaskedArray) and np.ma.is_masked(a):
        raise InputError("the array has masked values; fill them first")
    try:
        values = np.asarray(a)
    except (TypeError, ValueError) as error:
        raise InputError(f"not an array of numbers: {error}") from None
    if values.ndim != 2:
        raise InputError(f"an array of shape {values.shape}: not 2-D (height, width)")
    if values.dtype.kind not in "biuf":
        raise InputError(f"an array of type {values.dtype}: not bool or numbers")
    if values.dtype.kind == "f" and np.isnan(values).any():
        y, x = np.argwhere(np.isnan(values))[0]
        raise InputError(f"the value at row {y}, column {x} is NaN", code="nan")
    return values


# -- arrays out


def _row_range(rows: slice | None, height: int) -> tuple[int, int]:
    if rows is None:
        return 0, height
    if not isinstance(rows, slice):
        raise InputError(f"rows {rows!r:.80}: not a slice")
    top, bottom, step = rows.indices(height)
    if step != 1:
        raise InputError(f"rows has step {step}: only 1 is possible")
    return top, max(top, bottom)


def _check_out(out: object, shape: tuple[int, int], dtype: DTypeLike) -> None:
    if not isinstance(out, np.ndarray):
        raise InputError(f"out is {type(out).__name__}: not a NumPy array")
    if out.shape != shape:
        raise InputError(f"out has shape {out.shape}: not {shape}")
    if not out.flags.writeable:
        raise InputError("out is read-only", code="readonly_output")
    if dtype is not np.uint8 and out.dtype != np.dtype(dtype):
        raise InputError(f"out is of type {out.dtype}, and dtype is {np.dtype(dtype)}")
    if out.dtype.kind not in "biuf":
        raise InputError(f"out is of type {out.dtype}: not bool or numbers")


def _as_bytes(values: tuple[Any, Any], dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """Both values as the bytes that an array of a one-byte type holds; None for other types."""
    if values == (0, 1):
        return (0, 1) if dtype.itemsize == 1 else None
    try:
        off, on = values
        with np.errstate(all="raise"):
            pair = np.array([off, on], dtype)
    except (TypeError, ValueError, OverflowError, FloatingPointError) as error:
        raise InputError(f"values {values!r:.80}: not two values of type {dtype}") from error
    if dtype.itemsize != 1:
        return None
    off_byte, on_byte = pair.view(np.uint8).tolist()
    return off_byte, on_byte
