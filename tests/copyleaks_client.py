"""Either client of Copyleaks, called without awaiting, and answers for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


class Facade:
    """Either client, called without awaiting."""

    def __init__(self, kind: str, *arguments: Any, **options: Any) -> None:
        self.runner = asyncio.Runner() if kind == "loop" else None
        chosen = AsyncCopyleaks if self.runner else Copyleaks
        self.client = chosen(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if self.runner is None:
            return method
        return lambda *args, **kwargs: self.runner.run(method(*args, **kwargs))

    def check(self, image: Any = PHOTO, **options: Any) -> Detection:
        return self.__getattr__("check")(image, **({"preflight": False} | options))


Connect = Callable[..., Facade]


def facades(kind: str) -> Iterator[Connect]:
    """Makes clients of this kind with fast retries; closes all at the end."""
    made: list[Facade] = []

    def connect(server: FaultServer, **options: Any) -> Facade:
        options = {
            "base_url": server.origin,
            "login_url": server.origin,
            "backoff": 0.001,
        } | options
        made.append(Facade(kind, "a@example.org", options.pop("key", KEY), **options))
        return made[-1]

    yield connect
    for client in made:
        client.close()
        if client.runner:
            client.runner.close()


def error_of(client: Facade, **options: Any) -> APIError:
    with pytest.raises(APIError) as caught:
        client.check(**options)
    return caught.value


def refusal(name: str, golden: Path, status: int) -> Answer:
    return Answer(status=status, body=(golden / "copyleaks" / f"{name}.json").read_bytes())


def shape_a(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()
