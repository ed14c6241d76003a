"""The receiver within another application: its life, and the paths it takes webhooks at."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from hooks import GOLDEN_SCAN, SCAN, SECRET, deliver, event, listening_to, send

from runmask.errors import InputError
from runmask.http.webhooks import (
    AIDetectorWebhook,
    CopyleaksWebhook,
    Event,
    Inbox,
    Receiver,
    SightengineWebhook,
    read_aidetector,
)

applications = pytest.importorskip("starlette.applications")
routing = pytest.importorskip("starlette.routing")


def test_what_a_former_run_has_left_is_handled_without_a_request(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.store(read_aidetector(event("batch.completed", "job_1")))
    handled = threading.Event()
    came: list[Event] = []

    def handler(event: Event) -> None:
        came.append(event)
        handled.set()

    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), handler=handler)
    app = applications.Starlette(
        routes=[routing.Mount("/hooks", receiver)], lifespan=receiver.lifespan
    )

    async def live() -> bool:
        async with app.router.lifespan_context(app):
            return await asyncio.to_thread(handled.wait, 10)

    assert asyncio.run(live())
    assert [each.subject for each in came] == ["job_1"]
    inbox.store(read_aidetector(event("batch.completed", "job_2")))  # after the end of its life
    assert [each.event.subject for each in inbox.pending()] == ["job_2"]
    handled.clear()
    receiver.start()
    assert handled.wait(10)
    receiver.close()


def test_it_begins_with_the_first_request_of_any_kind(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.store(read_aidetector(event("batch.completed", "job_1")))
    handled = threading.Event()
    receiver = Receiver(
        inbox, aidetector=AIDetectorWebhook(SECRET), handler=lambda _: handled.set()
    )
    with listening_to(receiver) as port:
        assert send(port, "/anything", b"", method="GET") == 404
        assert handled.wait(10)


@pytest.mark.parametrize(
    ("url", "mount", "taken", "refused"),
    [
        ("https://h.example.org/copyleaks", "", "/copyleaks", "/cl"),
        ("https://h.example.org/hooks/cl", "", "/hooks/cl", "/copyleaks"),
        ("https://h.example.org/hooks/cl", "", "/cl", ""),  # a proxy has taken /hooks off
        ("https://h.example.org/hooks/cl/", "/hooks", "/hooks/cl", "/hooks/copyleaks"),
        ("https://h.example.org/hooks/cl", "/hooks/cl", "/hooks/cl", "/cl"),
        ("https://h.example.org/copyleaks", "/hooks", "/hooks/copyleaks", "/hooks/cl"),
        ("https://h.example.org", "", "", "/deeper/than/that"),
        ("", "", "/copyleaks", "/hooks/copyleaks"),
    ],
)
def test_the_path_of_copyleaks_address_is_the_receiver_s(
    tmp_path: Path, url: str, mount: str, taken: str, refused: str
) -> None:
    ours = CopyleaksWebhook(url, SECRET)
    end = ours.address(SCAN).removeprefix(url.rstrip("/"))
    app = receiver = Receiver(Inbox(tmp_path), copyleaks=ours)
    if mount:
        app = applications.Starlette(routes=[routing.Mount(mount, receiver)])
        app.close = receiver.close
    body = GOLDEN_SCAN.replace(b'"order:4411;nonce:9c1e"', f'"{ours.payload(SCAN)}"'.encode())
    with listening_to(app) as port:
        assert send(port, refused + end, body) in (401, 404)
        assert send(port, taken + end, body) == 200
    [delivery] = receiver.inbox.deliveries()
    assert delivery.event.subject == SCAN


def test_paths_are_told(tmp_path: Path) -> None:
    receiver = Receiver(
        Inbox(tmp_path),
        copyleaks=CopyleaksWebhook("https://h.example.org/hooks/cl", SECRET),
        aidetector=AIDetectorWebhook(SECRET),
        sightengine=SightengineWebhook(SECRET),
    )
    assert receiver.paths == {
        "copyleaks": "/hooks/cl/{scan id}/{token}",
        "aidetector": "/aidetector",
        "sightengine": "/sightengine",
    }
    assert Receiver(receiver.inbox).paths == {}


@pytest.mark.parametrize(
    "url", ["hooks/cl", "ftp://h/x", "https://h/x?a=b", "https://h/#x", "http://[/"]
)
def test_addresses_to_which_no_path_can_be_added(url: str) -> None:
    with pytest.raises(InputError, match="url"):
        CopyleaksWebhook(url, SECRET)


def test_secrets_that_a_service_has_made_are_taken_as_they_are(tmp_path: Path) -> None:
    with listening_to(Receiver(Inbox(tmp_path), aidetector=AIDetectorWebhook("short"))) as port:
        assert deliver(port, event("batch.completed", "job_1"), "short") == 200
    SightengineWebhook("casec_1")
    with pytest.raises(InputError, match="fewer than 16"):
        CopyleaksWebhook("", "short")


def test_a_list_of_no_inbox(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"inbox '.*typo': there is none"):
        Inbox(tmp_path / "typo", create=False)
    assert not (tmp_path / "typo").exists()
    Inbox(tmp_path / "kept").close()
    Inbox(tmp_path / "kept", create=False).close()
