"""One process works on a job at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
import warnings
from contextlib import suppress
from typing import Self

from ...errors import InputError, JournalLockedError, OutputError, shown

FILE = "journal.lock"
_SIGN_ATTEMPTS, _SIGN_S = 20, 0.02
_AFAR = ("nfs", "cifs", "smb", "9p", "ceph", "lustre", "gfs", "glusterfs", "afs", "fuse.sshfs")


class Ownership:
    """A lock on a folder, which ends with the process that holds it, however that ends.

    The file tells who has it, and is gone while nobody does.

    Raises
    ------
    JournalLockedError
        Another process has it.
    OutputError
        The folder cannot be written to.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, FILE)
        _warn_of_distance(folder)
        self._handle = self._taken()

    def _taken(self) -> int:
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW  # it is written over
            try:
                handle = os.open(self._path, flags, 0o600)
            except OSError as error:
                message = f"cannot write to {self._path!r}: {error.strerror}"
                raise OutputError(message, errno=error.errno, path=self._path) from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(self._path, handle):  # whoever let go may have removed it meanwhile
                    self._sign(handle)
                    return handle
            except OSError as error:
                refusal = self._refusal(handle, error)
                os.close(handle)
                raise refusal from error
            os.close(handle)

    def _sign(self, handle: int) -> None:
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        os.ftruncate(handle, 0)
        with suppress(OSError):  # a full disk: then nobody knows who it is, and the lock holds
            os.pwrite(handle, json.dumps(facts).encode(), 0)

    def _refusal(self, handle: int, error: OSError) -> Exception:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return InputError(
                f"the folder of {shown(self._path)} has no file locks ({error.strerror}), without"
                " which two processes could pay for the same image: give one on a local disk",
                code="no_locks",
            )
        pid, host, since = _signature(handle)
        who = "another process"
        if pid is not None:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
            who = f"process {pid} on {host}, since {when},"
        refusal = JournalLockedError(
            f"{who} works on this job ({self._path!r}); one at a time may", path=self._path
        )
        refusal.pid, refusal.host, refusal.since = pid, host, since
        return refusal

    def release(self) -> None:
        with suppress(OSError):
            os.unlink(self._path)
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_owned(folder: str) -> bool:
    """Whether a process works on the job in a folder just now."""
    try:
        handle = os.open(os.path.join(folder, FILE), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(handle)
    return False


def _signature(handle: int) -> tuple[int | None, str | None, float | None]:
    """Who has the lock. Whoever has only just got it takes a moment to sign."""
    for _ in range(_SIGN_ATTEMPTS):
        try:
            facts = json.loads(os.pread(handle, 1000, 0))
            return facts["pid"], facts["host"], facts["since"]
        except (OSError, ValueError, KeyError, TypeError):
            time.sleep(_SIGN_S)
    return None, None, None


def _is_at(path: str, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _warn_of_distance(folder: str) -> None:
    kind = file_system_of(folder)
    if kind.startswith(_AFAR):
        warnings.warn(
            f"{folder!r} is on a network file system ({kind}), where a journal may be damaged and"
            " a lock may not hold: a local disk is better",
            stacklevel=4,
        )


def file_system_of(folder: str) -> str:
    """What kind of file system a folder is on, in the system's word; empty if it does not tell."""
    path = os.path.realpath(folder)
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
            for line in mounts:
                _, point, name, *_ = line.split(" ")
                point = point.replace("\\040", " ")
                inside = path == point or path.startswith(point.rstrip("/") + "/")
                if inside and len(point) >= len(best):
                    best, kind = point, name
    except (OSError, ValueError):
        return ""
    return kind
