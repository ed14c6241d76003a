"""Scans of a journal: what is paid for, one for each content, and the items that share it.

Each function here is work for the journal's writer: it happens in one of its commits.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .planning import add_item, hash_of
from .reading import INTERRUPTED, stored_text

Resolution = Literal["resend", "skip"]

GIVEN_UP = "given_up"
"""The error of what was held and is not to be sent again."""

DONE_BEFORE = "done before"
"""The message, with no error, of a ``scored`` item that was ``done``: see :func:`render_again`."""

# Items that were answered and could not be rendered, and how any is to be rendered again.
_NOT_RENDERED = "state = 'failed' AND scan IN (SELECT number FROM scans WHERE state = 'scored')"
_RENDER = "UPDATE items SET state = 'scored', error = NULL, message = NULL"
_RENDER_DONE = (
    f"UPDATE items SET state = 'scored', error = NULL, message = '{DONE_BEFORE}'"
    " WHERE state = 'done'"
)


class Claim(NamedTuple):
    """A scan, and the id to send it under; None where it is not the caller's to send."""

    scan: int
    send_as: str | None


class Fault(NamedTuple):
    """Why something failed: ``code`` for programs, ``message`` for people."""

    code: str
    message: str


class Answer(NamedTuple):
    """An answer that was got elsewhere. ``digest`` is empty if nobody knows it."""

    source: str
    stem: str
    digest: str
    service: str
    body: bytes


def packed(body: bytes) -> bytes:
    """An answer as the journal keeps it. O(bytes): about 100 MB a second."""
    return zlib.compress(body, 1)


def claim(
    db: sqlite3.Connection, item: int, source: str, scan_id: str, digest: str, service: str
) -> Claim:
    found = db.execute(
        "SELECT number, state, renamed, error, message FROM scans WHERE id = ?", (scan_id,)
    ).fetchone()
    if found is None:
        added = db.execute(
            "INSERT INTO scans (id, digest, service, state, sent) VALUES (?, ?, ?, 'new', 0)",
            (scan_id, digest, service),
        )
        found = (added.lastrowid, "new", 0, None, None)
    scan, state, renamed, error, message = found
    if state == "new":
        db.execute(
            "UPDATE scans SET state = 'sent', sent = ? WHERE number = ?", (time.time(), scan)
        )
        db.execute("UPDATE items SET scan = ?, state = 'sent' WHERE number = ?", (scan, item))
        return Claim(scan, f"{scan_id}-{renamed}" if renamed else scan_id)
    if not _was_only_touched(db, item, source, scan):
        db.execute(
            "UPDATE items SET scan = ?, state = ?, error = ?, message = ? WHERE number = ?",
            (scan, state, error, message, item),
        )
    return Claim(scan, None)


def _was_only_touched(db: sqlite3.Connection, item: int, source: str, scan: int) -> bool:
    """Whether a file that seemed to have changed has the old content: then it is the old item."""
    old = db.execute(
        "SELECT number FROM items WHERE source = ? AND scan = ? AND number != ?",
        (stored_text(source), scan, item),
    ).fetchone()
    if old is None:
        return False
    db.execute(
        "UPDATE items SET stamp = (SELECT stamp FROM items WHERE number = ?) WHERE number = ?",
        (item, *old),
    )
    db.execute("DELETE FROM items WHERE number = ?", (item,))
    return True


def unsend(db: sqlite3.Connection, scan: int) -> None:
    db.execute("UPDATE scans SET state = 'new' WHERE number = ?", (scan,))
    db.execute("UPDATE items SET state = 'new' WHERE scan = ? AND state = 'sent'", (scan,))


def end(
    db: sqlite3.Connection,
    scan: int,
    state: Literal["submitted", "scored", "failed", "held"],
    fault: Fault | None = None,
    known: Mapping[str, Any] | None = None,
    body: bytes | None = None,
) -> None:
    """What became of a scan, and so of all items that have it. ``body`` is :func:`packed`."""
    if body is not None:
        db.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (scan, body))
    error, message = fault or (None, None)
    facts = {"state": state, "error": error, "message": message, **(known or {})}
    columns = ", ".join(f"{name} = ?" for name in facts)
    db.execute(f"UPDATE scans SET {columns} WHERE number = ?", (*facts.values(), scan))
    db.execute(
        "UPDATE items SET state = ?, error = ?, message = ? WHERE scan = ?"
        " AND state NOT IN ('scored', 'done')",
        (state, error, message, scan),
    )


