"""Masks from arrays of pixels, and back."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import _core
from ..errors import InputError, shown
from ..foreign import array_of
from .algebra import checked_threads
from .value import Value, row_range

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


_BITS = (0, 1)


class Arrays(Value):
    __slots__ = ()

    @classmethod
    def from_array(cls, a: ArrayLike, threshold: float | None = None, *, threads: int = 1) -> Self:
        """The mask of an array ``(H, W)`` of bools or numbers, of any strides.

        A pixel is set where ``a`` is not zero, or, with a threshold, where ``a > threshold``.
        Raises InputError for other shapes and types, NaN and masked values. O(pixels).

        Up to ``threads`` threads look for runs, from a megapixel on; the result is the same for
        every number of them. They help with sparse masks most.
        """
        threads = checked_threads(threads)
        values = _plain_array(a)
        if threshold is not None:
            values = values > checked_threshold(threshold)
        elif values.dtype.itemsize != 1 or values.dtype.kind not in "biu":
            values = values != 0
        values = np.ascontiguousarray(values)
        height, width = values.shape
        return cls._of(_core.runs_from_pixels(values, height, width, threads))

    def to_array(
        self,
        out: NDArray[Any] | None = None,
        dtype: DTypeLike = np.uint8,
        values: tuple[Any, Any] = _BITS,
        rows: slice | None = None,
        *,
        threads: int = 1,
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
        threads : int
            Up to so many threads share the work, from a megapixel on; the pixels are the same for
            every number of them.

        Raises InputError for an ``out`` of another shape or type. O(runs + pixels); one-byte types
        in contiguous arrays are written directly, others through a band of bytes.
        """
        runs = self._runs
        if threads.__class__ is not int or threads != 1:
            threads = checked_threads(threads)
        if out is None and rows is None and dtype is np.uint8 and values is _BITS:
            out = np.empty((runs.height, runs.width), np.uint8)
            _core.pixels_from_runs(runs, 0, runs.height * runs.width, 0, 1, out, threads)
            return out
        top, bottom = row_range(rows, runs.height)
        shape = (bottom - top, runs.width)
        if out is None:
            out = np.empty(shape, dtype)
        else:
            _check_out(out, shape, dtype)
        pair = _as_bytes(values, out.dtype)
        if pair is not None and out.flags.c_contiguous:
            first, last = top * runs.width, bottom * runs.width
            _core.pixels_from_runs(runs, first, last, *pair, out, threads)
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
            _core.pixels_from_runs(self._runs, first, first + part.size, 0, 1, part, 1)
            out[row : row + step] = choices[part]
        return out

    __array_ufunc__ = None
    """No operator mixes masks and arrays: :meth:`Mask.from_array` makes a mask of an array."""

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a Mask holds runs: an array of its pixels is always a copy")
        return self.to_array(dtype=bool if dtype is None else dtype)


def checked_threshold(threshold: object) -> Any:
    number = isinstance(threshold, Real) and not isinstance(threshold, bool)
    if not number or threshold != threshold:
        raise InputError(f"threshold {shown(threshold)}: not a number")
    return threshold


def _plain_array(a: ArrayLike) -> NDArray[Any]:
    if isinstance(a, np.ma.MaskedArray):
        if np.ma.is_masked(a):
            raise InputError("the array has masked values; fill them first")
        a = a.data
    values = array_of(a, "what should be pixels")
    if values.ndim != 2:
        raise InputError(f"an array of shape {values.shape}: not 2-D (height, width)")
    if values.dtype.kind not in "biuf":
        raise InputError(f"an array of type {values.dtype}: not bool or numbers")
    if values.dtype.kind == "f" and np.isnan(values).any():
        y, x = np.argwhere(np.isnan(values))[0]
        raise InputError(f"the value at row {y}, column {x} is NaN", code="nan")
    return values


def _check_out(out: object, shape: tuple[int, int], dtype: DTypeLike) -> None:
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise InputError(f"out is {type(out).__name__}: not a plain NumPy array")
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
    if values is _BITS:
        return (0, 1) if dtype.itemsize == 1 else None
    given = _two_numbers(values)
    pair = given.astype(dtype) if given is not None else None
    exact = dtype.kind != "f"  # floats may round
    if given is None or pair is None or (exact and (pair != given).any()):
        raise InputError(f"values {shown(values)}: not two values that {dtype} can hold")
    if dtype.itemsize != 1:
        return None
    off, on = pair.view(np.uint8).tolist()
    return off, on


def _two_numbers(values: Any) -> NDArray[Any] | None:
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, OverflowError):
        return None
    return given if given.shape == (2,) and given.dtype.kind in "biuf" else None
