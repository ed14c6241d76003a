"""The state of a job, all of it: an SQLite file that survives whatever happens to the process.

What a method here has returned for, or whose future has its result, is on the disk. What was paid
for, and what may have been, is never forgotten:

- that a request is to be sent is committed before it leaves (:meth:`Journal.claim`);
- an answer is committed as it came, before anything reads it (:meth:`Journal.answer`);
- what was sent when the process died is ``held`` by the next one, and not sent again unasked.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Literal, NamedTuple, Self, TypeVar

from ..errors import JournalMismatchError
from ..output import folded, make_folder, safe_name
from . import schema
from .commits import Work, Writer
from .lock import Ownership
from .reading import Reading, stored_text
from .values import Rendered

T = TypeVar("T")

_CHUNK = 5000  # items of one commit while a job is planned
_RESERVE = "journal.reserve"

Claim = Literal["send", "wait", "known"]


class Fault(NamedTuple):
    """Why something failed, for a person; ``code`` for programs."""

    code: str
    message: str


class Journal(Reading):
    """The journal of a job, owned by this process until it is closed.

    Parameters
    ----------
    folder : path
        The job's; made if need be.
    identity : mapping of str to str
        What stays the same for the life of a job, such as the service: kept when it begins.

    Raises
    ------
    JournalLockedError, JournalMismatchError, JournalCorruptError
        It cannot go on; nothing was changed.
    OutputError
        The folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str], identity: Mapping[str, str]) -> None:
        folder = os.fspath(folder)
        make_folder(folder)
        self._ownership = Ownership(folder)
        try:
            path = os.path.join(folder, schema.FILE)
            self.is_new = schema.made(path)
            database = schema.connected(path, writing=True)
            try:
                if not self.is_new:
                    schema.check_whole(database, path)
                super().__init__(folder)
            except BaseException:
                database.close()
                raise
            self._writer = Writer(database, self._spare_room)
        except BaseException:
            self._ownership.release()
            raise
        try:
            self._compare(identity)
            self._hold_what_was_sent()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Finish what is to be written, and let the next process have it."""
        super().close()
        self._writer.close()
        self._give_back_reserve()
        self._ownership.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- beginning, and going on

    def _compare(self, identity: Mapping[str, str]) -> None:
        known = self.facts()
        if not known:
            self._do(lambda db: _set_facts(db, {**identity, "begun": repr(time.time())}))
            return
        for name, value in identity.items():
            if known.get(name) != value:
                raise JournalMismatchError(
                    f"the job in {self.folder!r} was begun with {name} {known.get(name)!r}, and"
                    f" {value!r} is asked for: give another output folder",
                    path=self.path,
                )

    def _hold_what_was_sent(self) -> None:
        if not self._rows("SELECT 1 FROM scans WHERE state = 'sent' LIMIT 1"):
            return

        def work(db: sqlite3.Connection) -> None:
            fault = ("interrupted", "the process ended while the request was under way")
            db.execute(
                "UPDATE items SET state = 'held', error = ?, message = ? WHERE scan IN"
                " (SELECT number FROM scans WHERE state = 'sent')",
                fault,
            )
            db.execute(
                "UPDATE scans SET state = 'held', billed = 'unknown', error = ?, message = ?"
                " WHERE state = 'sent'",
                fault,
            )

        self._do(work)

    # -- items and scans

    def add_answers(self, answers: Iterable[tuple[str, str, str, str, bytes]]) -> int:
        """Take in answers that were got elsewhere; how many are new.

        Each is a source, a stem for the outputs' names, the digest of the image's bytes (or
        empty), the service and the body. One that is there already, of the same source with the
        same body, is left as it is.
        """
        added, chunk = 0, []
        for answer in answers:
            chunk.append(answer)
            if len(chunk) == 100:
                added += self._add_answers(chunk)
                chunk = []
        return added + self._add_answers(chunk)

    def _add_answers(self, answers: Sequence[tuple[str, str, str, str, bytes]]) -> int:
        def work(db: sqlite3.Connection) -> int:
            added = 0
            for source, stem, digest, service, body in answers:
                scan_id = _hash(f"{service}\0{source}\0".encode("utf-8", "surrogateescape") + body)
                if db.execute("SELECT 1 FROM scans WHERE id = ?", (scan_id,)).fetchone():
                    continue
                now = time.time()
                scan = db.execute(
                    "INSERT INTO scans (id, digest, service, state, sent, answered, body)"
                    " VALUES (?, ?, ?, 'scored', ?, ?, ?)",
                    (scan_id, digest, service, now, now, _packed(body)),
                ).lastrowid
                number = _add_item(db, source, "", stem)
                db.execute(
                    "UPDATE items SET scan = ?, state = 'scored' WHERE number = ?", (scan, number)
                )
                added += 1
            return added

        return self._do(work)

    # -- rendering

    def rendered(self, results: Sequence[Rendered]) -> None:
        """Keep what came of rendering. One commit."""

        def work(db: sqlite3.Connection) -> None:
            db.executemany(
                "UPDATE items SET state = ?, files = ?, seconds = ?, error = ?, message = ?"
                " WHERE number = ?",
                [
                    (
                        "failed" if result.error else "done",
                        json.dumps(dict(result.files)),
                        json.dumps({name: round(s, 6) for name, s in result.seconds.items()}),
                        *(result.error or (None, None)),
                        result.item,
                    )
                    for result in results
                ],
            )

        self._do(work)
        with self._lock:
            self._handed_out.difference_update(result.item for result in results)

    # -- the file

    def _do(self, work: Work[T]) -> T:
        return self._done(self._writer.submit(work))

    def _done(self, future: Future[T]) -> T:
        try:
            return future.result()
        except (sqlite3.Error, OSError) as error:
            raise schema.explained(error, self.path) from error

    def _spare_room(self) -> bool:
        return self._give_back_reserve()

    def _give_back_reserve(self) -> bool:
        with suppress(OSError):
            os.unlink(os.path.join(self.folder, _RESERVE))
            return True
        return False


def _set_facts(db: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))


def _add_item(db: sqlite3.Connection, source: str, stamp: str, stem: str) -> int:
    """A new item under a name that no other has, whatever a file system takes for the same."""
    plain = safe_name(stem)
    number = 0
    while True:
        name = plain
        if number:
            name = f"{plain}-{_hash(source.encode('utf-8', 'surrogateescape'))[:8]}"
        if number > 1:
            name = f"{name}-{number}"
        try:
            added = db.execute(
                "INSERT INTO items (source, stamp, name, fold) VALUES (?, ?, ?, ?)",
                (stored_text(source), stamp, name, _fold(name)),
            )
        except sqlite3.IntegrityError:
            number += 1
            continue
        assert added.lastrowid is not None
        return added.lastrowid


def _fold(name: str) -> int:
    return int.from_bytes(bytes.fromhex(_hash(folded(name).encode()))[:8], "big", signed=True)


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _packed(body: bytes) -> bytes:
    return zlib.compress(body, 1)
