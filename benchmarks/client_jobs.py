"""What a client costs above the HTTP library beneath it: an image sent, an answer read.

All send the same form to the same server, over one connection that stays open. ``mask`` is the size
of the image. The answer is a recorded one of 56 runs.
"""

from __future__ import annotations

import asyncio
import atexit
import http.client
import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2
import loopback
import numpy as np
from competitors import Competitor, Job, Prepared

from runmask import Mask
from runmask.http import AsyncCopyleaks, Copyleaks

KEY = "00000000-0000-0000-0000-000000000000"
SIZES = {"100 kB": 100_000, "4 MB": 4_000_000}
CALLS = 10  # in one turn

stack = ExitStack()
atexit.register(stack.close)


@cache
def origin() -> str:
    return stack.enter_context(loopback.server())


@cache
def loop() -> asyncio.Runner:
    return stack.enter_context(asyncio.Runner())


@cache
def image(size: str) -> bytes:
    return np.random.default_rng(1).bytes(SIZES[size])


def expected(_: str) -> tuple[np.ndarray, np.ndarray]:
    return _runs(json.loads(loopback.ANSWER.read_bytes()))


def _runs(answer: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(answer["result"]["starts"]), np.array(answer["result"]["lengths"])


def _prepared(one: Callable[[], Any]) -> Prepared:
    def call() -> None:
        for _ in range(CALLS):
            one()

    return Prepared(call, one)


def _in_loop(one: Callable[[], Any]) -> Prepared:
    async def several() -> None:
        for _ in range(CALLS):
            await one()

    return Prepared(lambda: loop().run(several()), lambda: loop().run(one()))


def by_runmask(size: str) -> Prepared:
    client = stack.enter_context(
        Copyleaks("a@example.org", KEY, base_url=origin(), login_url=origin())
    )

    def one() -> Mask:
        return client.check(image(size), filename="a.png", preflight=False).mask

    return _prepared(one)


def by_runmask_in_a_loop(size: str) -> Prepared:
    runner = loop()
    client = AsyncCopyleaks("a@example.org", KEY, base_url=origin(), login_url=origin())
    stack.callback(lambda: runner.run(client.close()))

    async def one() -> Mask:
        return (await client.check(image(size), filename="a.png", preflight=False)).mask

    return _in_loop(one)


def _form(size: str) -> dict[str, Any]:
    return {
        "url": f"{origin()}/v1/ai-image-detector/one/check",
        "headers": {"Authorization": "Bearer one"},
        "data": {"filename": "a.png", "model": "ai-image-1-ultra", "sandbox": "false"},
        "files": {"image": ("a.png", image(size), "image/png")},
    }


def by_httpx2(size: str) -> Prepared:
    client = stack.enter_context(httpx2.Client(trust_env=False, timeout=60))
    return _prepared(lambda: _runs(client.post(**_form(size)).json()))


def by_httpx2_in_a_loop(size: str) -> Prepared:
    runner = loop()
    client = httpx2.AsyncClient(trust_env=False, timeout=60)
    stack.callback(lambda: runner.run(client.aclose()))

    async def one() -> tuple[np.ndarray, np.ndarray]:
        return _runs((await client.post(**_form(size))).json())

    return _in_loop(one)


def body_alone(size: str) -> Prepared:
    connection = http.client.HTTPConnection(urlsplit(origin()).netloc)
    stack.callback(connection.close)
    body = httpx2.Request("POST", **_form(size)).read()

    def one() -> bytes:
        connection.request("POST", "/v1/ai-image-detector/one/check", body)
        return connection.getresponse().read()

    return _prepared(one)


LIMIT = "limit: http.client, body ready"


def job(title: str, ours: Callable[[str], Prepared], library: Callable[[str], Prepared]) -> Job:
    return Job(
        title,
        LIMIT,
        expected,
        (
            Competitor("runmask", ours),
            Competitor("httpx2", library),
            Competitor(LIMIT, body_alone),
        ),
        masks=tuple(SIZES),
    )


CLIENT_JOBS = {
    "client_10_calls": job("ten checks, one after the other", by_runmask, by_httpx2),
    "client_10_calls_in_a_loop": job(
        "ten checks in an event loop", by_runmask_in_a_loop, by_httpx2_in_a_loop
    ),
}
