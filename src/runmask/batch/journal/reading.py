"""What a journal says; no method here changes it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from ...errors import JournalCorruptError
from ...formats import MAX_BYTES
from ..values import Answered, Outcome, State
from . import schema
from .lock import is_owned

_PAGE = 200

INTERRUPTED = ("interrupted", "the job ended while the request was under way")

_OUTCOMES = """
SELECT items.number, source, name, items.state, files, coalesce(items.error, scans.error),
    coalesce(items.message, scans.message), seconds, id, digest, service, credits, billed, answered,
    body, (SELECT min(number) FROM items AS same WHERE same.scan = items.scan)
FROM items LEFT JOIN scans ON scans.number = items.scan
    LEFT JOIN bodies ON bodies.scan = items.scan
WHERE items.number > ?{where} ORDER BY items.number LIMIT ?
"""


class Unread(NamedTuple):
    """An item that is to be read and sent."""

    number: int
    source: str
    name: str


class Reading:
    """A journal to read: in the process that owns it, or beside it in another.

    From any thread. Raises as :func:`.schema.connected` when it is opened.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self.path = os.path.join(self.folder, schema.FILE)
        self._reader = schema.connected(self.path, writing=False)
        self._lock = threading.Lock()
        self._handed_out: set[int] = set()

    def close(self) -> None:
        with self._lock:
            self._reader.close()

    def counts(self) -> Mapping[str, int]:
        """How many items there are in each state that has any."""
        return dict(self._rows("SELECT state, count(*) FROM items GROUP BY state"))

    def spent(self) -> float:
        """The credits that answers say they cost."""
        [(total,)] = self._rows("SELECT coalesce(total(credits), 0) FROM scans")
        return float(total)

    def is_table_current(self) -> bool:
        """Whether no item has changed since the table of results was written."""
        return "table" in self.facts()

    def resent(self) -> int:
        """How many requests a person had sent again that may have been charged before."""
        found = self._rows("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'resent'")
        return int(found[0][0]) if found else 0

    def facts(self) -> Mapping[str, str]:
        """What the job was begun with: its service, its address, its wishes, ..."""
        return dict(self._rows("SELECT key, value FROM meta"))

    def outcomes(self, state: State | None = None) -> Iterator[Outcome]:
        """All items, or those in a state, in their order, a few in memory at a time."""
        query = _OUTCOMES.format(where="" if state is None else f" AND items.state = '{state}'")
        after = 0
        while page := self._rows(query, after, _PAGE):
            for row in page:
                with self._understood(row[0]):
                    outcome = self._outcome(*row)
                yield outcome
            after = page[-1][0]

    def _outcome(self, item: int, source: str, name: str, state: Any, *rest: Any) -> Outcome:
        files, error, message, seconds, scan_id, digest, service, *more = rest
        cost, billed, answered, body, first = more
        return Outcome(
            item=item,
            source=read_text(source),
            name=name,
            state=state,
            files=dict(json.loads(files)),
            error=None if error is None else (error, message or ""),
            seconds=dict(json.loads(seconds)),
            scan_id=scan_id,
            digest=digest,
            service=service,
            credits=None if cost is None else float(cost),
            billed=billed,
            answered=None if answered is None else float(answered),
            copy_of=None if first == item else first,
            body=None if body is None else self._unpacked(body, scan_id),
        )

    def incomplete(self) -> int:
        """How many are done, and have an error that says why some of their files are not new."""
        [(count,)] = self._rows(
            "SELECT count(*) FROM items WHERE state = 'done' AND error IS NOT NULL"
        )
        return int(count)

    def lacking(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """The kinds of files that no item has; none as long as no item has any."""
        if not self._rows("SELECT 1 FROM items WHERE state = 'done' LIMIT 1"):
            return ()
        query = "SELECT 1 FROM items WHERE json_extract(files, '$.' || ?) IS NOT NULL LIMIT 1"
        return tuple(kind for kind in kinds if not self._rows(query, kind))

    def held(self) -> Iterator[Outcome]:
        """Items that are held, and those that the next run will hold: what was under way when the
        process died."""
        yield from self.outcomes("held")
        if not is_owned(self.folder):
            for outcome in self.outcomes("sent"):
                yield replace(outcome, state="held", error=INTERRUPTED)

    def unread(self, after: int, limit: int) -> list[Unread]:
        """Items that are to be read and sent, in their order, from the one after a number."""
        return [
            Unread(number, read_text(source), name)
            for number, source, name in self._rows(
                "SELECT number, source, name FROM items WHERE state = 'new' AND number > ?"
                " ORDER BY number LIMIT ?",
                after,
                limit,
            )
        ]

    def to_render(self, limit: int) -> list[Answered]:
        """Items that are answered and not rendered, in their order.

        None comes twice before what :meth:`.Journal.rendered` was told of it.
        """
        with self._lock:
            found = self._fetched(
                "SELECT number FROM items WHERE state = 'scored' ORDER BY number LIMIT ?",
                limit + len(self._handed_out),
            )
            numbers = [n for (n,) in found if n not in self._handed_out][:limit]
            self._handed_out.update(numbers)
        return [self._answered(number) for number in numbers]

    def _answered(self, number: int) -> Answered:
        with self._understood(number):
            return self._read_answered(number)

    def _read_answered(self, number: int) -> Answered:
        [row] = self._rows(
            "SELECT name, source, digest, service, body, id FROM items"
            " JOIN scans ON scans.number = items.scan JOIN bodies ON bodies.scan = items.scan"
            " WHERE items.number = ?",
            number,
        )
        name, source, digest, service, body, scan_id = row
        if os.path.basename(name) != name:  # files get it: it must not lead out of the folder
            raise ValueError(f"it is named {name!r}")
        return Answered(
            number, name, read_text(source), digest, service, self._unpacked(body, scan_id)
        )

    @contextmanager
    def _understood(self, item: int) -> Iterator[None]:
        """A journal may have been edited by hand, or by a stranger."""
        try:
            yield
        except JournalCorruptError:
            raise
        except (TypeError, ValueError) as error:
            message = f"the journal {self.path!r} is damaged: item {item} means nothing: {error}"
            raise JournalCorruptError(message[:500], path=self.path) from error

    def _unpacked(self, body: bytes, scan_id: str) -> bytes:
        stream = zlib.decompressobj()  # which has a checksum
        try:
            found = stream.decompress(body, MAX_BYTES + 1)
        except zlib.error:
            found = b""
        if not stream.eof:
            message = f"the journal {self.path!r} is damaged: the answer of scan {scan_id}"
            raise JournalCorruptError(f"{message} cannot be read", path=self.path)
        return found

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._fetched(query, *values)

    def _fetched(self, query: str, *values: Any) -> list[Any]:
        try:
            return self._reader.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise schema.explained(error, self.path) from error


def stored_text(text: str) -> str | bytes:
    """Text as the journal takes it: names of files need not be valid UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def read_text(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogateescape")
