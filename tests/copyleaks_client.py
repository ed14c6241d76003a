"""Either client of Copyleaks, called without awaiting, and answers for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clients
import pytest
from faults.server import Answer, FaultServer

from runmask import Detection
from runmask.errors import (
    APIError,
)
from runmask.http import AsyncCopyleaks, Copyleaks

KEY = "00000000-0000-0000-0000-000000000000"
REAL_KEY = "12345678-1234-1234-1234-123456789abc"
PHOTO = b"\x00\x01 stands for a photo \r\n--x\r\n" * 30
BODY = (
    b'{"isAiDetected":true,"result":{"starts":[3],"lengths":[2]},"summary":{"ai":0.1,"human":0.9},'
    b'"imageInfo":{"shape":{"height":4,"width":5}},"scannedDocument":{"scanId":"abc"}}'
)
GOOD = Answer(body=BODY, charge=True)


class Facade(clients.Facade):
    """Either client, called without awaiting."""

    def check(self, image: Any = PHOTO, **options: Any) -> Detection:
        return self.__getattr__("check")(image, **({"preflight": False} | options))


Connect = Callable[..., Facade]


def facades(kind: str) -> Iterator[Connect]:
    """Makes clients of this kind with fast retries; closes all at the end."""
    made = clients.connections(kind, Copyleaks, AsyncCopyleaks, "a@example.org", KEY)
    for connect in made:

        def with_login(
            server: FaultServer, key: str = KEY, connect: Any = connect, **options: Any
        ) -> Facade:
            options = {"login_url": server.origin} | options
            plain = connect(server.origin, "a@example.org", key, **options)
            return Facade(plain.client, plain.runner)

        yield with_login


def error_of(client: Facade, **options: Any) -> APIError:
    with pytest.raises(APIError) as caught:
        client.check(**options)
    return caught.value


def refusal(name: str, golden: Path, status: int) -> Answer:
    return Answer(status=status, body=(golden / "copyleaks" / f"{name}.json").read_bytes())


def shape_a(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()
