"""runmask webhooks as a process: started, stopped, and killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hooks import (
    GOLDEN_BATCH,
    OLD,
    SECRET,
    command,
    deliver,
    event,
)

from runmask.http.webhooks import (
    Inbox,
)


def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path: Path) -> None:
    acknowledged: set[str] = set()

    def flood(port: int, sender: str) -> None:
        for n in range(100_000):
            body = event("batch.completed", f"{sender}-{n}", pad="x" * (n % 3 * 150_000))
            try:
                if deliver(port, body) == 200:
                    acknowledged.add(f"{sender}-{n}")
            except (OSError, http.client.HTTPException):
                return

    for turn in range(4):
        with command(tmp_path / "inbox") as (process, port), ThreadPoolExecutor(4) as pool:
            senders = [pool.submit(flood, port, f"{turn}.{n}") for n in range(4)]
            time.sleep(0.3 + 0.1 * turn)
            process.send_signal(signal.SIGKILL)
            for sender in senders:
                sender.result(30)
    kept = {each.event.subject: each for each in Inbox(tmp_path / "inbox").deliveries()}
    assert len(acknowledged) > 20
    assert acknowledged <= set(kept)
    for subject, delivery in kept.items():
        pad = "x" * (int(subject.partition("-")[2]) % 3 * 150_000)
        assert delivery.event.body == event("batch.completed", subject, pad=pad)


def test_the_addresses_are_told(tmp_path: Path) -> None:
    with command(tmp_path / "inbox", COPYLEAKS_WEBHOOK_SECRET=SECRET) as (process, port):
        told = [process.stdout.readline().strip() for _ in range(2)]
    origin = f"http://127.0.0.1:{port}"
    assert set(told) == {
        f"aidetector: {origin}/aidetector",
        f"copyleaks: {origin}/copyleaks/{{scan id}}/{{token}}",
    }


def test_a_list_of_no_inbox_is_an_error(tmp_path: Path) -> None:
    arguments = ["-m", "runmask", "webhooks", "--inbox", str(tmp_path / "typo"), "--list"]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "typo': there is none" in done.stderr
    assert not (tmp_path / "typo").exists()


def test_the_command_from_start_to_ctrl_c(tmp_path: Path) -> None:
    with command(tmp_path / "inbox") as (process, port):
        assert deliver(port, GOLDEN_BATCH) == 200
        assert deliver(port, event("batch.failed", "k"), OLD) == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    listed = subprocess.run(
        [
            sys.executable,
            "-m",
            "runmask",
            "webhooks",
            "--inbox",
            str(tmp_path / "inbox"),
            "--list",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["event"], row["subject"], row["state"]) for row in rows] == [
        ("batch.completed", "job_77ab", "new"),
        ("batch.failed", "k", "new"),
    ]
    assert rows[0]["body"] == json.loads(GOLDEN_BATCH)


def test_the_command_needs_a_secret(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if "WEBHOOK" not in name}
    for more in ({}, {"COPYLEAKS_WEBHOOK_SECRET": "short"}):
        done = subprocess.run(
            [sys.executable, "-m", "runmask", "webhooks", "--inbox", str(tmp_path), "--port", "0"],
            env=bare | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in (2, 3)
        assert "COPYLEAKS_WEBHOOK_SECRET" in done.stderr
        assert "short" not in done.stderr
