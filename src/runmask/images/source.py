"""The bytes of an image, and which format they are."""

import os
import stat
import warnings

from ..errors import ImageError, InputError, LimitError, shown

Source = str | os.PathLike[str] | bytes | bytearray | memoryview

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
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "image"
    return shown(_path_of(source))


def _path_of(source: str | os.PathLike[str]) -> str:
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(f"{shown(source)}: not a path or bytes")
    return os.fspath(source)


def read_bytes(source: Source, name: str | None = None) -> bytes:
    """The whole content of a regular file, or of bytes that are there already.

    Raises
    ------
    ImageError
        The file cannot be opened or is not a regular one; it never waits for a writer.
    LimitError
        More than 1 GiB.
    """
    name = name or shown_name(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        if len(source) > MAX_BYTES:
            raise LimitError(f"{name}: {len(source)} bytes > the limit of {MAX_BYTES}")
        return bytes(source)
    try:
        return _read_regular_file(_path_of(source), name)
    except (OSError, ValueError) as error:
        if isinstance(error, (ImageError, LimitError)):
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


def format_of(source: Source) -> str | None:
    """The format of a file, by its first bytes; None if it is no image or cannot be read."""
    try:
        if isinstance(source, (bytes, bytearray, memoryview)):
            return sniff(bytes(source[:16]), "")
        handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # as above
        with open(handle, "rb", buffering=0) as file:
            return sniff(file.read(16) or b"", "")
    except (OSError, ValueError):
        return None


def named_as_image(name: str) -> bool:
    """Whether a name ends as those of readable images do."""
    return os.path.splitext(name)[1].lower() in _SUFFIXES


def warn_of_wrong_suffix(source: Source, fmt: str, name: str) -> None:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return
    said = _SUFFIXES.get(os.path.splitext(os.fspath(source))[1].lower(), fmt)
    if said != fmt:
        warnings.warn(f"{name} is named as {said} but holds {fmt}; read as {fmt}", stacklevel=4)
