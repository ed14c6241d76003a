"""The clients of Copyleaks where the server refuses or fails: errors, what is sent again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from copyleaks_client import BODY, GOOD, Connect, error_of, facades, refusal, shape_a
from faults.server import Answer, faulty

from runmask.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthError,
    DuplicateScanError,
    ImageTooLargeError,
    InvalidRequestError,
    QuotaError,
    RateLimitedError,
    ServerError,
    StatusError,
    UnavailableError,
)
from runmask.http import copyleaks_wire as wire
from runmask.http.retry import Reply


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


# -- refusals


@pytest.mark.parametrize(
    ("answer", "kind", "code", "billed", "retryable"),
    [
        (Answer(status=400, body=b"{}"), InvalidRequestError, None, "no", False),
        (Answer(status=403), InvalidRequestError, None, "no", False),
        (Answer(status=404, body=b"<html>"), InvalidRequestError, None, "no", False),
        (Answer(status=422, body=b"\xff"), InvalidRequestError, None, "no", False),
        (Answer(status=402), QuotaError, None, "no", False),
        (
            Answer(status=400, body=shape_a(type="payment_error", code=13)),
            QuotaError,
            13,
            "no",
            False,
        ),
        (
            Answer(status=403, body=shape_a(type="authentication_error", code="4")),
            AuthError,
            4,
            "no",
            False,
        ),
        (Answer(status=409), DuplicateScanError, None, "no", False),
        (Answer(status=413), ImageTooLargeError, None, "no", False),
        (Answer(status=400, body=shape_a(code=6)), ImageTooLargeError, 6, "no", False),
        (Answer(status=400, body=b'{"error":[{"code":"6"}]}'), ImageTooLargeError, 6, "no", False),
        (Answer(status=400, body=shape_a(type="api_error", code=16)), ServerError, 16, "no", False),
        (Answer(status=408), InvalidRequestError, None, "no", True),
        (Answer(status=425), InvalidRequestError, None, "no", True),
        (
            Answer(status=429, body=shape_a(type="api_error", code=9)),
            RateLimitedError,
            9,
            "no",
            True,
        ),
        (Answer(status=503), UnavailableError, None, "unknown", True),
        (
            Answer(status=503, headers=(("Retry-After", "soon"),)),
            UnavailableError,
            None,
            "unknown",
            True,
        ),
        (Answer(status=503, headers=(("Retry-After", "9"),)), UnavailableError, None, "no", True),
        (Answer(status=500), ServerError, None, "unknown", True),
        (Answer(status=502, body=b"<html>"), ServerError, None, "unknown", True),
        (Answer(status=504), ServerError, None, "unknown", True),
        (Answer(status=501), ServerError, None, "unknown", False),
        (
            Answer(status=307, headers=(("Location", "https://x.example/a"),)),
            StatusError,
            None,
            "no",
            False,
        ),
    ],
)
def test_refusals(
    connect: Connect, answer: Answer, kind: type, code: int, billed: str, retryable: bool
) -> None:
    with faulty(answer) as server:
        error = error_of(connect(server, retries=0), scan_id="abc")
    assert type(error) is kind
    assert (error.status, error.service_code) == (answer.status, code)
    assert (error.billed, error.retryable) == (billed, retryable)
    assert (error.body, error.attempts, error.scan_id) == (answer.body, 1, "abc")
    assert str(answer.status) in str(error)


def test_the_documented_refusals(connect: Connect, golden: Path) -> None:
    with faulty(
        refusal("06_copyleaks_check_400_too_small", golden, 400),
        refusal("08_copyleaks_402_no_credits", golden, 402),
    ) as server:
        client = connect(server)
        error = error_of(client)
        assert isinstance(error, InvalidRequestError)
        assert error.details == (("image", "320x240 is under the 512x512 minimum"),)
        assert "320x240" in str(error)
        error = error_of(client)
        assert (type(error), error.service_code) == (QuotaError, 13)


def test_the_older_shape(connect: Connect) -> None:
    answer = Answer(
        status=400,
        headers=(("Copyleaks-Error-Code", "10"), ("X-Request-Id", "r-\x851")),
        body=b'{"Message": "\\u001b[31mno"}',
    )
    with faulty(answer) as server:
        error = error_of(connect(server))
    assert (error.service_code, error.request_id) == (10, "r-\\x851")
    assert str(error).isprintable()
    assert "\\x1b[31mno" in str(error)


def test_a_redirect_names_its_origin_only(connect: Connect) -> None:
    location = (("Location", "https://x.example/path?token=1"),)
    with faulty(Answer(status=302, headers=location)) as server:
        error = error_of(connect(server))
    assert "https://x.example," in str(error)
    assert "token" not in str(error)


@pytest.mark.parametrize(
    ("status", "location", "words"),
    [
        (302, "http://[", "no valid address"),
        (302, "/login?token=1", "another path"),
        (302, None, "302, neither an answer"),
        (304, None, "304, neither an answer"),
        (399, "", "another path"),
        (307, "//x.example/token", "a redirect to x.example,"),
        (307, "https://" + "x" * 9000 + "/token", "a redirect to https://xxx"),
    ],
)
def test_odd_redirects(status: int, location: str | None, words: str) -> None:
    headers = {} if location is None else {"location": location}
    reply = Reply(status=status, headers=headers, body=b"")
    error = wire.refusal(reply, "check", ())
    assert type(error) is StatusError
    assert words in str(error)
    assert "token" not in str(error)
    assert len(str(error)) < 300


def test_long_and_odd_error_bodies(connect: Connect) -> None:
    odd = [
        shape_a(message="x" * 10**6, type=["a"], id={"b": 1}, details=[1, {"param": 3}]),
        b'{"error": "text"}',
        b'{"error": null, "Message": {"x": 1}}',
        b"x" * (2**20 + 1),
    ]
    with faulty(*(Answer(status=400, body=body) for body in odd)) as server:
        client = connect(server)
        for body in odd:
            error = error_of(client)
            assert type(error) is InvalidRequestError
            assert len(str(error)) <= 500
            assert error.body == body[: 2**20]


# -- sending again


SAFE = [
    Answer(status=429),
    Answer(status=429, headers=(("Retry-After", "0"),)),
    Answer(status=503, headers=(("Retry-After", "0"),)),
    Answer(status=408),
    Answer(status=425),
]
AMBIGUOUS = [
    Answer(reset="headers"),
    Answer(reset="all", charge=True),
    Answer(status=500, charge=True),
    Answer(status=502, charge=True),
    Answer(status=503, charge=True),
    Answer(status=504, charge=True),
    Answer(body=BODY, cut=150, charge=True),
    Answer(body=BODY, declared=999, charge=True),
    Answer(delay_s=9, charge=True),
]


@pytest.mark.parametrize("answer", SAFE)
def test_safe_failures_are_resent_with_the_same_id(connect: Connect, answer: Answer) -> None:
    with faulty(answer, answer, GOOD) as server:
        connect(server).check()
    checks = [r for r in server.requests if b"login" not in r.target]
    assert len(checks) == 3
    assert len({check.target for check in checks}) == 1
    assert list(server.charges.values()) == [1]
    assert server.logins == 1


@pytest.mark.parametrize("answer", AMBIGUOUS)
def test_nothing_is_charged_twice(connect: Connect, answer: Answer) -> None:
    with faulty(answer, GOOD) as server:
        error = error_of(connect(server, read_timeout=0.2), scan_id="abc")
    assert (error.billed, error.attempts, error.scan_id) == ("unknown", 1, "abc")
    assert error.retryable
    assert server.charges["abc"] == int(answer.charge)


@pytest.mark.parametrize("answer", AMBIGUOUS)
def test_unless_resending_was_asked_for(connect: Connect, answer: Answer) -> None:
    with faulty(answer, GOOD) as server:
        client = connect(server, read_timeout=0.2, resend_ambiguous=True)
        assert client.check(scan_id="abc").raw == BODY
    assert server.charges["abc"] == int(answer.charge) + 1


def test_a_taken_id_after_doubt_is_still_doubt(connect: Connect) -> None:
    with faulty(Answer(status=500), Answer(status=409)) as server:
        error = error_of(connect(server, resend_ambiguous=True))
    assert (type(error), error.billed, error.attempts) == (DuplicateScanError, "unknown", 2)


def test_retries_end(connect: Connect) -> None:
    with faulty(*[Answer(status=429)] * 9) as server:
        client = connect(server, retries=2)
        error = error_of(client)
        assert (type(error), error.attempts) == (RateLimitedError, 3)


def test_a_long_wait_is_raised(connect: Connect) -> None:
    with faulty(Answer(status=429, headers=(("Retry-After", "3600"),))) as server:
        error = error_of(connect(server))
    assert isinstance(error, RateLimitedError)
    assert (error.retry_after, error.attempts) == (3600.0, 1)


def test_a_storm_is_ended_by_the_budget(connect: Connect) -> None:
    with faulty(*[Answer(status=429)] * 99) as server:
        client = connect(server)
        attempts = [error_of(client).attempts for _ in range(9)]
    assert sum(attempts) == 9 + 10
    assert attempts[-1] == 1


def test_the_time_of_the_call_covers_all_of_it(connect: Connect) -> None:
    begun = time.monotonic()
    with faulty(*[Answer(delay_s=0.3, status=429)] * 9) as server:
        error = error_of(connect(server, total_timeout=0.5))
    assert isinstance(error, (APITimeoutError, RateLimitedError))
    assert time.monotonic() - begun < 5


def test_a_dead_service(connect: Connect) -> None:
    with faulty() as server:
        pass
    error = error_of(connect(server))
    assert (type(error), error.billed, error.attempts) == (APIConnectionError, "no", 4)
