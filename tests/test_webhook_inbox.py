"""The inbox of webhooks: what has an effect, how often, and what is kept."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hooks import (
    GOLDEN_BATCH,
    SECRET,
    deliver,
    event,
    listening_to,
    states,
    until,
)

from runmask.errors import InputError, OutputError
from runmask.http import webhooks
from runmask.http.webhooks import (
    AIDetectorWebhook,
    Event,
    Inbox,
    Receiver,
)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


def test_the_same_delivery_has_one_effect(inbox: Inbox) -> None:
    seen: list[Event] = []
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=seen.append)
    with listening_to(receiver) as port:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: deliver(port, GOLDEN_BATCH), range(24))) == {200}
        until(lambda: seen)
        time.sleep(0.1)
    assert len(seen) == 1
    [kept] = inbox.deliveries()
    assert (kept.repeats, kept.state) == (23, "done")


def test_the_end_of_a_job_is_final(inbox: Inbox) -> None:
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        for name in ("batch.completed", "batch.created", "batch.failed"):
            assert deliver(port, event(name, "j")) == 200
        for name in ("batch.created", "news.unheard.of", "batch.failed"):
            assert deliver(port, event(name, "k")) == 200
    assert states(inbox) == [
        *(("batch.completed", "new"), ("batch.created", "late"), ("batch.failed", "late")),
        *(("batch.created", "new"), ("news.unheard.of", "new"), ("batch.failed", "new")),
    ]


def test_what_nobody_expects_waits_until_somebody_does(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, only_expected=True)
    inbox.expect("aidetector", "known")
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        for job in ("known", "early", "strange"):
            assert deliver(port, event("batch.completed", job)) == 200
        assert deliver(port, event("batch.failed", "early")) == 200
    assert [each.state for each in inbox.deliveries()] == ["new", "orphan", "orphan", "orphan"]
    inbox.expect("aidetector", "early")
    assert [each.state for each in inbox.deliveries()] == ["new", "new", "orphan", "late"]
    assert [each.event.subject for each in inbox.pending()] == ["known", "early"]


def test_the_answer_does_not_wait_for_the_handler(inbox: Inbox) -> None:
    running, release = threading.Event(), threading.Event()

    def slow(_: Event) -> None:
        running.set()
        release.wait(20)

    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=slow)
    with listening_to(receiver) as port:
        began = time.monotonic()
        assert deliver(port, GOLDEN_BATCH) == 200
        assert running.wait(5)
        assert deliver(port, event("batch.completed", "k")) == 200
        assert time.monotonic() - began < 1
        release.set()
        until(lambda: [state for _, state in states(inbox)] == ["done", "done"])


def test_a_handler_that_fails_is_asked_again(inbox: Inbox) -> None:
    calls: list[str] = []

    def clumsy(found: Event) -> None:
        calls.append(found.kind)
        if len(calls) == 1:
            raise ValueError("not today")

    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=clumsy)
    with listening_to(receiver) as port:
        assert deliver(port, GOLDEN_BATCH) == 200
        until(lambda: len(calls) == 1)
        until(lambda: next(inbox.deliveries()).fault == "ValueError: not today")
        until(lambda: states(inbox) == [("batch.completed", "done")])
    [kept] = inbox.deliveries()
    assert (len(calls), kept.attempts, kept.fault) == (2, 1, None)


def test_pauses_between_failures_grow(inbox: Inbox, monkeypatch: Any) -> None:
    now = 1000.0
    monkeypatch.setattr("runmask.http.webhooks.inbox.time.time", lambda: now)
    inbox.store(webhooks.read_aidetector(GOLDEN_BATCH))
    for pause in (1, 2, 4, 8):
        assert inbox.process(lambda _: 1 / 0) == 0
        now += pause - 0.5
        assert inbox.pending() == []
        now += 0.6
    assert inbox.process(print) == 1
    assert inbox.process(print) == 0


def test_old_deliveries_are_forgotten_but_not_within_a_week(inbox: Inbox, monkeypatch: Any) -> None:
    now = 10**9
    monkeypatch.setattr("runmask.http.webhooks.inbox.time.time", lambda: now)
    body = event("batch.completed", "j", pad="x" * 300_000)
    inbox.store(webhooks.read_aidetector(body))
    inbox.store(webhooks.read_aidetector(event("batch.completed", "k")))
    inbox.done(inbox.pending()[0])
    now += 6 * 86400
    assert inbox.prune(0) == 0
    assert inbox.store(webhooks.read_aidetector(body)) == "repeated"
    now += 2 * 86400
    assert inbox.prune(0) == 1
    assert [each.event.subject for each in inbox.deliveries()] == ["k"]
    assert list((Path(inbox.folder) / "bodies").iterdir()) == []


def test_a_full_disk_is_told_and_loses_nothing(inbox: Inbox) -> None:
    inbox._database.execute("PRAGMA max_page_count = 1")
    with listening_to(Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))) as port:
        large = event("batch.completed", "j", pad="x" * 200_000)
        assert deliver(port, large) == 503
        inbox._database.execute("PRAGMA max_page_count = 100000")
        assert deliver(port, large) == 200
    assert states(inbox) == [("batch.completed", "new")]
    inbox.close()
    with pytest.raises(OutputError):
        inbox.store(webhooks.read_aidetector(GOLDEN_BATCH))


@pytest.mark.parametrize("bad", ["file", "damaged", "newer"])
def test_folders_that_cannot_be_used(tmp_path: Path, bad: str) -> None:
    folder = tmp_path / "inbox"
    if bad == "file":
        folder.write_bytes(b"x")
    else:
        Inbox(folder).close()
        database = folder / "inbox.db"
        if bad == "damaged":
            database.write_bytes(b"x" * 5000)
        else:
            data = bytearray(database.read_bytes())
            data[60:64] = (99).to_bytes(4, "big")
            database.write_bytes(data)
    with pytest.raises(InputError) as caught:
        Inbox(folder)
    assert caught.value.code == "inbox"


def test_the_inbox_is_private(inbox: Inbox) -> None:
    assert os.stat(Path(inbox.folder) / "inbox.db").st_mode & 0o77 == 0
    assert os.stat(Path(inbox.folder) / "bodies").st_mode & 0o77 == 0
