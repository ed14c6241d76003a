"""The clients of Copyleaks as objects: tokens, many calls at once, life, arguments."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from copyleaks_client import (
    BODY,
    GOOD,
    KEY,
    PHOTO,
    REAL_KEY,
    Connect,
    Facade,
    error_of,
    facades,
    refusal,
    shape_a,
)
from faults.server import Answer, faulty, login_answer

from runmask import Detection
from runmask.errors import (
    APIError,
    APIResponseError,
    APITimeoutError,
    AuthError,
    ForbiddenError,
    InputError,
)
from runmask.http import AsyncCopyleaks, Copyleaks
from runmask.http import copyleaks_wire as wire
from runmask.http.retry import Reply
from runmask.http.secret import Secret


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


# -- the token


def test_one_login_for_many_calls(connect: Connect) -> None:
    with faulty(GOOD, GOOD, Answer(body=b'{"Amount": 7}')) as server:
        client = connect(server)
        client.login()
        client.login()
        client.check()
        client.check()
        assert client.credits() == 7
    assert server.logins == 1
    assert server.requests[-1].target == b"/v3/scans/credits"


@pytest.mark.parametrize("body", [b"{}", b'{"Amount": "7"}', b'{"Amount": true}', b"[]"])
def test_odd_credits(connect: Connect, body: bytes) -> None:
    with faulty(Answer(body=body)) as server, pytest.raises(APIResponseError):
        connect(server).credits()


def test_a_refused_token_is_replaced_once(connect: Connect, golden: Path) -> None:
    expired = refusal("07_copyleaks_401_expired_token_problem_json", golden, 401)
    with faulty(GOOD, expired, GOOD) as server:
        client = connect(server)
        client.check()
        client.check(scan_id="abc")
    assert server.logins == 2
    checks = [r for r in server.requests if b"login" not in r.target]
    assert [check.headers["authorization"] for check in checks] == [
        *("Bearer token-0001", "Bearer token-0001", "Bearer token-0002")
    ]
    assert checks[1].target == checks[2].target
    assert server.charges["abc"] == 1


def test_a_second_401_is_an_error(connect: Connect, golden: Path) -> None:
    expired = refusal("07_copyleaks_401_expired_token_problem_json", golden, 401)
    with faulty(expired, expired, GOOD) as server:
        error = error_of(connect(server))
    assert (type(error), error.status, error.attempts) == (AuthError, 401, 2)
    assert error.request_id == "00-1c9d0f5b6a7e48d3b2a1908f7e6d5c4b-9a8b7c6d5e4f3a2b-00"
    assert server.logins == 2


def test_a_token_is_renewed_before_its_end(connect: Connect) -> None:
    with faulty(GOOD, GOOD, GOOD) as server:
        client = connect(server)
        client.check()
        now = time.monotonic()
        client.client._session.clock = lambda: now + 48 * 3600 - 290
        client.check()
        client.check()
    assert server.logins == 2


def test_a_short_lived_token(connect: Connect) -> None:
    with faulty(GOOD, GOOD, logins=[login_answer("a", 0.4), login_answer("b")]) as server:
        client = connect(server)
        client.check()
        time.sleep(0.25)
        client.check()
    assert server.logins == 2
    assert server.requests[-1].headers["authorization"] == "Bearer b"


@pytest.mark.parametrize(
    ("issued", "expires", "life"),
    [
        ("2026-11-20T08:15:02.1840771Z", "2026-11-22T08:15:02.1840772Z", 48 * 3600 - 300),
        ("2026-11-20T08:15:02+02:00", "2026-11-20T07:15:02Z", 3600 - 300),
        ("2026-11-20T08:15:02Z", "2026-11-20T08:16:02Z", 30),
        ("2026-11-20T08:15:02Z", "2026-11-20T08:15:01Z", 48 * 3600 - 300),
        ("2026-11-20T08:15:02Z", "2027-11-20T08:15:02Z", 48 * 3600 - 300),
        ("2026-11-20T08:15:02Z", "2026-11-20T09:15:02", 48 * 3600 - 300),
        (None, "soon", 48 * 3600 - 300),
    ],
)
def test_the_life_of_a_token(issued: object, expires: object, life: float) -> None:
    body = json.dumps({"access_token": "t", ".issued": issued, ".expires": expires}).encode()
    found = wire.read_login(Reply(status=200, headers={}, body=body), 1000.0, Secret(KEY))
    assert isinstance(found, wire.Token)
    assert found.fresh_until == pytest.approx(1000 + life)


def test_a_refused_login(connect: Connect, golden: Path) -> None:
    answers = [
        refusal("02_copyleaks_login_401_bad_key", golden, 401),
        Answer(status=403),
        Answer(status=400, body=shape_a(type="authentication_error", code=3)),
    ]
    with faulty(logins=answers) as server:
        client = connect(server)
        for kind in (AuthError, ForbiddenError, AuthError):
            error = error_of(client)
            assert (type(error), error.billed, error.attempts) == (kind, "no", 1)
            assert "login" in str(error)
    assert server.logins == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=503),
        Answer(status=429),
        Answer(reset="all"),
        Answer(body=b'{"access_to'),
    ],
)
def test_a_login_is_sent_again(connect: Connect, answer: Answer) -> None:
    with faulty(GOOD, logins=[answer, login_answer("t")]) as server:
        connect(server).check()
    assert server.logins == 2


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"<html>", b'{"access_token": 5}', b'{"access_token": "a\\nb"}']
)
def test_a_login_without_a_token(connect: Connect, body: bytes) -> None:
    with faulty(logins=[Answer(body=body)]) as server:
        error = error_of(connect(server))
    assert (type(error), error.billed, error.body) == (APIResponseError, "no", b"")


# -- many at once


def in_threads(client: Copyleaks, count: int) -> list[Any]:
    barrier = threading.Barrier(count)

    def one(_: int) -> Any:
        barrier.wait()
        try:
            return client.check(PHOTO, preflight=False)
        except APIError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


async def in_tasks(client: AsyncCopyleaks, count: int) -> list[Any]:
    checks = (client.check(PHOTO, preflight=False) for _ in range(count))
    return await asyncio.gather(*checks, return_exceptions=True)


def many_at_once(client: Facade, count: int) -> list[Any]:
    if isinstance(client.client, Copyleaks):
        return in_threads(client.client, count)
    return client.runner.run(in_tasks(client.client, count))


def test_one_logs_in_for_all(connect: Connect) -> None:
    slow = Answer(body=login_answer("t").body, delay_s=0.2)
    with faulty(*[GOOD] * 8, logins=[slow]) as server:
        results = many_at_once(connect(server), 8)
    assert all(isinstance(result, Detection) for result in results), results
    assert server.logins == 1
    assert len(server.charges) == 8


def test_one_refreshes_for_all(connect: Connect) -> None:
    def answer(headers: dict[str, str]) -> Answer:
        return Answer(status=401) if headers["authorization"] == "Bearer token-0001" else GOOD

    with faulty(by_headers=answer) as server:
        client = connect(server)
        client.login()
        results = many_at_once(client, 8)
    assert all(isinstance(result, Detection) for result in results), results
    assert server.logins == 2


def test_a_refused_login_is_shared(connect: Connect) -> None:
    slow = Answer(status=401, delay_s=0.4)
    with faulty(logins=[slow] * 8) as server:
        client = connect(server)
        results = many_at_once(client, 8)
        assert [type(result) for result in results] == [AuthError] * 8
        assert len({id(result) for result in results}) == 8
        assert server.logins == 1
        assert type(error_of(client)) is AuthError
    assert server.logins == 2


def test_waiting_for_a_login_ends_with_the_call(connect: Connect) -> None:
    with faulty(logins=[Answer(delay_s=9)] * 3) as server:
        results = many_at_once(connect(server, total_timeout=0.3), 3)
    assert [type(result) for result in results] == [APITimeoutError] * 3
    assert all(result.billed == "no" for result in results)


def test_a_cancelled_login_is_taken_over() -> None:
    async def scene(origin: str) -> Detection:
        async with AsyncCopyleaks(
            "a@example.org", KEY, base_url=origin, login_url=origin
        ) as client:
            first = asyncio.create_task(client.check(PHOTO, preflight=False))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(client.check(PHOTO, preflight=False))
            await asyncio.sleep(0.1)
            first.cancel()
            return await second

    with faulty(GOOD, logins=[Answer(delay_s=9), login_answer("t")]) as server:
        assert asyncio.run(scene(server.origin)).raw == BODY


# -- the life of a client


def test_use_after_close(connect: Connect) -> None:
    with faulty(GOOD) as server:
        client = connect(server)
        client.check()
        client.close()
        for call in (client.login, client.credits, client.check):
            with pytest.raises(RuntimeError, match="closed"):
                call()


def test_as_context_managers() -> None:
    async def scene(origin: str) -> Detection:
        async with AsyncCopyleaks(
            "a@example.org", KEY, base_url=origin, login_url=origin
        ) as client:
            return await client.check(PHOTO, preflight=False)

    with faulty(GOOD, GOOD) as server:
        with Copyleaks(
            "a@example.org", KEY, base_url=server.origin, login_url=server.origin
        ) as one:
            assert one.check(PHOTO, preflight=False).raw == BODY
        assert asyncio.run(scene(server.origin)).raw == BODY


# -- how it is made


def test_credentials_of_the_environment(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYLEAKS_EMAIL", "env@example.org")
    monkeypatch.setenv("COPYLEAKS_API_KEY", REAL_KEY)
    with faulty() as server, Copyleaks(base_url=server.origin, login_url=server.origin) as client:
        client.login()
    assert json.loads(server.requests[0].body) == {"email": "env@example.org", "key": REAL_KEY}
    for name, argument in (("COPYLEAKS_EMAIL", "email"), ("COPYLEAKS_API_KEY", "api_key")):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(InputError, match=f"{argument}.*{name}"):
                Copyleaks()


@pytest.mark.parametrize("kind", [Copyleaks, AsyncCopyleaks])
def test_a_real_key_goes_to_known_hosts_only(kind: Callable[..., Any]) -> None:
    other = "https://copyleaks.example.org"
    for where in (
        {"base_url": other},
        {"login_url": other},
        {"base_url": "https://127.0.0.1.x.org"},
    ):
        with pytest.raises(InputError, match="allow_custom_host") as caught:
            kind("a@example.org", REAL_KEY, **where)
        assert caught.value.code == "custom_host"
        kind("a@example.org", REAL_KEY, allow_custom_host=True, **where)
        kind("a@example.org", KEY, **where)
    kind("a@example.org", REAL_KEY)
    kind("a@example.org", REAL_KEY, base_url="http://127.0.0.1:1", login_url="http://[::1]:1")
    with pytest.raises(InputError, match="plain http") as caught:
        kind("a@example.org", KEY, base_url="http://api.copyleaks.com", allow_custom_host=True)
    assert caught.value.code == "plaintext"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, value)
            for name in ("connect_timeout", "read_timeout")
            for value in (0, "1", True)
        ),
        *(("total_timeout", value) for value in (-1, float("nan"), float("inf"), None, 10**400)),
        *(("retries", value) for value in (-1, 1.0, True, None)),
        *(("max_response_bytes", value) for value in (0, 1.5)),
        *(("email", value) for value in ("", "a", "a @b", "a@b\n", 3)),
        ("backoff", 0),
        *(("proxy", value) for value in (5, b"http://127.0.0.1:1")),
        *(("ca_bundle", value) for value in (5, "no/such", "a\0b", "x" * 5000)),
        *(("base_url", value) for value in (5, "x" * 5000)),
    ],
)
def test_arguments_that_cannot_be(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name) as caught:
        Copyleaks(**({"email": "a@example.org", "api_key": KEY} | {name: value}))
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["total_timeout", "retries", "max_response_bytes", "proxy"])
def test_numbers_of_more_digits_than_python_writes(name: str) -> None:
    with pytest.raises(InputError, match=name):
        Copyleaks("a@example.org", KEY, **{name: -(10**5000)})  # type: ignore[arg-type]
