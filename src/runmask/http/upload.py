"""The image that a caller hands over, as it will be sent: its bytes, its name, its type."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Literal

from ..errors import ImageError, InputError, LimitError, advised, shown
from ..images.source import read_bytes, sniff
from .preflight import SKIP, Limits, examine

Image = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
Encoding = Literal["multipart", "base64"]

MAX_NAME = 255

_SUFFIXES = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "HEIF": (".heic", ".heif"),
}
_MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
}


@dataclass(frozen=True, kw_only=True)
class Upload:
    data: bytes = field(repr=False)
    filename: str
    media_type: str


def prepare(image: Image, filename: str | None, limits: Limits, *, preflight: bool) -> Upload:
    """Read the image, judge it if asked to, and name it.

    A name that was not given is made from the file's, with an ending that fits the content.

    Raises
    ------
    ImageError, LimitError
        It cannot be read, or (preflight) the service would not take it.
    InputError
        ``filename`` cannot be used, or the image is no path, bytes or binary file.
    """
    data = _read(image, limits, preflight=preflight)
    kind = examine(data, limits) if preflight else _kind(data)
    if filename is None:
        filename = _made_name(_own_name(image), kind)
    else:
        _check_name(filename, limits, preflight=preflight)
    media_type = _MEDIA_TYPES.get(kind or "", "application/octet-stream")
    return Upload(data=data, filename=filename, media_type=media_type)


def prepare_all(
    images: Sequence[Image], limits: Limits, most: int, *, preflight: bool
) -> list[Upload]:
    """As :func:`prepare`, of 1 to ``most`` images. Errors tell which one they are about."""
    if isinstance(images, (str, bytes, bytearray, memoryview, os.PathLike)):
        message = f"images is {type(images).__name__}: not a list of images"
        raise advised(InputError(message), "for a single one there is check")
    check_count(len(images), most)
    uploads = []
    for at, image in enumerate(images):
        try:
            uploads.append(prepare(image, None, limits, preflight=preflight))
        except InputError as error:
            name = _own_name(image)
            error.args = (f"images[{at}]{name and f' ({name!r:.80})'}: {error}",)
            raise
    return uploads


def check_count(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise InputError(f"{count} images: 1 to {most} fit one request", code="batch_size")


def check_encoding(encoding: str) -> None:
    """Raises InputError."""
    if encoding not in ("multipart", "base64"):
        raise InputError(f"encoding {shown(encoding)}: not 'multipart' or 'base64'")


def _read(image: Image, limits: Limits, *, preflight: bool) -> bytes:
    if isinstance(image, (str, os.PathLike, bytes, bytearray, memoryview)):
        if preflight and isinstance(image, (str, os.PathLike)):
            _check_file_size(image, limits)
        return read_bytes(image)
    if not callable(getattr(image, "read", None)):
        raise InputError(f"image is {type(image).__name__}: not a path, bytes or a binary file")
    most = limits.max_bytes + 1 if preflight else None
    data = bytearray()
    while most is None or len(data) < most:  # a pipe gives what it has, not what was asked for
        chunk = image.read(-1 if most is None else most - len(data))
        if isinstance(chunk, str):
            raise InputError("image is a file opened as text: open it with mode 'rb'")
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise InputError(f"image.read() gave {type(chunk).__name__}: not bytes")
        if not chunk:
            break
        data += chunk
    return bytes(data)


def _check_file_size(path: str | os.PathLike[str], limits: Limits) -> None:
    """Before memory is taken; a file that is not there is reported by reading it."""
    try:
        size = os.stat(path).st_size
    except (OSError, ValueError):
        return
    if size > limits.max_bytes:
        message = f"{shown(os.fspath(path))} has {size:,} bytes: {limits.service} takes"
        error = LimitError(f"{message} {limits.max_bytes:,}", code="image_bytes")
        raise advised(error, SKIP)


def _kind(data: bytes) -> str | None:
    try:
        return sniff(data, "the image")
    except ImageError:
        return None


def _own_name(image: Image) -> str:
    if isinstance(image, (str, os.PathLike)):
        return os.path.basename(os.fspath(image))
    name = getattr(image, "name", None)
    return os.path.basename(name) if isinstance(name, str) else ""


def _made_name(name: str, kind: str | None) -> str:
    name = "".join(c if c.isprintable() else "_" for c in name)
    stem, suffix = os.path.splitext(name)
    fitting = _SUFFIXES.get(kind or "", (suffix.lower(),))
    if suffix.lower() in fitting:
        return f"{stem[: MAX_NAME - len(suffix)] or 'image'}{suffix}"
    if any(suffix.lower() in suffixes for suffixes in _SUFFIXES.values()):
        warnings.warn(f"{shown(name)} holds {kind}; sent as {fitting[0]}", stacklevel=4)
    return f"{stem[: MAX_NAME - 5] or 'image'}{fitting[0]}"


def _check_name(filename: str, limits: Limits, *, preflight: bool) -> None:
    if not isinstance(filename, str) or not 0 < len(filename) <= MAX_NAME:
        raise InputError(f"filename {shown(filename)}: not 1 to {MAX_NAME} characters")
    if not filename.isprintable() or "/" in filename or "\\" in filename:
        raise InputError(f"filename {shown(filename)}: has a control character, / or \\")
    suffixes = [end for kind, ends in _SUFFIXES.items() if kind in limits.formats for end in ends]
    if preflight and os.path.splitext(filename)[1].lower() not in suffixes:
        raise InputError(f"filename {shown(filename)}: its ending is none of {' '.join(suffixes)}")
