"""Sending and sending again: the rules by hand, and the network with real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from faults.server import Answer, FaultServer, faulty
from hypothesis import given
from hypothesis import strategies as st

from runmask.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APITimeoutError,
    InputError,
    LimitError,
    RateLimitedError,
    ServerError,
)
from runmask.http.address import checked_origin, is_loopback
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
from runmask.http.secret import Secret
from runmask.http.transport import AsyncTransport, Settings, Transport

REQUEST = Request(method="POST", url="http://127.0.0.1:9/x", headers={}, billed=True)

# -- the rules, driven by hand


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


# -- addresses


@pytest.mark.parametrize(
    "url",
    ["https://api.example.org/", "http://127.0.0.1:80", "http://[::1]:8/x", "http://localhost"],
)
def test_good_addresses(url: str) -> None:
    assert checked_origin(url, "base_url") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.org",
            "http://127.0.0.1.example.org",
            "http://0.0.0.0",
            "http://10.0.0.1",
        ),
        *("ftp://127.0.0.1", "example.org", "", "https://", "http://127.0.0.1:x", "https://[::1"),
        *("https://a:b@example.org", "https://@example.org", "https://a/?q=1", "https://a/#f"),
        *("https://a b", "https://a\n", "https://a\\b", "https://é.org", None, 5),
    ],
)
def test_bad_addresses(url: str) -> None:
    with pytest.raises(InputError, match="base_url"):
        checked_origin(url, "base_url")


def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(InputError) as caught:
        checked_origin("https://user:hunter2@example.org", "base_url")
    assert "hunter2" not in str(caught.value)


def test_loopback() -> None:
    assert is_loopback("127.9.9.9")
    assert not is_loopback("localhost.example.org")


# -- the network


def settings(**changes: Any) -> Settings:
    defaults = {"connect_timeout": 5.0, "read_timeout": 5.0, "max_response_bytes": 2**20}
    return Settings(**(defaults | {"ca_bundle": None, "proxy": None} | changes))


Send = Callable[..., Reply | Exception]


@pytest.fixture(params=["threads", "loop"])
def send(request: pytest.FixtureRequest) -> Send:
    """Send one request by either transport."""

    def in_thread(what: Request, seconds: float = 20.0, **changes: Any) -> Reply | Exception:
        transport = Transport(settings(**changes))
        try:
            return transport.send(
                what, Call(deadline=time.monotonic() + seconds, clock=time.monotonic)
            )
        finally:
            transport.close()

    async def in_loop(what: Request, seconds: float = 20.0, **changes: Any) -> Reply | Exception:
        transport = AsyncTransport(settings(**changes))
        try:
            return await transport.send(
                what, Call(deadline=time.monotonic() + seconds, clock=time.monotonic)
            )
        finally:
            await transport.close()

    if request.param == "threads":
        return in_thread
    return lambda *args, **kwargs: asyncio.run(in_loop(*args, **kwargs))


def post(server: FaultServer, content: bytes = b"x" * 1000, **more: Any) -> Request:
    url = f"{server.origin}/v1/ai-image-detector/scan/check"
    return Request(method="POST", url=url, headers={}, content=content, billed=True, **more)


def fault(outcome: Reply | Exception, kind: type[APIError], code: str, billed: str) -> APIError:
    assert type(outcome) is kind, outcome
    assert isinstance(outcome, APIError)
    assert (outcome.code, outcome.billed) == (code, billed)
    assert outcome.__cause__ is outcome.__context__ is outcome.__traceback__ is None
    return outcome


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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed one for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs openssl 1.1.1 or later")
    return folder


@pytest.fixture
def tls_origin(certificate: Path) -> Generator[str]:
    """A server that ends each TLS connection with a short reply."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            try:
                with raw, context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_tls(send: Send, tls_origin: str, certificate: Path, monkeypatch: Any) -> None:
    request = Request(method="GET", url=f"{tls_origin}/", headers={}, billed=True)
    found = send(request, ca_bundle=str(certificate / "cert.pem"))
    assert isinstance(found, Reply)
    assert found.body == b"ok"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    error = fault(send(request), APIConnectionError, "tls", "no")
    assert "certificate is refused" in str(error)
    assert not error.retryable
    wrong_name = Request(method="GET", url=tls_origin.replace("127.0.0.1", "localhost"), headers={})
    outcome = send(wrong_name, ca_bundle=str(certificate / "cert.pem"))
    fault(outcome, APIConnectionError, "tls", "no")


def test_no_tls_there(send: Send) -> None:
    with faulty(Answer()) as server:
        request = Request(method="GET", url=server.origin.replace("http:", "https:"), headers={})
        fault(send(request), APIConnectionError, "tls", "no")


def test_a_bad_ca_bundle(send: Send, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("x")
    for name in ("no.pem", "missing.pem"):
        with pytest.raises(InputError, match="ca_bundle"):
            send(REQUEST, ca_bundle=str(tmp_path / name))
