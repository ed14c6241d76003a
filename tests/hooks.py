"""Webhooks for tests: their secrets, their signatures, their bodies."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from runmask.http.webhooks import (
    CopyleaksWebhook,
    Inbox,
    Receiver,
)
from runmask.serving import Server, listening

SECRET = "whsec_fixture_only"
OLD = "whsec_the_one_before"
BATCH = "8569225e0d773878cbdb9f565f9657e446e22aed6a8173ee04fccefad974177e"
"""The signature of the golden batch."""
SCAN = "img-4411"

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_BATCH = (GOLDEN / "aidetector" / "16_aiid_webhook_batch_completed.json").read_bytes()
GOLDEN_SCAN = (GOLDEN / "copyleaks" / "10_copyleaks_webhook_success.json").read_bytes()
GOLDEN_FAILURE = (GOLDEN / "copyleaks" / "11_copyleaks_webhook_error.json").read_bytes()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(name: str, job: str, **more: Any) -> bytes:
    return json.dumps({"event": name, "data": {"job_id": job, "status": "x"} | more}).encode()


@contextmanager
def receiving(*first: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A receiver: its address, and the headers and bodies that came.

    The first deliveries are answered by these statuses, the others by 200.
    """
    came: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((dict(self.headers), body))
            self.send_response(first[len(came) - 1] if len(came) <= len(first) else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks?a=b", came
    server.shutdown()
    server.server_close()
    thread.join(5)


# -- a receiver of ours, over a socket


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


def until(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


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


@contextmanager
def command(
    folder: Path,
    start: Sequence[str] = ("-m", "runmask"),
    port: int = 0,
    **environment: str,
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``runmask webhooks`` as a process, and its port."""
    process = subprocess.Popen(
        [sys.executable, *start, "webhooks", "--inbox", str(folder), "--port", str(port)],
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
