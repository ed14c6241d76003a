"""System calls that fail, one after another: nothing lost, nothing charged twice.

``python -m tests.faults.inject`` runs a small batch under strace again and again. Each run fails
one call on a file of the job, the first, the second, ... of its kind, until none is left to fail;
then the job is run to its end, and compared with what the server has charged. Errors are ENOSPC and
EIO; SIGKILL ends the process at that call.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from runmask.batch.journal import Reading

from .kill_batch import ENVIRONMENT, command, make_photos
from .server import Answer, FaultServer, faulty

CALLS = ("openat", "pwrite64", "write", "fsync", "fdatasync", "rename", "ftruncate", "unlink")
WHAT = ("error=ENOSPC", "error=EIO", "signal=KILL")
IMAGES = 3
RESULT = {
    "isAiDetected": True,
    "result": {"starts": [5140, 5652], "lengths": [16, 16]},
    "summary": {"human": 0.9, "ai": 0.1},
    "imageInfo": {"shape": {"height": 512, "width": 512}},
    "scannedDocument": {"scanId": "abc", "actualCredits": 1},
}
GOOD = Answer(body=json.dumps(RESULT).encode(), charge=True)


def job_files(job: Path) -> Iterator[str]:
    """What may fail: the files of the journal, and folders in which files get their names."""
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite.new", "results.parquet"):
        yield str(job / name)
    for name in ("", "masks", "journal.lock", "journal.reserve"):
        yield str(job / name)


def run_with_fault(
    photos: Path, job: Path, server: FaultServer, call: str, what: str, which: int
) -> bool:
    """One run; whether there was such a call."""
    log = job.parent / "strace.log"
    paths = [part for path in job_files(job) for part in ("-P", path)]
    done = subprocess.run(
        [
            *("strace", "-f", "-q", "-o", str(log), "-e", f"trace={call}"),
            *("-e", f"inject={call}:{what}:when={which}", *paths),
            *arguments(photos, job, server),
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    triggered = "INJECTED" in log.read_text() or done.returncode in (-9, 137)
    if triggered and done.returncode not in (0, 1, 2, 4, 5, -9, 137):
        raise AssertionError(f"{call} {what} {which}: {done.returncode}\n{done.stderr[-3000:]}")
    assert "Traceback" not in done.stderr, f"{call} {what} {which}\n{done.stderr[-3000:]}"
    return triggered


def arguments(photos: Path, job: Path, server: FaultServer) -> list[str]:
    more = ("--outputs", "mask", "--no-thumbnails", "--in-flight", "2")
    return command(photos, job, server.origin, *more)


def check(photos: Path, job: Path, server: FaultServer, fault: str) -> None:
    """To the end, and what has come of it."""
    done = subprocess.run(
        arguments(photos, job, server),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 4), f"{fault}: {done.returncode}\n{done.stderr[-3000:]}"
    journal = Reading(job)
    found = {outcome.scan_id: outcome for outcome in journal.outcomes()}
    journal.close()
    assert len(found) == IMAGES, fault
    assert set(server.charges.values()) == {1}, f"{fault}: charged twice"
    for scan_id, outcome in found.items():
        assert outcome.state in ("done", "held"), f"{fault}: {outcome}"
        if outcome.state == "done":
            assert scan_id in server.charges, fault
            assert outcome.body == GOOD.body, fault
            assert (job / outcome.files["mask"]).stat().st_size > 0, fault
    lost = server.charges.keys() - found.keys()
    assert not lost, f"{fault}: {lost}"
    leftovers = [path.name for path in job.rglob("*") if path.name.startswith(".runmask")]
    assert not leftovers, f"{fault}: {leftovers}"


def trial(folder: Path, calls: tuple[str, ...], step: int) -> Counter[str]:
    """Every ``step``-th call of each kind; how many have failed, by kind."""
    photos = folder / "photos"
    make_photos(photos, IMAGES)
    failed: Counter[str] = Counter()
    for call, what in itertools.product(calls, WHAT):
        for which in itertools.count(1, step):
            job = folder / "job"
            shutil.rmtree(job, ignore_errors=True)
            with faulty(by_headers=lambda _: GOOD) as server:
                if not run_with_fault(photos, job, server, call, what, which):
                    break
                check(photos, job, server, f"{call} {what} {which}")
            failed[f"{call} {what}"] += 1
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--calls", default=",".join(CALLS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runmask-inject-") as folder:
        failed = trial(Path(folder), tuple(given.calls.split(",")), given.step)
    for name, count in failed.items():
        print(f"{count:4} {name}")
    print(f"{failed.total():4} faults: nothing lost, nothing charged twice")


if __name__ == "__main__":
    main()
