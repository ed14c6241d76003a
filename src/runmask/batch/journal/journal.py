"""The state of a job, all of it: an SQLite file that survives whatever happens to the process.

What a method here has returned for, or whose future has its result, is on the disk. What was paid
for, and what may have been, is never forgotten:

- that a request is to be sent is committed before it leaves (:meth:`Journal.claim`);
- an answer is committed as it came, before anything reads it (:meth:`Journal.answer`);
- what was sent when the process died is ``held`` by the next one, and not sent again unasked.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Self, TypeVar

from ...errors import JournalMismatchError, OutputError, shown
from ...output import make_folder
from ..values import Rendered
from . import planning, scans, schema
from .commits import Work, Writer
from .lock import Ownership
from .planning import Entry, Planned
from .reading import Reading, read_text
from .scans import Answer, Claim, Fault, Resolution

T = TypeVar("T")

_CHUNK = 5000  # items of one commit while a job is planned
_WORDS = {"service": "with", "at": "at", "question": "with the model", "way": "by"}
_RESERVE = "journal.reserve"


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
        It cannot go on; nothing was changed. Damage far inside the file is found while the job is
        planned, and raised there.
    OutputError
        The folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str], identity: Mapping[str, str]) -> None:
        folder = os.fspath(folder)
        is_made = not os.path.lexists(folder)
        make_folder(folder)
        self.is_full = False
        self._ownership = Ownership(folder)
        try:
            path = os.path.join(folder, schema.FILE)
            is_new = schema.made(path)
            self._made = (is_new, is_made)
            database = schema.connected(path, writing=True)
            try:
                super().__init__(folder)
            except BaseException:
                database.close()
                raise
        except BaseException:
            self._ownership.release()
            raise
        # The whole file is looked at before the first change, while others read.
        check = None if is_new else partial(schema.check_whole, database, path)
        self._writer = Writer(database, check, self._make_room)
        try:
            self._compare(identity)
            self._ready = self.hold_what_was_sent()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Finish what is to be written, and let the next process have it.

        What this one made is gone again if it has taken in no item: the job was refused.
        """
        is_new, is_made = self._made
        is_empty = is_new and not self._has_items()
        super().close()
        self._writer.close()
        self._give_back_reserve()
        if is_empty:
            schema.remove(self.path)
        self._ownership.release()
        if is_empty and is_made:
            with suppress(OSError):
                os.rmdir(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what the job is

    def _compare(self, identity: Mapping[str, str]) -> None:
        known = self.facts()
        if not self._has_items():
            self._set_facts({**identity, "begun": repr(time.time())})
            return
        for name, value in identity.items():
            if known.get(name) != value:
                raise JournalMismatchError(
                    f"the job in {self.folder!r} was begun {_WORDS[name]} {known.get(name)!r}, and"
                    f" {value!r} is asked for: give another output folder",
                    path=self.path,
                )

    def _set_facts(self, facts: Mapping[str, str]) -> None:
        rows = list(facts.items())
        self._do(lambda db: db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows))

    def _has_items(self) -> bool:
        return bool(self._rows("SELECT 1 FROM items LIMIT 1"))

    def check_arguments(self, arguments: Iterable[str]) -> None:
        """A job may be about more than before, and not about less: else JournalMismatchError."""
        known = {argument for (argument,) in self._rows("SELECT argument FROM inputs")}
        if missing := sorted(known - set(map(_printable, arguments))):
            raise JournalMismatchError(
                f"the job in {self.folder!r} is about {shown(missing[0])}, which is not given now:"
                " give all its inputs, and more if you like, or another output folder",
                path=self.path,
            )

    def keep_arguments(self, arguments: Iterable[str]) -> None:
        """Keep what the job is about, now that it is known to be of use."""
        known = {argument for (argument,) in self._rows("SELECT argument FROM inputs")}
        if rows := [(argument,) for argument in sorted(set(map(_printable, arguments)) - known)]:
            self._do(lambda db: db.executemany("INSERT INTO inputs VALUES (?)", rows))

    def wish(self, wishes: str) -> None:
        """Keep what is made of the answers; if that has changed, all is to be rendered anew."""
        known = self.facts().get("wishes")
        if known != wishes:
            self._set_facts({"wishes": wishes})
            if known is not None:
                self._do(scans.render_again)

    def resolve(self, choice: Resolution) -> int:
        """What is to become of all that is held: sent again, or given up; how many items."""
        if not self._rows("SELECT 1 FROM scans WHERE state = 'held' LIMIT 1"):
            return 0
        return self._do(partial(scans.resolve, choice=choice))

    def retry_failed(self) -> int:
        """Let what failed be tried again, but not what was given up; how many items."""
        return self._do(scans.retry_failed)

    def retry_rendering(self) -> int:
        """Let what is answered and could not be rendered be tried again; how many items."""
        return self._do(scans.retry_rendering)

    def render_again(self) -> None:
        """Have the files of all answers made once more."""
        self._do(scans.render_again)

    # -- its images

    def plan(self, entries: Iterable[Entry]) -> Planned:
        """Take in the images of a job, those that are known already as well.

        A file that changed since it was read is a new item, and what was made of the old one stays.
        Both the journal and ``entries`` are read in their order: where they agree, as they do when
        a job goes on, an image costs no look-up and nothing is written.
        """
        planned, alike = Planned(0, 0, 0), 0
        chunk: list[Entry] = []
        known = self._known(0)
        expected = next(known, None)
        for entry in entries:
            if expected == entry:
                alike += 1
                expected = next(known, None)
                continue
            chunk.append(entry)
            if len(chunk) == _CHUNK:
                more, last = self._do(partial(planning.settle, entries=chunk))
                planned, chunk = planned.plus(more), []
                known = self._known(last)  # from where both may go on alike
                expected = next(known, None)
        if chunk:
            planned = planned.plus(self._do(partial(planning.settle, entries=chunk))[0])
        self.result(self._ready)
        return planned.plus(Planned(alike, 0, 0))

    def _known(self, after: int) -> Iterator[tuple[str, str]]:
        while page := self._rows(
            "SELECT number, source, stamp FROM items WHERE number > ? ORDER BY number LIMIT ?",
            *(after, _CHUNK),
        ):
            for _, source, stamp in page:
                yield read_text(source), stamp
            after = page[-1][0]

    def fail(self, item: int, fault: Fault) -> Future[object]:
        """An item that is not sent, because of itself."""
        return self._writer.submit(
            lambda db: db.execute(
                "UPDATE items SET state = 'failed', error = ?, message = ? WHERE number = ?",
                (*fault, item),
            )
        )

    def add_answers(self, answers: Iterable[Answer]) -> int:
        """Take in answers that were got elsewhere; how many are new.

        One that is there already, of the same source with the same body, is left as it is.
        """
        added, rest = 0, iter(answers)
        while chunk := list(islice(rest, 100)):
            added += self._do(partial(scans.add_answers, answers=chunk))
        return added

    # -- its requests

    def reserve(self, size: int) -> None:
        """Keep room on the disk for the answers under way, should it get full.

        Raises OutputError if there is no such room.
        """
        path = os.path.join(self.folder, _RESERVE)
        try:
            with suppress(FileNotFoundError):
                os.unlink(path)  # of a process that died, or a link to somewhere else
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, size)
            finally:
                os.close(handle)
        except OSError as error:
            self._give_back_reserve()
            message = f"{self.folder!r} has no room of {size >> 20} MiB for a job: {error.strerror}"
            raise OutputError(message, errno=error.errno, path=self.folder) from error

    def claim(
        self, item: int, source: str, scan_id: str, digest: str, service: str
    ) -> Future[Claim]:
        """Before a request leaves: it is about to.

        Whose content was sent before, or is just now, shares what comes of that.
        """
        return self._writer.submit(
            partial(
                scans.claim,
                item=item,
                source=source,
                scan_id=scan_id,
                digest=digest,
                service=service,
            )
        )

    def unsend(self, scan: int) -> Future[None]:
        """Nothing was sent, or nothing of it was carried out: it is to be sent still."""
        return self._writer.submit(partial(scans.unsend, scan=scan))

    def accept(self, scan: int) -> Future[None]:
        """The service took it, and is to send its answer later."""
        return self._writer.submit(partial(scans.end, scan=scan, state="submitted"))

    def answer(self, scan: int, body: bytes, cost: float | None) -> Future[None]:
        """The service's answer as it came, but ``packed``, and the credits that it tells of."""
        known = {"credits": cost, "billed": "yes", "answered": time.time()}
        return self._writer.submit(
            partial(scans.end, scan=scan, state="scored", known=known, body=body)
        )

    def answer_late(self, send_as: str, body: bytes, cost: float | None) -> bool:
        """The same, of a webhook; False if none of the job waits for it."""
        known = {"credits": cost, "billed": "yes", "answered": time.time()}
        return self._do(
            partial(scans.end_late, send_as=send_as, state="scored", known=known, body=body)
        )

    def refuse_late(self, send_as: str, fault: Fault) -> bool:
        """A webhook that tells of no answer; False as above."""
        return self._do(partial(scans.end_late, send_as=send_as, state="failed", fault=fault))

    def refuse(self, scan: int, fault: Fault, request_id: str | None) -> Future[None]:
        """The service refused it, and did not charge."""
        known = {"billed": "no", "request_id": request_id}
        return self._writer.submit(
            partial(scans.end, scan=scan, state="failed", fault=fault, known=known)
        )

    def hold(self, scan: int, fault: Fault, request_id: str | None, body: bytes) -> Future[None]:
        """It may have been charged, and there is no answer, or none that can be read: ``body``."""
        known = {"billed": "unknown", "request_id": request_id}
        kept = scans.packed(body) if body else None
        return self._writer.submit(
            partial(scans.end, scan=scan, state="held", fault=fault, known=known, body=kept)
        )

    def hold_what_was_sent(self) -> Future[None]:
        """Nobody waits any more for what is ``sent``."""
        return self._writer.submit(scans.hold_what_was_sent)

    # -- rendering

    def rendered(self, results: Sequence[Rendered]) -> None:
        """Keep what came of rendering. One commit.

        Files that were made before stay with an item, and one that was done stays so: an error says
        then why it has not all of what is asked for.
        """
        rows = [
            (
                "failed" if result.error else "done",
                scans.DONE_BEFORE,
                json.dumps(dict(result.files)),
                json.dumps({name: round(s, 6) for name, s in result.seconds.items()}),
                *(result.error or (None, None)),
                result.item,
            )
            for result in results
        ]
        self._do(
            lambda db: db.executemany(
                "UPDATE items SET state = iif(error IS NULL AND message IS ?2, 'done', ?1),"
                " files = json_patch(files, ?3), seconds = ?4, error = ?5, message = ?6"
                " WHERE number = ?7",
                rows,
            )
        )
        with self._lock:
            self._handed_out.difference_update(result.item for result in results)

    def table_written(self) -> None:
        """The table of results tells of all items as they are."""
        self._set_facts({"table": "current"})

    # -- the file

    def result(self, future: Future[T]) -> T:
        """The result, once it is on the disk. Raises OutputError, or JournalCorruptError."""
        try:
            return future.result()
        except (sqlite3.Error, OSError) as error:
            raise schema.explained(error, self.path) from error

    def _do(self, work: Work[T]) -> T:
        return self.result(self._writer.submit(work))

    def _make_room(self) -> bool:
        self.is_full = True
        return self._give_back_reserve()

    def _give_back_reserve(self) -> bool:
        with suppress(OSError):
            os.unlink(os.path.join(self.folder, _RESERVE))
            return True
        return False


def _printable(argument: str) -> str:
    return argument.encode("utf-8", "backslashreplace").decode()
