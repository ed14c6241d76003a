"""Addresses: of services, of what they are to fetch, and of what we fetch from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aidetector_client import GOOD, KEY, URL, check, facades
from clients import Connect
from faults.server import Answer, faulty

from runmask import Detection
from runmask.errors import (
    APIConnectionError,
    InputError,
    StatusError,
    UnsafeURLError,
)
from runmask.http import AIDetector
from runmask.http.address import checked_origin, is_loopback


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


# -- of services


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


# -- of what a service is to fetch, and of what we fetch


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "url_scheme"),
        ("gopher://example.org/", "url_scheme"),
        ("https://user:pw@example.org/", "url_password"),
        ("https://example.org/a\r\nX: 1", "url_character"),
        ("https://example.org/" + "a" * 65536, "url_length"),
        ("https://example.org:99999/", "url_syntax"),
        ("https:///a", "url_scheme"),
        *(
            (f"http://{host}/a", "url_private")
            for host in (
                *("10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0", "[::]"),
                *("[fe80::1]", "[64:ff9b::a00:1]", "[::ffff:10.0.0.1]", "0xa000001", "012.0.0.1"),
                *("167772161", "10.1", "router.local", "db.internal", "intranet", "224.0.0.1"),
            )
        ),
    ],
)
def test_unsafe_addresses(connect: Connect, url: str, code: str) -> None:
    client = connect("http://127.0.0.1:9")
    for call in (
        lambda: client.check_url(url),
        lambda: client.check_urls([URL, url]),
        lambda: client.submit_urls([URL], webhook=url),
        lambda: client.forensics_url(url),
        lambda: client.verify_c2pa_url(url),
    ):
        with pytest.raises(UnsafeURLError) as caught:
            call()
        assert caught.value.code == code
        assert "pw" not in str(caught.value)


LOOPBACK = ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "localhost."]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_for_a_service_that_runs_there(host: str) -> None:
    with AIDetector(KEY) as client, pytest.raises(UnsafeURLError):
        client.check_url(f"http://{host}/a")
    with faulty(GOOD) as server, AIDetector(KEY, base_url=server.origin) as client:
        assert client.check_url(f"http://{host}/a").verdict == "ai"


def test_the_heatmap_is_fetched_without_the_key(connect: Connect) -> None:
    moved = Answer(status=302, headers=(("Location", "http://169.254.169.254/latest"),))
    with faulty(Answer(body=b"\x89PNG"), moved, Answer(body=b"x", cut=-1)) as cdn:
        address = json.dumps({"verdict": "ai_generated", "heatmap_url": f"{cdn.origin}/h.png"})
        with faulty(Answer(body=address.encode())) as server:
            client = connect(server.origin)
            found = check(client)
            assert client.heatmap(found) == b"\x89PNG"
            assert "authorization" not in cdn.requests[0].headers
            with pytest.raises(StatusError, match="302"):
                client.heatmap(found)
            with pytest.raises(APIConnectionError):
                client.heatmap(found)


def test_a_heatmap_from_a_private_network_is_not_fetched() -> None:
    with faulty(Answer()) as inside:
        found = Detection.from_aidetector(
            json.dumps({"verdict": "x", "heatmap_url": f"{inside.origin}/secret"})
        )
        with AIDetector(KEY) as client:
            with pytest.raises(UnsafeURLError):
                client.heatmap(found)
            with pytest.raises(InputError, match="no heatmap"):
                client.heatmap(Detection.from_aidetector('{"verdict":"x"}'))
    assert inside.connections == 0


def test_a_name_that_leads_inside_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    real = socket.getaddrinfo
    with faulty(Answer()) as inside:
        port = int(inside.origin.rpartition(":")[2])

        def lying(host: Any, *args: Any, **kwargs: Any) -> Any:
            return real("127.0.0.1" if host == "cdn.example.org" else host, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", lying)
        found = Detection.from_aidetector(
            json.dumps({"verdict": "x", "heatmap_url": f"http://cdn.example.org:{port}/"})
        )
        with AIDetector(KEY) as client, pytest.raises(UnsafeURLError, match="private network"):
            client.heatmap(found)
    assert inside.connections == 0
