"""Every knob of the sandbox, and the words in which it describes itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import InputError
from .analysis import Detector, analyse

NOTICE = (
    "analysis for development, not a trained detector: 'ai' means that some pixels stand out from"
    " the rest, and real photos get it too"
)


SECOND = 1_000_000_000  # in nanoseconds
MOST = 1e9  # seconds: times are to have years of four digits


@dataclass(frozen=True)
class Limit:
    """So many events within so many seconds."""

    count: int
    seconds: float

    def __post_init__(self) -> None:
        if self.count < 1 or not self.seconds > 0:
            raise InputError(f"a limit needs a count and seconds above 0, got {self}")


LOGIN_LIMIT = Limit(12, 900)
CHECK_LIMIT = Limit(900, 900)
OTHER_LIMIT = Limit(10, 1)
"""What the Copyleaks pages state: logins, image checks, and everything else."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The knobs of the sandbox.

    Attributes
    ----------
    detector : callable
        Gives the answer to an image: ``detector(rgb) -> Analysis``. Default: the sandbox's own.
    credits : int
        What every account has to begin with: credits, scans or operations.
    token_life_s : float
        How long a login is good for, in seconds.
    duplicate_policy : {"replay", "conflict", "ignore"}
        A scan id that comes again: ``replay`` repeats the answer if the image is the same and
        answers 409 if it is not, ``conflict`` always answers 409, ``ignore`` scans anew.
    limits : {"27mp", "16mp"}
        The largest image: 27,000,000 pixels as the newer pages say, or 16,000,000.
    shape : {"2026", "2025"}
        The answer as it is now, or as of 2025: without ``isAiDetected``, the model's name in full.
    heatmap_levels : bool
        Give a submission that asks for a heatmap one: ``result.heatmap``, a list of runs for
        each ``level``. No page tells the form of the service's own: this is not its contract.
    login_limit, check_limit, other_limit : Limit or None
        Above these rates Copyleaks answers 429. None: no limit. The service's own figures are
        LOGIN_LIMIT, CHECK_LIMIT and OTHER_LIMIT.
    aidetector_limit : Limit or None
        The same for AIDetector, in place of the limit that its plan has.
    aidetector_plan : {"free", "pro"} or None
        The plan of all of AIDetector's keys: rate, burst, batches at a time, whether there are
        jobs, and for "free" 500 scans in place of ``credits``. None: no limits.
    fetch : {"none", "loopback", "public"}
        Whether images are fetched that a request names by their address: not at all, from this
        machine only, or from the public internet only. A private network is never asked.
    fetch_timeout_s : float
        How long that may take, in seconds.
    webhook_unit_s : float
        What a webhook that is not acknowledged waits for its second attempt, in seconds; then
        twice, 4, 8 and 16 times as long, six attempts in all.
    retry_after : bool
        Whether 429 and 503 carry the header ``Retry-After``. Nobody knows what the service does.
    workers : int
        How many images are analysed at a time; further ones wait.
    max_checks, max_connections : int
        How many complete uploads are worked on, and how many connections are open. Uploads above
        that wait in memory; connections above it are answered 503.
    header_timeout_s, body_timeout_s : float
        How long a client may take to send the head and the body of a request.
    clock : callable
        The time in nanoseconds since 1970.

    Raises
    ------
    InputError
        A value is out of its range.
    """

    detector: Detector = analyse
    credits: int = 1_000_000
    token_life_s: float = 48 * 3600
    duplicate_policy: Literal["replay", "conflict", "ignore"] = "replay"
    limits: Literal["27mp", "16mp"] = "27mp"
    shape: Literal["2026", "2025"] = "2026"
    heatmap_levels: bool = False
    login_limit: Limit | None = None
    check_limit: Limit | None = None
    other_limit: Limit | None = None
    aidetector_limit: Limit | None = None
    aidetector_plan: Literal["free", "pro"] | None = None
    fetch: Literal["none", "loopback", "public"] = "none"
    fetch_timeout_s: float = 20
    webhook_unit_s: float = 0.2
    retry_after: bool = True
    workers: int = 2
    max_checks: int = 8
    max_connections: int = 256
    header_timeout_s: float = 10
    body_timeout_s: float = 60
    clock: Callable[[], int] = time.time_ns

    def __post_init__(self) -> None:
        choices = {
            "duplicate_policy": ("replay", "conflict", "ignore"),
            "limits": ("27mp", "16mp"),
            "shape": ("2026", "2025"),
            "aidetector_plan": (None, "free", "pro"),
            "fetch": ("none", "loopback", "public"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} is {getattr(self, name)!r}; allowed: {allowed}")
        positive = ("token_life_s", "webhook_unit_s", "workers", "max_checks", "max_connections")
        for name in (*positive, "header_timeout_s", "body_timeout_s", "fetch_timeout_s"):
            if not 0 < getattr(self, name) <= MOST:
                raise InputError(
                    f"{name} is {getattr(self, name)!r}; it has to be above 0, and at most {MOST:g}"
                )
        if self.credits < 0:
            raise InputError(f"credits is {self.credits}; it has to be 0 or more")

    @property
    def max_pixels(self) -> int:
        """The largest image that is accepted, in pixels."""
        return {"27mp": 27_000_000, "16mp": 16_000_000}[self.limits]
