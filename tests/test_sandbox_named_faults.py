"""Faults by the name of a file, where clients can set no header; and paths that are none."""

import httpx2
import pytest
from hooks import receiving, until
from sandbox_client import PNG, client_of, corner

from runmask.errors import APIConnectionError, InvalidRequestError, ServerError
from runmask.http import AIDetector, Sightengine
from runmask.sandbox import Settings, running


@pytest.fixture(scope="module")
def origin():
    with running(Settings(detector=corner)) as origin:
        yield origin


@pytest.fixture(params=["aidetector", "sightengine"])
def engine(request, origin):
    options = {"base_url": origin, "backoff": 0.001, "retries": 1}
    if request.param == "aidetector":
        made = AIDetector("aidet_test_a", **options)
    else:
        made = Sightengine("0000", "sandbox", **options)
    with made as client:
        yield client


def test_a_file_s_name_causes_a_fault(engine, monkeypatch):
    for name, kind, billed in (
        ("sbx-fault-truncated-1.png", APIConnectionError, "unknown"),
        ("sbx-fault-reset-1.png", APIConnectionError, "unknown"),
        ("sbx-fault-reset-before-1.png", APIConnectionError, "unknown"),
        ("sbx-fault-content-type-1.png", None, None),
        ("sbx-fault-500-1.png", ServerError, "unknown"),
        ("sbx-fault-nonsense-1.png", InvalidRequestError, "no"),
    ):
        if kind is None:
            assert engine.check(PNG, filename=name).notice
            continue
        with pytest.raises(kind) as caught:
            engine.check(PNG, filename=name)
        assert caught.value.billed in ("no", billed), name


def test_an_address_causes_a_fault_once_and_a_result(engine):
    url = "https://images.example.org/sbx-ai-fault-once-503-after-0-{}.jpg"
    name = type(engine).__name__.lower()
    assert engine.check_url(url.format(name)).verdict == "ai"  # at the second attempt
    assert engine.check(PNG, filename=f"sbx-human-fault-latency-1-{name}.png").verdict == "human"
    [first, second] = engine.check_many([PNG, PNG])
    assert first.notice
    assert second.notice


def test_what_was_reset_before_costs_nothing(origin):
    with AIDetector("aidet_test_free", base_url=origin, retries=0) as client:
        for name, used in (("sbx-fault-reset-before-1.png", 0), ("sbx-fault-reset-1.png", 1)):
            with pytest.raises(APIConnectionError):
                client.check(PNG, filename=name)
            assert client.usage().answer["scans_used"] == used


def test_a_scan_id_has_a_result_and_a_fault():
    with receiving() as (url, came), client_of() as client:
        body = {
            "url": "https://x.example/a.png",
            "fileName": "a.png",
            "model": "ai-image-1-ultra",
            "webhooks": {"url": url},
        }
        path = "/v1/ai-image-detector-async/sbx-ai-fault-webhook-twice-1/submit"
        assert client.put(path, json=body).status_code == 201
        until(lambda: len(came) == 2)
    assert came[0][1] == came[1][1]
    assert b'"isAiDetected":true' in came[0][1]


# -- paths that are none


@pytest.mark.parametrize(
    ("method", "path", "status", "found"),
    [
        ("GET", "/v1/nothing", 404, ("error", "code", "not_found")),
        ("GET", "/v1/detect", 405, ("error", "code", "invalid_request")),
        ("GET", "/h/none.png", 404, ("error", "code", "not_found")),
        ("POST", "/1.0/nothing.json", 404, ("error", "type", "request_error")),
        ("DELETE", "/1.0/check.json", 405, ("error", "type", "request_error")),
    ],
)
def test_services_have_a_form_for_paths_that_are_none(origin, method, path, status, found):
    answer = httpx2.request(method, origin + path, trust_env=False)
    assert answer.status_code == status
    outer, inner, code = found
    assert answer.json()[outer][inner] == code
    assert ("allow" in answer.headers) == (status == 405)
    if path.startswith(("/v1", "/h")):
        assert answer.headers["X-Request-Id"] == answer.json()["error"]["request_id"]


def test_every_answer_tells_the_rate(origin):
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-Id")
    headers = {"Authorization": "Bearer aidet_test_x"}
    for given in ({}, headers, headers | {"Content-Type": "text/plain"}):
        answer = httpx2.post(f"{origin}/v1/detect", headers=given, trust_env=False)
        assert answer.status_code in (400, 401)
        assert all(name in answer.headers for name in names)
    body = {"image_url": "https://x.example/sbx-err-rate_limited-1.jpg"}
    late = httpx2.post(f"{origin}/v1/detect", headers=headers, json=body, trust_env=False)
    assert (late.status_code, late.headers["X-RateLimit-Remaining"]) == (429, "0")


def test_other_paths_that_are_none(origin):
    for path in ("/nothing", "/v1/ai-image-detector/a/b/c"):
        answer = httpx2.get(origin + path, trust_env=False)
        assert (answer.status_code, answer.headers["content-type"][:10]) == (404, "text/plain")
