"""The sandbox under load: how many requests a second, and how long each takes.

The sandbox is a process of its own. Each connection asks again when it has got its answer; the
generator runs on the same processors. A check is of a photo of 640 x 512 pixels, analysed in full.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import cases
import httpx2
import pytest
from client_jobs import KEY

from runmask import images

CONNECTIONS = ("1", "8", "64")
REQUESTS = {"sandbox_health": 1000, "sandbox_check": 64}
numbers = itertools.count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = metafunc.config.getoption("--rounds")
    wanted = set(filter(None, metafunc.config.getoption("--jobs").split(",")))
    metafunc.parametrize(
        ("job", "mask", "turn"),
        [
            (job, mask, turn)
            for job in REQUESTS
            if not wanted or job in wanted
            for mask in CONNECTIONS
            for turn in range(min(rounds, 3))
        ],
    )


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "runmask", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().split()[3]
    process.kill()
    process.communicate()


@pytest.fixture(scope="session")
def requests(origin: str) -> dict[str, Callable[[], bytes]]:
    """What makes the next request of a job: scan ids must be new each time."""
    login = {"email": "a@example.org", "key": KEY}
    answer = httpx2.post(f"{origin}/v3/account/login/api", json=login, trust_env=False)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    photo = images.encode(cases.image(3, 640)[:512], "png")

    def check() -> bytes:
        url = f"{origin}/v1/ai-image-detector/load-{next(numbers)}/check"
        form = {"filename": "a.png", "model": "ai-image-1-ultra", "sandbox": "false"}
        return written("POST", url, headers=headers, data=form, files={"image": ("a.png", photo)})

    health = written("GET", f"{origin}/v1/health")
    return {"sandbox_health": lambda: health, "sandbox_check": check}


def written(method: str, url: str, **more: Any) -> bytes:
    request = httpx2.Request(method, url, **more)
    lines = [f"{method} {request.url.raw_path.decode()} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.read()


async def load(origin: str, requests: list[bytes], connections: int) -> list[float]:
    """Seconds that each took. Raises where an answer is not 200."""
    waiting, took = iter(requests), []
    target = urlsplit(origin)

    async def one() -> None:
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        for request in waiting:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            [length] = [
                int(line[15:])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ]
            await reader.readexactly(length)
            took.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return took


def test_load(
    benchmark: Any,
    origin: str,
    requests: dict[str, Callable[[], bytes]],
    job: str,
    mask: str,
    turn: int,
) -> None:
    prepared = [requests[job]() for _ in range(REQUESTS[job])]
    began = time.perf_counter()
    took = benchmark.pedantic(
        lambda: asyncio.run(load(origin, prepared, int(mask))), rounds=1, iterations=1
    )
    seconds = time.perf_counter() - began
    assert len(took) == len(prepared)
    p50, p99 = (statistics.quantiles(took, n=100)[at] * 1000 for at in (49, 98))
    told = {"per_second": len(took) / seconds, "p50": p50, "p99": p99}
    benchmark.extra_info.update(job=job, mask=mask, load=told)
