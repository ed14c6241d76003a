"""What a job sends, and what becomes of it: over real sockets, against servers that fail."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import time
from pathlib import Path

import numpy as np
import pytest
from batch_job import GOOD, RESULT, checks, job, meanwhile, outcomes, photos, quick, scans, until  # noqa: F401
from clients import parts
from faults.server import Answer, faulty, login_answer
from PIL import Image
from sandbox_client import corner

from runmask import batch
from runmask.batch.sources import digest_of
from runmask.batch.submitting.asking import scan_id_of
from runmask.errors import (
    APIConnectionError,
    AuthError,
    InputError,
    JournalMismatchError,
    QuotaError,
    UnavailableError,
)
from runmask.sandbox import Settings, running

pytestmark = pytest.mark.usefixtures("quick")

BUSY = Answer(status=429, headers=(("Retry-After", "0"),))
LOST = Answer(reset="all", charge=True)
REFUSED = Answer(
    status=400,
    headers=(("X-Request-Id", "req-77"),),
    body=b'{"error": {"type": "invalid_request_error", "id": "bad", "code": 12, "message": "no"}}',
)
QUOTA = Answer(status=402, body=b'{"error": {"type": "payment_error", "code": 13}}')


def states(folder):
    return [outcome.state for outcome in outcomes(folder)]


def test_every_image_is_asked_about_once(tmp_path):
    given = photos(tmp_path / "in", 20)
    with faulty(*[GOOD] * 20) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
        assert summary.states == {"done": 20}
        assert (summary.answered, summary.spent, summary.error) == (20, 20.0, None)
        assert len(set(scans(server))) == 20
        again = job(tmp_path / "in", tmp_path / "out", server.origin)
        assert (again.answered, again.added, len(checks(server))) == (0, 0, 20)
    for path, outcome in zip(given, outcomes(tmp_path / "out"), strict=True):
        assert outcome.source == str(path)
        assert outcome.digest == digest_of(path.read_bytes())
        assert outcome.scan_id == scan_id_of("copyleaks", outcome.digest)
        assert outcome.body == GOOD.body


def test_what_is_sent_is_what_was_hashed(tmp_path):
    [path] = photos(tmp_path / "in", 1)
    with faulty(GOOD) as server:
        job(path, tmp_path / "out", server.origin)
    [sent] = [part for name, part in parts(checks(server)[0]) if name == "image"]
    assert sent.get_payload(decode=True) == path.read_bytes()
    assert sent.get_filename() == "p000.png"


def test_the_same_content_is_paid_for_once(tmp_path):
    [path] = photos(tmp_path / "in", 1)
    for name in ("P000.png", "other.png", "sub/p000.png"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(path.read_bytes())
    with faulty(GOOD) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, outputs=["mask"])
    assert (summary.answered, summary.shared, summary.spent) == (1, 3, 1.0)
    files = [outcome.files["mask"] for outcome in outcomes(tmp_path / "out")]
    assert len({name.lower() for name in files}) == 4
    assert len({(tmp_path / "out" / name).read_bytes() for name in files}) == 1


def test_what_the_service_would_refuse_is_not_sent(tmp_path):
    folder = tmp_path / "in"
    [good] = photos(folder, 1)
    content = good.read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("hello")
    (folder / "tiff.png").write_bytes(b"II*\0" + bytes(100))
    os.mkfifo(folder / "pipe.png")
    os.symlink("nowhere", folder / "link.png")
    (folder / "folder.png").mkdir()
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(folder / "small.png")
    bomb = bytearray(content)
    bomb[16:24] = (20000).to_bytes(4, "big") * 2
    (folder / "bomb.png").write_bytes(bomb)
    with (folder / "huge.png").open("wb") as huge:
        huge.truncate(40_000_000)
    with faulty(GOOD) as server:
        summary = job(folder, tmp_path / "out", server.origin)
    assert len(checks(server)) == 1
    assert summary.states == {"done": 1, "failed": 9}
    told = {Path(o.source).name: o.error[0] for o in outcomes(tmp_path / "out") if o.error}
    assert told == {
        "cut.png": "truncated",
        "empty.jpg": "empty",
        "text.png": "format",
        "tiff.png": "format",
        "pipe.png": "unreadable",
        "link.png": "unreadable",
        "small.png": "too_small",
        "bomb.png": "image_pixels",
        "huge.png": "image_bytes",
    }


def test_an_image_that_cannot_be_read_is_tried_again_when_it_can(tmp_path):
    folder = tmp_path / "in"
    photos(folder, 1)
    (folder / "later.png").write_bytes(b"")
    with faulty(GOOD, GOOD) as server:
        assert job(folder, tmp_path / "out", server.origin).states == {"done": 1, "failed": 1}
        photos(folder, 1, 5)
        (folder / "p005.png").rename(folder / "later.png")
        assert job(folder, tmp_path / "out", server.origin).states == {"done": 2}


def test_a_busy_service_is_asked_again(tmp_path):
    photos(tmp_path / "in", 6)
    unavailable = Answer(status=503, headers=(("Retry-After", "0"),))
    answers = [BUSY, BUSY, GOOD, unavailable, BUSY, unavailable, *[GOOD] * 5]
    with faulty(*answers) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
    assert summary.states == {"done": 6}
    assert set(server.charges.values()) == {1}
    assert len(checks(server)) == len(answers)


def test_a_long_pause_parks_the_job(tmp_path):
    photos(tmp_path / "in", 8)
    parked = Answer(status=429, headers=(("Retry-After", "3600"),))
    progress = batch.Progress()
    with (
        faulty(GOOD, *[parked] * 8) as server,
        meanwhile(
            lambda: job(
                tmp_path / "in", tmp_path / "out", server.origin, progress=progress, in_flight=1
            )
        ) as result,
    ):
        until(lambda: progress.trouble)
        time.sleep(0.3)  # in which nothing more is sent
        assert len(checks(server)) == 2
        assert 3500 < progress.submitter.circuit.pause() <= 3600
        progress.submitter._stop.request(error=InputError("enough"))
    assert result["value"].states == {"done": 1, "new": 7}


def test_an_outage_is_waited_for(tmp_path):
    photos(tmp_path / "in", 12)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    origin = f"http://127.0.0.1:{port}"
    progress = batch.Progress()
    with meanwhile(
        lambda: job(tmp_path / "in", tmp_path / "out", origin, progress=progress)
    ) as result:
        until(lambda: progress.trouble)
        with running(Settings(detector=corner), port=port):
            until(lambda: progress.submitted == 12)
    assert result["value"].states == {"done": 12}
    assert result["value"].error is None


def test_patience_has_an_end(tmp_path):
    photos(tmp_path / "in", 3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    summary = job(tmp_path / "in", tmp_path / "out", origin, patience=0.3)
    assert isinstance(summary.error, APIConnectionError)
    assert summary.states == {"new": 3}


def test_an_answer_that_may_have_been_paid_for_is_held(tmp_path):
    photos(tmp_path / "in", 4)
    with faulty(GOOD, LOST, Answer(status=500), GOOD, GOOD, GOOD) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, in_flight=1)
        assert summary.states == {"done": 2, "held": 2}
        sent = scans(server)
        again = job(tmp_path / "in", tmp_path / "out", server.origin)
        assert again.states == {"done": 2, "held": 2}
        assert scans(server) == sent
        resolved = job(tmp_path / "in", tmp_path / "out", server.origin, resolve="resend")
        assert resolved.states == {"done": 4}
        assert sorted(scans(server)[4:]) == sorted(sent[1:3])  # under the same ids


def test_held_may_be_given_up(tmp_path):
    photos(tmp_path / "in", 1)
    with faulty(LOST) as server:
        job(tmp_path / "in", tmp_path / "out", server.origin)
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, resolve="skip")
        assert summary.states == {"failed": 1}
        assert len(checks(server)) == 1
        with pytest.raises(InputError, match="keeps no results"):
            job(tmp_path / "in", tmp_path / "out", server.origin, resolve="fetch")


def test_an_id_that_is_taken_is_held_and_then_sent_under_another(tmp_path):
    photos(tmp_path / "in", 1)
    with faulty(Answer(status=409), GOOD) as server:
        assert job(tmp_path / "in", tmp_path / "out", server.origin).states == {"held": 1}
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, resolve="resend")
    assert summary.states == {"done": 1}
    first, second = scans(server)
    assert second == f"{first}-1"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>a portal</html>"),
        Answer(body=GOOD.body[:50]),
        Answer(body=GOOD.body, cut=250),
        Answer(body=b"[]"),
    ],
)
def test_what_came_instead_of_an_answer_is_kept(tmp_path, answer):
    photos(tmp_path / "in", 1)
    with faulty(answer) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
    assert summary.states == {"held": 1}
    [outcome] = outcomes(tmp_path / "out")
    assert outcome.body
    assert answer.body.startswith(outcome.body)
    assert outcome.billed == "unknown"


def test_a_mask_that_means_none_costs_nobody_the_answer(tmp_path):
    photos(tmp_path / "in", 1)
    bad = RESULT | {"result": {"starts": [10**9], "lengths": [5]}}
    body = json.dumps(bad).encode()
    with faulty(Answer(body=body)) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, outputs=["mask"])
    assert summary.states == {"failed": 1}
    [outcome] = outcomes(tmp_path / "out")
    assert outcome.body == body
    assert outcome.error[0] == "run_past_end"


def test_a_refusal_fails_its_image_and_no_other(tmp_path):
    photos(tmp_path / "in", 3)
    with faulty(GOOD, REFUSED, GOOD) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, in_flight=1)
        assert summary.states == {"done": 2, "failed": 1}
        [failed] = [o for o in outcomes(tmp_path / "out") if o.state == "failed"]
        assert failed.error[0] == "invalid_request"
        assert failed.billed == "no"
        assert job(tmp_path / "in", tmp_path / "out", server.origin).states == summary.states
        assert len(checks(server)) == 3
    with faulty(GOOD) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, retry_failed=True)
        assert summary.states == {"done": 3}


@pytest.mark.parametrize(
    ("answer", "error"), [(QUOTA, QuotaError), (Answer(status=401), AuthError)]
)
def test_no_credits_and_refused_keys_stop_the_job(tmp_path, answer, error):
    photos(tmp_path / "in", 30)
    with faulty(*[GOOD] * 5, *[answer] * 60) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
        assert isinstance(summary.error, error)
        assert summary.states == {"done": 5, "new": 25}
        assert len(checks(server)) <= 5 + 2 * 4
    with faulty(*[GOOD] * 25) as server:
        assert job(tmp_path / "in", tmp_path / "out", server.origin).states == {"done": 30}


def test_a_refused_login_stops_the_job(tmp_path):
    photos(tmp_path / "in", 5)
    with faulty(logins=[Answer(status=401)] * 9) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
    assert isinstance(summary.error, AuthError)
    assert summary.states == {"new": 5}
    assert server.logins <= 4


def test_a_token_that_ends_in_the_middle_is_renewed_once(tmp_path):
    photos(tmp_path / "in", 40)
    count = itertools.count()

    def by_token(headers):
        ended = headers["authorization"].endswith("0001") and next(count) >= 10
        return Answer(status=401) if ended else GOOD

    with faulty(by_headers=by_token, logins=map(login_answer, ["token-0001", "token-0002"])) as s:
        summary = job(tmp_path / "in", tmp_path / "out", s.origin, in_flight=8)
    assert summary.states == {"done": 40}
    assert s.logins == 2
    assert set(s.charges.values()) == {1}


def test_an_image_that_is_never_taken_keeps_no_other_from_it(tmp_path):
    first = photos(tmp_path / "in", 10)[0]
    noise = np.random.default_rng(1).integers(0, 256, (512, 512, 3), np.uint8)
    Image.fromarray(noise).save(first)
    away = Answer(status=503, headers=(("Retry-After", "0"),))

    def by_size(headers):
        return away if int(headers["content-length"]) > 500_000 else GOOD

    with faulty(by_headers=by_size) as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, patience=0.5)
    assert summary.states == {"done": 9, "new": 1}
    assert isinstance(summary.error, UnavailableError)


def test_what_does_not_come_in_time_is_held(tmp_path):
    photos(tmp_path / "in", 4)
    progress = batch.Progress()
    with (
        faulty(*[Answer(body=GOOD.body, charge=True, delay_s=20)] * 4) as server,
        meanwhile(
            lambda: job(
                *(tmp_path / "in", tmp_path / "out", server.origin),
                progress=progress,
                in_flight=2,
                drain=0.2,
            )
        ) as result,
    ):
        until(lambda: len(checks(server)) == 2)
        progress.submitter._stop.request(error=InputError("enough"))
    assert result["value"].states == {"held": 2, "new": 2}


def test_many_lost_answers_are_an_outage(tmp_path):
    """While a proxy answers 502 to everything, few images are held, and not all of them."""
    photos(tmp_path / "in", 60)
    broken = [True]

    def proxy(_):
        return Answer(status=502) if broken[0] else GOOD

    progress = batch.Progress()
    with (
        faulty(by_headers=proxy) as server,
        meanwhile(
            lambda: job(tmp_path / "in", tmp_path / "out", server.origin, progress=progress)
        ) as result,
    ):
        time.sleep(1.5)
        broken[0] = False
    summary = result["value"]
    assert summary.states["done"] + summary.states["held"] == 60
    assert 3 <= summary.states["held"] < 30


def test_a_changed_photo_is_asked_about_again_and_the_old_answer_stays(tmp_path):
    [path] = photos(tmp_path / "in", 1)
    with faulty(GOOD, GOOD) as server:
        job(path, tmp_path / "out", server.origin)
        photos(tmp_path / "new", 1, 9)
        path.write_bytes((tmp_path / "new" / "p009.png").read_bytes())
        summary = job(path, tmp_path / "out", server.origin)
        assert (summary.changed, summary.states) == (1, {"done": 2})
        os.utime(path)
        assert job(path, tmp_path / "out", server.origin).states == {"done": 2}
        assert len(checks(server)) == 2


def test_another_service_or_other_images_are_another_job(tmp_path):
    photos(tmp_path / "in", 1)
    photos(tmp_path / "other", 1)
    with faulty(GOOD) as server:
        job(tmp_path / "in", tmp_path / "out", server.origin)
        with pytest.raises(JournalMismatchError, match="service"):
            job(tmp_path / "in", tmp_path / "out", server.origin, service="sightengine")
        with pytest.raises(JournalMismatchError, match="not given now"):
            job(tmp_path / "other", tmp_path / "out", server.origin)
        assert len(checks(server)) == 1


def test_photos_may_be_added(tmp_path):
    photos(tmp_path / "in", 2)
    with faulty(*[GOOD] * 3) as server:
        job(tmp_path / "in", tmp_path / "out", server.origin)
        photos(tmp_path / "in", 1, 50)
        summary = job(tmp_path / "in", tmp_path / "out", server.origin)
    assert (summary.added, summary.states) == (1, {"done": 3})


@pytest.mark.parametrize("service", ["aidetector", "sightengine"])
def test_other_services(tmp_path, service, monkeypatch):
    photos(tmp_path / "in", 3)
    with running(Settings(detector=corner)) as origin:
        summary = job(tmp_path / "in", tmp_path / "out", origin, service=service)
    assert summary.states == {"done": 3}
    assert summary.spent == (15.0 if service == "sightengine" else 0.0)


def test_the_embedded_sandbox_runs_only_while_it_is_needed(tmp_path, monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name)
    photos(tmp_path / "in", 2)
    summary = job(tmp_path / "in", tmp_path / "out", None, service=None)
    assert summary.states == {"done": 2}
    monkeypatch.setattr("runmask.services._embedded", None)
    assert job(tmp_path / "in", tmp_path / "out", None, service=None).states == {"done": 2}


def test_within_an_event_loop(tmp_path):
    photos(tmp_path / "in", 2)

    async def notebook(origin):
        return job(tmp_path / "in", tmp_path / "out", origin)

    with faulty(GOOD, GOOD) as server:
        assert asyncio.run(notebook(server.origin)).states == {"done": 2}


def test_a_fault_of_this_library_holds_what_it_sent(tmp_path, monkeypatch):
    photos(tmp_path / "in", 3)

    async def broken(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("runmask.batch.submitting.asking.ByUpload.asked", broken)
    with faulty() as server:
        summary = job(tmp_path / "in", tmp_path / "out", server.origin, in_flight=1)
    assert isinstance(summary.error, ZeroDivisionError)
    assert summary.states == {"held": 1, "new": 2}


def test_run_raises_what_stopped_it(tmp_path):
    photos(tmp_path / "in", 1)
    with faulty(QUOTA) as server, pytest.raises(QuotaError):
        batch.run(
            tmp_path / "in",
            tmp_path / "out",
            base_url=server.origin,
            executor=batch.threads(1),
        )
    with faulty(GOOD) as server:
        summary = batch.run(
            [tmp_path / "in"], tmp_path / "out", base_url=server.origin, executor=batch.threads(1)
        )
    assert summary.states == {"done": 1}
    assert Path(summary.report).is_file()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"in_flight": 0}, "in_flight"),
        ({"rate": -1}, "rate"),
        ({"patience": float("nan")}, "patience"),
        ({"resolve": "maybe"}, "resolve"),
        ({"service": "nobody"}, "service"),
        ({"listen": ("127.0.0.1", 1)}, "listen"),
        ({"service": "sightengine", "webhook": "https://x.example.org"}, "webhook"),
        ({"outputs": ["film"]}, "output"),
        ({"colour": 1}, "colour"),
        ({"executor": 7}, "executor"),
    ],
)
def test_options_that_mean_nothing(tmp_path, options, told):
    with pytest.raises(InputError, match=told):
        job(tmp_path, tmp_path / "out", "http://127.0.0.1:1", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inputs", [[], "", ["a\0b"], [b"x"]])
def test_inputs_that_mean_nothing(tmp_path, inputs):
    with pytest.raises(InputError, match="inputs"):
        job(inputs, tmp_path / "out", "http://127.0.0.1:1")


def test_nothing_to_do(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="no image"):
        job(tmp_path / "in", tmp_path / "out", "http://127.0.0.1:1")


def test_who_waits_for_a_turn_has_claimed_nothing(tmp_path):
    """At one a second, a job that dies leaves one request under way, and not sixteen."""
    photos(tmp_path / "in", 16)
    slow = Answer(body=GOOD.body, charge=True, delay_s=0.5)
    progress = batch.Progress()
    with (
        faulty(*[slow] * 16) as server,
        meanwhile(
            lambda: job(
                *(tmp_path / "in", tmp_path / "out", server.origin),
                progress=progress,
                rate=1,
                in_flight=16,
            )
        ) as result,
    ):
        until(lambda: checks(server))
        assert states(tmp_path / "out").count("sent") == 1
        progress.submitter._stop.request(error=InputError("enough"))
    assert result["value"].states == {"done": 1, "new": 15}
