"""The plans of aiimagedetectorapi.com, as its page has them: what a key may do, and how fast."""

from dataclasses import dataclass
from typing import Literal

from ..rates import Rate
from ..settings import Limit, Settings


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a key may do.

    ``rate`` is what headers tell, a second; ``limit`` is over the window of 60 seconds, ``burst``
    within one second; ``scans`` are those of a month, as far as the page tells; ``batches`` is how
    many may be worked on at a time.
    """

    name: str
    rate: int = 2
    limit: Limit | None = None
    burst: Limit | None = None
    scans: int | None = None
    jobs: bool = True
    batches: int | None = None


PLANS: dict[Literal["free", "pro"] | None, Plan] = {
    None: Plan(name="sandbox"),
    "free": Plan(
        name="free", limit=Limit(120, 60), burst=Limit(5, 1), scans=500, jobs=False, batches=1
    ),
    "pro": Plan(name="pro", rate=200, limit=Limit(12_000, 60), burst=Limit(400, 1), batches=10),
}


class Allowance:
    """What is left of a plan to each key."""

    def __init__(self, settings: Settings) -> None:
        self.plan = PLANS[settings.aidetector_plan]
        self.limit = settings.aidetector_limit or self.plan.limit
        self.scans = self.plan.scans if self.plan.scans is not None else settings.credits
        self.clock = settings.clock
        self._long, self._short = Rate(self.limit), Rate(self.plan.burst)
        self._batches: dict[str, int] = {}

    def wait_s(self, key: str) -> int:
        """Count one request, or return the seconds until one is admitted again; 0 if it was."""
        now = self.clock()
        return self._short.wait_s(key, now) or self._long.wait_s(key, now)

    def told(self, key: str) -> tuple[int, int]:
        """What headers tell: the rate, and how much of it the window has left, 0 if nothing.

        The page's example has the rate of its plan a second, and a rest below that.
        """
        left = self._long.left(key)
        if self.limit is None or left is None:
            return self.plan.rate, self.plan.rate
        rate = self.plan.rate if self.limit is self.plan.limit else self.limit.count
        return rate, -(-left * rate // self.limit.count)

    def begin_batch(self, key: str) -> bool:
        """Count one batch more that is worked on; False where the plan allows no more."""
        most, count = self.plan.batches, self._batches.get(key, 0)
        if most is not None and count >= most:
            return False
        self._batches[key] = count + 1
        return True

    def end_batch(self, key: str) -> None:
        count = self._batches.pop(key) - 1
        if count:
            self._batches[key] = count
