"""Commits that many share: one thread writes, and whoever comes meanwhile is in the next one."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]
_MOST = 1000  # pieces of work in one commit


class Writer:
    """The one thread that writes to a database.

    A future has its result when the commit has reached the disk, and not before. Work that raises
    takes down what is in the same commit: none of it happened.

    ``check`` is called first: if it raises, so does all work. ``make_room`` is called when the disk
    is full, and says whether there is some now.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        check: Callable[[], object] | None,
        make_room: Callable[[], bool],
    ) -> None:
        self._database = database
        self._check = check
        self._make_room = make_room
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="runmask-journal", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Have work done in the next commit. From any thread."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # from now on it cannot be taken back
        self._queue.put((work, future))
        return future

    def close(self) -> None:
        """Finish what was submitted, and close the database."""
        self._queue.put(None)
        self._thread.join()
        self._database.close()

    def _run(self) -> None:
        ending = False
        while not ending:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            with suppress(queue.Empty):
                while len(group) < _MOST:
                    more = self._queue.get_nowait()
                    if more is None:
                        ending = True
                        break
                    group.append(more)
            self._commit(group)

    def _commit(self, group: list[tuple[Work[Any], Future[Any]]]) -> None:
        try:
            if self._check is not None:
                self._check()
                self._check = None
            try:
                results = self._tried(group)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_FULL or not self._make_room():
                    raise
                results = self._tried(group)
        except BaseException as error:
            for _, future in group:
                future.set_exception(error)
        else:
            for (_, future), result in zip(group, results, strict=True):
                future.set_result(result)

    def _tried(self, group: list[tuple[Work[Any], Future[Any]]]) -> list[Any]:
        db = self._database
        db.execute("BEGIN IMMEDIATE")
        try:
            results = [work(db) for work, _ in group]
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        return results
