"""Webhooks over real sockets: what is answered, what is kept, what has an effect."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hooks import BATCH, GOLDEN_BATCH, GOLDEN_SCAN, OLD, SCAN, SECRET, event, signed

from runmask.errors import InputError, OutputError
from runmask.http import webhooks
from runmask.http.webhooks import (
    AIDetectorWebhook,
    CopyleaksWebhook,
    Event,
    Inbox,
    Receiver,
)
from runmask.serving import Server, listening


@pytest.fixture
def batch() -> bytes:
    return GOLDEN_BATCH


@pytest.fixture
def scanned() -> bytes:
    return GOLDEN_SCAN


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


# -- the receiver over a socket


@contextmanager
def listening_to(receiver: Receiver, **options: Any) -> Iterator[int]:
    options = {"max_connections": 500, "header_timeout_s": 5.0} | options
    with listening("127.0.0.1", 0) as sock:
        ready = threading.Event()
        server = Server(receiver, ready.set, **options)
        thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)
            receiver.close()


def send(
    port: int, path: str, body: bytes, headers: dict[str, str] | None = None, method: str = "POST"
) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def deliver(port: int, body: bytes, secret: str = SECRET, **headers: str) -> int:
    return send(port, "/aidetector", body, {"X-Signature": signed(body, secret)} | headers)


def states(inbox: Inbox) -> list[tuple[str, str]]:
    return [(each.event.kind, each.state) for each in inbox.deliveries()]


def ours() -> CopyleaksWebhook:
    return CopyleaksWebhook("https://hooks.example.org/copyleaks", SECRET)


def path_of(scan_id: str) -> str:
    return ours().address(scan_id).removeprefix("https://hooks.example.org")


def test_a_delivery_is_on_the_disk_when_it_is_acknowledged(inbox: Inbox, batch: bytes) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook([SECRET, OLD]))) as port:
        assert deliver(port, batch) == 200
        assert deliver(port, event("batch.failed", "j2"), OLD) == 200
    again = Inbox(inbox.folder)
    first, second = again.deliveries()
    assert (first.event.body, first.event.kind, first.repeats) == (batch, "batch.completed", 0)
    assert (second.event.subject, second.state) == ("j2", "new")


def test_whoever_proves_nothing_gets_no_detail(inbox: Inbox, batch: bytes) -> None:
    with listening_to(
        Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), copyleaks=ours())
    ) as port:
        for headers in ({}, {"X-Signature": "0" * 64}, {"X-Signature": "\xe9" * 64}):
            assert send(port, "/aidetector", batch, headers) == 401
        assert deliver(port, batch, "another_secret_altogether") == 401
        for path in (f"/copyleaks/{SCAN}/{'0' * 32}", f"/copyleaks/{SCAN}", "/copyleaks/x/"):
            assert send(port, path, b"{}") == 401
        assert send(port, path_of(SCAN).replace("4411", "4412"), b"{}") == 401
    assert states(inbox) == []


def test_scans_are_believed_by_address_and_payload(inbox: Inbox, scanned: bytes) -> None:
    def body(**changes: Any) -> bytes:
        return json.dumps(json.loads(scanned) | changes).encode()

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


def test_the_same_delivery_has_one_effect(inbox: Inbox, batch: bytes) -> None:
    seen: list[Event] = []
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=seen.append)
    with listening_to(receiver) as port:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: deliver(port, batch), range(24))) == {200}
        _until(lambda: seen)
        time.sleep(0.1)
    assert len(seen) == 1
    [kept] = inbox.deliveries()
    assert (kept.repeats, kept.state) == (23, "done")


def _until(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def test_the_end_of_a_job_is_final(inbox: Inbox) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        for name in ("batch.completed", "batch.created", "batch.failed"):
            assert deliver(port, event(name, "j")) == 200
        for name in ("batch.created", "news.unheard.of", "batch.failed"):
            assert deliver(port, event(name, "k")) == 200
    assert states(inbox) == [
        *(("batch.completed", "new"), ("batch.created", "late"), ("batch.failed", "late")),
        *(("batch.created", "new"), ("news.unheard.of", "new"), ("batch.failed", "new")),
    ]


def test_what_nobody_expects_waits_until_somebody_does(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, only_expected=True)
    inbox.expect("aidetector", "known")
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        for job in ("known", "early", "strange"):
            assert deliver(port, event("batch.completed", job)) == 200
        assert deliver(port, event("batch.failed", "early")) == 200
    assert [each.state for each in inbox.deliveries()] == ["new", "orphan", "orphan", "orphan"]
    inbox.expect("aidetector", "early")
    assert [each.state for each in inbox.deliveries()] == ["new", "new", "orphan", "late"]
    assert [each.event.subject for each in inbox.pending()] == ["known", "early"]


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


def raw(
    port: int,
    headers: bytes,
    body: bytes = b"",
    target: bytes = b"/aidetector",
    method: bytes = b"POST",
    version: bytes = b"1.1",
) -> int:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(
            b"%s %s HTTP/%s\r\nHost: a\r\nX-Signature: %s\r\n%s\r\n"
            % (method, target, version, b"0" * 64, headers)
        )
        with contextlib.suppress(OSError):
            connection.sendall(body)
        answer = b""
        with contextlib.suppress(OSError):
            while b"\r\n" not in answer and (chunk := connection.recv(4096)):
                answer += chunk
        return int(answer.split(b" ", 2)[1])


def test_compressed_bodies(inbox: Inbox, batch: bytes) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        packed = gzip.compress(batch)
        assert deliver(port, packed, **{"Content-Encoding": "gzip"}) == 200
        assert deliver(port, batch, **{"Content-Encoding": "gzip"}) == 400
        assert deliver(port, packed[:-9], **{"Content-Encoding": "gzip"}) == 400
        assert deliver(port, batch, **{"Content-Encoding": "br"}) == 415
    [kept] = inbox.deliveries()
    assert kept.event.body == batch


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


def test_too_much_at_once_is_told_to_come_again(inbox: Inbox, batch: bytes) -> None:
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), max_waiting=2, body_timeout=3)
    with listening_to(receiver) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for connection in slow:
            connection.sendall(
                b"POST /aidetector HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
                b"X-Signature: %s\r\n\r\n" % (b"0" * 64)
            )
        _until(lambda: receiver._waiting == 2)
        assert deliver(port, batch) == 503
        for connection in slow:
            connection.close()
        _until(lambda: deliver(port, batch) == 200)
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


# -- the handler


def test_the_answer_does_not_wait_for_the_handler(inbox: Inbox, batch: bytes) -> None:
    running, release = threading.Event(), threading.Event()

    def slow(_: Event) -> None:
        running.set()
        release.wait(20)

    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=slow)
    with listening_to(receiver) as port:
        began = time.monotonic()
        assert deliver(port, batch) == 200
        assert running.wait(5)
        assert deliver(port, event("batch.completed", "k")) == 200
        assert time.monotonic() - began < 1
        release.set()
        _until(lambda: [state for _, state in states(inbox)] == ["done", "done"])


def test_a_handler_that_fails_is_asked_again(inbox: Inbox, batch: bytes) -> None:
    calls: list[str] = []

    def clumsy(found: Event) -> None:
        calls.append(found.kind)
        if len(calls) == 1:
            raise ValueError("not today")

    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=clumsy)
    with listening_to(receiver) as port:
        assert deliver(port, batch) == 200
        _until(lambda: len(calls) == 1)
        _until(lambda: next(inbox.deliveries()).fault == "ValueError: not today")
        _until(lambda: states(inbox) == [("batch.completed", "done")])
    [kept] = inbox.deliveries()
    assert (len(calls), kept.attempts, kept.fault) == (2, 1, None)


def test_pauses_between_failures_grow(inbox: Inbox, batch: bytes, monkeypatch: Any) -> None:
    now = 1000.0
    monkeypatch.setattr("runmask.http.webhooks.inbox.time.time", lambda: now)
    inbox.store(webhooks.read_aidetector(batch))
    for pause in (1, 2, 4, 8):
        assert inbox.process(lambda _: 1 / 0) == 0
        now += pause - 0.5
        assert inbox.pending() == []
        now += 0.6
    assert inbox.process(print) == 1
    assert inbox.process(print) == 0


# -- the inbox


def test_old_deliveries_are_forgotten_but_not_within_a_week(inbox: Inbox, monkeypatch: Any) -> None:
    now = 10**9
    monkeypatch.setattr("runmask.http.webhooks.inbox.time.time", lambda: now)
    body = event("batch.completed", "j", pad="x" * 300_000)
    inbox.store(webhooks.read_aidetector(body))
    inbox.store(webhooks.read_aidetector(event("batch.completed", "k")))
    inbox.done(inbox.pending()[0])
    now += 6 * 86400
    assert inbox.prune(0) == 0
    assert inbox.store(webhooks.read_aidetector(body)) == "repeated"
    now += 2 * 86400
    assert inbox.prune(0) == 1
    assert [each.event.subject for each in inbox.deliveries()] == ["k"]
    assert list((Path(inbox.folder) / "bodies").iterdir()) == []


def test_a_full_disk_is_told_and_loses_nothing(inbox: Inbox, batch: bytes) -> None:
    inbox._database.execute("PRAGMA max_page_count = 1")
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        large = event("batch.completed", "j", pad="x" * 200_000)
        assert deliver(port, large) == 503
        inbox._database.execute("PRAGMA max_page_count = 100000")
        assert deliver(port, large) == 200
    assert states(inbox) == [("batch.completed", "new")]
    inbox.close()
    with pytest.raises(OutputError):
        inbox.store(webhooks.read_aidetector(batch))


@pytest.mark.parametrize("bad", ["file", "damaged", "newer"])
def test_folders_that_cannot_be_used(tmp_path: Path, bad: str) -> None:
    folder = tmp_path / "inbox"
    if bad == "file":
        folder.write_bytes(b"x")
    else:
        Inbox(folder).close()
        database = folder / "inbox.db"
        if bad == "damaged":
            database.write_bytes(b"x" * 5000)
        else:
            data = bytearray(database.read_bytes())
            data[60:64] = (99).to_bytes(4, "big")
            database.write_bytes(data)
    with pytest.raises(InputError) as caught:
        Inbox(folder)
    assert caught.value.code == "inbox"


def test_the_inbox_is_private(inbox: Inbox) -> None:
    assert os.stat(Path(inbox.folder) / "inbox.db").st_mode & 0o77 == 0
    assert os.stat(Path(inbox.folder) / "bodies").st_mode & 0o77 == 0


# -- from submission to detection, with the sandbox in the service's place


def test_a_scan_from_submission_to_detection(tmp_path: Path) -> None:
    from runmask.errors import DuplicateScanError, InvalidRequestError, QuotaError
    from runmask.http import Copyleaks
    from runmask.sandbox import Settings, running

    inbox = Inbox(tmp_path, only_expected=True)
    key = "00000000-0000-0000-0000-000000000000"
    url = "https://images.example.org/a.png"
    sender = CopyleaksWebhook("", SECRET)
    with (
        listening_to(Receiver(inbox, copyleaks=sender)) as port,
        running(Settings(credits=1)) as origin,
        Copyleaks("a@example.org", key, base_url=origin, login_url=origin) as service,
    ):
        here = CopyleaksWebhook(f"http://127.0.0.1:{port}/copyleaks", SECRET)
        for scan_id in ("sbx-partial-1", "no-such-image"):
            inbox.expect("copyleaks", scan_id)
            service.submit(url, webhook=here, scan_id=scan_id, developer_payload="order:1")
        _until(lambda: len(inbox.pending()) == 2)
        with pytest.raises(DuplicateScanError):
            service.submit(url, webhook=here, scan_id="sbx-partial-1")
        with pytest.raises(QuotaError):
            service.submit(url, webhook=here, scan_id="sbx-ai-1")
        with pytest.raises(InvalidRequestError, match=r"webhooks\.url"):
            service.submit(url, webhook="https://hooks.example.org/x")
    events = {each.event.subject: each.event for each in inbox.pending()}
    good, bad = events["sbx-partial-1"], events["no-such-image"]
    assert (good.kind, good.payload, bad.kind) == ("scan.completed", "order:1", "scan.failed")
    assert good.detection.mask.fraction == 1 / 16
    assert (bad.error["code"], bad.payload) == (5, "order:1")


# -- mounted


def test_mounted_in_another_application(inbox: Inbox, batch: bytes, scanned: bytes) -> None:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    app = Starlette()
    app.mount("/hooks/in", Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), copyleaks=ours()))
    client = TestClient(app)
    assert (
        client.post(
            "/hooks/in/aidetector", content=batch, headers={"X-Signature": BATCH}
        ).status_code
        == 200
    )
    address = "/hooks/in" + path_of("a;b:c(1)")
    body = json.loads(scanned) | {"scannedDocument": {}}
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


# -- the command


@contextmanager
def command(folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "runmask", "webhooks", "--inbox", str(folder), "--port", "0"],
        env={**os.environ, "AIDETECTOR_WEBHOOK_SECRET": f"{SECRET} {OLD}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        line = process.stdout.readline()
        yield process, int(line.rpartition(":")[2])
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()


def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path: Path) -> None:
    acknowledged: set[str] = set()

    def flood(port: int, sender: str) -> None:
        for n in range(100_000):
            body = event("batch.completed", f"{sender}-{n}", pad="x" * (n % 3 * 150_000))
            try:
                if deliver(port, body) == 200:
                    acknowledged.add(f"{sender}-{n}")
            except (OSError, http.client.HTTPException):
                return

    for turn in range(4):
        with command(tmp_path / "inbox") as (process, port), ThreadPoolExecutor(4) as pool:
            senders = [pool.submit(flood, port, f"{turn}.{n}") for n in range(4)]
            time.sleep(0.3 + 0.1 * turn)
            process.send_signal(signal.SIGKILL)
            for sender in senders:
                sender.result(30)
    kept = {each.event.subject: each for each in Inbox(tmp_path / "inbox").deliveries()}
    assert len(acknowledged) > 20
    assert acknowledged <= set(kept)
    for subject, delivery in kept.items():
        pad = "x" * (int(subject.partition("-")[2]) % 3 * 150_000)
        assert delivery.event.body == event("batch.completed", subject, pad=pad)


def test_the_command_from_start_to_ctrl_c(tmp_path: Path, batch: bytes) -> None:
    with command(tmp_path / "inbox") as (process, port):
        assert deliver(port, batch) == 200
        assert deliver(port, event("batch.failed", "k"), OLD) == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    listed = subprocess.run(
        [
            sys.executable,
            "-m",
            "runmask",
            "webhooks",
            "--inbox",
            str(tmp_path / "inbox"),
            "--list",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["event"], row["subject"], row["state"]) for row in rows] == [
        ("batch.completed", "job_77ab", "new"),
        ("batch.failed", "k", "new"),
    ]
    assert rows[0]["body"] == json.loads(batch)


def test_the_command_needs_a_secret(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if "WEBHOOK" not in name}
    for more in ({}, {"COPYLEAKS_WEBHOOK_SECRET": "short"}):
        done = subprocess.run(
            [sys.executable, "-m", "runmask", "webhooks", "--inbox", str(tmp_path), "--port", "0"],
            env=bare | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in (2, 3)
        assert "COPYLEAKS_WEBHOOK_SECRET" in done.stderr
        assert "short" not in done.stderr
