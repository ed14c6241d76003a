"""From a submission over a webhook to files: the sandbox sends, our own receiver takes.

The receiver is a process, and is killed between one delivery and the next.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hooks import SECRET, command, listening_to, until

import runmask as rm
from runmask import images
from runmask.errors import DuplicateScanError, InvalidRequestError, QuotaError
from runmask.http import AsyncAIDetector, AsyncCopyleaks, Copyleaks
from runmask.http.webhooks import CopyleaksWebhook, Event, Inbox, Receiver
from runmask.sandbox import Settings, running

KEY = "00000000-0000-0000-0000-000000000000"
URL = "https://images.example.org/a.png"
SIGNED_BY_THE_SANDBOX = "whsec_sandbox_only"
SECRETS = {
    "COPYLEAKS_WEBHOOK_SECRET": SECRET,
    "AIDETECTOR_WEBHOOK_SECRET": SIGNED_BY_THE_SANDBOX,
}


def test_copyleaks_from_submission_to_files(tmp_path: Path) -> None:
    scans = [f"sbx-partial-{n}" for n in range(4)]

    async def submit(origin: str, receiver: int, scan_ids: list[str]) -> None:
        hook = CopyleaksWebhook(f"http://127.0.0.1:{receiver}/copyleaks", SECRET)
        async with AsyncCopyleaks("a@b.org", KEY, base_url=origin, login_url=origin) as service:
            for scan_id in scan_ids:
                accepted = await service.submit(
                    URL,
                    webhook=hook,
                    scan_id=scan_id,
                    mask_type="heatmap",
                    developer_payload=f"order of {scan_id}",
                )
                assert (accepted.scan_id, accepted.raw) == (scan_id, b"{}")

    folder = tmp_path / "inbox"
    with running(Settings(heatmap_levels=True, webhook_unit_s=0.1)) as origin:
        with command(folder, **SECRETS) as (process, port):
            asyncio.run(submit(origin, port, scans[:2]))
            until(lambda: len(deliveries(folder)) == 2)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
            asyncio.run(submit(origin, port, scans[2:]))  # where nobody listens now
        with command(folder, port=port, **SECRETS):
            until(lambda: len(deliveries(folder)) == 4)
    made = tmp_path / "made"
    made.mkdir()
    inbox = Inbox(folder)
    assert inbox.process(lambda event: write(event, made)) == 4
    assert inbox.process(lambda event: write(event, made)) == 0
    found = deliveries(folder)
    assert set(found) == set(scans)
    assert {event.payload for event in found.values()} == {f"order of {scan}" for scan in scans}
    expected = np.zeros((640, 640), np.uint8)
    expected[160:320, 160:320] = 1
    for scan_id in scans:
        mask = rm.Mask.from_png((made / f"{scan_id}.mask.png").read_bytes())
        assert mask == rm.Mask.from_array(expected)
        warm = images.read(made / f"{scan_id}.heatmap.png")
        assert warm.shape == (640, 640, 3)
        assert not warm[:160].any()
        assert len(np.unique(warm[160:320, 160:320].reshape(-1, 3), axis=0)) == 3  # the levels


def deliveries(folder: Path) -> Mapping[str | None, Event]:
    return {each.event.subject: each.event for each in Inbox(folder).deliveries()}


def write(event: Event, folder: Path) -> None:
    """Mask and heatmap of a scan. The form of the latter is the sandbox's own."""
    detection = event.detection
    assert detection is not None
    assert detection.mask is not None
    images.write(folder / f"{event.subject}.mask.png", detection.mask.to_array(dtype=bool))
    confidence = np.zeros(detection.mask.shape, np.float32)
    for level in detection.heatmap:
        part = rm.Mask(level["starts"], level["lengths"], detection.mask.shape)
        confidence[part.to_array(dtype=bool)] = level["level"]
    dark = np.zeros((*detection.mask.shape, 3), np.uint8)
    images.write(folder / f"{event.subject}.heatmap.png", rm.heatmap(dark, confidence))


def test_aidetector_from_submission_to_files(tmp_path: Path) -> None:
    addresses = [f"https://images.example.org/sbx-{kind}-1.png" for kind in ("partial", "human")]

    async def flow(origin: str, port: int) -> tuple[str, bytes]:
        async with AsyncAIDetector("aidet_test_1", base_url=origin) as service:
            job = await service.submit_urls(
                addresses, webhook=f"http://127.0.0.1:{port}/aidetector", heatmap=True
            )
            while job.id not in deliveries(tmp_path / "inbox"):
                await asyncio.sleep(0.02)
            told = deliveries(tmp_path / "inbox")[job.id].job
            assert told is not None
            [marked, clean] = told.items
            assert isinstance(marked, rm.Detection)
            assert isinstance(clean, rm.Detection)
            assert [marked.verdict, clean.verdict] == ["ai", "human"]
            assert (await service.wait(job)).items == told.items
            return told.status, await service.heatmap(marked)

    with running() as origin, command(tmp_path / "inbox", **SECRETS) as (_, port):
        status, heatmap = asyncio.run(asyncio.wait_for(flow(origin, port), 30))
    assert status == "completed"
    (tmp_path / "heatmap.png").write_bytes(heatmap)
    warm = images.read(tmp_path / "heatmap.png")
    assert warm.max() > warm.min()


def test_a_scan_from_submission_to_event(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, only_expected=True)
    sender = CopyleaksWebhook("", SECRET)
    with (
        listening_to(Receiver(inbox, copyleaks=sender)) as port,
        running(Settings(credits=1)) as origin,
        Copyleaks("a@example.org", KEY, base_url=origin, login_url=origin) as service,
    ):
        here = CopyleaksWebhook(f"http://127.0.0.1:{port}/copyleaks", SECRET)
        for scan_id in ("sbx-partial-1", "no-such-image"):
            inbox.expect("copyleaks", scan_id)
            service.submit(URL, webhook=here, scan_id=scan_id, developer_payload="order:1")
        until(lambda: len(inbox.pending()) == 2)
        with pytest.raises(DuplicateScanError):
            service.submit(URL, webhook=here, scan_id="sbx-partial-1")
        with pytest.raises(QuotaError):
            service.submit(URL, webhook=here, scan_id="sbx-ai-1")
        with pytest.raises(InvalidRequestError, match=r"webhooks\.url"):
            service.submit(URL, webhook="https://hooks.example.org/x")
    events = {each.event.subject: each.event for each in inbox.pending()}
    good, bad = events["sbx-partial-1"], events["no-such-image"]
    assert (good.kind, good.payload, bad.kind) == ("scan.completed", "order:1", "scan.failed")
    assert good.detection.mask.fraction == 1 / 16
    assert (bad.error["code"], bad.payload) == (5, "order:1")
