"""Sending one request, over real sockets, by either transport."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from faults.server import Answer, faulty
from transport_client import Send, fault, post, sender, settings

from runmask.errors import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    LimitError,
)
from runmask.http.retry import (
    Call,
    Reply,
    Request,
)
from runmask.http.secret import Secret
from runmask.http.transport import Transport


@pytest.fixture(params=["threads", "loop"])
def send(request: pytest.FixtureRequest) -> Send:
    return sender(request.param)


def test_a_reply(send: Send) -> None:
    with faulty(Answer(body=b"hello", headers=(("X-A", "1"), ("X-A", "2")))) as server:
        found = send(post(server))
    assert isinstance(found, Reply)
    assert (found.status, found.body, found.headers["x-a"]) == (200, b"hello", "1, 2")
    assert server.requests[0].body == b"x" * 1000
    assert not {"cookie", "authorization"} & set(server.requests[0].headers)


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_other_framings(send: Send, framing: Any) -> None:
    with faulty(Answer(body=b"hello", framing=framing)) as server:
        found = send(post(server))
    assert isinstance(found, Reply)
    assert found.body == b"hello"


def test_nobody_listens(send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    request = Request(method="POST", url=f"http://127.0.0.1:{port}/", headers={}, billed=True)
    error = fault(send(request), APIConnectionError, "connection", "no")
    assert error.retryable


def test_no_such_name(send: Send) -> None:
    request = Request(method="GET", url="http://name.invalid/", headers={}, billed=True)
    fault(send(request), APIConnectionError, "connection", "no")


@pytest.mark.parametrize("reset", ["headers", "half", "all"])
def test_resets(send: Send, reset: Any) -> None:
    with faulty(Answer(reset=reset)) as server:
        outcome = send(post(server, b"x" * 2_000_000))
    error = fault(outcome, APIConnectionError, "connection", "unknown")
    assert error.retryable


def test_answers_cut_off(send: Send) -> None:
    body = b"0123456789" * 10
    for answer in (
        Answer(body=body, declared=200, cut=None),
        Answer(body=body, framing="chunked", cut=120),
        Answer(body=body, cut=-1),
    ):
        with faulty(answer) as server:
            outcome = send(post(server))
        error = fault(outcome, APIConnectionError, "truncated", "unknown")
        assert error.status == 200
        assert body.startswith(error.body)
        assert len(error.body) > 30


def test_bad_chunks(send: Send) -> None:
    answer = Answer(framing="close", headers=(("Transfer-Encoding", "chunked"),), body=b"zz\r\nx")
    with faulty(answer) as server:
        fault(send(post(server)), APIConnectionError, "truncated", "unknown")


def test_headers_cut_off_or_endless_or_in_conflict(send: Send) -> None:
    lengths = (("Content-Length", "5"), ("Content-Length", "6"))
    for answer in (
        Answer(cut=9),
        Answer(headers=(("X", "y" * 2_000_000),)),
        Answer(framing="close", headers=lengths),
    ):
        with faulty(answer) as server:
            fault(send(post(server)), APIConnectionError, "connection", "unknown")


def test_no_answer_in_time(send: Send) -> None:
    with faulty(Answer(delay_s=9)) as server:
        outcome = send(post(server), read_timeout=0.1)
    assert "0.1 s" in str(fault(outcome, APITimeoutError, "timeout", "unknown"))


def test_the_call_ends_while_headers_or_body_drip(send: Send) -> None:
    # Each byte comes well within the time for a read.
    for body in (b"", b"x" * 500):
        with faulty(Answer(body=body, drip_s=0.02)) as server:
            outcome = send(post(server), 0.4)
        error = fault(outcome, APITimeoutError, "timeout", "unknown")
        assert "time limit of the call" in str(error)


def test_the_call_ends_while_the_server_takes_nothing(send: Send) -> None:
    with faulty(Answer(hold=True)) as server:
        outcome = send(post(server, b"x" * 30_000_000), 0.4)
    fault(outcome, APITimeoutError, "timeout", "unknown")


def test_redirects_are_not_followed(send: Send) -> None:
    with faulty() as other:
        for status in (301, 302, 303, 307, 308):
            location = (("Location", f"{other.origin}/elsewhere"),)
            with faulty(Answer(status=status, headers=location)) as server:
                found = send(post(server))
            assert isinstance(found, Reply)
            assert found.status == status
    assert other.connections == 0


def test_compressed(send: Send) -> None:
    for name, packed in (
        ("gzip", gzip.compress(b"hi" * 999)),
        ("deflate", zlib.compress(b"hi" * 999)),
    ):
        with faulty(Answer(body=packed, headers=(("Content-Encoding", name),))) as server:
            found = send(post(server))
        assert isinstance(found, Reply)
        assert found.body == b"hi" * 999


def test_compressed_lies(send: Send) -> None:
    with faulty(Answer(body=b"not gzip", headers=(("Content-Encoding", "gzip"),))) as server:
        fault(send(post(server)), APIResponseError, "encoding", "unknown")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"x" * 1001),
        Answer(body=b"x" * 1001, framing="chunked"),
        Answer(body=gzip.compress(bytes(10**7)), headers=(("Content-Encoding", "gzip"),)),
        Answer(declared=10**15),
    ],
    ids=["plain", "chunked", "bomb", "declared"],
)
def test_size_limit(send: Send, answer: Answer) -> None:
    with faulty(answer) as server:
        outcome = send(post(server), max_response_bytes=1000)
    assert isinstance(outcome, LimitError), outcome
    assert outcome.code == "response_bytes"
    assert "may have been billed" in str(outcome)


def test_size_at_the_limit(send: Send) -> None:
    with faulty(Answer(body=b"x" * 1000)) as server:
        assert isinstance(send(post(server), max_response_bytes=1000), Reply)


def test_a_refusal_counts_even_if_its_body_breaks_off(send: Send) -> None:
    with faulty(Answer(status=402, body=b"abc", declared=99)) as server:
        found = send(post(server))
    assert isinstance(found, Reply)
    assert (found.status, found.body) == (402, b"abc")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_long_refusal_is_cut(send: Send, framing: Any) -> None:
    with faulty(Answer(status=402, body=b"x" * (2**20 + 9), framing=framing)) as server:
        found = send(post(server), max_response_bytes=2**24)
    assert isinstance(found, Reply)
    assert found.body == b"x" * 2**20


def test_a_long_login_is_refused(send: Send) -> None:
    with faulty(Answer(body=b"x" * (2**20 + 9))) as server:
        url = f"{server.origin}/v1/ai-image-detector/scan/check"
        found = send(Request(method="POST", url=url, headers={}), max_response_bytes=2**24)
    assert isinstance(found, LimitError)
    assert "larger than 1048576 bytes" in str(found)
    assert "billed" not in str(found)


def test_every_thread_has_a_connection() -> None:
    count = 120
    with faulty(*[Answer(body=b"x", delay_s=1.0)] * count) as server:
        transport = Transport(settings(connect_timeout=0.5, read_timeout=15.0))
        clock = time.monotonic

        def one(_: int) -> Reply | Exception:
            return transport.send(post(server), Call(deadline=clock() + 20, clock=clock))

        with ThreadPoolExecutor(count) as pool:
            found = list(pool.map(one, range(count)))
        transport.close()
    assert [each for each in found if not isinstance(each, Reply)] == []


def test_no_netrc_and_no_proxy_from_the_environment(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with faulty() as proxy, faulty(Answer()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        assert isinstance(send(post(server)), Reply)
    assert "authorization" not in server.requests[0].headers
    assert proxy.connections == 0


def test_a_proxy_that_was_asked_for(send: Send) -> None:
    request = Request(method="GET", url="http://name.invalid/a", headers={})
    with faulty(Answer(body=b"by proxy")) as proxy:
        found = send(request, proxy=Secret(proxy.origin))
    assert isinstance(found, Reply)
    assert found.body == b"by proxy"
    assert proxy.requests[0].target == b"http://name.invalid/a"
