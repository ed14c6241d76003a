"""Either client of AIDetector, called without awaiting, and answers for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clients import Connect, connections
from faults.server import Answer

from runmask import Detection
from runmask.http import AIDetector, AsyncAIDetector

KEY = "aidet_test_0123456789abcdef"
PHOTO = b"\x00\x01 stands for a photo \r\n--x\r\n" * 30
URL = "https://images.example.org/a.jpg?sig=1"
BODY = b'{"verdict":"ai_generated","confidence":0.9,"request_id":"req_1"}'
GOOD = Answer(body=BODY, charge=True)


def facades(kind: str) -> Iterator[Connect]:
    yield from connections(kind, AIDetector, AsyncAIDetector, KEY)


def check(client: Any, **options: Any) -> Detection:
    return client.check(PHOTO, **({"preflight": False, "filename": "a.png"} | options))
