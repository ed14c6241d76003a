"""The clients of aiimagedetectorapi.com against a server that misbehaves, over real sockets."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aidetector_client import BODY, GOOD, KEY, PHOTO, URL, check, facades
from clients import Connect, parts, texts
from faults.server import Answer, faulty

from runmask.errors import (
    APIResponseError,
    APITimeoutError,
    ImageError,
    ImageUnfetchableError,
    InputError,
    LimitError,
    NotFoundError,
    StatusError,
)
from runmask.http import AIDetector
from runmask.http.retry import Reply, Wait


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


def fixture(golden: Path, name: str) -> bytes:
    return (golden / "aidetector" / f"{name}.json").read_bytes()


# -- what is sent


def test_an_upload_as_the_server_sees_it(connect: Connect) -> None:
    with faulty(GOOD) as server:
        found = check(connect(server.origin), heatmap=True, threshold=0.25, metadata={"a": [1]})
    assert found.raw == BODY
    [sent] = server.requests
    assert (sent.method, sent.target) == (b"POST", b"/v1/detect")
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert texts(sent) == {
        "include_attribution": "true",
        "include_heatmap": "true",
        "include_forensics": "false",
        "model_threshold": "0.25",
        "metadata": '{"a": [1]}',
    }
    name, image = parts(sent)[-1]
    assert (name, image.get_filename()) == ("image", "a.png")
    assert PHOTO in sent.body


def test_base64_and_addresses_as_the_server_sees_them(connect: Connect) -> None:
    with faulty(GOOD, GOOD) as server:
        client = connect(server.origin)
        check(client, encoding="base64")
        client.check_url(URL, forensics=True, attribution=False, metadata={"user_id": "u"})
    uploaded, named = (json.loads(sent.body) for sent in server.requests)
    assert uploaded["image_base64"] == base64.b64encode(PHOTO).decode()
    assert uploaded["filename"] == "a.png"
    assert named == {
        "image_url": URL,
        "include_attribution": False,
        "include_heatmap": False,
        "include_forensics": True,
        "metadata": {"user_id": "u"},
    }
    assert {sent.target for sent in server.requests} == {b"/v1/detect"}


def test_the_other_dialect_sends_the_image_alone(connect: Connect) -> None:
    with faulty(GOOD, GOOD) as server:
        client = connect(server.origin, dialect="endpoints")
        check(client)
        client.forensics(PHOTO, preflight=False)
        for refused in (
            lambda: check(client, encoding="base64"),
            lambda: client.check_url(URL),
            lambda: client.check_urls([URL]),
            lambda: client.verify_c2pa(PHOTO, preflight=False),
        ):
            with pytest.raises(InputError) as caught:
                refused()
            assert caught.value.code == "dialect"
    assert [sent.target for sent in server.requests] == [b"/v1/detect", b"/v1/forensic"]
    assert [name for name, _ in parts(server.requests[0])] == ["image"]


def test_every_other_path(connect: Connect) -> None:
    report = Answer(body=b'{"plan":"free"}')
    with faulty(GOOD, GOOD, report, report, report, report) as server:
        client = connect(server.origin)
        client.forensics(PHOTO, preflight=False, encoding="base64")
        client.forensics_url(URL)
        assert client.verify_c2pa(PHOTO, preflight=False).answer == {"plan": "free"}
        client.verify_c2pa_url(URL)
        assert client.usage().raw == report.body
        client.health()
    asked = [(sent.method, sent.target) for sent in server.requests]
    assert asked == [
        *[(b"POST", b"/v1/forensics")] * 2,
        *[(b"POST", b"/v1/c2pa/verify")] * 2,
        (b"GET", b"/v1/usage"),
        (b"GET", b"/v1/health"),
    ]


# -- answers


def test_the_answer_of_the_root_page(connect: Connect, golden: Path) -> None:
    raw = fixture(golden, "12_aiid_detect_200_root_docs")
    with faulty(Answer(body=raw)) as server:
        found = check(connect(server.origin))
    assert (found.service, found.raw, found.verdict, found.score) == (
        "aidetector",
        raw,
        "ai",
        0.913,
    )
    assert found.attribution["flux_pro"] == 0.71
    assert found.heatmap == "https://cdn.aiimagedetectorapi.com/h/5e0c91.png"
    assert found.ids == {"request_id": "req_01JD8Z6Q4T"}
    assert (found.mask, found.regions, found.summary, found.credits) == (None, None, None, None)
    assert found.metadata == {"user_id": "u_88", "context": "listing_17"}
    assert found.extra == {"c2pa_manifest_present": False, "latency_ms": 64}


def test_the_answer_of_the_endpoints_page(connect: Connect, golden: Path) -> None:
    raw = fixture(golden, "13_aiid_detect_200_endpoints_page")
    with faulty(Answer(body=raw)) as server:
        found = check(connect(server.origin, dialect="endpoints"))
    assert (found.verdict, found.score, found.attribution) == ("human", 0.118, None)
    assert found.ids == {"id": "det_4kq09z"}
    assert found.mask.area == 0
    assert found.mask.shape == (1067, 1600)
    assert found.extra == {"processing_time_ms": 71}


def test_batches_by_address(connect: Connect) -> None:
    results = [
        {
            "index": 1,
            "error": {"code": "image_unfetchable", "message": "404", "param": "image_url"},
        },
        {"index": 0, "verdict": "authentic", "confidence": 0.9},
        {"index": 2, "verdict": 5},
        {"index": 3, "what": 1},
    ]
    with faulty(Answer(body=json.dumps(results).encode(), charge=True)) as server:
        batch = connect(server.origin).check_urls([f"{URL}&n={n}" for n in range(4)])
    sent = json.loads(server.requests[0].body)
    assert server.requests[0].target == b"/v1/detect/batch"
    assert [image["image_url"] for image in sent["images"]] == [f"{URL}&n={n}" for n in range(4)]
    assert json.loads(batch.raw) == results
    first, second, third, fourth = batch
    assert (first.verdict, first.score) == ("human", 0.9)
    assert isinstance(second, ImageUnfetchableError)
    assert (second.details, second.billed) == ((("image_url", "404"),), "no")
    with pytest.raises(InputError):
        _ = third.verdict
    assert isinstance(fourth, StatusError)
    assert json.loads(fourth.body) == results[3]


def test_batches_of_uploads(connect: Connect) -> None:
    body = b'{"results":[{"verdict":"authentic"},{"verdict":"ai_generated"}]}'
    with faulty(Answer(body=body)) as server:
        batch = connect(server.origin).check_many([PHOTO, PHOTO + b"2"], preflight=False)
    sent = json.loads(server.requests[0].body)["images"]
    assert [base64.b64decode(each["image_base64"]) for each in sent] == [PHOTO, PHOTO + b"2"]
    assert [each.verdict for each in batch] == ["human", "ai"]


@pytest.mark.parametrize("body", [b"[]", b'{"results":5}', b'{"a":1}', b'[{"verdict":"x"}]'])
def test_batches_that_lack_answers(connect: Connect, body: bytes) -> None:
    with faulty(Answer(body=body)) as server, pytest.raises(APIResponseError) as caught:
        connect(server.origin).check_urls([URL, URL])
    assert (caught.value.billed, caught.value.body) == ("unknown", body)


@pytest.mark.parametrize("count", [0, 101])
def test_sizes_of_batches(connect: Connect, count: int) -> None:
    client = connect("http://127.0.0.1:9")
    for call in (client.check_urls, client.submit_urls):
        with pytest.raises(InputError) as caught:
            call([URL] * count)
        assert caught.value.code == "batch_size"
    with pytest.raises(InputError, match="one address"):
        client.check_urls(URL)


# -- jobs

ACCEPTED = (
    b'{"batch_id":"b/1","status":"processing","total_items":2,"webhook_url":null,'
    b'"estimated_completion_seconds":1}'
)


@pytest.mark.parametrize(
    ("dialect", "path", "body"),
    [
        ("root", b"/v1/detect/async", {"images": [{"image_url": URL}]}),
        ("endpoints", b"/v1/batch", {"urls": [URL]}),
    ],
)
def test_a_job_from_submission_to_its_end(
    connect: Connect, golden: Path, dialect: str, path: bytes, body: dict[str, Any]
) -> None:
    done = json.loads(fixture(golden, "16_aiid_webhook_batch_completed"))["data"]
    with faulty(
        Answer(status=202, body=ACCEPTED, charge=True),
        Answer(body=ACCEPTED),
        Answer(status=429, headers=(("Retry-After", "0"),)),
        Answer(body=json.dumps(done).encode()),
    ) as server:
        client = connect(server.origin, dialect=dialect)
        job = client.submit_urls([URL], webhook="https://hooks.example.org/x")
        assert (job.id, job.total, job.done, job.raw) == ("b/1", 2, False, ACCEPTED)
        job = client.wait(job, poll=0.01)
    assert server.requests[0].target == path
    sent = json.loads(server.requests[0].body)
    assert sent["webhook_url"] == "https://hooks.example.org/x"
    assert {name: sent[name] for name in body} == body
    assert {sent.target for sent in server.requests[1:]} == {b"/v1/jobs/b%2F1"}
    assert (job.id, job.done, job.failed) == ("job_77ab", True, False)
    assert [item.verdict for item in job.items] == ["ai", "human"]
    assert server.charges.total() == 1


def test_the_first_questions_come_soon() -> None:
    with AIDetector(KEY, rate_limit=None) as service:
        for poll, wanted in (
            (1.0, [0.1, 0.2, 0.4, 0.8, 1.0, 1.5, 2.25]),
            (0.05, [0.05, 0.075]),
            (60.0, [0.1, 0.2]),
        ):
            flow = service._wait_flow("b/1", poll, service._begin(600.0))
            waits = []
            effect: Any = next(flow)
            while len(waits) < len(wanted):
                if isinstance(effect, Wait):
                    waits.append(effect.seconds)
                    effect = next(flow)
                else:
                    effect = flow.send(Reply(status=200, headers={}, body=ACCEPTED))
            assert waits == pytest.approx(wanted)


def test_waiting_ends_with_its_time(connect: Connect) -> None:
    with faulty(*[Answer(body=ACCEPTED)] * 50) as server:
        began = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            connect(server.origin).wait("b/1", timeout=0.3, poll=0.05)
    assert time.monotonic() - began < 2
    assert (caught.value.billed, caught.value.retryable) == ("no", True)
    assert "still 'processing'" in str(caught.value)
    assert len(server.requests) < 10


def test_an_unknown_job(connect: Connect) -> None:
    body = b'{"error":{"code":"not_found","message":"no such job","request_id":"req_9"}}'
    with faulty(Answer(status=404, body=body)) as server, pytest.raises(NotFoundError) as caught:
        connect(server.origin).job("x")
    assert caught.value.request_id == "req_9"
    assert len(server.requests) == 1


# -- refusals


def refused(code: str | None, message: str = "no") -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "request_id": "req_2"}}).encode()


def test_an_image_that_could_not_be_fetched_is_asked_for_once_more(connect: Connect) -> None:
    unfetchable = Answer(status=422, body=refused("image_unfetchable"))
    with faulty(*[unfetchable] * 9) as server, pytest.raises(ImageUnfetchableError) as caught:
        connect(server.origin, retries=5).check_url(URL)
    assert caught.value.attempts == len(server.requests) == 2


# -- what is charged: never twice, never lost


def test_a_bad_answer_keeps_what_was_paid_for(connect: Connect) -> None:
    body = b'{"verdict": "ai_generated", "confidence": NaN}'
    with faulty(Answer(body=body)) as server, pytest.raises(APIResponseError) as caught:
        check(connect(server.origin))
    assert caught.value.body == body
    assert (caught.value.code, caught.value.path) == ("not_finite", "confidence")


# -- what is refused here


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"metadata": {"a": {1}}}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"encoding": "x"}, "encoding"),
        ({"filename": "a/b.png"}, "filename"),
    ],
)
def test_bad_arguments(connect: Connect, options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        check(connect("http://127.0.0.1:9"), **options)


def test_images_the_service_would_refuse(connect: Connect) -> None:
    client = connect("http://127.0.0.1:9")
    with pytest.raises(LimitError, match="20,000,000"):
        client.check(b"\x89PNG" + bytes(20_000_001))
    with pytest.raises(ImageError, match="cut off"):
        client.check(b"GIF89a\x01\x00\x01\x00")


@pytest.mark.parametrize("dialect", ["x", None])
def test_an_unknown_dialect(dialect: Any) -> None:
    with pytest.raises(InputError, match="dialect"):
        AIDetector(KEY, dialect=dialect)


def test_a_live_key_stays_with_its_service() -> None:
    with pytest.raises(InputError) as caught:
        AIDetector("aidet_live_sk_1234", base_url="https://example.org")
    assert caught.value.code == "custom_host"
    AIDetector("aidet_live_sk_1234", base_url="https://example.org", allow_custom_host=True).close()
    AIDetector(KEY, base_url="https://example.org").close()


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIDETECTOR_API_KEY", raising=False)
    with pytest.raises(InputError, match="AIDETECTOR_API_KEY") as caught:
        AIDetector()
    assert caught.value.code == "credentials"
    monkeypatch.setenv("AIDETECTOR_API_KEY", KEY)
    AIDetector().close()


def test_unknown_options() -> None:
    with pytest.raises(TypeError, match="tiemout"):
        AIDetector(KEY, tiemout=5)
