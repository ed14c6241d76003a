"""Jobs in this process: small photos, quick retries, and nothing rendered but what is asked for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.server import LOGIN, Answer, FaultServer, Received
from PIL import Image

from runmask import batch, services
from runmask.batch.job import perform
from runmask.batch.journal import Reading
from runmask.batch.options import job_of
from runmask.batch.submitting import circuit

KEY = "00000000-0000-0000-0000-000000000000"
RESULT: dict[str, Any] = {
    "model": "ai-image-1-ultra",
    "isAiDetected": True,
    "result": {"starts": [5140, 5652], "lengths": [16, 16]},
    "summary": {"human": 0.9, "ai": 0.1},
    "imageInfo": {"shape": {"height": 512, "width": 512}, "metadata": {}},
    "scannedDocument": {"scanId": "abc", "actualCredits": 1, "expectedCredits": 1},
}
GOOD = Answer(body=json.dumps(RESULT).encode(), charge=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries and pauses without waiting; the account of a sandbox."""
    monkeypatch.setenv("COPYLEAKS_EMAIL", "a@example.org")
    monkeypatch.setenv("COPYLEAKS_API_KEY", KEY)
    monkeypatch.setattr(circuit, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(circuit, "LONGEST_PAUSE_S", 0.2)
    client = services.Choice.async_client

    def impatient(self: services.Choice, **options: Any) -> Any:
        return client(self, **({"backoff": 0.001, "retries": 1} | options))  # type: ignore[typeddict-item]

    monkeypatch.setattr(services.Choice, "async_client", impatient)


def photos(folder: Path, count: int, first: int = 0) -> list[Path]:
    """Small photos, each of another colour."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number in range(first, first + count):
        pixels = np.full((512, 512, 3), (number % 256, number // 256, 99), np.uint8)
        paths.append(folder / f"p{number:03}.png")
        Image.fromarray(pixels).save(paths[-1], compress_level=1)
    return paths


def job(inputs: Any, folder: Path, origin: str | None, **options: Any) -> batch.Summary:
    """Do a job against a server, and tell what it has come to."""
    given: dict[str, Any] = {
        "service": "copyleaks",
        "base_url": origin,
        "outputs": (),
        "thumbnails": False,
        "executor": batch.threads(1),
        "in_flight": 4,
    }
    progress = options.pop("progress", batch.Progress())
    return perform(job_of(inputs, folder, given | options), progress)  # type: ignore[arg-type]


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for something that other threads or processes do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def outcomes(folder: Path) -> list[batch.Outcome]:
    journal = Reading(folder)
    try:
        return list(journal.outcomes())
    finally:
        journal.close()


def checks(server: FaultServer) -> list[Received]:
    """The requests that came, without logins."""
    return [request for request in server.requests if not request.target.endswith(LOGIN)]


def scans(server: FaultServer) -> list[str]:
    """Their scan ids, in order."""
    return [request.target.split(b"/")[-2].decode() for request in checks(server)]


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """Do work in a thread; what it came to is in the result when the block has ended."""
    result: dict[str, Any] = {}
    thread = threading.Thread(target=lambda: result.update(value=work()))
    thread.start()
    try:
        yield result
    finally:
        thread.join(60)
