"""How often one may ask, and memories that stay small."""

import math
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import TypeVar

from .settings import SECOND, Limit

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MAX_ACCOUNTS = 1_000


class Newest(OrderedDict[Key, Value]):
    """A dict that forgets its oldest entry when it holds more than ``most``."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self.most:
            self.popitem(last=False)


class Rate:
    """Admits so many events of each key within any stretch of so many seconds."""

    def __init__(self, limit: Limit | None) -> None:
        self.limit = limit
        self.times: Newest[str, deque[int]] = Newest(MAX_ACCOUNTS)

    def wait_s(self, key: str, now: int) -> int:
        """Count one event, or return the seconds until one is admitted again; 0 if it was."""
        if self.limit is None:
            return 0
        times = self.times.setdefault(key, deque())
        span = round(self.limit.seconds * SECOND)
        while times and times[0] <= now - span:
            times.popleft()
        if len(times) < self.limit.count:
            times.append(now)
            return 0
        return max(1, math.ceil((times[0] + span - now) / SECOND))

    def left(self, key: str) -> int | None:
        """How many events more would be admitted as of the last one; None for any number."""
        if self.limit is None:
            return None
        return self.limit.count - len(self.times.get(key, ()))
