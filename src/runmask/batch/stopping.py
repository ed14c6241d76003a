"""The end of a job before its end: asked for by a signal, an error or the service."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Says once that a job is to end, and why: to threads, and to the tasks of an event loop.

    Nothing more is sent then. ``at_once`` is set by signals only: after an error of the service,
    what it has answered is rendered still.
    """

    def __init__(self) -> None:
        self._asked = False
        self.at_once = threading.Event()
        self.error: Exception | None = None
        self.signal: int | None = None
        self._callbacks: list[Callable[[], object]] = []

    def __bool__(self) -> bool:
        return self._asked

    def request(self, *, error: Exception | None = None, signal: int | None = None) -> None:
        """The first error and the first signal are kept."""
        self.error = self.error or error
        self.signal = self.signal or signal
        self._asked = True
        if signal is not None:
            self.at_once.set()
        for callback in list(self._callbacks):
            callback()

    async def wait(self, seconds: float) -> None:
        """Sleep for so long, or until the end is asked for."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._callbacks.append(wake)
        try:
            if not self:
                async with asyncio.timeout(max(0.0, seconds)):
                    await woken.wait()
        except TimeoutError:
            pass
        finally:
            self._callbacks.remove(wake)


@contextmanager
def by_signals(stop: Stop) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a terminal that is closed ask for the end; a second one has its old
    effect at once. In the main thread only: elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def ask(number: int, _: FrameType | None) -> None:
        for each, handler in before.items():
            if signal.getsignal(each) is ask:
                signal.signal(each, handler)
        stop.request(signal=number)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
