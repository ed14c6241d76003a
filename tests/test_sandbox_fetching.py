"""Addresses that the sandbox fetches, where it is allowed to, for every service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hooks import receiving, until
from sandbox_client import KEY, PNG, corner, encode, picture

from runmask import Detection
from runmask.errors import ImageRefusedError, ImageUnfetchableError
from runmask.http import AIDetector, Copyleaks, Sightengine
from runmask.http.webhooks import read_copyleaks
from runmask.sandbox import Settings, running

TIFF = encode(picture(), ".tiff")


@contextmanager
def pictures() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server of images on this machine, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(dict(self.headers))
            files = {"/a.png": PNG, "/a.tiff": TIFF, "/text.png": b"no image"}
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running(Settings(detector=corner, fetch="loopback", fetch_timeout_s=5)) as origin:
        yield origin


def test_aidetector(origin: str) -> None:
    with (
        pictures() as (files, _),
        AIDetector("aidet_test_a", base_url=origin, retries=0) as service,
    ):
        sent = service.check(PNG)
        found = service.check_url(f"{files}/a.png")
        assert (found.verdict, found.score) == (sent.verdict, sent.score)
        assert service.forensics_url(f"{files}/a.png").extra["forensic"]["noise_pattern"]
        assert service.verify_c2pa_url(f"{files}/a.png").answer["c2pa_manifest_present"] is False
        good, gone, text = service.check_urls([f"{files}/{x}.png" for x in ("a", "gone", "text")])
        assert isinstance(good, Detection)
        assert isinstance(gone, ImageUnfetchableError)
        assert "answered 404" in str(gone)
        assert isinstance(text, ImageRefusedError)
        job = service.wait(service.submit_urls([f"{files}/a.png"]), poll=0.1)
        assert job.items[0].verdict == sent.verdict
        used = service.usage().answer["scans_used"]
        with pytest.raises(ImageUnfetchableError, match="answered 404"):
            service.check_url(f"{files}/gone.png")
        assert service.usage().answer["scans_used"] == used


def test_sightengine(origin: str) -> None:
    with pictures() as (files, _), Sightengine("0000", "sandbox", base_url=origin) as service:
        assert service.check_url(f"{files}/a.png").score == service.check(PNG).score
        with pytest.raises(ImageRefusedError, match="answered 404"):
            service.check_url(f"{files}/gone.png")


def test_copyleaks(origin: str) -> None:
    with (
        pictures() as (files, asked),
        receiving() as (hook, came),
        Copyleaks("fetch@example.org", KEY, base_url=origin) as service,
    ):
        before = service.credits()
        wanted = (("good", "a.png"), ("tall", "a.tiff"), ("gone", "gone.png"))
        for at, (scan_id, name) in enumerate(wanted):
            url = f"{files}/{name}"
            service.submit(url, webhook=hook, scan_id=scan_id, headers={"X-Origin-Key": "k-1"})
            until(lambda at=at: len(came) == at + 1)
        checked = service.check(PNG)
        assert before - service.credits() == 3  # the check, and what could be fetched
    good, tall, gone = (read_copyleaks(body, "x") for _, body in came)
    assert good.detection is not None
    assert good.detection.mask == checked.mask
    assert tall.kind == "scan.completed"
    assert gone.error is not None
    assert (gone.error["code"], gone.error["id"]) == (5, "download_failed")
    assert "answered 404" in gone.error["message"]
    assert [each["X-Origin-Key"] for each in asked] == ["k-1"] * 3


def test_nothing_is_fetched_unasked_and_only_from_where_it_may_be() -> None:
    with pictures() as (files, asked):
        for fetch, told in (("none", "--fetch"), ("public", "not on the public internet")):
            settings = Settings(detector=corner, fetch=fetch)  # type: ignore[arg-type]
            with (
                running(settings) as origin,
                AIDetector("aidet_test_a", base_url=origin, retries=0) as service,
                pytest.raises(ImageUnfetchableError, match=told),
            ):
                service.check_url(f"{files}/a.png")
        assert asked == []


def test_only_this_machine_is_asked(origin: str) -> None:
    with AIDetector("aidet_test_a", base_url=origin, retries=0) as service:
        with pytest.raises(ImageUnfetchableError, match="not on this machine"):
            service.check_url("http://93.184.216.34/a.png")
        assert service.check_url("https://images.example.org/sbx-ai-1.png").verdict == "ai"


def test_a_detector_that_fails_is_told_to_the_webhook() -> None:
    def broken(image: Any) -> Any:
        raise ValueError("a secret of the detector")

    settings = Settings(detector=broken, fetch="loopback")
    with (
        pictures() as (files, _),
        receiving() as (hook, came),
        running(settings) as origin,
        Copyleaks("fetch@example.org", KEY, base_url=origin) as service,
    ):
        before = service.credits()
        service.submit(f"{files}/a.png", webhook=hook)
        until(lambda: came)
        assert service.credits() == before
    error = read_copyleaks(came[0][1], "x").error
    assert error is not None
    assert error["code"] == 16
    assert "secret" not in error["message"]
