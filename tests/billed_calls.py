"""Every call that a service may charge for, and a good answer to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clients import connections
from faults.server import Answer

from runmask.http import (
    AIDetector,
    AsyncAIDetector,
    AsyncCopyleaks,
    AsyncSightengine,
    Copyleaks,
    Sightengine,
)

PHOTO = b"\x00\x01 stands for a photo \r\n--x\r\n" * 30
URL = "https://images.example.org/a.jpg"
SCAN_ID = "abc"

CLIENTS: dict[str, tuple[Any, ...]] = {
    "copyleaks": (
        *(Copyleaks, AsyncCopyleaks),
        *("a@example.org", "00000000-0000-0000-0000-000000000000"),
    ),
    "aidetector": (AIDetector, AsyncAIDetector, "aidet_test_0123456789abcdef"),
    "sightengine": (Sightengine, AsyncSightengine, "0000", "sandbox"),
}


@contextmanager
def client_of(service: str, kind: str, origin: str, *keys: str, **options: Any) -> Iterator[Any]:
    """A client for ``"threads"`` or for the ``"loop"``, called without awaiting.

    ``keys``: others than those of a sandbox.
    """
    if service == "copyleaks":
        options["login_url"] = origin
    made = connections(kind, *CLIENTS[service])
    yield next(made)(origin, *keys, **options)
    next(made, None)


@dataclass(frozen=True)
class Call:
    """``ask`` makes it with a client that was made with ``options``.

    ``readable``: whether the answer has to make sense; that a scan was accepted, the status tells.
    """

    service: str
    ask: Callable[[Any], Any]
    body: bytes
    status: int = 200
    options: tuple[tuple[str, Any], ...] = ()
    readable: bool = True

    @property
    def good(self) -> Answer:
        return Answer(status=self.status, body=self.body, charge=True)


def _json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


_SCANNED = _json(
    isAiDetected=True,
    result={"starts": [3], "lengths": [2]},
    summary={"ai": 0.1, "human": 0.9},
    imageInfo={"shape": {"height": 4, "width": 5}},
    scannedDocument={"scanId": SCAN_ID},
)
_ONE = {"verdict": "ai_generated", "confidence": 0.9, "request_id": "req_1"}
_FOUND, _FOUND_EACH = _json(**_ONE), _json(results=[_ONE])
_ACCEPTED = _json(job_id="job_1", status="processing")
_SCORED = _json(
    status="success",
    request={"id": "req_1", "operations": 5},
    type={"ai_generated": 0.01},
    media={"uri": "a.png"},
)
_SCORED_EACH = _json(
    status="success",
    request={"id": "req_1", "operations": 5},
    data=[{"type": {"ai_generated": 0.01}, "media": {"uri": "0-image"}}],
)
_OTHER = (("dialect", "endpoints"),)
_AS_BASE64 = {"encoding": "base64", "preflight": False}

CALLS = {
    "copyleaks-check": Call(
        "copyleaks", lambda c: c.check(PHOTO, scan_id=SCAN_ID, preflight=False), _SCANNED
    ),
    "copyleaks-check-base64": Call(
        "copyleaks", lambda c: c.check(PHOTO, scan_id=SCAN_ID, **_AS_BASE64), _SCANNED
    ),
    "copyleaks-submit": Call(
        "copyleaks",
        lambda c: c.submit(URL, scan_id=SCAN_ID, webhook="https://hooks.example.org/x"),
        *(b"{}", 201),
        readable=False,
    ),
    "aidetector-check": Call("aidetector", lambda c: c.check(PHOTO, preflight=False), _FOUND),
    "aidetector-check-base64": Call("aidetector", lambda c: c.check(PHOTO, **_AS_BASE64), _FOUND),
    "aidetector-check-endpoints": Call(
        "aidetector", lambda c: c.check(PHOTO, preflight=False), _FOUND, options=_OTHER
    ),
    "aidetector-check_url": Call("aidetector", lambda c: c.check_url(URL), _FOUND),
    "aidetector-check_many": Call(
        "aidetector", lambda c: c.check_many([PHOTO], preflight=False), _FOUND_EACH
    ),
    "aidetector-check_urls": Call("aidetector", lambda c: c.check_urls([URL]), _FOUND_EACH),
    "aidetector-submit_urls": Call("aidetector", lambda c: c.submit_urls([URL]), _ACCEPTED, 202),
    "aidetector-submit_urls-endpoints": Call(
        "aidetector", lambda c: c.submit_urls([URL]), _ACCEPTED, 202, _OTHER
    ),
    "aidetector-forensics": Call(
        "aidetector", lambda c: c.forensics(PHOTO, preflight=False), _FOUND
    ),
    "aidetector-forensics_url": Call("aidetector", lambda c: c.forensics_url(URL), _FOUND),
    "aidetector-verify_c2pa": Call(
        "aidetector", lambda c: c.verify_c2pa(PHOTO, preflight=False), _FOUND
    ),
    "aidetector-verify_c2pa_url": Call("aidetector", lambda c: c.verify_c2pa_url(URL), _FOUND),
    "sightengine-check": Call("sightengine", lambda c: c.check(PHOTO, preflight=False), _SCORED),
    "sightengine-check_url": Call("sightengine", lambda c: c.check_url(URL), _SCORED),
    "sightengine-check_many": Call(
        "sightengine", lambda c: c.check_many([PHOTO], preflight=False), _SCORED_EACH
    ),
}
