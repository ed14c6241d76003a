"""Items of a journal: taken in once each, under names that meet on no file system."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from ...output import folded, safe_name
from ..sources import stem_of
from .reading import stored_text


class Entry(NamedTuple):
    """An image of a job: where it is, and what changes with its content."""

    source: str
    stamp: str


class Planned(NamedTuple):
    """How many images were given, how many of them are new, and how many have changed."""

    images: int
    added: int
    changed: int

    def plus(self, more: Planned) -> Planned:
        return Planned(*(a + b for a, b in zip(self, more, strict=True)))


def settle(db: sqlite3.Connection, entries: Sequence[Entry]) -> tuple[Planned, int]:
    """Take in images; what was new, and the number of the last one."""
    added = changed = number = 0
    for source, stamp in entries:
        found = db.execute(
            "SELECT number, stamp, scan FROM items WHERE source = ? ORDER BY number DESC LIMIT 1",
            (stored_text(source),),
        ).fetchone()
        if found is None:
            number = add_item(db, source, stamp, stem_of(source))
            added += 1
            continue
        number, known, scan = found
        if stamp == known:
            continue
        changed += 1
        if scan is None:  # nobody has read the old one, or nobody could
            db.execute(
                "UPDATE items SET stamp = ?, state = 'new', error = NULL, message = NULL"
                " WHERE number = ?",
                (stamp, number),
            )
        else:
            number = add_item(db, source, stamp, stem_of(source))
    return Planned(len(entries), added, changed), number


def add_item(db: sqlite3.Connection, source: str, stamp: str, stem: str) -> int:
    """A new item under a name that no other has, whatever a file system takes for the same."""
    stored = stored_text(source)
    plain = name = safe_name(stem)
    attempts = 0
    while True:
        try:
            added = db.execute(
                "INSERT INTO items (source, stamp, name, fold) VALUES (?, ?, ?, ?)",
                (stored, stamp, name, _fold(name)),
            )
        except sqlite3.IntegrityError:
            attempts += 1
            name = f"{plain}-{hash_of(source.encode('utf-8', 'surrogateescape'))[:8]}"
            name += f"-{attempts}" if attempts > 1 else ""
            continue
        assert added.lastrowid is not None
        return added.lastrowid


def _fold(name: str) -> int:
    return int.from_bytes(bytes.fromhex(hash_of(folded(name).encode()))[:8], "big", signed=True)


def hash_of(data: bytes) -> str:
    """32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
