"""When to send again, and how long to wait before: the rules, driven by hand."""

from __future__ import annotations

import time
from collections.abc import Generator
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmask.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    LimitError,
    RateLimitedError,
    ServerError,
)
from runmask.http.retry import (
    Budget,
    Call,
    Policy,
    Reply,
    Request,
    Wait,
    exchange,
    retry_after,
)

REQUEST = Request(method="POST", url="http://127.0.0.1:9/x", headers={}, billed=True)


def reply(status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=b"")


def judge(found: Reply) -> int | APIError:
    """A stand-in for a service's reading of replies."""
    if found.status < 300:
        return found.status
    error = (RateLimitedError if found.status == 429 else ServerError)(
        status=found.status, retryable=True, billed="no" if found.status == 429 else "unknown"
    )
    error.retry_after = retry_after(found.headers)  # type: ignore[attr-defined]
    return error


def policy(**changes: Any) -> Policy:
    """Waits come out at their upper bound."""
    defaults = {"retries": 3, "backoff_s": 1.0, "resend_ambiguous": False}
    return Policy(**(defaults | {"uniform": lambda low, high: high} | changes))


def call(seconds: float = 1000.0) -> Call:
    return Call(deadline=seconds, clock=lambda: 0.0)


def play(
    flow: Generator[Any, Any, Any], *outcomes: Reply | Exception
) -> tuple[list[Request | Wait], Any]:
    """What the flow asked for, and what it returned or raised."""
    asked: list[Request | Wait] = []
    script = iter(outcomes)
    outcome = None
    while True:
        try:
            effect = flow.send(outcome)
        except StopIteration as stop:
            return asked, stop.value
        except Exception as error:
            return asked, error
        asked.append(effect)
        outcome = next(script) if isinstance(effect, Request) else None


def waits(asked: list[Request | Wait]) -> list[float]:
    return [effect.seconds for effect in asked if isinstance(effect, Wait)]


def test_an_answer_at_once() -> None:
    asked, result = play(exchange(REQUEST, judge, policy(), call()), reply())
    assert (asked, result) == ([REQUEST], 200)


def test_backoff_doubles_to_its_bound() -> None:
    flow = exchange(REQUEST, judge, policy(retries=9, backoff_s=2.0), call())
    asked, error = play(flow, *[reply(429)] * 10)
    assert waits(asked) == [2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert isinstance(error, RateLimitedError)
    assert error.attempts == 10


def test_waits_are_random_below_the_bound() -> None:
    drawn = []
    flow = exchange(
        REQUEST, judge, policy(uniform=lambda low, high: drawn.append((low, high)) or 0.5), call()
    )
    asked, _ = play(flow, reply(429), reply())
    assert (drawn, waits(asked)) == ([(0, 1.0)], [0.5])


def test_the_named_wait_is_kept_to() -> None:
    flow = exchange(REQUEST, judge, policy(), call())
    asked, result = play(
        flow, *[reply(429, retry_after=text) for text in ("1", "0", "120")], reply()
    )
    assert (waits(asked), result) == ([1.1, 0.0, 132.0], 200)


def test_a_named_wait_above_the_cap_is_raised_at_once() -> None:
    flow = exchange(REQUEST, judge, policy(), call(10**12))
    asked, error = play(flow, reply(429, retry_after="99999999999"))
    assert waits(asked) == []
    assert (error.retry_after, error.attempts) == (99999999999.0, 1)


def test_no_wait_beyond_the_time_of_the_call() -> None:
    asked, error = play(exchange(REQUEST, judge, policy(), call(1.0)), reply(429))
    assert (waits(asked), error.attempts) == ([], 1)
    asked, error = play(exchange(REQUEST, judge, policy(), call(0.0)))
    assert (asked, type(error), error.billed) == ([], APITimeoutError, "no")


def test_what_may_have_been_billed_is_not_resent() -> None:
    asked, error = play(exchange(REQUEST, judge, policy(), call()), reply(500))
    assert (asked, error.billed, error.attempts) == ([REQUEST], "unknown", 1)


def test_unless_asked_for() -> None:
    flow = exchange(REQUEST, judge, policy(resend_ambiguous=True), call())
    asked, result = play(flow, reply(500), reply())
    assert (asked, result) == ([REQUEST, Wait(1.0), REQUEST], 200)


def test_doubt_stays_once_there_was_some() -> None:
    flow = exchange(REQUEST, judge, policy(resend_ambiguous=True), call())
    _, error = play(flow, reply(500), *[reply(429)] * 3)
    assert isinstance(error, RateLimitedError)
    assert error.billed == "unknown"


def test_final_errors_are_raised_at_once() -> None:
    final = APIConnectionError("x", retryable=False)
    asked, error = play(exchange(REQUEST, judge, policy(), call()), final)
    assert (asked, error) == ([REQUEST], final)
    asked, error = play(exchange(REQUEST, judge, policy(), call()), LimitError("x"))
    assert isinstance(error, LimitError)


def test_the_budget_ends_a_storm_and_heals() -> None:
    shared = policy(budget=Budget(30))
    sent = 0
    for _ in range(20):
        asked, _ = play(exchange(REQUEST, judge, shared, call()), *[reply(429)] * 4)
        sent += sum(effect is REQUEST for effect in asked)
    assert sent == 20 + 3
    for _ in range(10):
        play(exchange(REQUEST, judge, shared, call()), reply())
    asked, _ = play(exchange(REQUEST, judge, shared, call()), *[reply(429)] * 4)
    assert len(waits(asked)) == 1


NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("99999999999", 99999999999.0),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), 0.0),
        ("-5", None),
        ("soon", None),
        ("NaN", None),
        ("inf", None),
        ("1e3", None),
        ("1, 5", None),
        ("\u0663", None),
        ("9" * 5000, None),
        ("", None),
        ("Sun, 99 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_forms_of_retry_after(text: str, seconds: float | None) -> None:
    headers = {"retry-after": text, "date": formatdate(NOW, usegmt=True)}
    assert retry_after(headers) == seconds


def test_a_date_without_the_servers_own_is_by_our_clock() -> None:
    found = retry_after({"retry-after": formatdate(time.time() + 60, usegmt=True)})
    assert found is not None
    assert 50 < found <= 60


@given(st.text(max_size=40))
def test_retry_after_is_never_negative_nor_endless(text: str) -> None:
    found = retry_after({"retry-after": text, "date": text})
    assert found is None or 0 <= found < 1e15
