"""What a job does while its service is away: it waits, and asks again with one request at a time.

A breaker: closed, all may ask. After a failure that is the service's or the network's it is open
for a while that doubles from a second to a minute, or as long as the service has asked for; then
one request goes as a probe. If that succeeds, all go on.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
AMBIGUOUS_IN_A_ROW = 3
"""So many answers may be lost one after another before that is taken for an outage."""


class Circuit:
    """For the tasks of one event loop.

    ``wait`` sleeps so many seconds, or until the job stops. ``since`` is when the outage began on
    ``clock``, later by the pauses that the service has named; None while all is well. ``until``
    is when the next probe goes.
    """

    def __init__(
        self,
        wait: Callable[[float], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._wait = wait
        self._clock = clock
        self._uniform = uniform
        self._probing = asyncio.Lock()
        self._pauses = 0
        self._lost = 0
        self.since: float | None = None
        self.until = 0.0

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Around one request: waits while the service is away, and lets one through as a probe."""
        if self.since is not None:
            async with self._probing:
                if self.since is not None:
                    await self._wait(self.pause())
                    yield
                    return
        yield

    def succeeded(self) -> None:
        """The service answers, be it with a refusal."""
        self._pauses = self._lost = 0
        self.since = None

    def failed(self, named_s: float = 0.0) -> None:
        """It does not, or asks for a pause of so many seconds."""
        now = self._clock()
        if self.since is not None and now < self.until:  # one of those under way when it began
            self.until = max(self.until, now + named_s)
            return
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._pauses)
        self._pauses = min(self._pauses + 1, 10)
        own_s = self._uniform(longest / 2, longest)
        self.since = (now if self.since is None else self.since) + named_s
        self.until = max(self.until, now + max(own_s, named_s))

    def pause(self) -> float:
        """Seconds until the next probe."""
        return max(0.0, self.until - self._clock())

    def patience_is_over(self, seconds: float) -> bool:
        return self.since is not None and self._clock() > self.since + seconds

    def lost_an_answer(self) -> None:
        """It may have been away, or the connection had bad luck."""
        self._lost += 1
        if self._lost >= AMBIGUOUS_IN_A_ROW or self.since is not None:
            self.failed()
