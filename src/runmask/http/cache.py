"""Answers by content: the same image with the same options is not paid for twice.

One SQLite file, for any number of threads and processes. Who finds no answer takes a claim, asks,
and stores what came; whoever needs the same answer meanwhile waits for it. A claim ends with its
process, or with the time limit of its call.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import socket
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar

from ..detection import Detection
from ..errors import InputError, ResponseFormatError, StatusError, shown
from .retry import Call, Flow, Wait, blocking, out_of_time

T = TypeVar("T")

VERSION = 1
POLL_S = 0.05
_BUSY_S = 5.0

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, made REAL NOT NULL, used REAL NOT NULL,
    size INTEGER NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_use ON answers (used, size, key);
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL,
    until REAL NOT NULL);
"""


class Cache:
    """Answers of services, kept in a file. The file holds no key and no image, only hashes.

    Parameters
    ----------
    path : path
        Made if need be, readable by its owner only. Not on a network file system.
    max_bytes : int
        Of all answers together; those unused for longest go first.
    max_age : float
        Seconds until an answer is asked for anew: services change their detectors.

    Raises
    ------
    InputError
        The file cannot be made or opened, or is of a newer version of this library.

    Notes
    -----
    Hand one to as many clients as you like. A damaged file is moved aside, with a warning, and a
    new one begun. A cache that fails (a full disk) warns, and never costs the caller the answer.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 2**30,
        max_age: float = 30 * 86400.0,
    ) -> None:
        self.path = os.fspath(path)
        if max_bytes < 0 or not max_age > 0:
            raise InputError(f"max_bytes {max_bytes}, max_age {max_age}: not above 0")
        self.max_bytes = max_bytes
        self.max_age = max_age
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._process = os.getpid()
        try:
            with self._lock:
                self._connect()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise InputError(f"cache {shown(self.path)}: {error}", code="cache") from error

    def __repr__(self) -> str:
        return f"<Cache {self.path!r}>"

    def __len__(self) -> int:
        """How many answers there are."""
        return self._tried(
            lambda db: int(db.execute("SELECT count(*) FROM answers").fetchone()[0]), 0
        )

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        with self._lock:
            self._disconnect()

    def clear(self) -> None:
        """Forget all answers."""
        self._tried(lambda db: db.execute("DELETE FROM answers"), None)

    # -- what clients use

    def take(self, key: str, owner: str, seconds: float) -> bytes | Literal["claimed", "busy"]:
        """The answer; or ``"claimed"``: ask, then :meth:`put` or :meth:`release`; or ``"busy"``.

        ``owner`` names the call, which ends within so many seconds.
        """
        return self._tried(lambda db: self._take(db, key, owner, seconds), "claimed")

    def _take(
        self, db: sqlite3.Connection, key: str, owner: str, seconds: float
    ) -> bytes | Literal["claimed", "busy"]:
        now = time.time()
        found = db.execute(
            "SELECT made, digest, body FROM answers WHERE key = ?", (key,)
        ).fetchone()
        if found is not None:
            made, digest, body = found
            if abs(now - made) < self.max_age and hashlib.sha256(body).digest() == digest:
                db.execute("UPDATE answers SET used = ? WHERE key = ?", (now, key))
                return bytes(body)
            db.execute("DELETE FROM answers WHERE key = ?", (key,))
        claim = db.execute(
            "SELECT host, process, until FROM claims WHERE key = ?", (key,)
        ).fetchone()
        if claim is not None and _is_live(*claim, now=now):
            return "busy"
        db.execute(
            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?)",
            (key, owner, socket.gethostname(), os.getpid(), now + seconds),
        )
        return "claimed"

    def put(self, key: str, owner: str, body: bytes) -> None:
        """Store an answer, and end the claim."""

        def work(db: sqlite3.Connection) -> None:
            now = time.time()
            self._release(db, key, owner)
            if len(body) > self.max_bytes:
                return
            row = (key, now, now, len(body), hashlib.sha256(body).digest(), body)
            db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
            self._shrink(db, now)

        self._tried(work, None)

    def release(self, key: str, owner: str) -> None:
        """End a claim without an answer."""
        self._tried(lambda db: self._release(db, key, owner), None)

    def forget(self, key: str) -> None:
        self._tried(lambda db: db.execute("DELETE FROM answers WHERE key = ?", (key,)), None)

    # -- the file

    def _release(self, db: sqlite3.Connection, key: str, owner: str) -> None:
        db.execute("DELETE FROM claims WHERE key = ? AND owner = ?", (key, owner))

    def _shrink(self, db: sqlite3.Connection, now: float) -> None:
        db.execute("DELETE FROM answers WHERE made < ?", (now - self.max_age,))
        excess = db.execute("SELECT coalesce(sum(size), 0) FROM answers").fetchone()[0]
        excess -= self.max_bytes
        if excess <= 0:
            return
        for key, size in db.execute("SELECT key, size FROM answers ORDER BY used").fetchall():
            db.execute("DELETE FROM answers WHERE key = ?", (key,))
            excess -= size
            if excess <= 0:
                return

    def _tried(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """``work`` in one transaction; ``otherwise``, and a warning, if the file is of no use."""
        with self._lock:
            for mended in (False, True):
                try:
                    with self._transaction() as db:
                        return work(db)
                except (sqlite3.Error, OSError) as error:
                    if mended or not self._mend(error):
                        warnings.warn(f"the cache {self.path!r} failed: {error}", stacklevel=2)
                        return otherwise
        raise AssertionError  # for the type checker: the second round returns

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():  # SQLite's connections do not survive a fork
            self._database = None
            self._process = os.getpid()
        db = self._database or self._connect()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._inode = os.stat(self.path).st_ino
        db = sqlite3.connect(
            self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ValueError(f"its version {version} is newer than {VERSION}, this library's")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        except sqlite3.Error as error:
            db.close()
            if not self._mend(error):
                raise
            return self._connect()
        except BaseException:
            db.close()
            raise
        self._database = db
        return db

    def _disconnect(self) -> None:
        if self._database is not None and self._process == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def _mend(self, error: Exception) -> bool:
        """Move a damaged file aside, once: another process may have done so already."""
        if not isinstance(error, sqlite3.DatabaseError) or isinstance(
            error, (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
        ):
            return False
        self._disconnect()
        aside = f"{self.path}.damaged-{time.time_ns()}"
        try:
            if os.stat(self.path).st_ino == self._inode:
                os.replace(self.path, aside)
                for ending in ("-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(self.path + ending)
                warnings.warn(
                    f"the cache {self.path!r} is damaged ({error}): it is now {aside!r}, and a new"
                    " one begins",
                    stacklevel=3,
                )
        except OSError:
            return False
        return True


def _is_live(host: str, process: int, until: float, *, now: float) -> bool:
    if until <= now:
        return False
    if host != socket.gethostname():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def opened(cache: Cache | str | os.PathLike[str] | None) -> Cache | None:
    if cache is None or isinstance(cache, Cache):
        return cache
    if not isinstance(cache, (str, os.PathLike)):
        raise InputError(f"cache {shown(cache)}: not a Cache, a path or None")
    return Cache(cache)


def key_of(service: str, origin: str, options: Mapping[str, Any], data: bytes) -> str:
    """The name of an answer: what was asked, of whom, about which bytes."""
    asked = json.dumps([service, origin, options], sort_keys=True, default=repr)
    return hashlib.sha256(asked.encode() + hashlib.sha256(data).digest()).hexdigest()


Found = Detection | StatusError


def remembered(
    cache: Cache | None,
    keys: Sequence[str],
    call: Call,
    ask: Callable[[Sequence[int]], Flow[Sequence[Found]]],
    read: Callable[[bytes], Detection],
) -> Flow[list[Found]]:
    """The answer to each key: one that is kept, or what ``ask`` gets for its place, then kept.

    What another call asks for at this time is waited for, after what is ours has been asked: so
    no two calls wait for each other.
    """
    if cache is None:
        return list((yield from ask(range(len(keys)))))
    claims = _Claims(cache)
    found: dict[int, Found] = {}
    try:
        while len(found) < len(keys):
            ours = []
            for at, key in enumerate(keys):
                if at not in found:
                    state = yield from blocking(partial(claims.take, key, call.left(), read))
                    if isinstance(state, Detection):
                        found[at] = state
                    elif state == "claimed":
                        ours.append(at)
            if ours:
                answers = yield from ask(ours)
                for at, answer in zip(ours, answers, strict=True):
                    found[at] = answer
                    yield from blocking(partial(claims.settle, keys[at], answer))
            elif len(found) < len(keys):
                if call.left() <= POLL_S:
                    raise out_of_time(call)
                yield Wait(POLL_S)
    finally:  # also where the call was cancelled, and nothing more can be yielded
        claims.release()
    return [found[at] for at in range(len(keys))]


class _Claims:
    """The claims of one call."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._owner = secrets.token_hex(8)
        self._keys: set[str] = set()

    def take(
        self, key: str, seconds: float, read: Callable[[bytes], Detection]
    ) -> Detection | Literal["claimed", "busy"]:
        found = self._cache.take(key, self._owner, seconds)
        if isinstance(found, bytes):
            try:
                return read(found).marked_as_cached()
            except ResponseFormatError:  # by rules that are stricter now, or for this call
                self._cache.forget(key)
                return self.take(key, seconds, read)
        if found == "claimed":
            self._keys.add(key)
        return found

    def settle(self, key: str, answer: Found) -> None:
        self._keys.discard(key)
        if isinstance(answer, Detection):
            self._cache.put(key, self._owner, answer.raw)
        else:
            self._cache.release(key, self._owner)

    def release(self) -> None:
        for key in self._keys:
            self._cache.release(key, self._owner)


def first(answers: Sequence[Found]) -> Detection:
    """The answer to a call about one image."""
    [answer] = answers
    if isinstance(answer, StatusError):
        raise answer
    return answer
