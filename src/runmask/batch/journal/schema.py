"""The journal's file: its tables, and whether what stands there is a journal of ours."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from functools import cache

from ...errors import InputError, JournalCorruptError, JournalMismatchError, OutputError

__all__ = ["FILE", "check_whole", "connected", "explained", "made", "remove"]

FILE = "journal.sqlite"
VERSION = 1
APPLICATION = 0x524D4A31  # "RMJ1": tells it from any other SQLite file

# scans: what is paid for, one for each content; their bodies stand apart, so that what is looked
# through when a job goes on stays small. items: an input and its outputs; the number is
# its place in the order of the inputs. A name is taken in any case and composition: its fold is
# a hash of the folded text, and two that meet by chance only cost one of them a longer name.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE inputs (argument TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE scans (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,
    service TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'sent', 'submitted', 'scored', 'failed', 'held')),
    sent REAL NOT NULL, answered REAL, renamed INTEGER NOT NULL DEFAULT 0,
    billed TEXT CHECK (billed IN ('no', 'yes', 'unknown')), credits REAL, request_id TEXT,
    error TEXT, message TEXT);
CREATE TABLE bodies (scan INTEGER PRIMARY KEY REFERENCES scans, body BLOB NOT NULL);
CREATE INDEX scans_open ON scans (state, number) WHERE state IN ('sent', 'submitted', 'held');
CREATE TABLE items (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, stamp TEXT NOT NULL, name TEXT NOT NULL,
    fold INTEGER NOT NULL, scan INTEGER REFERENCES scans,
    state TEXT NOT NULL DEFAULT 'new'
        CHECK (state IN ('new', 'sent', 'submitted', 'scored', 'done', 'failed', 'held')),
    files TEXT NOT NULL DEFAULT '{}', seconds TEXT NOT NULL DEFAULT '{}', error TEXT, message TEXT);
CREATE INDEX items_by_state ON items (state, number);
CREATE INDEX items_by_scan ON items (scan) WHERE scan IS NOT NULL;
CREATE INDEX items_by_source ON items (source);
CREATE UNIQUE INDEX items_by_fold ON items (fold);
"""

# The table of results is out of date as soon as any item is another, whatever changed it.
for _event in ("INSERT", "UPDATE OF state, files, error", "DELETE"):
    _TABLES += (
        f"CREATE TRIGGER table_{_event.split()[0].lower()} AFTER {_event} ON items"
        " BEGIN DELETE FROM meta WHERE key = 'table'; END;"
    )

_LOOKED_UP = ("meta", "inputs", "scans")
_SUMS = {
    "items_by_state": ("state, count(*), sum(number)", "GROUP BY state"),
    "items_by_scan": ("count(*), sum(scan), sum(number)", "WHERE scan IS NOT NULL"),
    "items_by_source": ("count(*), sum(number), sum(length(source))", ""),
    "items_by_fold": ("count(*), sum(fold & 4294967295), sum(fold >> 32)", ""),
}
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CONSTRAINT")


def made(path: str) -> bool:
    """Make the file with its tables if there is none; whether there was none.

    The tables and the mark that they are complete come in one commit: a process that dies before
    it leaves a file without tables, which :func:`connected` takes for damage only if another has
    taken it for a journal. So the file is made under another name.
    """
    if os.path.lexists(path):
        return False
    fresh = f"{path}.new"
    try:
        remove(fresh)
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(fresh, isolation_level=None)
        try:
            db.executescript(
                f"PRAGMA synchronous = FULL; BEGIN; {_TABLES}"
                f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
            )
        finally:
            db.close()
        os.rename(fresh, path)
        _sync_folder(os.path.dirname(path))
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            remove(fresh)
        raise explained(error, path) from error
    return True


