"""Where results go: files that appear whole or not at all, under names that are safe."""

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .errors import OutputError, advised

__all__ = [
    "atomic_write",
    "distinct_names",
    "folded",
    "make_folder",
    "remove_leftovers",
    "reserved",
    "safe_name",
]

Data = bytes | bytearray | memoryview | Iterable[bytes]

# Bytes a name may take; a file system allows 255, and endings are still to come.
_NAME_BYTES = 160
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}
_TEMPORARY = re.compile(r"\.runmask-[0-9a-f]{16}\.tmp")
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_NO_ALLOCATION = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


def atomic_write(
    path: str | os.PathLike[str],
    data: Data,
    *,
    overwrite: bool = True,
) -> None:
    """Write a file so that its name shows either the old content or all of the new.

    The bytes go to a temporary file in the same folder, reach the disk, and take the name
    by a rename; the permissions follow the umask. A symbolic link is replaced, not followed.

    Parameters
    ----------
    path : str or path
        Its folder must exist.
    data : bytes-like, or an iterable of them
    overwrite : bool
        False refuses a name that is taken, also by one that appears while we write.

    Raises
    ------
    OutputError
        Whatever the cause (no space, no permission, name taken: code ``"exists"``); ``errno``
        and ``path`` are set, the temporary file is gone, the old file is as it was.
    """
    with reserved(path, 0, overwrite=overwrite) as write:
        write(data)


@contextlib.contextmanager
def reserved(
    path: str | os.PathLike[str], size: int, *, overwrite: bool = True
) -> Iterator[Callable[[Data], None]]:
    """Take the space on the disk for a file before it is known what will be in it.

    Gives the function that writes the file, as :func:`atomic_write` does. If it is not called,
    nothing is left. More than ``size`` bytes can be written, as long as there is space.

    Raises
    ------
    OutputError
        There is no space, no permission, or the name is taken; also from the function.
    """
    target = os.fspath(path)
    with contextlib.ExitStack() as stack:
        with _output_errors(target):
            folder = os.open(os.path.dirname(target) or ".", os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, folder)
            name = os.path.basename(target)
            _refuse_what_is_no_file(folder, name, overwrite)
            temporary = f".runmask-{secrets.token_hex(8)}.tmp"  # as _TEMPORARY has it
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(temporary, flags, 0o666, dir_fd=folder)
            stack.callback(_remove, temporary, folder)  # there is none if it took the name
            file = stack.enter_context(open(handle, "wb", buffering=0))
            if size:
                _allocate(handle, size)

        def write(data: Data) -> None:
            with _output_errors(target):
                _fill(file, data)
                if overwrite or not _took_free_name(folder, temporary, name):
                    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)

        yield write


@contextlib.contextmanager
def _output_errors(target: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise _output_error(target, error) from error


def _allocate(handle: int, size: int) -> None:
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno not in _NO_ALLOCATION:
            raise


def _fill(file: io.FileIO, data: Data) -> None:
    for chunk in (data,) if isinstance(data, (bytes, bytearray, memoryview)) else data:
        rest = memoryview(chunk).cast("B")
        while rest:
            rest = rest[file.write(rest) :]
    file.truncate()
    os.fsync(file.fileno())


def _remove(name: str, folder: int) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove what processes that were killed while they wrote have left in a folder.

    Only for a folder into which nobody writes just now.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if _TEMPORARY.fullmatch(entry.name):
                os.unlink(entry.path)


def _refuse_what_is_no_file(folder: int, name: str, overwrite: bool) -> None:
    # A rename would put a file in the place of a device such as /dev/stdout.
    try:
        mode = os.stat(name, dir_fd=folder).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "there is a folder of that name")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if not overwrite:
        raise FileExistsError(errno.EEXIST, "the file exists")


def _took_free_name(folder: int, temporary: str, name: str) -> bool:
    """Give the file its name only if that is free; False where hard links are unknown."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            return False
        raise
    os.unlink(temporary, dir_fd=folder)
    return True


def _output_error(target: str, error: OSError | ValueError) -> OutputError:
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    name = errno.errorcode.get(number or 0, "error")
    if isinstance(error, FileExistsError):
        return exists(target)
    message = f"cannot write {target!r}: {reason} ({name}); nothing was changed"
    return OutputError(message, errno=number, path=target)


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder for outputs unless it is there; ``OutputError`` if that cannot be."""
    try:
        os.makedirs(folder, exist_ok=True)
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else errno.EINVAL
        reason = error.strerror if isinstance(error, OSError) else error
        path = os.fspath(folder)
        message = f"cannot make the folder {path!r}: {reason}"
        raise OutputError(message, errno=number, path=path) from error


def exists(target: str, more: str = "") -> OutputError:
    """The error for a name that is taken."""
    message = f"{target!r} exists{more}"
    error = OutputError(message, code="exists", errno=errno.EEXIST, path=target)
    return advised(error, "overwrite=True replaces it")


def safe_name(text: str) -> str:
    """A file name made from any text: letters, digits, inner spaces, ``-``, ``_`` and ``.`` only.

    Text that had to change gets eight hex digits of its hash at the end, so that different
    texts keep different names. Never empty, never a path, at most 169 bytes.
    """
    composed = unicodedata.normalize("NFC", text)
    name = "".join(c if c.isalnum() or c in "-_. " else "_" for c in composed)
    name = name.lstrip("-. ").rstrip(". ")
    while len(name.encode("utf-8", "replace")) > _NAME_BYTES:
        name = name[:-1]
    if name and name == text and name.partition(".")[0].lower() not in _RESERVED:
        return name
    return f"{name or 'file'}-{_digest(text)}"


def distinct_names(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """A safe name without ending for each path, no two the same.

    Names are compared as file systems that ignore case or compose accents would. Where two
    would meet, each gets the hash of its full path; the same file given twice is the
    caller's to refuse.
    """
    paths = list(paths)
    names = [safe_name(Path(path).stem) for path in paths]
    seen = Counter(map(folded, names))
    distinct = [
        name if seen[folded(name)] == 1 else f"{name}-{_digest(os.path.abspath(path))}"
        for name, path in zip(names, paths, strict=True)
    ]
    if len(set(map(folded, distinct))) < len(distinct):  # a file is named like another's hash
        return [
            f"{name}-{_digest(os.path.abspath(path))}"
            for name, path in zip(names, paths, strict=True)
        ]
    return distinct


def folded(name: str) -> str:
    """What file systems that ignore case or compose accents take for the same name."""
    return unicodedata.normalize("NFKC", name).casefold()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
