"""The sandbox's limits of size and time."""

import contextlib
import logging
import time
import zlib

import httpx2
import numpy as np
import pytest
from sandbox_client import (
    CREDITS,
    MAX_FILE,
    PNG,
    client_of,
    connection_to,
    encode,
    error_of,
    head_of,
    path_of,
    refused,
)


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


# Limits of size and time


@pytest.mark.parametrize("shape", [(511, 512), (512, 511), (1, 1)])
def test_the_smallest_image(client, shape):
    response = client.check("small", encode(np.zeros((*shape, 3), np.uint8)))
    assert refused(response, 400, 1, "image")
    assert f"{shape[1]}x{shape[0]}" in error_of(response)["details"][0]["message"]


def test_the_largest_image(client):
    def flat(height, width):
        return encode(np.zeros((height, width), np.uint8))

    assert client.check("sbx-human-1", flat(5400, 5000)).status_code == 200
    assert refused(client.check("large", flat(5400, 5001)), 400, 1, "image")
    with client_of(limits="16mp") as strict:
        assert refused(strict.check("large", flat(4000, 4001)), 400, 1, "image")


def test_a_bomb_is_refused_by_its_header(client):
    data = bytearray(encode(np.zeros((512, 512), np.uint8)))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert refused(client.check("bomb", bytes(data)), 400, 1, "image")


def test_the_largest_file(client):
    padded = PNG + bytes(MAX_FILE - 1 - len(PNG))
    assert client.check("sbx-ai-1", padded).status_code == 200
    assert refused(client.check("sbx-ai-2", padded + b"\0"), 413, 6)
    assert refused(client.check_json("sbx-ai-3", padded + b"\0"), 413, 6)


def test_a_body_without_a_declared_size_is_cut_off(client):
    def endless():
        for _ in range(1000):
            yield bytes(1 << 16)

    headers = {"Content-Type": "application/json"}
    try:
        response = client.post(path_of("endless"), content=endless(), headers=headers)
    except httpx2.TransportError:
        return  # the server has hung up, which is as good
    assert refused(response, 413, 6)


def test_an_upload_that_is_refused_early_is_still_answered(client):
    bearer = {"Authorization": "Bearer x"}
    for content in (bytes(8_000_000), iter([bytes(1_000_000)] * 8)):
        assert client.post(path_of("early"), content=content, headers=bearer).status_code == 401


def test_a_declared_size_is_refused_before_it_is_sent(client):
    with connection_to(client) as raw:
        raw.sendall(head_of(client, f"Content-Length: {10**12}"))
        assert b"413" in raw.recv(4096).split(b"\r\n")[0]


def test_slow_bodies_and_slow_heads_are_ended():
    with client_of(body_timeout_s=0.2, header_timeout_s=0.2) as client:
        with connection_to(client) as raw:
            raw.sendall(head_of(client, "Content-Length: 500") + b"{")
            assert b"408" in raw.recv(4096).split(b"\r\n")[0]
            with pytest.raises(OSError, match=r"reset|pipe"):  # what still comes is not awaited
                drip(raw)
        with connection_to(client) as raw:
            raw.sendall(b"GET /v1/health HTTP/1.1\r\nHost: ")
            assert raw.recv(4096) == b""
        with connection_to(client) as raw:
            assert raw.recv(4096) == b""
        assert client.check("after", PNG).status_code == 200


def test_long_headers_are_refused(client):
    for name in ("X-Long", "Authorization"):
        assert client.get(CREDITS, headers={name: "x" * 20_000}).status_code in (400, 431)
    assert client.get(CREDITS, headers={"X-Long": "x" * 8_000}).status_code == 200


def test_a_client_that_leaves_does_no_harm(client, caplog):
    for body in (b"", b'{"base64": "AA'):
        with connection_to(client) as raw:
            raw.sendall(head_of(client, "Content-Length: 500") + body)
    assert client.check("left", PNG).status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_more_connections_than_allowed_are_turned_away():
    with client_of(max_connections=3) as client, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connection_to(client))
        with httpx2.Client(base_url=client.base_url, trust_env=False) as late:
            assert late.get("/v1/health").status_code == 503


def drip(raw):
    for _ in range(500):
        raw.sendall(b" ")
        time.sleep(0.01)
