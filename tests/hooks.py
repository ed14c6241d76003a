"""Webhooks for tests: their secrets, their signatures, their bodies."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

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
