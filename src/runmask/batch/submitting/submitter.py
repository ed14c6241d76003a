"""The one that pays: images to a service, each content once, and their answers to the journal.

One event loop, one client, so many requests under way at a time. For each item::

    read it, look at it, hash it          in a thread; what the service would refuse fails here
    claim its scan in the journal         on the disk before the request leaves
    ask
    keep the answer                       on the disk before anything reads it

The claims and answers of all items under way share commits.
"""

from __future__ import annotations

import asyncio
import errno
import math
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ...errors import APIConnectionError, OutputError, RunmaskError, ServerError
from ..journal import Journal, Unread, explained, packed
from ..stopping import Stop
from .asking import Fate, Question, Way, cost_of, fate_of, fault_of
from .circuit import Circuit

T = TypeVar("T")

_PAGE = 500  # items read from the journal at a time
_READERS = 16
_LOOK_S = 0.2
_DISK_S = 0.5  # between attempts to write to a full disk


@dataclass
class Tally:
    """How many items have come to what since the start, and the credits that this cost.

    ``shared``: of a content that was sent before.
    """

    answered: int = 0
    shared: int = 0
    failed: int = 0
    held: int = 0
    spent: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How to submit.

    ``in_flight`` requests at a time. After ``patience_s`` seconds without the service the job
    stops; ``drain_s`` is what those under way get when it does.
    """

    in_flight: int = 16
    patience_s: float = 600.0
    drain_s: float = 30.0


class Submitter:
    """Sends what is new in a journal. For one event loop."""

    def __init__(self, journal: Journal, way: Way, stop: Stop, manner: Manner) -> None:
        self._journal = journal
        self._way = way
        self._stop = stop
        self._manner = manner
        self._readers = ThreadPoolExecutor(
            min(_READERS, manner.in_flight), thread_name_prefix="runmask-read"
        )
        self._turn = asyncio.Lock()
        self._page: deque[Unread] = deque()
        self._after = 0
        self._returned = False
        self._outage: Exception | None = None
        self.circuit = Circuit(stop.wait)
        self.tally = Tally()

    @property
    def trouble(self) -> str:
        """Why nothing is sent just now; empty if it is."""
        if self.circuit.since is None or self._outage is None:
            return ""
        return f"{self._outage}; next attempt in {self.circuit.pause():.0f} s"

    async def run(self) -> None:
        """Until nothing is new, or the job is stopped; then what is under way gets its time.

        What stops it is told to ``stop``.
        """
        passing = asyncio.create_task(self._passes())
        try:
            while not self._stop and not passing.done():
                await asyncio.wait([passing], timeout=_LOOK_S)
                if self.circuit.patience_is_over(self._manner.patience_s):
                    self._stop.request(error=self._outage)
            await asyncio.wait([passing], timeout=self._manner.drain_s)
        finally:
            passing.cancel()
            await asyncio.gather(passing, return_exceptions=True)
            self._readers.shutdown(wait=False, cancel_futures=True)
        with suppress(OutputError):  # then whoever goes on does so
            await self._committed(self._journal.hold_what_was_sent())

    async def _passes(self) -> None:
        """A pass over all that is new, and another if something has become new again."""
        self._returned = True
        while self._returned and not self._stop:
            self._returned, self._after = False, 0
            async with asyncio.TaskGroup() as group:
                for _ in range(self._manner.in_flight):
                    group.create_task(self._work())

    async def _work(self) -> None:
        try:
            while not self._stop and (item := await self._next()) is not None:
                await self._submit(item)
        except Exception as error:  # the others finish what they have under way
            self._stop.request(error=error)

    async def _next(self) -> Unread | None:
        async with self._turn:
            if not self._page:
                page = await self._in_thread(partial(self._journal.unread, self._after, _PAGE))
                self._page.extend(page)
                self._after = page[-1].number if page else self._after
            return self._page.popleft() if self._page else None

    async def _submit(self, item: Unread) -> None:
        try:
            question = await self._in_thread(partial(self._way.prepared, item))
        except (RunmaskError, MemoryError) as error:
            await self._committed(self._journal.fail(item.number, fault_of(error)))
            self.tally.failed += 1
            return
        async with self.circuit.passage():
            if not self._stop:
                await self._ask(item, question)

    async def _ask(self, item: Unread, question: Question) -> None:
        """One request. If it is to be repeated, that is for the next pass: an image that a service
        never takes must not keep the others from being asked about."""
        if self._journal.is_full:
            raise OutputError(f"the disk of {self._journal.folder!r} is full", errno=errno.ENOSPC)
        if (pace := self._way.pace) is not None:
            await self._stop.wait(pace.take_turn(time.monotonic(), math.inf) or 0)
            if self._stop:
                return
        claim = await self._committed(
            self._journal.claim(
                *(item.number, item.source, question.scan_id, question.digest, self._way.service)
            )
        )
        if claim.send_as is None:
            self.tally.shared += 1
            return
        try:
            detection = await self._way.asked(question, claim.send_as)
        except Exception as error:
            await self._failed(claim.scan, error)
            return
        self.circuit.succeeded()
        if detection is None:
            await self._kept(partial(self._journal.accept, claim.scan))
        else:
            body = await self._in_thread(partial(packed, detection.raw))
            cost = cost_of(detection)
            await self._kept(partial(self._journal.answer, claim.scan, body, cost))
            self.tally.spent += cost or 0
        self.tally.answered += 1

    async def _failed(self, scan: int, error: Exception) -> None:
        """Keep what became of a request."""
        fate = fate_of(error)
        self._tell_circuit(error, fate)
        if fate in ("again", "stop"):
            if fate == "stop":
                self._stop.request(error=error)
            await self._kept(partial(self._journal.unsend, scan))
            self._returned = True
            return
        request_id, body = getattr(error, "request_id", None), getattr(error, "body", b"")
        if fate == "refused":
            await self._kept(partial(self._journal.refuse, scan, fault_of(error), request_id))
            self.tally.failed += 1
        else:
            await self._kept(partial(self._journal.hold, scan, fault_of(error), request_id, body))
            self.tally.held += 1
        if not isinstance(error, RunmaskError):
            raise error

    def _tell_circuit(self, error: Exception, fate: Fate) -> None:
        if fate == "again":
            self._outage = error
            self.circuit.failed(getattr(error, "retry_after", None) or 0.0)
        elif fate == "held" and isinstance(error, (APIConnectionError, ServerError)):
            self._outage = error
            self.circuit.lost_an_answer()
        else:
            self.circuit.succeeded()

    # -- threads and the disk

    async def _kept(self, commit: Callable[[], Future[T]]) -> T:
        """A commit that must not be lost: tried as long as the job lasts, should the disk be full.

        There may be room again; if not, the scan is still ``sent``, and held by whoever goes on.
        """
        while True:
            try:
                return await self._committed(commit())
            except OutputError as error:
                self._stop.request(error=error)
                await asyncio.sleep(_DISK_S)

    async def _committed(self, future: Future[T]) -> T:
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except (sqlite3.Error, OSError) as error:
            raise explained(error, self._journal.path) from error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)
