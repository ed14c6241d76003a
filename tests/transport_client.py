"""Sending one request by either transport, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from faults.server import FaultServer

from runmask.errors import (
    APIError,
)
from runmask.http.retry import (
    Call,
    Reply,
    Request,
)
from runmask.http.transport import AsyncTransport, Settings, Transport


def settings(**changes: Any) -> Settings:
    defaults = {"connect_timeout": 5.0, "read_timeout": 5.0, "max_response_bytes": 2**20}
    return Settings(**(defaults | {"ca_bundle": None, "proxy": None} | changes))


Send = Callable[..., Reply | Exception]


def sender(kind: str) -> Send:
    """Send one request by either transport."""

    def in_thread(what: Request, seconds: float = 20.0, **changes: Any) -> Reply | Exception:
        transport = Transport(settings(**changes))
        try:
            return transport.send(
                what, Call(deadline=time.monotonic() + seconds, clock=time.monotonic)
            )
        finally:
            transport.close()

    async def in_loop(what: Request, seconds: float = 20.0, **changes: Any) -> Reply | Exception:
        transport = AsyncTransport(settings(**changes))
        try:
            return await transport.send(
                what, Call(deadline=time.monotonic() + seconds, clock=time.monotonic)
            )
        finally:
            await transport.close()

    if kind == "threads":
        return in_thread
    return lambda *args, **kwargs: asyncio.run(in_loop(*args, **kwargs))


def post(server: FaultServer, content: bytes = b"x" * 1000, **more: Any) -> Request:
    url = f"{server.origin}/v1/ai-image-detector/scan/check"
    return Request(method="POST", url=url, headers={}, content=content, billed=True, **more)


def fault(outcome: Reply | Exception, kind: type[APIError], code: str, billed: str) -> APIError:
    assert type(outcome) is kind, outcome
    assert isinstance(outcome, APIError)
    assert (outcome.code, outcome.billed) == (code, billed)
    assert outcome.__cause__ is outcome.__context__ is outcome.__traceback__ is None
    return outcome
