"""What a reader says when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import MaskError

_TEXTS = {
    "bad_character": "byte {at} is no character of it",
    "cut_off": "it ends inside what begins at byte {at}",
    "number_too_long": "the number at byte {at} is too long",
    "negative_count": "the number at {unit} {at} is a negative count of pixels",
    "counts_past_end": "{unit} {at} goes past the end of height*width = {height}*{width} = {total}",
    "counts_short": "it ends before height*width = {height}*{width} = {total}",
    "bad_header": "the head does not say 4 bytes for each of {height}*{width} = {total} pixels",
    "bad_point": "point {at} is not finite, or farther out than 2**32",
    "negative_start": "run {at} starts before the image",
    "negative_length": "run {at} has a negative length",
    "run_past_end": "run {at} goes past the end of height*width = {height}*{width} = {total}",
}


@contextmanager
def refusing(form: str, height: int, width: int, unit: str = "byte") -> Iterator[None]:
    """Makes the core's errors say which form was read and what its image is.

    ``unit`` is what the index of a count counts: ``"count"`` or ``"byte"``.
    """
    try:
        yield
    except MaskError as error:
        if error.code not in _TEXTS:
            raise
        values = {"at": error.index, "unit": unit, "height": height, "width": width}
        text = _TEXTS[error.code].format(total=height * width, **values)
        raise MaskError(f"{form}: {text}", code=error.code, index=error.index) from None
