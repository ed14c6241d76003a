"""Webhooks over real sockets: what is answered, what is kept, what has an effect."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hooks import (
    BATCH,
    GOLDEN_BATCH,
    GOLDEN_SCAN,
    OLD,
    SCAN,
    SECRET,
    deliver,
    event,
    listening_to,
    ours,
    path_of,
    raw,
    send,
    states,
    until,
)

from runmask.http.webhooks import (
    AIDetectorWebhook,
    CopyleaksWebhook,
    Inbox,
    Receiver,
)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


def test_a_delivery_is_on_the_disk_when_it_is_acknowledged(inbox: Inbox) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook([SECRET, OLD]))) as port:
        assert deliver(port, GOLDEN_BATCH) == 200
        assert deliver(port, event("batch.failed", "j2"), OLD) == 200
    again = Inbox(inbox.folder)
    first, second = again.deliveries()
    assert (first.event.body, first.event.kind, first.repeats) == (
        GOLDEN_BATCH,
        "batch.completed",
        0,
    )
    assert (second.event.subject, second.state) == ("j2", "new")


def test_whoever_proves_nothing_gets_no_detail(inbox: Inbox) -> None:
    with listening_to(
        Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), copyleaks=ours())
    ) as port:
        for headers in ({}, {"X-Signature": "0" * 64}, {"X-Signature": "\xe9" * 64}):
            assert send(port, "/aidetector", GOLDEN_BATCH, headers) == 401
        assert deliver(port, GOLDEN_BATCH, "another_secret_altogether") == 401
        for path in (f"/copyleaks/{SCAN}/{'0' * 32}", f"/copyleaks/{SCAN}", "/copyleaks/x/"):
            assert send(port, path, b"{}") == 401
        assert send(port, path_of(SCAN).replace("4411", "4412"), b"{}") == 401
    assert states(inbox) == []


def test_scans_are_believed_by_address_and_payload(inbox: Inbox) -> None:
    def body(**changes: Any) -> bytes:
        return json.dumps(json.loads(GOLDEN_SCAN) | changes).encode()

    stranger = CopyleaksWebhook("", OLD)
    with listening_to(Receiver(inbox, copyleaks=ours())) as port:
        path = path_of(SCAN)
        assert send(port, path, body(developerPayload=ours().payload(SCAN, "order:7"))) == 200
        assert send(port, path, body(developerPayload=stranger.payload(SCAN))) == 401
        assert send(port, path, body(developerPayload="order:7")) == 401
        assert send(port, path, body(scannedDocument={"scanId": "another"})) == 401
        assert send(port, path, body(developerPayload=None, x=1)) == 200
    first, second = inbox.deliveries()
    assert (first.event.subject, first.event.payload, first.state) == (SCAN, "order:7", "new")
    assert second.state == "late"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"\xff\xfe", 400), (b"[1]", 400), (b'{"event":NaN}', 400), (b"{" * 9999, 400)],
)
def test_bodies_that_are_refused(inbox: Inbox, body: bytes, status: int) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        assert deliver(port, body) == status
    assert states(inbox) == []


def test_bodies_that_are_too_large(inbox: Inbox) -> None:
    receiver = Receiver(
        inbox, aidetector=AIDetectorWebhook(SECRET), max_bytes={"aidetector": 1_000_000}
    )
    with listening_to(receiver) as port:
        large = event("batch.completed", "j", pad="x" * 1_000_000)
        assert deliver(port, large) == 413
        assert raw(port, b"Content-Length: 2000000000000\r\n") == 413
        chunk = b"%x\r\n%s\r\n" % (400_000, b"x" * 400_000)
        assert raw(port, b"Transfer-Encoding: chunked\r\n", chunk * 3) == 413
        bomb = gzip.compress(bytes(50_000_000))
        assert deliver(port, bomb, **{"Content-Encoding": "gzip"}) == 413
        good = event("batch.completed", "j", pad="x" * 900_000)
        assert deliver(port, good) == 200
    [kept] = inbox.deliveries()
    assert kept.event.body == good
    assert len(list((Path(inbox.folder) / "bodies").iterdir())) == 1


def test_compressed_bodies(inbox: Inbox) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        packed = gzip.compress(GOLDEN_BATCH)
        assert deliver(port, packed, **{"Content-Encoding": "gzip"}) == 200
        assert deliver(port, GOLDEN_BATCH, **{"Content-Encoding": "gzip"}) == 400
        assert deliver(port, packed[:-9], **{"Content-Encoding": "gzip"}) == 400
        assert deliver(port, GOLDEN_BATCH, **{"Content-Encoding": "br"}) == 415
    [kept] = inbox.deliveries()
    assert kept.event.body == GOLDEN_BATCH


def test_bodies_that_are_too_slow(inbox: Inbox) -> None:
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), body_timeout=0.3)
    with listening_to(receiver) as port:
        began = time.monotonic()
        assert raw(port, b"Content-Length: 100\r\n", b"{") == 408
        assert raw(port, b"Transfer-Encoding: chunked\r\n", b"1\r\n{\r\n") == 408
        assert time.monotonic() - began < 3


def test_what_is_no_delivery(inbox: Inbox) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            assert send(port, "/aidetector", b"", method=method) == 405
        for path in (
            "/",
            "/x",
            "/aidetector/x",
            "/../aidetector/..",
            "/copyleaks/a/b",
            "/sightengine",
        ):
            assert send(port, path, b"{}") == 404
        both = b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"
        assert raw(port, both, b"0\r\n\r\n") == 400
        assert raw(port, b"Content-Length: 2\r\n", b"{}", version=b"1.0") == 401
        assert raw(port, b"", target=b"/%2e%2e/aidetector") == 404


def test_too_much_at_once_is_told_to_come_again(inbox: Inbox) -> None:
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), max_waiting=2, body_timeout=3)
    with listening_to(receiver) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for connection in slow:
            connection.sendall(
                b"POST /aidetector HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
                b"X-Signature: %s\r\n\r\n" % (b"0" * 64)
            )
        until(lambda: receiver._waiting == 2)
        assert deliver(port, GOLDEN_BATCH) == 503
        for connection in slow:
            connection.close()
        until(lambda: deliver(port, GOLDEN_BATCH) == 200)
    assert len(states(inbox)) == 1


def test_a_flood_is_kept_whole(inbox: Inbox) -> None:
    count = 600
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:

        def one(n: int) -> None:
            body = event("batch.completed", f"j{n}")
            while (status := deliver(port, body)) != 200:
                assert status == 503
                time.sleep(0.05)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(one, range(count)))
    assert {each.event.subject for each in inbox.deliveries()} == {f"j{n}" for n in range(count)}


def test_mounted_in_another_application(inbox: Inbox) -> None:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    app = Starlette()
    app.mount("/hooks/in", Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), copyleaks=ours()))
    client = TestClient(app)
    assert (
        client.post(
            "/hooks/in/aidetector", content=GOLDEN_BATCH, headers={"X-Signature": BATCH}
        ).status_code
        == 200
    )
    address = "/hooks/in" + path_of("a;b:c(1)")
    body = json.loads(GOLDEN_SCAN) | {"scannedDocument": {}}
    del body["developerPayload"]
    assert client.post(address, json=body).status_code == 200
    assert client.post("/hooks/in/x", content=b"").status_code == 404
    assert [each.event.subject for each in inbox.deliveries()] == ["job_77ab", "a;b:c(1)"]


def test_the_lifespan_of_a_server() -> None:
    import asyncio

    async def run(receiver: Receiver) -> list[str]:
        asked = iter(["lifespan.startup", "lifespan.shutdown"])
        told: list[str] = []

        async def receive() -> dict[str, str]:
            return {"type": next(asked)}

        async def send(message: Any) -> None:
            told.append(message["type"])

        await receiver({"type": "lifespan"}, receive, send)
        return told

    receiver = Receiver.__new__(Receiver)
    receiver._worker = None
    assert asyncio.run(run(receiver)) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
