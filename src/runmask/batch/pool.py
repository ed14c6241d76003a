"""The driver of a rendering: chunks of work to any executor, and what is lost with a worker again.

An executor may run a chunk twice, or break and take all that is in flight with it. Rendering is
repeatable, so both only cost time. What dies again and again is narrowed down::

    in flight when a worker died        once: again; from then on: alone, as a suspect
    alone when it died, or named by it  item by item, each alone
    an item, for the third time         failed, with the code "crashed"
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass, replace
from typing import Protocol

from ..errors import BatchError, OutputError
from .values import Answered, Rendered

ATTEMPTS = 3
"""How many workers an item may take with it, each time alone."""

_WINDOW = 4  # chunks in flight for each worker
_LONGEST = 128  # items of a chunk
_FIRST = 2  # as long as nobody knows how long one takes
_SECONDS = 0.5  # that a chunk is to take: so long the end of a job waits for four of them
_BYTES = 4 * 2**20  # of the answers of a chunk
_LOOK_S = 0.1  # how often to look whether there is new work, or to stop

Take = Callable[[int], Sequence[Answered] | None]
Work = Callable[[Sequence[Answered]], list[Rendered]]
Done = Callable[[Sequence[Rendered]], None]


class Engine(Protocol):
    """Where the work is done: by so many workers, of which so many die before a task fails."""

    workers: int
    deaths: int

    def open(self) -> Executor:
        """A fresh executor whose workers have been seen to work."""
        ...


def drive(
    take: Take, work: Work, done: Done, engine: Engine, stop: threading.Event | None = None
) -> None:
    """Render everything that ``take`` gives.

    Parameters
    ----------
    take : callable
        Of at most so many items; an empty sequence where there are none just now, and None where
        there will be no more. It is called in this thread, as is ``done``.
    work : callable
        Renders a chunk; picklable if the engine's workers are processes.
    done : callable
        Gets results in bunches, in the order in which they come; once for each item.
    stop : threading.Event, optional
        Once it is set nothing more is begun; what is under way is finished.

    Raises
    ------
    OutputError
        A file could not be written. Its item, and what was not begun, is not done.
    BatchError
        Workers do not start, or the cluster is gone; code ``"engine"``.

    Memory: at most four chunks for each worker, of 4 MiB of answers or of one.
    """
    driver = _Driver(take, work, done, engine, stop or threading.Event())
    try:
        driver.run()
    finally:
        driver.close()


@dataclass(frozen=True)
class _Chunk:
    items: tuple[Answered, ...]
    strikes: int = 0  # how often it was in flight when a worker died
    kills: int = 0  # how many workers died of it for sure; counted for one item

    def struck(self) -> _Chunk:
        return replace(self, strikes=self.strikes + 1)

    def singles(self) -> Iterable[_Chunk]:
        return (_Chunk((item,), self.strikes) for item in self.items)


class _Driver:
    def __init__(
        self, take: Take, work: Work, done: Done, engine: Engine, stop: threading.Event
    ) -> None:
        self._take, self._work, self._done, self._engine = take, work, done, engine
        self._stop = stop
        self._executor: Executor | None = None  # opened when there is something to do
        self._flying: dict[Future[list[Rendered]], _Chunk] = {}
        self._again: deque[_Chunk] = deque()
        self._suspects: deque[_Chunk] = deque()
        self._alone = False  # whether one of them is in flight, and nothing else may be
        self._more = True
        self._failure: OutputError | None = None
        self._pace = _Pace()

    def run(self) -> None:
        while True:
            if not self._stopped():  # what is in flight takes a second or two
                self._submit()
            if self._flying:
                self._collect()
            elif self._stopped() or not (self._more or self._again or self._suspects):
                break
            else:
                self._stop.wait(_LOOK_S)
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def _stopped(self) -> bool:
        return self._stop.is_set() or self._failure is not None

    # -- out

    def _submit(self) -> None:
        if not self._flying:
            self._alone = bool(self._suspects)
            if self._alone:  # so that it is known who broke the executor
                self._send(self._suspects.popleft())
        if self._alone or self._suspects:
            return
        while len(self._flying) < _WINDOW * max(1, self._engine.workers):
            chunk = self._again.popleft() if self._again else self._next()
            if chunk is None or not self._send(chunk):
                return

    def _next(self) -> _Chunk | None:
        if not self._more:
            return None
        items = self._take(self._pace.items())
        if items is None:
            self._more = False
        if not items:
            return None
        self._pace.took(items)
        return _Chunk(tuple(items))

    def _send(self, chunk: _Chunk) -> bool:
        if self._executor is None:
            self._executor = self._engine.open()
        try:
            self._flying[self._executor.submit(self._work, chunk.items)] = chunk
        except BrokenExecutor:
            self._again.appendleft(chunk)
            self._hand_over(self._reopen())
            return False
        except RuntimeError as error:  # a caller's own executor, shut down meanwhile
            raise BatchError(f"the executor takes no more work: {error}", code="engine") from error
        return True

    # -- back

    def _collect(self) -> None:
        wait(self._flying, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        rendered: list[Rendered] = []
        broken: list[_Chunk] = []
        for future in [future for future in self._flying if future.done()]:
            chunk = self._flying.pop(future)
            try:
                rendered += _results(future, chunk)
            except BrokenExecutor:
                broken.append(chunk)
            except CancelledError as error:
                raise BatchError("the cluster is gone", code="engine") from error
            except Exception as error:  # whatever an engine says when its worker died
                rendered += self._failed_alone(chunk.struck(), error)
        if broken:
            rendered += self._reopen(broken)
        self._hand_over(rendered)

    def _reopen(self, broken: Sequence[_Chunk] = ()) -> list[Rendered]:
        """A fresh executor; what was in flight goes again. The results that were there already."""
        rendered: list[Rendered] = []
        lost = list(broken)
        for future, chunk in self._flying.items():
            try:
                rendered += _results(future, chunk)
            except Exception:
                lost.append(chunk)
        self._flying.clear()
        self.close()
        if len(lost) == 1:
            rendered += self._failed_alone(lost[0].struck(), BrokenExecutor())
        else:
            for chunk in map(_Chunk.struck, reversed(lost)):
                (self._suspects if chunk.strikes > 1 else self._again).appendleft(chunk)
        return rendered

    def _failed_alone(self, chunk: _Chunk, error: Exception) -> list[Rendered]:
        """It is known that it was this chunk; for once it may have been a kill from outside."""
        if len(chunk.items) > 1:
            if chunk.strikes < 2:
                self._again.appendleft(chunk)
            else:
                self._suspects.extend(chunk.singles())
            return []
        chunk = replace(chunk, kills=chunk.kills + self._engine.deaths)
        if chunk.kills >= ATTEMPTS:
            return [_crashed(chunk.items[0], error)]
        self._suspects.append(chunk)
        return []

    def _hand_over(self, rendered: Sequence[Rendered]) -> None:
        whole = []
        for each in rendered:
            if each.error is not None and each.error[0] in ("output", "exists"):
                self._failure = self._failure or OutputError(each.error[1], code=each.error[0])
            else:
                whole.append(each)
        if whole:
            self._pace.rendered(whole)
            self._done(whole)


def _results(future: Future[list[Rendered]], chunk: _Chunk) -> list[Rendered]:
    """What came of a chunk: of all its items, or something is wrong with the executor."""
    results = future.result()
    if [each.item for each in results] != [each.item for each in chunk.items]:
        raise ValueError("the executor gave the results of something else")
    return results


def _crashed(item: Answered, error: Exception) -> Rendered:
    if isinstance(error, MemoryError):
        return Rendered(item.item, {}, ("memory", "there is not enough memory to render it"))
    how = "" if isinstance(error, BrokenExecutor) else f": {type(error).__name__}: {error}"[:300]
    return Rendered(item.item, {}, ("crashed", f"its worker died {ATTEMPTS} times{how}"))


class _Pace:
    """How many items make a chunk of some seconds and some megabytes, by those that have been."""

    def __init__(self) -> None:
        self._seconds = _SECONDS / _FIRST
        self._bytes = 0.0

    def items(self) -> int:
        most = min(_SECONDS / self._seconds, _BYTES / max(1.0, self._bytes))
        return max(1, min(_LONGEST, int(most)))

    def took(self, items: Sequence[Answered]) -> None:
        mean = sum(len(item.body) for item in items) / len(items)
        self._bytes = mean if not self._bytes else 0.5 * (self._bytes + mean)

    def rendered(self, results: Sequence[Rendered]) -> None:
        mean = sum(sum(each.seconds.values()) for each in results) / len(results)
        self._seconds = max(1e-6, 0.5 * (self._seconds + mean))
