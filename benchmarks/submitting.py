"""Submitting: a job against the bare client, and a journal of a million images.

    .venv/bin/python benchmarks/submitting.py [--rounds 5] [--images 600] [--items 1000000]
        [--answer-bytes 200]

The first table: photos of 300 KB to a server in a process of its own that answers at once with
90 KB, 16 under way; the bare client reads the files, asks, and forgets what comes; the job looks at
them, hashes them, commits before each request and keeps each answer before it goes on. Both take
turns. The second: the journal alone, with a commit for each claim and each answer, shared by those
that come together.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from runmask.batch.items import entries
from runmask.batch.journal import Journal, packed
from runmask.batch.stopping import Stop
from runmask.batch.submitting import Manner, Submitter
from runmask.batch.submitting.asking import ByUpload
from runmask.batch.values import Rendered
from runmask.http import AsyncCopyleaks

IN_FLIGHT = 16
KEY = "00000000-0000-0000-0000-000000000000"
WHO = {"service": "copyleaks"}


# -- the server


def answer() -> bytes:
    """Of about 90 KB."""
    starts = list(range(0, 8_000_000, 1000))
    body = {
        "isAiDetected": True,
        "result": {"starts": starts, "lengths": [7] * len(starts)},
        "summary": {"ai": 0.1, "human": 0.9},
        "imageInfo": {"shape": {"height": 3000, "width": 4000}},
        "scannedDocument": {"scanId": "x", "actualCredits": 1},
    }
    return json.dumps(body).encode()


class Server(asyncio.Protocol):
    """Answers whatever comes, as soon as it is complete."""

    def __init__(self, check: bytes, login: bytes) -> None:
        self.check, self.login = check, login
        self.data = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.data[:end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self.data) < end + 4 + length:
            return
        body = self.login if b"/login/" in head else self.check
        self.data.clear()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)  # type: ignore[attr-defined]


async def serve() -> None:
    token = {
        "access_token": "t",
        ".issued": "2026-01-01T00:00:00Z",
        ".expires": "2026-01-03T00:00:00Z",
    }
    check, login = answer(), json.dumps(token).encode()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(check, login), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


# -- the two ways


def photos(folder: Path, count: int) -> list[str]:
    luck = np.random.default_rng(1)
    pixels = luck.integers(0, 256, (512, 200, 3), np.uint8)
    paths = []
    for number in range(count):
        whole = np.full((512, 600, 3), 90, np.uint8)
        whole[:, :200] = np.roll(pixels, number, axis=1)
        paths.append(str(folder / f"p{number}.png"))
        Image.fromarray(whole).save(paths[-1], compress_level=1)
    return paths


async def bare(origin: str, paths: list[str]) -> int:
    queue = list(paths)
    found = 0
    async with AsyncCopyleaks("a@example.org", KEY, base_url=origin, login_url=origin) as client:

        async def work() -> None:
            nonlocal found
            while queue:
                detection = await client.check(queue.pop())
                found += len(detection.raw)

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return found


async def job(origin: str, journal: Journal) -> None:
    async with AsyncCopyleaks("a@example.org", KEY, base_url=origin, login_url=origin) as client:
        stop = Stop()
        way = ByUpload("copyleaks", client, is_local=True)
        await Submitter(journal, way, stop, Manner(in_flight=IN_FLIGHT)).run()
        assert not stop, stop.error


def throughput(rounds: int, count: int, folder: Path) -> None:
    (folder / "in").mkdir()
    paths = photos(folder / "in", count)
    size = statistics.mean(os.path.getsize(path) for path in paths)
    expected = answer()
    times: dict[str, list[float]] = {"the bare client": [], "a job": []}
    with serving() as origin:
        for number in range(rounds):
            began = time.perf_counter()
            assert asyncio.run(bare(origin, paths)) == count * len(expected)
            times["the bare client"].append(time.perf_counter() - began)

            began = time.perf_counter()
            with Journal(folder / f"job{number}", WHO) as journal:
                journal.plan(entries([str(folder / "in")]))
                asyncio.run(job(origin, journal))
                times["a job"].append(time.perf_counter() - began)
                assert all(o.body == expected for o in journal.outcomes())
                assert journal.counts() == {"scored": count}
    print(f"{count} images of {size / 1000:.0f} KB, answers of {len(expected) / 1000:.0f} KB\n")
    print("| | images a second |\n|---|---:|")
    for name, seconds in times.items():
        print(f"| {name} | {count / statistics.median(seconds):.0f} |")
    ratios = [b / a for a, b in zip(*times.values(), strict=True)]
    print(f"\nA job takes {statistics.median(ratios):.2f} times as long.\n")


# -- a million


def million(count: int, answer_bytes: int, folder: Path) -> None:
    given = folder / "list.txt"
    with given.open("w") as file:
        for number in range(count):
            file.write(f"https://example.org/photos/{number % 1000:03}/image_{number}.jpg\n")
    body = packed(os.urandom(answer_bytes))
    rows: list[tuple[str, float, int]] = []

    def row(name: str, began: float) -> None:
        rows.append((name, time.perf_counter() - began, memory()))

    with Journal(folder / "job", WHO) as journal:
        began = time.perf_counter()
        assert journal.plan(entries([str(given)])).added == count
        row("planned", began)

        began, after = time.perf_counter(), 0
        while page := journal.unread(after, 1000):
            claims = [
                journal.claim(item.number, item.source, f"{item.number:032x}", "", "copyleaks")
                for item in page
            ]
            answers = [journal.answer(claim.result().scan, body, 1.0) for claim in claims]
            for each in answers:
                each.result()
            after = page[-1].number
        row("claimed and answered", began)

        began = time.perf_counter()
        while found := journal.to_render(256):
            journal.rendered(
                [Rendered(a.item, {"overlay": f"overlays/{a.name}.jpg"}) for a in found]
            )
        row("rendered, as far as the journal goes", began)

    began, cpu = time.perf_counter(), time.thread_time()
    with Journal(folder / "job", WHO) as journal:
        assert journal.plan(entries([str(given)])) == (count, 0, 0)
        assert journal.counts() == {"done": count}
        assert not journal.unread(0, 1)
        row("opened again: checked whole, compared with the list, nothing to do", began)
        rows.append(("of that, the comparison", time.thread_time() - cpu, memory()))
    size = os.path.getsize(folder / "job" / "journal.sqlite") >> 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{count:,} images; the journal has {size} MiB, the peak of memory was {peak} MiB\n")
    print("| | seconds | MiB in memory after it |\n|---|---:|---:|")
    for name, seconds, resident in rows:
        print(f"| {name} | {seconds:.1f} | {resident} |")


def memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--answer-bytes", type=int, default=200, help="compressed, in the journal")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    with tempfile.TemporaryDirectory(prefix="runmask-submitting-") as folder:
        if given.rounds:
            throughput(given.rounds, given.images, Path(folder))
        if given.items:
            million(given.items, given.answer_bytes, Path(folder))


if __name__ == "__main__":
    main()
