"""runmask webhooks as a process, killed and restarted; and scans from submission to detection."""

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

import pytest
from hooks import (
    GOLDEN_BATCH,
    GOLDEN_SCAN,
    OLD,
    SECRET,
    command,
    deliver,
    event,
    listening_to,
    until,
)

from runmask.http.webhooks import (
    CopyleaksWebhook,
    Inbox,
    Receiver,
)


@pytest.fixture
def batch() -> bytes:
    return GOLDEN_BATCH


@pytest.fixture
def scanned() -> bytes:
    return GOLDEN_SCAN


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


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


def test_the_command_from_start_to_ctrl_c(tmp_path: Path, batch: bytes) -> None:
    with command(tmp_path / "inbox") as (process, port):
        assert deliver(port, batch) == 200
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
    assert rows[0]["body"] == json.loads(batch)


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


def test_a_scan_from_submission_to_detection(tmp_path: Path) -> None:
    from runmask.errors import DuplicateScanError, InvalidRequestError, QuotaError
    from runmask.http import Copyleaks
    from runmask.sandbox import Settings, running

    inbox = Inbox(tmp_path, only_expected=True)
    key = "00000000-0000-0000-0000-000000000000"
    url = "https://images.example.org/a.png"
    sender = CopyleaksWebhook("", SECRET)
    with (
        listening_to(Receiver(inbox, copyleaks=sender)) as port,
        running(Settings(credits=1)) as origin,
        Copyleaks("a@example.org", key, base_url=origin, login_url=origin) as service,
    ):
        here = CopyleaksWebhook(f"http://127.0.0.1:{port}/copyleaks", SECRET)
        for scan_id in ("sbx-partial-1", "no-such-image"):
            inbox.expect("copyleaks", scan_id)
            service.submit(url, webhook=here, scan_id=scan_id, developer_payload="order:1")
        until(lambda: len(inbox.pending()) == 2)
        with pytest.raises(DuplicateScanError):
            service.submit(url, webhook=here, scan_id="sbx-partial-1")
        with pytest.raises(QuotaError):
            service.submit(url, webhook=here, scan_id="sbx-ai-1")
        with pytest.raises(InvalidRequestError, match=r"webhooks\.url"):
            service.submit(url, webhook="https://hooks.example.org/x")
    events = {each.event.subject: each.event for each in inbox.pending()}
    good, bad = events["sbx-partial-1"], events["no-such-image"]
    assert (good.kind, good.payload, bad.kind) == ("scan.completed", "order:1", "scan.failed")
    assert good.detection.mask.fraction == 1 / 16
    assert (bad.error["code"], bad.payload) == (5, "order:1")
