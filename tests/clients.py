"""Either client of a service, for threads or for an event loop, called without awaiting."""

from __future__ import annotations

import asyncio
import email.parser
import email.policy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from faults.server import Received

Connect = Callable[..., Any]


class Facade:
    """Calls of the async client are run to their end."""

    def __init__(self, client: Any, runner: asyncio.Runner | None) -> None:
        self.client, self.runner = client, runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.client, name)
        if self.runner is None or not inspect.iscoroutinefunction(value):
            return value
        return lambda *args, **kwargs: self.runner.run(value(*args, **kwargs))


def connections(kind: str, threads: type, loop: type, *given: Any) -> Iterator[Connect]:
    """A function that makes clients of this kind with fast retries; closes all at the end."""
    made: list[Facade] = []

    def connect(origin: str, *arguments: Any, **options: Any) -> Facade:
        options = {"base_url": origin, "backoff": 0.001} | options
        runner = asyncio.Runner() if kind == "loop" else None
        chosen = loop if runner else threads
        made.append(Facade(chosen(*(arguments or given), **options), runner))
        return made[-1]

    yield connect
    for facade in made:
        facade.close()
        if facade.runner:
            facade.runner.close()


def parts(received: Received) -> list[tuple[str, Any]]:
    """The parts of a multipart form, in their order."""
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + received.body)
    return [
        (part.get_param("name", header="content-disposition"), part)
        for part in message.iter_parts()
    ]


def texts(received: Received) -> dict[str, str]:
    return {
        name: part.get_content().strip()
        for name, part in parts(received)
        if part.get_filename() is None
    }