def end_late(
    db: sqlite3.Connection,
    send_as: str,
    state: Literal["scored", "failed"],
    fault: Fault | None = None,
    known: Mapping[str, Any] | None = None,
    body: bytes | None = None,
) -> bool:
    """What a webhook tells of a scan; whether it is one that waits for it."""
    scan_id, _, renamed = send_as.partition("-")
    found = db.execute(
        "SELECT number FROM scans WHERE id = ? AND renamed = ?"
        " AND state IN ('sent', 'submitted', 'held')",
        (scan_id, int(renamed or 0)),
    ).fetchone()
    if found is not None:
        end(db, found[0], state, fault, known, body)
    return found is not None


def hold_what_was_sent(db: sqlite3.Connection) -> None:
    fault = Fault(*INTERRUPTED)
    sent = db.execute("SELECT number FROM scans WHERE state = 'sent'").fetchall()
    for (scan,) in sent:
        end(db, scan, "held", fault, {"billed": "unknown"})


def resolve(db: sqlite3.Connection, choice: Resolution) -> int:
    """What is to become of all that is held: sent again, or given up; how many items."""
    if choice == "skip":
        for kind in ("scans", "items"):
            gone = db.execute(
                f"UPDATE {kind} SET state = 'failed', error = '{GIVEN_UP}',"
                " message = 'given up: ' || message WHERE state = 'held'"
            )
        return gone.rowcount
    again = db.execute(  # an id that the service would not take again needs another one
        "UPDATE scans SET state = 'new', renamed = renamed + (error IS 'duplicate_scan')"
        " WHERE state = 'held'"
    )
    db.execute(
        "INSERT INTO meta VALUES ('resent', ?)"
        " ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + excluded.value",
        (str(again.rowcount),),
    )
    return db.execute("UPDATE items SET state = 'new' WHERE state = 'held'").rowcount


def retry_failed(db: sqlite3.Connection) -> int:
    """Let what failed be tried again, whatever the reason, but not what a person gave up: it may
    have been paid for. How many items."""
    failed = f"state = 'failed' AND error IS NOT '{GIVEN_UP}'"
    rendering = retry_rendering(db)
    db.execute(f"UPDATE scans SET state = 'new' WHERE {failed}")
    return rendering + (
        db.execute(
            f"UPDATE items SET state = 'new', error = NULL, message = NULL WHERE {failed}"
        ).rowcount
    )


def retry_rendering(db: sqlite3.Connection) -> int:
    """Let only what is answered be tried again, and what is done in part; how many items."""
    failed = db.execute(f"{_RENDER} WHERE {_NOT_RENDERED}").rowcount
    return failed + db.execute(f"{_RENDER_DONE} AND error IS NOT NULL").rowcount


def render_again(db: sqlite3.Connection) -> None:
    """Have files made of all answers; what is done stays so, with its files, if that fails."""
    db.execute(f"{_RENDER} WHERE {_NOT_RENDERED}")
    db.execute(_RENDER_DONE)


def add_answers(db: sqlite3.Connection, answers: Iterable[Answer]) -> int:
    """Take in answers that are not here yet; how many."""
    added = 0
    for source, stem, digest, service, body in answers:
        asked = f"{service}\0{source}\0".encode("utf-8", "surrogateescape")
        scan_id = hash_of(asked + body)
        if db.execute("SELECT 1 FROM scans WHERE id = ?", (scan_id,)).fetchone():
            continue
        scan = db.execute(  # when it was answered, nobody knows
            "INSERT INTO scans (id, digest, service, state, sent) VALUES (?, ?, ?, 'scored', ?)",
            (scan_id, digest, service, time.time()),
        ).lastrowid
        db.execute("INSERT INTO bodies VALUES (?, ?)", (scan, packed(body)))
        number = add_item(db, source, "", stem)
        db.execute("UPDATE items SET scan = ?, state = 'scored' WHERE number = ?", (scan, number))
        added += 1
    return added
