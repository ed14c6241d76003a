"""Runs from outside: numbers of any kind become canonical runs, or an error that names the bad one.

Nothing here trusts its input: not the types, not the sizes, not that arrays stay as they are.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex, cast

import numpy as np

from .. import _core
from ..errors import InputError, LimitError, MaskError, MaskTypeError, advised, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = Sequence[int] | NDArray[np.integer[Any]]

Policy = Literal["strict", "clip"]

MAX_PIXELS = 2**26
"""The default limit for masks read from untrusted runs: 67 megapixels."""

MAX_RUNS = 2**25
"""The default limit for the number of untrusted runs."""

_MAX_SIDE = 2**31 - 1
_INT64 = np.iinfo(np.int64)


class ReadReport(NamedTuple):
    """What was found in runs on reading them; :attr:`Mask.report`.

    ``sorted``, ``disjoint`` and ``canonical`` say how the runs came. The rest counts: runs of
    length zero, and under ``policy="clip"`` runs left out whole, runs cut, and the pixels left out.
    """

    sorted: bool = True
    disjoint: bool = True
    canonical: bool = True
    empty_runs: int = 0
    dropped_runs: int = 0
    clipped_runs: int = 0
    clipped_pixels: int = 0


class ClippedRunsWarning(UserWarning):
    """Runs reached outside the image, and ``policy="clip"`` left that part out."""


def read_runs(
    starts: Numbers,
    lengths: Numbers,
    height: int,
    width: int,
    *,
    clip: bool,
    max_runs: int | None,
) -> tuple[_core.Runs, ReadReport]:
    """Canonical runs of an image of checked size, and what was found on the way."""
    # Lists may change while they are read, and lie about their length: only a copy counts.
    starts = list(starts) if isinstance(starts, list | tuple) else starts
    lengths = list(lengths) if isinstance(lengths, list | tuple) else lengths
    _check_counts(starts, lengths, max_runs)
    if isinstance(starts, _core.Block) and isinstance(lengths, _core.Block):
        kept = _core.runs_from_blocks(starts, lengths, height, width)
        if kept is not None:
            return kept, ReadReport()
    first = integers(starts, "starts", clip=clip)
    second = integers(lengths, "lengths", clip=clip)
    _check_counts(first, second, max_runs)
    if first.dtype != second.dtype or height * width > np.iinfo(np.int32).max:
        first, second = first.astype(np.int64), second.astype(np.int64)
    try:
        runs, found = _core.runs_from_pairs(first, second, height, width, clip)
    except MaskError as error:
        at = cast(int, error.index)
        raise _bad_run(error, int(first[at]), int(second[at]), height, width) from None
    return runs, ReadReport(*found)


def warn_of_clipping(report: ReadReport, height: int, width: int, *, stacklevel: int) -> None:
    if report.dropped_runs or report.clipped_runs:
        warnings.warn(
            f"{report.dropped_runs} runs left out and {report.clipped_runs} cut: "
            f"{report.clipped_pixels} px lay outside {height} x {width}",
            ClippedRunsWarning,
            stacklevel=stacklevel + 1,
        )


def checked_shape(
    shape: tuple[SupportsIndex, SupportsIndex], *, max_pixels: int | None, allow_empty: bool
) -> tuple[int, int]:
    if not isinstance(shape, tuple | list | np.ndarray) or len(shape) != 2:
        raise InputError(f"shape {shown(shape)}: not (height, width)")
    sides = []
    for name, side in zip(("height", "width"), shape, strict=True):
        try:
            value = index(side)
        except TypeError:
            value = None
        if value is None or isinstance(side, bool | np.bool_):
            raise MaskTypeError(f"{name} {shown(side)}: not an integer", code="shape_type")
        if not (0 if allow_empty else 1) <= value <= _MAX_SIDE:
            least = 0 if allow_empty else 1
            error = LimitError(
                f"{name} {shown(value)}: not between {least} and {_MAX_SIDE}", code="side"
            )
            raise advised(error, "allow_empty=True accepts 0") if value == 0 else error
        sides.append(value)
    pixels = sides[0] * sides[1]
    if max_pixels is not None and pixels > max_pixels:
        raise LimitError(
            f"{sides[0]} x {sides[1]} = {pixels} px > max_pixels {max_pixels}", code="max_pixels"
        )
    return sides[0], sides[1]


def _check_counts(starts: object, lengths: object, max_runs: int | None) -> None:
    counts = []
    for name, runs in (("starts", starts), ("lengths", lengths)):
        try:
            counts.append(len(runs))  # type: ignore[arg-type]
        except (TypeError, ValueError):  # ValueError: a memoryview that was released
            raise MaskTypeError(
                f"{name}: {type(runs).__name__} is no sequence of integers"
            ) from None
    if counts[0] != counts[1]:
        raise MaskError(
            f"{counts[0]} starts but {counts[1]} lengths: each run has one of both",
            code="length_mismatch",
            index=min(counts),
        )
    if max_runs is not None and counts[0] > max_runs:
        raise LimitError(f"{counts[0]} runs > max_runs {max_runs}", code="max_runs")


def integers(values: object, name: str, *, clip: bool) -> NDArray[Any]:
    """One-dimensional, contiguous, native int32 or int64."""
    if not isinstance(values, (list, tuple)):
        found = _plain_buffer(values, name)
        if found.dtype.kind == "u" and found.dtype.itemsize == 8:
            return _from_uint64(found, name, clip=clip)
        if found.dtype.kind in "iu":
            small = found.dtype.kind == "i" and found.dtype.itemsize == 4
            return np.ascontiguousarray(found, np.int32 if small else np.int64)
        if found.dtype.kind != "O":
            at = f"[0] is {found[0]}" if len(found) else f" is of type {found.dtype}"
            if len(found) == 0 and found.dtype.kind == "f":  # what np.array([]) gives
                return np.empty(0, np.int64)
            raise MaskTypeError(f"{name}{at} ({found.dtype}): not an integer", index=0)
        values = found.tolist()
    items = cast("Sequence[Any]", values)
    if set(map(type, items)) <= {int}:
        try:
            return np.frombuffer(array("q", items), np.int64) if items else np.empty(0, np.int64)
        except OverflowError:
            pass
    return _one_by_one(items, name, clip=clip)


def _plain_buffer(values: object, name: str) -> NDArray[Any]:
    if isinstance(values, (str, bytes, bytearray)):
        raise MaskTypeError(f"{name}: {type(values).__name__} is no sequence of integers")
    try:
        found = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise MaskTypeError(f"{name}: not a sequence of integers ({error})") from None
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise MaskTypeError(f"{name}: has masked items")
    if found.ndim != 1:
        raise MaskTypeError(f"{name}: {found.ndim} dimensions, not 1")
    return found


def _from_uint64(values: NDArray[Any], name: str, *, clip: bool) -> NDArray[Any]:
    if len(values) and int(values.max()) > _INT64.max:
        if not clip:
            at = int(np.argmax(values > _INT64.max))
            raise _too_large(name, at, int(values[at]))
        values = np.minimum(values, np.uint64(_INT64.max))
    return values.astype(np.int64)


def _one_by_one(values: Sequence[object], name: str, *, clip: bool) -> NDArray[Any]:
    """The slow road: says which item is wrong, takes NumPy integers and integers of any size."""
    result = np.empty(len(values), np.int64)
    for at, value in enumerate(values):
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
            raise MaskTypeError(
                f"{name}[{at}] is {shown(value)} ({type(value).__name__}): not an integer", index=at
            )
        number = int(value)
        if not _INT64.min <= number <= _INT64.max:
            if not clip:
                raise _too_large(name, at, number)
            number = _INT64.max if number > 0 else _INT64.min
        result[at] = number
    return result


def _too_large(name: str, at: int, value: int) -> MaskError:
    return MaskError(
        f"{name}[{at}] = {shown(value)}: outside 64 bits, and far outside any image",
        code="run_past_end" if value > 0 else f"negative_{name.removesuffix('s')}",
        index=at,
    )


def _bad_run(error: MaskError, start: int, length: int, height: int, width: int) -> MaskError:
    total = height * width
    at = error.index
    if error.code == "negative_length":
        text = f"run {at}: length {length} is negative (start {start})"
    elif error.code == "negative_start":
        text = f"run {at}: start {start} is negative (length {length})"
    else:
        text = (
            f"run {at}: start {start} + length {length} = {start + length} exceeds height*width = "
            f"{height}*{width} = {total} by {start + length - total} px; if the image was rotated "
            f"or resized, check the shape"
        )
        if length == 0:
            text = f"run {at}: start {start} lies behind height*width = {height}*{width} = {total}"
    bad = MaskError(text, code=error.code, index=at)
    return bad if length == 0 else advised(bad, "policy='clip' keeps the part inside")


def why_not_canonical(report: ReadReport) -> str:
    if not report.sorted:
        return "not sorted"
    if not report.disjoint:
        return "some overlap"
    if report.empty_runs:
        return f"{report.empty_runs} are empty"
    return "some touch each other or leave the image"
