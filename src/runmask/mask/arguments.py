"""What the readers of foreign masks are given: limits, texts, bytes and numbers, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, TypedDict

import numpy as np

from ..errors import InputError, LimitError, MaskError, MaskTypeError, shown
from ..formats import cvat
from .untrusted import MAX_PIXELS, MAX_RUNS, checked_shape, integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .. import _core
    from .untrusted import Numbers


class Limits(TypedDict, total=False):
    """As for :class:`Mask`: None is no limit."""

    max_pixels: int | None
    max_runs: int | None
    allow_empty: bool


def limited_shape(shape: tuple[SupportsIndex, SupportsIndex], limits: Limits) -> tuple[int, int]:
    unknown = set(limits) - Limits.__optional_keys__
    if unknown:
        raise TypeError(f"unexpected keyword arguments: {', '.join(sorted(unknown))}")
    return checked_shape(
        shape,
        max_pixels=limits.get("max_pixels", MAX_PIXELS),
        allow_empty=limits.get("allow_empty", False),
    )


def check_runs(runs: _core.Runs | int, limits: Limits) -> None:
    """For runs, or so many of them before they are read."""
    count = runs if isinstance(runs, int) else len(runs)
    most = limits.get("max_runs", MAX_RUNS)
    if most is not None and count > most:
        raise LimitError(f"{count} runs > max_runs {most}", code="max_runs")


def counts_array(values: Numbers, limits: Limits, name: str = "counts") -> NDArray[np.int64]:
    """Counts of pixels; those of a run are two."""
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__len__"):
        raise MaskTypeError(f"{name}: {type(values).__name__} is no sequence of integers")
    values = list(values) if isinstance(values, list | tuple) else values  # it may change meanwhile
    check_runs(max(0, len(values) // 2 - 1), limits)
    return integers(values, name, clip=False).astype(np.int64, copy=False)


def pair(values: Any, name: str) -> tuple[Any, Any]:
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__len__"):
        raise MaskTypeError(f"{name}: {type(values).__name__} is no pair of integers")
    if len(values) != 2:
        raise MaskError(f"{name}: {len(values)} items, not 2", code="length_mismatch")
    return values[0], values[1]


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MaskTypeError(f"{type(value).__name__}: not a dict of size and counts")
    return value


def ascii_bytes(text: object, name: str) -> bytes:
    """A text of characters that each are one byte."""
    if isinstance(text, (bytes, bytearray)):
        return bytes(text)
    if not isinstance(text, str):
        raise MaskTypeError(f"{name}: {type(text).__name__}, not str or bytes")
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as error:
        raise MaskError(
            f"{name}: the character {text[error.start]!r} at {error.start} is not in it",
            code="bad_character",
            index=error.start,
        ) from None


def octets(values: object, name: str) -> bytes:
    """Bytes, or integers from 0 to 255."""
    if isinstance(values, (bytes, bytearray, memoryview)):
        return bytes(values)
    if isinstance(values, (str, Mapping)) or not hasattr(values, "__len__"):
        raise MaskTypeError(f"{name}: {type(values).__name__}, not bytes")
    numbers = integers(values, name, clip=False)
    outside = (numbers < 0) | (numbers > 255)
    if outside.any():
        at = int(np.argmax(outside))
        raise MaskError(f"{name}[{at}] = {numbers[at]}: no byte", code="bad_byte", index=at)
    return numbers.astype(np.uint8).tobytes()


def cut_to_integers(values: Sequence[float] | NDArray[Any], name: str) -> NDArray[np.int64]:
    """Numbers of any kind, without their fractions."""
    try:
        numbers = np.asarray(values)
    except (TypeError, ValueError):
        numbers = np.empty((), object)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf":
        raise MaskTypeError(f"{name}: not a sequence of numbers")
    if numbers.dtype.kind != "f":
        return integers(numbers, name, clip=False).astype(np.int64, copy=False)
    bad = ~(np.abs(numbers) < 2.0**53)
    if bad.any():
        at = int(np.argmax(bad))
        raise MaskError(
            f"{name}[{at}] = {numbers[at]}: no number of pixels", code="not_finite", index=at
        )
    return numbers.astype(np.int64)


def labels_below(labels: int | Collection[int], bits: int) -> tuple[int, ...]:
    """Distinct numbers that pixels of so many bits can have."""
    single = isinstance(labels, (int, np.integer)) or not hasattr(labels, "__iter__")
    several: list[Any] = [labels] if single else list(labels)  # type: ignore[arg-type]
    for label in several:
        if isinstance(label, bool) or not isinstance(label, (int, np.integer)):
            raise MaskTypeError(f"label {shown(label)}: not an integer")
        if not 0 <= label < 2**bits:
            raise InputError(f"label {shown(label)}: pixels of {bits} bits are 0 to {2**bits - 1}")
    return tuple(map(int, several))


def check_kaggle(order: object, base: object, relative: bool) -> None:
    if not isinstance(order, str) or order not in ("rows", "columns"):
        raise InputError(f"order {shown(order)}: not 'rows' or 'columns'")
    if isinstance(base, bool) or base not in (0, 1):
        raise InputError(f"base {shown(base)}: not 0 or 1")
    if relative and base != 0:
        raise InputError("relative starts count clear pixels: their base is 0")


def cvat_points(attributes: Mapping[str, Any]) -> NDArray[np.int64]:
    """The points that CVAT's XML attributes stand for."""
    missing = {"rle", "left", "top", "width", "height"} - set(attributes)
    if missing:
        raise MaskError(f"CVAT attributes: {sorted(missing)} missing", code="missing_key")
    try:
        left, top, width, height = (
            int(attributes[name]) for name in ("left", "top", "width", "height")
        )
    except (TypeError, ValueError) as error:
        raise MaskTypeError(f"CVAT attributes: {error}") from None
    counts = cvat.numbers(ascii_bytes(attributes["rle"], "rle"))
    box = integers([left, top, left + width - 1, top + height - 1], "box", clip=False)
    return np.concatenate((counts, box))
