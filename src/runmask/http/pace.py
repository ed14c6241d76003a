"""How fast a client may ask: no faster than the service allows, all its callers together.

The rate is kept by the time at which the next request would be due if all came evenly (the generic
cell rate algorithm): two numbers, whatever the rate, and no timer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple

from .retry import seconds_until

MAX_HOLD_S = 120.0


class Rate(NamedTuple):
    """Requests: so many a second on average, and at most ``burst`` at once."""

    per_second: float
    burst: int


class Pace:
    """Turns for any number of threads. Times are seconds on one clock, which the caller reads."""

    def __init__(self, rate: Rate) -> None:
        self._interval = 1 / rate.per_second
        self._slack = (rate.burst - 1) * self._interval
        self._due = self._held_until = float("-inf")
        self._lock = threading.Lock()

    def take_turn(self, now: float, most: float) -> float | None:
        """Seconds to wait for the turn that is now taken; None, and no turn, if over ``most``."""
        with self._lock:
            turn = max(now, self._due - self._slack, self._held_until)
            if turn - now > most:
                return None
            self._due = max(self._due, turn) + self._interval
            return turn - now

    def hold(self, now: float, seconds: float) -> None:
        """No more turns for so long, at most 120 seconds."""
        with self._lock:
            self._held_until = max(self._held_until, now + min(seconds, MAX_HOLD_S))

    def heed(self, now: float, headers: Mapping[str, str]) -> None:
        """Hold if a reply says that nothing remains of what is allowed until its reset."""
        if headers.get("x-ratelimit-remaining", "").strip() != "0":
            return
        seconds = seconds_until(headers.get("x-ratelimit-reset", ""), headers)
        if seconds is not None:
            self.hold(now, seconds)
