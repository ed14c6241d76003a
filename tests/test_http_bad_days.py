"""Bad days of a service, by every client and over real sockets. (What is charged on them: ledger.)

Times of waiting are recorded instead of slept.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from billed_calls import CALLS, CLIENTS, PHOTO, client_of
from faults.server import Answer, faulty

from runmask.errors import (
    APIConnectionError,
    APIError,
    ImageTooLargeError,
    RateLimitedError,
    StatusError,
)
from runmask.http import Rate

SERVICES = list(CLIENTS)
GOOD = {service: CALLS[f"{service}-check"].good for service in SERVICES}


@pytest.fixture(params=["threads", "loop"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return request.param


def check(client: Any) -> Any:
    return client.check(PHOTO, preflight=False)


def waits_of(facade: Any) -> list[float]:
    """What its client waits for from now on: it does not wait in fact."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def sleep_in_loop(seconds: float) -> None:
        waits.append(seconds)

    facade.client._transport.sleep = sleep_in_loop if facade.runner else sleep
    return waits


NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("named", "least", "most"),
    [
        *(("0", 0, 0), ("1.5", 1.5, 1.65), ("120", 120, 132)),
        *((formatdate(NOW - 9, usegmt=True), 0, 0), (formatdate(NOW + 9, usegmt=True), 9, 9.9)),
        *((junk, 0, 0.5) for junk in ("-5", "soon", "NaN", "inf", "1e3", "", "9" * 4000)),
    ],
)
def test_the_pause_that_a_service_names(
    kind: str, service: str, named: str, least: float, most: float
) -> None:
    """H1. What is no pause is none: then the client's own is random, up to half a second here."""
    headers = (("Retry-After", named), ("Date", formatdate(NOW, usegmt=True)))
    with (
        faulty(Answer(status=429, headers=headers), GOOD[service]) as server,
        client_of(service, kind, server.origin, backoff=0.5) as client,
    ):
        waits = waits_of(client)
        check(client)
    [wait] = waits
    assert least <= wait <= most


@pytest.mark.parametrize("named", ["121", "99999999999"])
def test_a_pause_that_is_too_long_is_told(kind: str, service: str, named: str) -> None:
    """H1"""
    with (
        faulty(Answer(status=429, headers=(("Retry-After", named),))) as server,
        client_of(service, kind, server.origin) as client,
        pytest.raises(RateLimitedError) as caught,
    ):
        check(client)
    assert (caught.value.retry_after, caught.value.attempts) == (float(named), 1)


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_far_reset_is_waited_for_two_minutes_at_most(kind: str, unit: int) -> None:
    """H2"""
    reset = str(int(time.time() + 10 * 365 * 86400) * unit)
    spent = (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset))
    good = GOOD["aidetector"]
    with (
        faulty(Answer(body=good.body, headers=spent), good) as server,
        client_of("aidetector", kind, server.origin, rate_limit=Rate(1000, 9)) as client,
    ):
        waits = waits_of(client)
        check(client)
        check(client)
    [wait] = waits
    assert 119 < wait <= 120


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_follows_a_redirect(kind: str, service: str, status: int) -> None:
    """H7"""
    with faulty(GOOD[service]) as other:
        moved = Answer(status=status, headers=(("Location", f"{other.origin}/v1/detect"),))
        with (
            faulty(moved) as server,
            client_of(service, kind, server.origin) as client,
            pytest.raises(StatusError, match="which is not followed") as caught,
        ):
            check(client)
    assert (caught.value.billed, other.connections) == ("no", 0)


@pytest.mark.parametrize("days", [-3, 3])
def test_a_clock_that_is_days_off(kind: str, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """H9. How long a token lives is the difference of the service's own two times."""
    wrong = time.time() + days * 86400
    monkeypatch.setattr(time, "time", lambda: wrong)
    with (
        faulty(GOOD["copyleaks"], GOOD["copyleaks"]) as server,
        client_of("copyleaks", kind, server.origin) as client,
    ):
        check(client)
        check(client)
    assert server.logins == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers=(("X", "y" * 2**20),)),
        Answer(headers=tuple((f"X-{n}", "y" * 60) for n in range(20_000))),
        Answer(headers=(("Content-Length", "7"),), body=b"x"),
        Answer(headers=(("Transfer-Encoding", "gzip, chunked"),), framing="close"),
        Answer(status=100, framing="close", body=b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000),
        Answer(status=101, headers=(("Upgrade", "x"), ("Connection", "upgrade"))),
    ],
    ids=["a long one", "many", "two lengths", "odd coding", "endless 100", "101"],
)
def test_heads_that_are_none(kind: str, service: str, answer: Answer) -> None:
    """H12"""
    with (
        faulty(answer) as server,
        client_of(service, kind, server.origin, read_timeout=0.5, total_timeout=5.0) as client,
        pytest.raises(APIError) as caught,
    ):
        check(client)
    assert caught.value.billed == "unknown" or caught.value.status == 101


