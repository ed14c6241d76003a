"""A sandbox in a process of its own that fails at random, and keeps a ledger of what it charged.

``python -m tests.faults.ledger LEDGER [--faults] [--pace SECONDS]`` prints its address. The ledger
is a file with a line for each event, written before the answer leaves: ``asked ID`` (a request for
a check has come), ``charged ID`` (it was carried out and paid for), ``replayed ID`` (the id was
known, and the answer repeated for nothing).
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# Of all checks: what the service or the network does to them. The first two are free of charge and
# say so; after the others the client cannot know whether it was charged.
FAULTS = {
    "429-after-0": 0.05,
    "503-after-0": 0.03,
    "reset": 0.01,
    "reset-before": 0.01,
    "truncated": 0.01,
    "slow-20": 0.02,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("ledger")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--credits", type=int, default=1_000_000)
    given = parser.parse_args()

    from runmask.sandbox import Settings, app, server
    from runmask.sandbox.copyleaks import accounts, service

    accounts.MAX_SCANS = 1_000_000  # all answers are kept, to be repeated
    keep(os.open(given.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND), service.Copyleaks)
    luck = random.Random(given.seed)
    create_app = app.create_app

    def made(settings: Any) -> Any:
        inner = create_app(settings)

        async def outer(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["path"].endswith("/check"):
                scope["headers"] = [*scope["headers"], *unlucky(luck, given)]
            await inner(scope, receive, send)

        outer.state = inner.state  # type: ignore[attr-defined]
        return outer

    server.create_app = made
    settings = Settings(detector=by_its_corner, credits=given.credits, max_checks=64)
    server.serve(port=0, settings=settings)


def unlucky(luck: random.Random, given: Any) -> list[tuple[bytes, bytes]]:
    names = []
    if given.faults:
        names = [name for name, share in FAULTS.items() if luck.random() < share][:1]
    if given.pace:
        names.append(f"latency-{round(luck.uniform(0, 2000 * given.pace))}")
    return [(b"x-sandbox-fault", ",".join(names).encode())] if names else []


def by_its_corner(image: Any) -> Any:
    """A quick detector: what it marks depends on the image, and on nothing else."""
    import numpy as np

    from runmask.sandbox import Analysis

    mask = np.zeros(image.shape[:2], bool)
    height, width = 16 + int(image[0, 0, 0]), 16 + int(image[0, 0, 1])
    mask[:height, :width] = True
    return Analysis(np.zeros((1, 1), np.float32), mask, 0.5)


def keep(ledger: int, kind: Any) -> None:
    """Have the service write down what it does."""
    check, scan, earlier = kind.check, kind.scan, kind.earlier_answer

    def write(event: str, scan_id: str) -> None:
        os.write(ledger, f"{event} {scan_id}\n".encode())

    async def checked(self: Any, request: Any) -> Any:
        write("asked", request.path_params["scan_id"])
        return await check(self, request)

    async def scanned(self: Any, account: Any, scan_id: str, upload: Any) -> Any:
        answer = await scan(self, account, scan_id, upload)
        write("charged", scan_id)
        return answer

    def repeated(self: Any, scan: Any, scan_id: str, digest: bytes) -> Any:
        answer = earlier(self, scan, scan_id, digest)
        if answer is not None:
            write("replayed", scan_id)
        return answer

    kind.check, kind.scan, kind.earlier_answer = checked, scanned, repeated


class Ledger:
    """What a sandbox has done so far: how often for each scan id."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, event: str) -> Counter[str]:
        lines = (line.split() for line in self.path.read_text().splitlines())
        return Counter(scan_id for kind, scan_id in lines if kind == event)


@contextmanager
def sandbox(ledger: Path, *options: str) -> Iterator[tuple[str, Ledger]]:
    """A sandbox in a process of its own: its address, and its ledger."""
    ledger.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.ledger", str(ledger), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()  # "runmask sandbox on http://127.0.0.1:PORT (...)"
        yield first.split()[3], Ledger(ledger)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    main()
