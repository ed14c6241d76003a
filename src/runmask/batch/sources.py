"""Where one image is: its bytes, what they are called by their content, and whether they changed.

A source is the absolute path of a file, an ``http`` or ``https`` address, or an address in any
other scheme, which fsspec opens (``s3://bucket/photo.jpg``).
"""

from __future__ import annotations

import hashlib
import os
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from .. import images
from ..errors import (
    ImageError,
    InputError,
    LimitError,
    MissingDependencyError,
    UnsafeURLError,
    shown,
)

MAX_BYTES = 2**30

_WEB = ("http://", "https://")


def digest_of(data: bytes) -> str:
    """BLAKE2b of an image's bytes: 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def is_address(source: str) -> bool:
    return "://" in source


def is_web(source: str) -> bool:
    return source.lower().startswith(_WEB)


def local_path(source: str) -> str:
    """The absolute path of a file that is named by a path or a ``file://`` address."""
    if source.startswith("file://"):
        source = url2pathname(urlsplit(source).path)
    return os.path.abspath(source)


def stem_of(source: str) -> str:
    """What an image is called, without its ending."""
    path = unquote(urlsplit(source).path) if is_address(source) else source
    return os.path.splitext(os.path.basename(path.rstrip("/")))[0]


def relocated(source: str, photos: str) -> str:
    """Where the file of a path is in another folder: under as much of its path as is there.

    The same, if it is not there at all. O(depth of the path) look-ups.
    """
    if not photos or is_address(source):
        return source
    steps = source.strip(os.sep).split(os.sep)
    for at in range(len(steps)):
        path = os.path.join(photos, *steps[at:])
        if os.path.isfile(path):
            return path
    return source


def stamp_of(source: str) -> str:
    """What changes when a file is written to; empty for what is elsewhere or not there."""
    if is_address(source):
        return ""
    try:
        return stamp(os.stat(source))
    except (OSError, ValueError):
        return ""


def stamp(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def read_image(
    source: str, name: str | None = None, *, most: int = MAX_BYTES, loopback: bool = False
) -> bytes:
    """The bytes of an image, ``most`` at most. ``name`` is what messages call it.

    ``loopback`` allows web addresses on this machine; those in private networks are never asked.

    Raises
    ------
    ImageError, LimitError, UnsafeURLError, APIError
        It cannot be read, is too large, or its address is not asked or does not answer.
    """
    name = name or shown(source)
    if is_web(source):
        from ..http.download import fetch

        return fetch(source, max_bytes=most, allow_loopback=loopback)
    if is_address(source):
        return _read_remote(source, name, most)
    try:
        size = os.stat(source).st_size
    except (OSError, ValueError):
        size = 0  # reading it tells why
    if size > most:
        raise LimitError(f"{name} has {size:,} bytes > {most:,}", code="image_bytes")
    return images.read_bytes(source, name)


def _read_remote(source: str, name: str, most: int) -> bytes:
    file_system, path = remote(source)
    try:
        with file_system.open(path, "rb") as file:
            data: bytes = file.read(most + 1)
    except Exception as error:  # each of its file systems has errors of its own
        reason = f"{type(error).__name__}: {error}"[:200]
        raise ImageError(f"cannot read {name}: {reason}", code="unreadable") from error
    if len(data) > most:
        raise LimitError(f"{name} has more than {most:,} bytes", code="image_bytes")
    return data


def remote(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there. Raises InputError.

    A web address within a chain (``zip::http://...``) is refused: fsspec would ask hosts in private
    networks as well.
    """
    if any(web in address.lower() for web in _WEB):
        raise UnsafeURLError(f"{shown(address)}: a web address within another is not asked")
    try:
        import fsspec
    except ImportError as error:
        raise MissingDependencyError.of("fsspec", "batch", f"reading {address[:80]!r}") from error
    try:
        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    except Exception as error:  # an unknown scheme, a missing library, a bad configuration
        raise InputError(f"{shown(address)}: {type(error).__name__}: {error}"[:400]) from error