def test_the_same_header_twice_is_no_harm(kind: str, service: str) -> None:
    """H12"""
    good = GOOD[service]
    length = ("Content-Length", str(len(good.body)))
    twice = Answer(body=good.body, headers=(length, ("X-A", "1"), ("X-A", "2")))
    with faulty(twice) as server, client_of(service, kind, server.origin) as client:
        assert check(client).raw == good.body


def test_no_cookie_is_kept(kind: str, service: str) -> None:
    good = GOOD[service]
    baking = Answer(body=good.body, headers=(("Set-Cookie", "a=b; Path=/"),))
    with faulty(baking, good) as server, client_of(service, kind, server.origin) as client:
        check(client)
        check(client)
    assert all("cookie" not in request.headers for request in server.requests)


def test_an_answer_that_was_there_before_its_question(kind: str) -> None:
    """It would be taken for the answer to the next image, and every one after it for another's."""
    first = GOOD["aidetector"].raw()
    stale = Answer(body=b'{"verdict":"authentic"}').raw()
    with (
        raw_server(first + stale, first, first) as origin,
        client_of("aidetector", kind, origin) as client,
    ):
        assert check(client).verdict == "ai"
        with pytest.raises(APIConnectionError, match="before it was asked") as caught:
            check(client)
        assert check(client).verdict == "ai"
    assert caught.value.billed == "unknown"


def test_a_large_upload_that_is_refused_at_its_beginning() -> None:
    refusal = Answer(status=413, headers=(("Connection", "close"),)).raw()
    with (
        raw_server(refusal, read_once=True) as origin,
        client_of("aidetector", "threads", origin) as client,
        pytest.raises(ImageTooLargeError) as caught,
    ):
        client.check(bytes(15_000_000), preflight=False)
    assert caught.value.billed == "no"


@contextmanager
def raw_server(*answers: bytes, read_once: bool = False) -> Iterator[str]:
    """Gives these answers, one to each form, on as many connections as are opened."""
    script = iter(answers)

    def serve(raw: socket.socket) -> None:
        with raw, suppress(OSError):
            while came := raw.recv(2**16):
                if read_once or came.endswith(b"--\r\n"):
                    raw.sendall(next(script, b""))
                if read_once:
                    time.sleep(0.1)
                    return

    def listen() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(raw,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_a_closed_client(kind: str, service: str) -> None:
    """H15"""
    with faulty(GOOD[service]) as server, client_of(service, kind, server.origin) as client:
        check(client)
        client.close()
        with pytest.raises(RuntimeError, match="is closed"):
            check(client)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_client_after_a_fork(service: str) -> None:
    """H15"""
    with (
        faulty(GOOD[service], GOOD[service]) as server,
        client_of(service, "threads", server.origin) as client,
    ):
        check(client)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # nothing of pytest may run on in here
            try:
                check(client)
            except RuntimeError as error:
                os.write(writer, str(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, "rb") as told:
            assert b"make a new client after a fork" in told.read()
        os.waitpid(child, 0)
        check(client)
    assert server.charges.total() == 2


def test_a_second_event_loop(service: str) -> None:
    """H15"""
    with (
        faulty(GOOD[service], GOOD[service]) as server,
        client_of(service, "loop", server.origin) as client,
    ):
        check(client)
        with asyncio.Runner() as other, pytest.raises(RuntimeError, match="one client per event"):
            other.run(client.client.check(PHOTO, preflight=False))
        check(client)


def test_many_at_once_share_no_connection(service: str) -> None:
    """H15. Answers come in another order than the questions."""
    count, numbers = 24, itertools.count()

    def slow(_: dict[str, str]) -> Answer:
        return replace(GOOD[service], delay_s=0.02 * (next(numbers) % 3))

    async def at_once(client: Any) -> list[Any]:
        return await asyncio.gather(*(client.check(PHOTO, preflight=False) for _ in range(count)))

    with (
        faulty(by_headers=slow) as server,
        client_of(service, "loop", server.origin) as client,
    ):
        found = client.runner.run(at_once(client.client))
    assert {each.raw for each in found} == {GOOD[service].body}
    assert server.charges.total() == count


def test_a_service_that_is_gone(kind: str, service: str) -> None:
    """H4: nothing was sent, so it was tried again, and nothing can have been billed."""
    with faulty() as server:
        pass
    with (
        client_of(service, kind, server.origin, retries=2) as client,
        pytest.raises(APIConnectionError) as caught,
    ):
        check(client)
    assert (caught.value.billed, caught.value.retryable) == ("no", True)
