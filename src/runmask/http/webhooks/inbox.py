"""Webhooks on the disk: none is lost, and none has its effect twice.

A folder with one SQLite file, and beside it a file for each body that is large. What
:meth:`Inbox.store` has returned for survives the process and, as far as the disk keeps its word,
the power. Many deliveries that come at once share one commit.

The states of a delivery::

    new ──> done            its handler has run
     │  └─> new             its handler failed: again later
    late                    something about its subject came after the end: kept, without effect
    orphan ──> new, late    about a subject that nobody expects (yet)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ...errors import InputError, OutputError, shown
from .events import Event, Service

T = TypeVar("T")

VERSION = 1
SMALL = 256 * 1024  # bytes of a body that stands in the table
KEEP_AT_LEAST_S = 7 * 86400.0
MAX_PAUSE_S = 3600.0
_BUSY_S = 10.0
_FRESH_S = 86400.0

State = Literal["new", "done", "late", "orphan"]
Outcome = Literal["new", "late", "orphan", "repeated"]

_TABLES = """
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, service TEXT NOT NULL, digest BLOB NOT NULL, kind TEXT NOT NULL,
    subject TEXT, payload TEXT, ends INTEGER NOT NULL, received REAL NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0, fault TEXT, body BLOB, file TEXT, UNIQUE (service, digest));
CREATE INDEX IF NOT EXISTS by_state ON deliveries (state, due, id);
CREATE INDEX IF NOT EXISTS by_subject ON deliveries (service, subject);
CREATE TABLE IF NOT EXISTS subjects (
    service TEXT NOT NULL, subject TEXT NOT NULL, ended INTEGER NOT NULL DEFAULT 0,
    expected INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (service, subject));
"""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An event in the inbox: its number there, when it came (seconds since 1970), how often."""

    id: int
    event: Event
    received: float
    repeats: int
    state: State
    attempts: int
    fault: str | None


@dataclass
class _Slot:
    """A delivery on its way into the table, and what came of it."""

    event: Event
    digest: bytes
    file: str | None
    outcome: Outcome | None = None
    fault: Exception | None = None


