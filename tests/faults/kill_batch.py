"""A batch that is killed again and again: nothing lost, nothing charged twice.

``python -m tests.faults.kill_batch --images 2000 --kills 150``

1. An undisturbed run, against a sandbox without faults.
2. The same job against a sandbox with faults (5 % 429, 3 % 503, resets, answers cut off, slow),
   killed with SIGKILL at random moments, started again each time, and run to its end.
3. The ledger is compared with the journal: no scan was carried out twice, each that was charged has
   its answer in the journal or is held, and nothing is held that was answered.
4. What is held is sent again, until nothing is: states, names, answers and files are those of the
   undisturbed run, and nothing was charged twice.
5. The same command once more: no request, no write.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from runmask.batch.journal import Reading

from .ledger import Ledger, sandbox

IN_FLIGHT = 4
LIFE_S = (0.3, 1.4)  # of a process; it takes 0.4 s until its first request

_VOLATILE = {"creationTime", "scanId"}


def make_photos(folder: Path, count: int) -> None:
    """Small images, all different but every fiftieth, which is like the one before."""
    folder.mkdir()
    luck = np.random.default_rng(5)
    for number in range(count):
        if number % 50 != 49 or number == 0:
            picture = np.full((512, 512, 3), luck.integers(0, 256, 3), np.uint8)
            picture[100:400, 100:400] = luck.integers(0, 256, 3)
            picture[0, :8] = luck.integers(0, 256, (8, 3))
        assert cv2.imwrite(str(folder / f"photo_{number:05}.png"), picture)


def command(photos: Path, job: Path, origin: str, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "runmask", "batch", str(photos), "-o", str(job), "--json"),
        *("--service", "copyleaks", "--base-url", origin, "--threads", "2"),
        *more,
    ]


ENVIRONMENT = {
    **os.environ,
    "COPYLEAKS_EMAIL": "kills@example.org",
    "COPYLEAKS_API_KEY": "00000000-0000-0000-0000-000000000000",
}


def run(arguments: Sequence[str], *codes: int) -> dict[str, Any]:
    """To its end; the summary line."""
    done = subprocess.run(arguments, env=ENVIRONMENT, capture_output=True, text=True, timeout=1200)
    assert done.returncode in codes, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def run_and_kill(arguments: Sequence[str], after_s: float) -> bool:
    """Start, and kill at a moment; whether it was alive then."""
    process = subprocess.Popen(
        arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def state_of(job: Path) -> list[tuple[Any, ...]]:
    """Everything that a job has come to, but what differs from run to run."""
    journal = Reading(job)
    try:
        return [
            (
                *(outcome.source, outcome.name, outcome.state, outcome.digest, outcome.scan_id),
                *(outcome.error, sorted(outcome.files), outcome.credits),
                steady(outcome.body),
                [digest(job / path) for _, path in sorted(outcome.files.items())],
            )
            for outcome in journal.outcomes()
        ]
    finally:
        journal.close()


def steady(body: bytes | None) -> str | None:
    if body is None:
        return None
    return json.dumps(
        json.loads(body, object_pairs_hook=lambda p: {k: v for k, v in p if k not in _VOLATILE})
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def compare(job: Path, ledger: Ledger) -> dict[str, int]:
    """The journal against the ledger, when all has been sent and what is held has not again."""
    journal = Reading(job)
    states: dict[str, str] = {}
    for outcome in journal.outcomes():
        if outcome.scan_id is not None:
            states[outcome.scan_id] = outcome.state
        assert outcome.state in ("done", "held"), outcome
    [(whole,)] = journal._rows("PRAGMA integrity_check")
    assert whole == "ok"
    journal.close()
    charged, asked = ledger.of("charged"), ledger.of("asked")
    done = {scan_id for scan_id, state in states.items() if state == "done"}
    held = {scan_id for scan_id, state in states.items() if state == "held"}
    assert max(charged.values()) == 1, "charged twice"
    assert not ledger.of("replayed"), "sent again unasked"
    assert done <= charged.keys(), "an answer that nobody gave"
    assert charged.keys() - done == held & charged.keys(), "charged, and neither done nor held"
    return {
        "charged": len(charged),
        "done": len(done),
        "held": len(held),
        "held_and_charged": len(held & charged.keys()),
        "held_and_asked": len(held & asked.keys()),
        "held_before_it_left": len(held - asked.keys()),
    }


def trial(folder: Path, images: int, kills: int, seed: int) -> None:
    """All of it. The sandbox answers so slowly that the images last for so many kills."""
    pace = IN_FLIGHT * kills * 0.9 / images
    luck = random.Random(seed)
    photos = folder / "photos"
    make_photos(photos, images)
    began = time.perf_counter()
    with sandbox(folder / "calm.ledger") as (origin, ledger):
        calm = folder / "calm"
        told = run(command(photos, calm, origin), 0)
        assert told["states"] == {"done": images}
        assert set(ledger.of("charged").values()) == {1}
    print(f"undisturbed: {images} images in {time.perf_counter() - began:.1f} s", flush=True)

    began = time.perf_counter()
    options = ("--faults", "--seed", str(seed), "--pace", str(pace))
    with sandbox(folder / "killed.ledger", *options) as (origin, ledger):
        job = folder / "killed"
        arguments = command(photos, job, origin, "--in-flight", str(IN_FLIGHT))
        hits = sum(run_and_kill(arguments, luck.uniform(*LIFE_S)) for _ in range(kills))
        run(arguments, 0, 4)
        found = compare(job, ledger)
        print(f"killed {hits} times in {time.perf_counter() - began:.1f} s: {found}", flush=True)
        assert hits >= kills * 0.8, "it came to its end too early: more images, or a slower pace"
        for _ in range(20):
            told = run([*arguments, "--resolve", "resend"], 0, 4)
            if not told["states"].get("held"):
                break
        assert told["states"] == {"done": images}, told
        charged = ledger.of("charged")
        assert set(charged.values()) == {1}, "charged twice"
        assert told["credits_in_all"] == len(charged)
        assert state_of(job) == state_of(calm), "not as undisturbed"
        leftovers = [
            path for path in job.rglob("*") if path.suffix in (".tmp", ".lock", ".reserve")
        ]
        assert not leftovers, leftovers

        asked, files = ledger.of("asked"), everything_in(job)
        run(arguments, 0)
        assert ledger.of("asked") == asked, "a request of a finished job"
        assert everything_in(job) == files, "a write of a finished job"
    print(
        f"after resending: {images} done as undisturbed, {len(charged)} charged once each,"
        f" {ledger.of('replayed').total()} repeated for nothing; once more: no request, no write"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runmask-kills-") as folder:
        trial(Path(folder), given.images, given.kills, given.seed)


if __name__ == "__main__":
    main()
