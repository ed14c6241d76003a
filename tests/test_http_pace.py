"""The client's own rate limit, by a slow model and by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runmask.http.copyleaks_wire import CHECK_RATE
from runmask.http.pace import MAX_HOLD_S, Pace, Rate


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


def test_copyleaks_900_checks_in_any_quarter_of_an_hour() -> None:
    pace = Pace(CHECK_RATE)
    turns = []
    now = 0.0
    while now < 2000:
        now += pace.take_turn(now, 1e9)
        turns.append(now)
    at = 0
    for count, turn in enumerate(turns, 1):
        while turns[at] <= turn - 900:
            at += 1
        assert count - at <= 900