class Inbox:
    """Verified webhooks, kept until they are dealt with.

    Parameters
    ----------
    folder : path
        Made if need be, for its owner only. Not on a network file system.
    only_expected : bool
        Give effect only to what is about a subject that :meth:`expect` has named; anything else is
        kept as an orphan, and comes to life when it is named. Default: everything has effect.
    create : bool
        Make it if there is none.

    Raises
    ------
    InputError
        The folder cannot be used, is damaged, or is of a newer version of this library.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        only_expected: bool = False,
        create: bool = True,
    ) -> None:
        self.folder = os.fspath(folder)
        self.only_expected = only_expected
        self._queue: list[_Slot] = []
        self._queue_lock = threading.Lock()
        self._lock = threading.Lock()
        self._process = os.getpid()
        if not create and not os.path.exists(self._path):
            raise InputError(f"inbox {shown(self.folder)}: there is none", code="inbox")
        try:
            os.makedirs(self._bodies, mode=0o700, exist_ok=True)
            self._database = self._connect()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise InputError(f"inbox {shown(self.folder)}: {error}", code="inbox") from error
        self._sweep()

    @property
    def _bodies(self) -> str:
        return os.path.join(self.folder, "bodies")

    @property
    def _path(self) -> str:
        return os.path.join(self.folder, "inbox.db")

    def __repr__(self) -> str:
        return f"<Inbox {self.folder!r}>"

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    # -- coming in

    def spool(self) -> tempfile.SpooledTemporaryFile[bytes]:
        """A file for a body while it comes: in memory as long as it is small."""
        return tempfile.SpooledTemporaryFile(max_size=SMALL, dir=self._bodies, prefix=".part-")

    def store(self, event: Event) -> Outcome:
        """Keep an event. When this returns it is on the disk.

        Returns ``"repeated"`` for one that was here before. Raises OutputError if it cannot be
        kept. From any number of threads; they share commits.
        """
        digest = hashlib.sha256(f"{event.service}/{event.subject}/".encode() + event.body).digest()
        try:
            file = None if len(event.body) <= SMALL else self._write_body(digest, event.body)
        except OSError as error:
            raise self._failed(error) from error
        slot = _Slot(event, digest, file)
        with self._queue_lock:
            self._queue.append(slot)
        with self._lock:
            if slot.outcome is None and slot.fault is None:
                self._commit_queue()
        if slot.fault is not None:
            raise self._failed(slot.fault)
        assert slot.outcome is not None
        return slot.outcome

    def _commit_queue(self) -> None:
        """One commit for all that wait for the lock."""
        with self._queue_lock:
            slots, self._queue = self._queue, []
        try:
            with self._transaction() as db:
                outcomes = [self._insert(db, slot) for slot in slots]
        except Exception as error:  # whatever it is: those who wait for this commit are told
            for slot in slots:
                slot.fault = error
        else:
            for slot, outcome in zip(slots, outcomes, strict=True):
                slot.outcome = outcome

    def _insert(self, db: sqlite3.Connection, slot: _Slot) -> Outcome:
        event, now = slot.event, time.time()
        repeated = db.execute(
            "UPDATE deliveries SET repeats = repeats + 1 WHERE service = ? AND digest = ?",
            (event.service, slot.digest),
        )
        if repeated.rowcount:
            return "repeated"
        state = self._effect(db, event.service, event.subject, event.ends)
        db.execute(
            "INSERT INTO deliveries (service, digest, kind, subject, payload, ends, received,"
            " state, body, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(event.service, slot.digest, event.kind, event.subject, event.payload),
                *(event.ends, now, state, None if slot.file else event.body, slot.file),
            ),
        )
        return state

    def _effect(
        self, db: sqlite3.Connection, service: str, subject: str | None, ends: bool
    ) -> Literal["new", "late", "orphan"]:
        """What an event does to its subject: the end of one is final."""
        if subject is None:
            return "orphan" if self.only_expected else "new"
        found = db.execute(
            "SELECT ended, expected FROM subjects WHERE service = ? AND subject = ?",
            (service, subject),
        ).fetchone()
        ended, expected = found or (0, 0)
        if self.only_expected and not expected:
            return "orphan"
        if ended:
            return "late"
        db.execute(
            "INSERT INTO subjects (service, subject, ended) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET ended = excluded.ended",
            (service, subject, ends),
        )
        return "new"

    def _write_body(self, digest: bytes, body: bytes) -> str:
        name = f"{digest.hex()}.json"
        path = os.path.join(self._bodies, name)
        handle, part = tempfile.mkstemp(dir=self._bodies, prefix=".part-")
        try:
            with open(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        _sync_folder(self._bodies)
        return name

    # -- going out

    def expect(self, service: Service, subject: str) -> None:
        """Name a scan or job of ours. What came about it already is no orphan from now on."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO subjects (service, subject, expected) VALUES (?, ?, 1)"
                " ON CONFLICT DO UPDATE SET expected = 1",
                (service, subject),
            )
            orphans = db.execute(
                "SELECT id, ends FROM deliveries WHERE service = ? AND subject = ?"
                " AND state = 'orphan' ORDER BY id",
                (service, subject),
            ).fetchall()
            for number, ends in orphans:
                state = self._effect(db, service, subject, ends)
                db.execute("UPDATE deliveries SET state = ? WHERE id = ?", (state, number))

        self._do(work)

    def pending(self, limit: int = 100) -> list[Delivery]:
        """The oldest events that are to be dealt with now."""
        return self._select("state = 'new' AND due <= ? ORDER BY id LIMIT ?", time.time(), limit)

    def deliveries(self, state: State | None = None, *, after: int = 0) -> Iterator[Delivery]:
        """All events, in the order in which they came."""
        while page := self._select(
            "id > ? AND (? IS NULL OR state = ?) ORDER BY id LIMIT 50", after, state, state
        ):
            yield from page
            after = page[-1].id

    def done(self, delivery: Delivery) -> None:
        """The event was dealt with."""
        self._do(
            lambda db: db.execute(
                "UPDATE deliveries SET state = 'done', fault = NULL WHERE id = ?", (delivery.id,)
            )
        )

    def failed(self, delivery: Delivery, fault: str) -> None:
        """It was not: it is pending again after a pause of a second, then two, up to an hour."""
        pause = min(MAX_PAUSE_S, 2.0 ** min(delivery.attempts, 20))
        self._do(
            lambda db: db.execute(
                "UPDATE deliveries SET attempts = attempts + 1, due = ?, fault = ? WHERE id = ?",
                (time.time() + pause, fault[:500], delivery.id),
            )
        )

    def process(self, handler: Callable[[Event], object], *, limit: int = 100) -> int:
        """Deal with what is pending: ``handler`` is called with each event; how many went well.

        One that raises is called again with the same event, later. It may be called twice with the
        same event if the process dies in between, and by one process at a time only.
        """
        good = 0
        for delivery in self.pending(limit):
            try:
                handler(delivery.event)
            except Exception as error:
                self.failed(delivery, f"{type(error).__name__}: {error}")
            else:
                self.done(delivery)
                good += 1
        return good

    def prune(self, keep_s: float = 30 * 86400.0) -> int:
        """Forget what was dealt with longer ago, at least a week: services repeat themselves."""
        before = time.time() - max(keep_s, KEEP_AT_LEAST_S)
        where = "state != 'new' AND received < ?"

        def work(db: sqlite3.Connection) -> tuple[int, list[str]]:
            files = db.execute(f"SELECT file FROM deliveries WHERE {where}", (before,)).fetchall()
            gone = db.execute(f"DELETE FROM deliveries WHERE {where}", (before,)).rowcount
            return gone, [name for (name,) in files if name]

        gone, files = self._do(work)
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._bodies, name))
        return gone

    def _select(self, where: str, *values: Any) -> list[Delivery]:
        rows = self._do(
            lambda db: db.execute(
                "SELECT id, service, kind, subject, payload, received, repeats, state, attempts,"
                f" fault, body, file FROM deliveries WHERE {where}",
                values,
            ).fetchall()
        )
        return [self._delivery(*row) for row in rows]

    def _delivery(
        self,
        number: int,
        service: Service,
        kind: str,
        subject: str | None,
        payload: str | None,
        received: float,
        repeats: int,
        state: State,
        attempts: int,
        fault: str | None,
        body: bytes | None,
        file: str | None,
    ) -> Delivery:
        if body is None:
            try:
                with open(os.path.join(self._bodies, file or ""), "rb") as stored:
                    body = stored.read()
            except OSError as error:
                raise self._failed(error) from error
        event = Event(service=service, kind=kind, subject=subject, payload=payload, body=body)
        return Delivery(
            id=number,
            event=event,
            received=received,
            repeats=repeats,
            state=state,
            attempts=attempts,
            fault=fault,
        )

    # -- the file

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                with self._transaction() as db:
                    return work(db)
            except (sqlite3.Error, OSError) as error:
                raise self._failed(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():
            raise RuntimeError(
                "this Inbox was opened in another process: open it anew after a fork"
            )
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def _connect(self) -> sqlite3.Connection:
        path = self._path
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ValueError(f"its version {version} is newer than {VERSION}, this library's")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # each commit waits for the disk
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        except BaseException:
            db.close()
            raise
        _sync_folder(self.folder)
        return db

    def _sweep(self) -> None:
        """Remove what a process that died has left of bodies on their way."""
        with os.scandir(self._bodies) as entries:
            for entry in entries:
                old = entry.name.startswith(".part-") and (
                    time.time() - entry.stat().st_mtime > _FRESH_S
                )
                if old:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(entry.path)

    def _failed(self, error: Exception) -> OutputError:
        number = error.errno if isinstance(error, OSError) else None
        return OutputError(
            f"the inbox {shown(self.folder)} failed: {error}", errno=number, path=self.folder
        )


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
