"""Fetching what others name: what comes, and everything that is refused or goes wrong."""

from __future__ import annotations

import time
from typing import Any

import pytest
from faults.server import Answer, faulty

from runmask.errors import (
    APIConnectionError,
    APITimeoutError,
    LimitError,
    StatusError,
    UnsafeURLError,
)
from runmask.fetching import fetch


def test_the_content_comes_with_the_headers_that_were_asked_for() -> None:
    with faulty(Answer(body=b"x" * 200_000)) as server:
        url = f"{server.origin}/a%20b/c.png?d=e&f"
        assert fetch(url, loopback=True, headers={"X-Key": "k"}) == b"x" * 200_000
    [sent] = server.requests
    assert (sent.method, sent.target) == (b"GET", b"/a%20b/c.png?d=e&f")
    assert sent.headers["x-key"] == "k"
    assert sent.headers["host"] == server.origin.removeprefix("http://")


def test_what_is_not_allowed_is_not_asked() -> None:
    with faulty() as server:
        port = server.origin.rpartition(":")[2]
        for url in (server.origin, f"http://localhost:{port}", f"http://0x7f000001:{port}/a"):
            with pytest.raises(UnsafeURLError, match="not on the public internet"):
                fetch(url)
    assert server.connections == 0
    for url in ("http://93.184.216.34/", "http://10.0.0.1/", "http://[::ffff:10.0.0.1]/"):
        with pytest.raises(UnsafeURLError, match="not on this machine"):
            fetch(url, public=False, loopback=True)


@pytest.mark.parametrize(
    ("name", "leads_to", "allowed"),
    [
        ("images.example.org", "127.0.0.1", {}),
        ("images.example.org", "10.0.0.1", {"loopback": True}),
        ("images.example.org", "93.184.216.34", {"public": False, "loopback": True}),
        ("localhost", "169.254.169.254", {"loopback": True}),
    ],
)
def test_names_are_judged_by_where_they_lead(
    monkeypatch: pytest.MonkeyPatch, name: str, leads_to: str, allowed: dict[str, bool]
) -> None:
    import socket

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *args, **more: real(leads_to, *args, **more)
    )
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(UnsafeURLError, match="the name"):
        fetch(f"http://{name}/a", **allowed)


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (Answer(status=302, headers=(("Location", "http://10.0.0.1/"),)), StatusError, "302"),
        (Answer(status=404), StatusError, "404"),
        (Answer(body=b"x" * 2001), LimitError, "larger than 2000 bytes"),
        (Answer(body=b"x" * 999, cut=-1), APIConnectionError, "broke off after 998 bytes"),
        (
            Answer(body=b"x", headers=(("Content-Encoding", "gzip"),)),
            APIConnectionError,
            "compressed",
        ),
    ],
)
def test_answers_that_are_none(answer: Answer, kind: Any, told: str) -> None:
    with faulty(answer) as server, pytest.raises(kind, match=told):
        fetch(server.origin, loopback=True, max_bytes=2000)
    assert len(server.requests) == 1


@pytest.mark.parametrize("drip_s", [0.05, 0.001], ids=["head", "body"])
@pytest.mark.parametrize("framing", ["length", "close", "chunked"])
def test_the_time_ends_an_answer_that_drips(drip_s: float, framing: Any) -> None:
    began = time.monotonic()
    with (
        faulty(Answer(body=b"x" * 20_000, drip_s=drip_s, framing=framing)) as server,
        pytest.raises(APITimeoutError, match="the time ran out"),
    ):
        fetch(server.origin, loopback=True, timeout=0.3)
    assert time.monotonic() - began < 10


def test_nobody_listens_and_no_tls() -> None:
    with pytest.raises(APIConnectionError, match="no answer from 127"):
        fetch("http://127.0.0.1:9/", loopback=True)
    with faulty(Answer()) as server, pytest.raises(APIConnectionError) as caught:
        fetch(server.origin.replace("http:", "https:"), loopback=True)
    assert caught.value.code == "tls"
