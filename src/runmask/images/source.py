"""The bytes of an image, and which format they are."""

import os
import stat
import warnings
from typing import Any, Protocol

from ..errors import ImageError, InputError, LimitError, shown


class BinaryFile(Protocol):
    """What :func:`open` gives in a binary mode, ``io.BytesIO``, the body of an answer."""

    def read(self, size: int = ..., /) -> bytes: ...


Bytes = bytes | bytearray | memoryview
Source = str | os.PathLike[str] | Bytes | BinaryFile

# The largest file worth opening: 64 megapixels of 16-bit RGBA, twice.
MAX_BYTES = 2**30

_SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def shown_name(source: Source) -> str:
    """What to call the source in messages; control characters come out escaped."""
    if isinstance(source, Bytes) or hasattr(source, "read"):
        name = getattr(source, "name", None)
        return shown(name) if isinstance(name, str) else "image"
    return shown(_path_of(source))


def _path_of(source: Any) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    if hasattr(type(source), "__array__") or hasattr(type(source), "__array_interface__"):
        kind = type(source).__name__
        raise InputError(f"{kind}: pixels already, and no file that could be read")
    raise InputError(f"{shown(source)}: not a path, bytes, or a file opened in binary mode")


def read_bytes(source: Source, name: str | None = None) -> bytes:
    """The whole content of a regular file, or of bytes that are there already.

    A file object is read from where it stands to its end, and left open.

    Raises
    ------
    ImageError
        The file cannot be opened or is not a regular one; a path never waits for a writer.
    LimitError
        More than 1 GiB.
    """
    name = name or shown_name(source)
    if isinstance(source, Bytes):
        size = memoryview(source).nbytes
        if size > MAX_BYTES:
            raise LimitError(f"{name}: {size} bytes > the limit of {MAX_BYTES}")
        return bytes(source)
    try:
        if hasattr(source, "read"):
            return _read_file(source, name)
        return _read_regular_file(_path_of(source), name)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ImageError(f"cannot read {name}: {reason}", code="unreadable") from error


def _read_regular_file(path: str, name: str) -> bytes:
    # O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"cannot read {name}: not a regular file", code="unreadable")
        size, wanted = status.st_size, status.st_size + 1
        chunks: list[bytes] = []
        while size <= MAX_BYTES and (chunk := file.read(wanted)):
            chunks.append(chunk)
            size, wanted = sum(map(len, chunks)), 2**16  # more only if the file grows meanwhile
    if size > MAX_BYTES:
        raise LimitError(f"{name}: {size} bytes > the limit of {MAX_BYTES}")
    return b"".join(chunks)


def _read_file(file: Any, name: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := file.read(2**20):
        if not isinstance(chunk, bytes):
            raise InputError(f"{name}: read() gave {type(chunk).__name__}; open it with mode 'rb'")
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise LimitError(f"{name}: more than the limit of {MAX_BYTES} bytes")
    return b"".join(chunks)


def sniff(data: bytes, name: str) -> str:
    """PNG, JPEG, WEBP, BMP, TIFF, GIF or HEIF, by the first bytes; anything else is refused."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes)", code="empty")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "HEIF"
    if data.startswith(b"BM"):
        return "BMP"
    raise ImageError(
        f"{name} is no image of a known format: it begins with {data[:12]!r};"
        " readable are PNG, JPEG, WebP, BMP, TIFF, GIF, HEIC and HEIF",
        code="format",
    )


def format_of(source: str | os.PathLike[str] | Bytes) -> str | None:
    """The format of a file, by its first bytes; None if it is no image or cannot be read."""
    try:
        if isinstance(source, Bytes):
            return sniff(bytes(source[:16]), "")
        handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # as above
        with open(handle, "rb", buffering=0) as file:
            return sniff(file.read(16) or b"", "")
    except (OSError, ValueError):
        return None


def named_as_image(name: str) -> bool:
    """Whether a name ends as those of readable images do."""
    return format_named(name) is not None


def format_named(name: str) -> str | None:
    """The format that a name's ending stands for, of those that are read."""
    return _SUFFIXES.get(os.path.splitext(name)[1].lower())


def warn_of_wrong_suffix(source: Source, fmt: str, name: str) -> None:
    if not isinstance(source, (str, os.PathLike)):
        return
    said = _SUFFIXES.get(os.path.splitext(os.fspath(source))[1].lower(), fmt)
    if said != fmt:
        warnings.warn(f"{name} is named as {said} but holds {fmt}; read as {fmt}", stacklevel=4)
