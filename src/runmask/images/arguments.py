"""Arguments that are no numbers, or not the numbers they should be."""

import operator
from collections.abc import Iterable
from typing import Any

from ..errors import ImageError, InputError, shown


def check_whole(value: Any, name: str, least: int, most: int | None = None) -> None:
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} {shown(value)} is not an integer") from None
    if number < least or (most is not None and number > most):
        allowed = f"{least} or more" if most is None else f"in {least}..{most}"
        raise InputError(f"{name} {shown(value)} is not {allowed}")


def check_orientation(value: Any) -> None:
    try:
        known = operator.index(value) in range(1, 9)
    except TypeError:
        known = False
    if not known:
        raise ImageError(f"orientation {shown(value)} is none of the EXIF tags 1..8")


def checked_shape(shape: Iterable[Any]) -> tuple[int, int]:
    """Height and width out of any two integers, those of an array too."""
    try:
        height, width = map(operator.index, shape)
    except (TypeError, ValueError):
        raise InputError(f"shape {shown(shape)}: not two integers, height and width") from None
    return height, width
