"""COCO: counts down the columns, as numbers or as the compressed string, and what wraps the string.

::

    {"size": [height, width], "counts": [clear, set, clear, ...]}      numbers that sum to the image
    {"size": [height, width], "counts": "52203"}                       the compressed string
    {"size": [height, width], "counts": base64 of the string}          nuScenes
    base64 of zlib of the string                                       Open Images
    {"size": [height, width], "zcounts": zlib of the string}           rlemasklib
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..errors import LimitError, MaskError
from .refusal import refusing

if TYPE_CHECKING:
    from numpy.typing import NDArray


def from_counts(counts: NDArray[np.int64], height: int, width: int) -> _core.Runs:
    """Raises MaskError with the index of the count."""
    with refusing("COCO counts", height, width, "count"):
        runs = _core.runs_from_counts(np.ascontiguousarray(counts), width, height, True)
    return _core.transposed(runs, 0)


def to_counts(runs: _core.Runs) -> NDArray[np.int64]:
    return np.asarray(_core.counts_from_runs(_core.transposed(runs, 0)))


def from_string(text: bytes, height: int, width: int) -> _core.Runs:
    """Raises MaskError with the index of the byte."""
    with refusing("COCO string", height, width):
        runs = _core.runs_from_coco(text, width, height)
    return _core.transposed(runs, 0)


def to_string(runs: _core.Runs) -> bytes:
    return _core.coco_from_runs(_core.transposed(runs, 0))


def from_base64(text: bytes) -> bytes:
    """The bytes within; blanks and line ends are no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MaskError(f"not base64: {error}; it begins {text[:20]!r}", code="base64") from None


def to_base64(data: bytes) -> bytes:
    return base64.b64encode(data)


def from_zlib(data: bytes, pixels: int) -> bytes:
    """The string within, which has fewer bytes than any for so many pixels needs."""
    limit = 3 * pixels + 64
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, limit)
    except zlib.error as error:
        raise MaskError(f"not zlib: {error}", code="zlib") from None
    if stream.unconsumed_tail:
        raise LimitError(f"more than {limit} bytes for {pixels} px", code="string_bytes")
    if not stream.eof:
        raise MaskError("the zlib data is cut off", code="zlib")
    if stream.unused_data:
        raise MaskError(f"{len(stream.unused_data)} bytes follow the zlib data", code="zlib")
    return text


def to_zlib(text: bytes) -> bytes:
    return zlib.compress(text)


def fields(obj: Any, *names: str) -> list[Any]:
    """The members of those names that are there, in their order; the first has to be."""
    if names[0] not in obj:
        raise MaskError(
            f"{names[0]!r} is missing; there is {sorted(map(str, obj))!r:.120}", code="missing_key"
        )
    return [obj.get(name) for name in names]
