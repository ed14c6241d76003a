"""When to send again: the protocol of attempts, without any input or output.

:func:`exchange` is a generator. It yields a :class:`Request`, to be sent, or a :class:`Wait`, to be
slept; a driver (there is one for threads and one for event loops) does so and sends back what came.

What may be resent
------------------
==============================================  ==============================================
not sent: no connection, TLS, first byte        resent
429; 503 with ``Retry-After``; 408; 425         resent: the service did no work
500, 502, 504, bare 503, any other 5xx          may have been billed: only ``resend_ambiguous``
timeout, reset, an answer cut off               may have been billed: only ``resend_ambiguous``
any other status                                never
==============================================  ==============================================

A request that costs nothing (a login) is resent in all the upper cases. A source from which the
service could not fetch an image is asked once more.
"""

from __future__ import annotations

import itertools
import random
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ..errors import APIError, APITimeoutError, ImageUnfetchableError, RateLimitedError

if TYPE_CHECKING:
    from .pace import Pace

MAX_BACKOFF_S = 60.0
MAX_RETRY_AFTER_S = 120.0
BUDGET = 100
RESEND_COST = 10
SUCCESS_REFUND = 1
LARGE_BODY = 2**20  # bytes: read within milliseconds

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to send. Its repr tells neither headers nor content: they hold secrets.

    ``files`` are multipart parts, ``(name, (filename, content, media type))``, and ``fields`` the
    text parts before them. ``billed``: the service may charge for it. ``large``: its answer may be
    as large as one that is.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Sequence[tuple[str, tuple[str, bytes, str]]] = field(default=(), repr=False)
    billed: bool = False
    large: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back: header names in lower case, the body decoded and complete."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Blocking:
    """Run a function: in a thread, where there is an event loop. See :func:`blocking`."""

    function: Callable[[], Any]

    def outcome(self) -> tuple[Any, Exception | None]:
        """What came of it: the driver is to send it back, and must not be unwound by an error."""
        try:
            return self.function(), None
        except Exception as error:
            return None, error


@dataclass(frozen=True)
class Exclusive:
    """Run another flow, which one caller of a client does at a time, and send back its result."""

    flow: Callable[[Call], Flow[Any]]


Effect = Request | Wait | Blocking | Exclusive
Flow = Generator[Effect, Any, T]


def blocking(function: Callable[[], T]) -> Flow[T]:
    result, error = yield Blocking(function)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


class Budget:
    """A reserve for resending, shared by all calls of a client, so that a dead service is not
    stormed: each resend takes 10 of 100, each success gives 1 back."""

    def __init__(self, capacity: int = BUDGET) -> None:
        self._capacity = self._left = capacity
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            if self._left < RESEND_COST:
                return False
            self._left -= RESEND_COST
            return True

    def refund(self) -> None:
        with self._lock:
            self._left = min(self._capacity, self._left + SUCCESS_REFUND)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How often to resend (``retries``), and the bound of the first random wait (``backoff_s``)."""

    retries: int
    backoff_s: float
    resend_ambiguous: bool
    budget: Budget = field(default_factory=Budget)
    uniform: Callable[[float, float], float] = random.uniform


@dataclass(kw_only=True)
class Call:
    """One call of the user: its time limit, and what its attempts have come to so far."""

    deadline: float
    clock: Callable[[], float]
    attempts: int = 0
    ambiguous: bool = False

    def left(self) -> float:
        """Seconds."""
        return self.deadline - self.clock()


def exchange(
    request: Request,
    judge: Callable[[Reply], T | APIError],
    policy: Policy,
    call: Call,
    pace: Pace | None = None,
) -> Flow[T]:
    """Send until ``judge`` finds an answer, or raise the error.

    ``judge`` turns a reply into what the call returns, or into the error that it means. Each
    attempt takes a turn of ``pace``.
    """
    for resends in itertools.count():
        if call.left() <= 0:
            raise out_of_time(call)
        if pace is not None:
            yield from _turn(pace, call)
        call.attempts += 1
        outcome = yield request
        result: Any = outcome
        if isinstance(outcome, Reply):
            if pace is not None:
                pace.heed(call.clock(), outcome.headers)
            result = yield from _judged(judge, outcome)
        if not isinstance(result, Exception):
            policy.budget.refund()
            return result  # type: ignore[no-any-return]
        if not isinstance(result, APIError):
            raise result
        if pace is not None and isinstance(result, RateLimitedError) and result.retry_after:
            pace.hold(call.clock(), result.retry_after)
        wait = _wait_before_resend(result, resends, policy, call)
        result.attempts = call.attempts
        if result.status in (404, 405):
            result.add_note(f"asked was {request.method} {urlsplit(request.url).path}")
        if call.ambiguous:
            result.billed = "unknown"
        if wait is None:
            raise result
        yield Wait(wait)
    raise AssertionError  # for the type checker: the loop has no end


def _judged(judge: Callable[[Reply], T | APIError], reply: Reply) -> Flow[T | APIError]:
    """Reading a large answer takes long enough for an event loop to be about its other tasks."""
    if len(reply.body) < LARGE_BODY:
        return judge(reply)
    return (yield from blocking(partial(judge, reply)))


def _turn(pace: Pace, call: Call) -> Flow[None]:
    wait = pace.take_turn(call.clock(), call.left())
    if wait is None:
        error = out_of_time(call)
        error.add_note("the client's own rate limit (rate_limit) left no turn before it")
        raise error
    if wait > 0:
        yield Wait(wait)


def _wait_before_resend(error: APIError, resends: int, policy: Policy, call: Call) -> float | None:
    """Seconds; None if the error is final."""
    call.ambiguous |= error.billed == "unknown"
    most = 1 if isinstance(error, ImageUnfetchableError) else policy.retries
    if not error.retryable or resends >= min(most, policy.retries):
        return None
    if error.billed != "no" and not policy.resend_ambiguous:
        return None
    named = getattr(error, "retry_after", None)
    if named is None:
        wait = policy.uniform(0, min(MAX_BACKOFF_S, policy.backoff_s * 2**resends))
    elif named > MAX_RETRY_AFTER_S:
        return None
    else:
        wait = named + policy.uniform(0, named / 10)  # so that many clients do not return at once
    if wait >= call.left() or not policy.budget.take():
        return None
    return wait


def out_of_time(call: Call) -> APITimeoutError:
    return APITimeoutError(
        "the time limit of the call ran out before the request was sent",
        attempts=call.attempts,
        retryable=True,
        billed="unknown" if call.ambiguous else "no",
    )


_SECONDS = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait that ``Retry-After`` names, in seconds from now; None for none, and for junk.

    A date is taken relative to the reply's own ``Date``: a wrong clock here does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then = _date(text)
    return None if then is None else _seconds_to(then, headers)


def seconds_until(stamp: str, headers: Mapping[str, str]) -> float | None:
    """From now to a time in seconds, or milliseconds, since 1970; None for junk. As above."""
    if not _SECONDS.fullmatch(stamp.strip()):
        return None
    value = float(stamp)
    if value >= _MILLISECONDS_FROM:
        value /= 1000
    if value >= _MILLISECONDS_FROM:
        return None
    return _seconds_to(datetime.fromtimestamp(value, UTC), headers)


_MILLISECONDS_FROM = 1e11  # as seconds, the year 5138


def _seconds_to(then: datetime, headers: Mapping[str, str]) -> float:
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        value = parsedate_to_datetime(text[:64])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
