"""The clients of Copyleaks where the server refuses or fails: errors, what is sent again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from copyleaks_client import GOOD, Connect, error_of, facades, shape_a
from faults.server import Answer, faulty

from runmask.errors import (
    APIConnectionError,
    APITimeoutError,
    DuplicateScanError,
    InvalidRequestError,
    RateLimitedError,
    StatusError,
)
from runmask.http import copyleaks_wire as wire
from runmask.http.retry import Reply


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


# -- refusals


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


def test_attempts_of_one_call_have_one_id(connect: Connect) -> None:
    with faulty(Answer(status=429), Answer(status=408), GOOD) as server:
        connect(server).check()
    checks = [request for request in server.requests if b"login" not in request.target]
    assert (len(checks), len({check.target for check in checks})) == (3, 1)
    assert list(server.charges.values()) == [1]


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
