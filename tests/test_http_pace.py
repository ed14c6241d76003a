"""The client's own rate limit, by a slow model and by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from aidetector_client import BODY, GOOD, KEY, check, facades
from billed_calls import PHOTO, client_of
from clients import Connect
from faults.server import Answer, faulty
from hypothesis import given
from hypothesis import strategies as st

from runmask.errors import (
    APITimeoutError,
    AuthError,
    InputError,
)
from runmask.http import AIDetector, Rate
from runmask.http.copyleaks_wire import CHECK_RATE, LOGIN_RATE
from runmask.http.pace import MAX_HOLD_S, Pace


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


@given(
    st.floats(0.1, 50),
    st.integers(1, 20),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_window_has_more_than_is_allowed(rate: float, burst: int, gaps: list[float]) -> None:
    pace, now, turns = Pace(Rate(rate, burst)), 0.0, []
    for gap in gaps:
        now += gap
        turns.append(now + pace.take_turn(now, 1e9))
    assert turns == sorted(turns)
    for at, first in enumerate(turns):
        for count, last in enumerate(turns[at:], 1):
            assert count <= burst + (last - first) * rate + 1e-6


@given(st.integers(1, 30))
def test_a_burst_is_not_delayed(burst: int) -> None:
    pace = Pace(Rate(1, burst))
    assert [pace.take_turn(5.0, 0.0) for _ in range(burst)] == [0.0] * burst
    assert pace.take_turn(5.0, 0.5) is None
    assert pace.take_turn(5.0, 1.5) == 1.0


def test_a_turn_that_is_refused_is_not_taken() -> None:
    pace = Pace(Rate(1, 1))
    pace.take_turn(0.0, 0.0)
    for _ in range(5):
        assert pace.take_turn(0.0, 0.5) is None
    assert pace.take_turn(0.0, 9.0) == 1.0


def test_holding_ends() -> None:
    pace = Pace(Rate(100, 100))
    pace.hold(0.0, 5.0)
    pace.hold(0.0, 1.0)
    assert pace.take_turn(1.0, 9.0) == 4.0
    pace.hold(0.0, 1e9)
    assert pace.take_turn(0.0, 1e12) == MAX_HOLD_S


def test_headers() -> None:
    date = "Sun, 22 Nov 2026 10:00:00 GMT"
    at = 1795341600
    for reset, wait in ((f"{at + 7}", 7.0), (f"{(at + 7) * 1000}", 7.0), (f"{at - 7}", 0.0)):
        pace = Pace(Rate(100, 100))
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset, "date": date}
        pace.heed(0.0, headers)
        assert pace.take_turn(0.0, 99.0) == wait
    pace = Pace(Rate(100, 100))
    pace.heed(0.0, headers | {"x-ratelimit-remaining": "1", "x-ratelimit-reset": f"{at + 9}"})
    assert pace.take_turn(0.0, 99.0) == 0.0


@pytest.mark.parametrize(("rate", "most"), [(CHECK_RATE, 900), (LOGIN_RATE, 12)])
def test_copyleaks_in_any_quarter_of_an_hour(rate: Rate, most: int) -> None:
    pace = Pace(rate)
    turns = []
    now = 0.0
    while now < 4000:
        now += pace.take_turn(now, 1e9)
        turns.append(now)
    at = 0
    for count, turn in enumerate(turns, 1):
        while turns[at] <= turn - 900:
            at += 1
        assert count - at <= most


# -- of a client, over real sockets


def test_the_pace_is_kept(connect: Connect) -> None:
    with faulty(*[GOOD] * 6) as server:
        client = connect(server.origin, rate_limit=Rate(20, 2))
        began = time.monotonic()
        for _ in range(6):
            check(client)
    assert time.monotonic() - began >= 4 / 20 * 0.95


@pytest.mark.parametrize("kind", ["threads", "loop"])
def test_logins_have_turns_of_their_own(kind: str) -> None:
    """A key that is refused must not be tried without end: the service blocks whoever does."""
    with (
        faulty(logins=[Answer(status=401)] * 9) as server,
        client_of(
            *("copyleaks", kind, server.origin), rate_limit=Rate(0.01, 2), total_timeout=1.0
        ) as client,
    ):
        for error in (AuthError, AuthError, APITimeoutError):
            with pytest.raises(error):
                client.check(PHOTO, preflight=False)
    assert server.logins == 2


def test_no_turn_within_the_time_of_the_call(connect: Connect) -> None:
    with faulty(GOOD, GOOD) as server:
        client = connect(server.origin, rate_limit=Rate(0.01, 1), total_timeout=1.0)
        check(client)
        with pytest.raises(APITimeoutError) as caught:
            check(client)
    assert (caught.value.billed, len(server.requests)) == ("no", 1)
    assert "rate_limit" in caught.value.__notes__[0]


def test_headers_that_say_stop_are_heeded(connect: Connect) -> None:
    spent = (
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", str(int(time.time()) + 900)),
    )
    with faulty(Answer(body=BODY, headers=spent), GOOD) as server:
        client = connect(server.origin, rate_limit=Rate(100, 10), total_timeout=1.0)
        check(client)
        with pytest.raises(APITimeoutError):
            check(client)
    assert len(server.requests) == 1


@pytest.mark.parametrize("reset", ["1000", "0", "soon", "-5", "1e99", "9" * 40])
def test_resets_in_the_past_and_junk_stop_nothing(connect: Connect, reset: str) -> None:
    spent = (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset))
    with faulty(Answer(body=BODY, headers=spent), GOOD) as server:
        client = connect(server.origin, rate_limit=Rate(100, 10), total_timeout=2.0)
        check(client)
        check(client)
    assert len(server.requests) == 2


@pytest.mark.parametrize("value", ["x", 5, (0, 1), (1, 0), (1, 1.5), (float("inf"), 1)])
def test_bad_rates(value: Any) -> None:
    with pytest.raises(InputError, match="rate_limit"):
        AIDetector(KEY, rate_limit=value)