def remove(database: str) -> None:
    """Remove a database that nobody has open."""
    for ending in ("", "-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(database + ending)


def connected(path: str, *, writing: bool) -> sqlite3.Connection:
    """A connection to a journal, for any thread, one at a time.

    Raises
    ------
    JournalCorruptError, JournalMismatchError
        It is no journal, damaged at its head, or of a newer release.
    InputError, OutputError
        There is none to read; it cannot be opened.
    """
    if not writing and not os.path.lexists(path):
        raise InputError(f"{os.path.dirname(path)!r} is no folder of a job: it has no {FILE}")
    _check_kind(path)
    mode = "mode=rw"  # who only reads tidies up as well when it closes
    if not writing and not os.access(os.path.dirname(path) or ".", os.W_OK):
        mode = _archived(path)
    try:
        db = sqlite3.connect(
            f"file:{_quoted(path)}?{mode}",
            uri=True,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _check_ours(db, path)
            if writing:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")  # each commit waits for the disk
            else:
                db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA cache_size = -32768")  # 32 MiB
        except BaseException:
            db.close()
            raise
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise explained(error, path) from error
    return db


def _archived(path: str) -> str:
    """How to read a journal in a folder where SQLite can put nothing beside it."""
    log = f"{path}-wal"  # of a process that was killed, or runs: without one nothing can change
    return "mode=ro" if os.path.exists(log) else "mode=ro&immutable=1"


def _check_kind(path: str) -> None:
    try:
        status = os.stat(path)
    except OSError as error:
        raise explained(error, path) from error
    if not stat.S_ISREG(status.st_mode):
        raise _corrupt(path, "it is no regular file")
    if status.st_size == 0:
        raise _corrupt(path, "it is empty")


def _check_ours(db: sqlite3.Connection, path: str) -> None:
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise JournalMismatchError(
            f"{path!r} is a database of something else, and was left as it is", path=path
        )
    if version > VERSION:
        raise JournalMismatchError(
            f"{path!r} is of a newer release: its version is {version}, this one's {VERSION}",
            path=path,
        )
    if _statements(db) != _expected_statements():
        raise _corrupt(path, "its tables are not those of a journal")


def _statements(db: sqlite3.Connection) -> list[tuple[str | None]]:
    return db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


@cache
def _expected_statements() -> list[tuple[str | None]]:
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(_TABLES)
        return _statements(db)
    finally:
        db.close()


def check_whole(db: sqlite3.Connection, path: str) -> None:
    """Raises JournalCorruptError if any page, row or index is damaged. O(items).

    SQLite's own check looks every item up in each index, which takes ten seconds for a million; of
    items, sums of the whole table are compared with those of its indexes instead. The bodies, which
    may be many gigabytes, are left out: each has a checksum, and is looked at when it is read.
    """
    try:
        for check in ("quick_check(items)", *(f"integrity_check({name})" for name in _LOOKED_UP)):
            found = db.execute(f"PRAGMA {check}").fetchone()[0]
            if found != "ok":
                raise _corrupt(path, found.splitlines()[-1][:200])
        for index, (sums, rest) in _SUMS.items():
            query = f"SELECT {sums} FROM items {{}} {rest}"
            table = db.execute(query.format("NOT INDEXED")).fetchall()
            if table != db.execute(query.format(f"INDEXED BY {index}")).fetchall():
                raise _corrupt(path, f"its index {index} is not that of its items")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise explained(error, path) from error


def explained(error: Exception, path: str) -> JournalCorruptError | OutputError:
    """What an error of SQLite or the system means for a job."""
    name = getattr(error, "sqlite_errorname", "")
    is_unnamed = isinstance(error, (sqlite3.DatabaseError, UnicodeDecodeError)) and not name
    if name.startswith(_DAMAGE) or is_unnamed:
        return _corrupt(path, str(error))
    if isinstance(error, OSError):
        return OutputError(f"the journal {path!r}: {error.strerror}", errno=error.errno, path=path)
    return OutputError(f"the journal {path!r}: {error}", code="journal", path=path)


def _corrupt(path: str, why: str) -> JournalCorruptError:
    return JournalCorruptError(
        f"the journal {path!r} is damaged ({why}); it was left as it is: put back a copy of it, or"
        " give another output folder, which pays for everything again",
        path=path,
    )


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(os.fsencode(os.path.abspath(path)))


def _sync_folder(folder: str) -> None:
    handle = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
