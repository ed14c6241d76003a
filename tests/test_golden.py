"""Every golden answer of a service, read by what reads it in earnest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hooks import BATCH, SECRET

from runmask import Detection
from runmask.errors import (
    APIError,
    AuthError,
    ImageTooLargeError,
    InvalidRequestError,
    QuotaError,
    RateLimitedError,
)
from runmask.http import aidetector_wire, copyleaks_wire, sightengine_wire, webhooks
from runmask.http.retry import Reply
from runmask.http.secret import Secret

GOLDEN = Path(__file__).parent / "golden"
KEY = Secret("00000000-0000-0000-0000-000000000000")
Told = Mapping[str, Any]


def reply(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status=status, headers=headers or {}, body=body)


def found(detection: Detection) -> Told:
    mask = detection.mask
    return {
        "service": detection.service,
        "verdict": detection.verdict,
        "score": detection.score,
        "pixels": None if mask is None else mask.area,
        "id": next(iter(detection.ids.values())),
    }


def refused(error: APIError) -> Told:
    return {"type": type(error), "code": error.service_code, "id": error.request_id}


def login(body: bytes) -> Told:
    token = copyleaks_wire.read_login(reply(200, body), 0.0, KEY)
    return {"token": token.secret.reveal(), "fresh": round(token.fresh_until)}


def submitted(body: bytes) -> Told:
    """The request is built anew from what stands in it."""
    told = json.loads(body)
    request = copyleaks_wire.submit_request(
        "https://api.copyleaks.com",
        KEY,
        method="PUT",
        scan_id="img-4411",
        url=told["url"],
        webhook_url=told["webhooks"]["url"],
        filename=told["fileName"],
        model=told["model"],
        mask_type=told["maskType"],
        headers=dict(told["headers"]),
        sandbox=told["sandbox"],
        developer_payload=told["developerPayload"],
    )
    return {"same": json.loads(request.content or b"") == told}


def scan_event(body: bytes) -> Told:
    event = webhooks.read_copyleaks(body, "img-4411")
    detection = event.detection
    return {
        "kind": event.kind,
        "pixels": detection and detection.mask.area,
        "code": event.error and event.error["code"],
    }


def signed_batch(body: bytes) -> Told:
    webhooks.AIDetectorWebhook(SECRET).verify(body, {"X-Signature": BATCH})
    event = webhooks.read_aidetector(body)
    assert event.job is not None
    return {"job": event.job.id, "verdicts": [each.verdict for each in event.job.items]}


def copyleaks_refusal(status: int) -> Callable[[bytes], Told]:
    return lambda body: refused(copyleaks_wire.refusal(reply(status, body), "check", (KEY,)))


def aidetector_refusal(status: int, **headers: str) -> Callable[[bytes], Told]:
    reader = aidetector_wire.Reader(what="detection", key=KEY, max_bytes=2**20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda body: refused(reader.refusal(reply(status, body, named)))


def sightengine_refusal(status: int) -> Callable[[bytes], Told]:
    return lambda body: refused(sightengine_wire.read_check(reply(status, body), (KEY,), 2**20))


def scan(verdict: str, score: float, pixels: int, scan_id: str) -> Told:
    return {
        "service": "copyleaks",
        "verdict": verdict,
        "score": score,
        "pixels": pixels,
        "id": scan_id,
    }


def whole(service: str, verdict: str, score: float | None, number: str) -> Told:
    return {
        "service": service,
        "verdict": verdict,
        "score": score,
        "pixels": None,
        "id": number,
    }


READERS: dict[str, tuple[Callable[[bytes], Told], Told]] = {
    "01_copyleaks_login_200": (
        login,
        {"token": "eyJhbGciOiJub25lIn0.c2FuZGJveA.tok-0001", "fresh": 48 * 3600 - 300},
    ),
    "02_copyleaks_login_401_bad_key": (
        copyleaks_refusal(401),
        {"type": AuthError, "code": 2, "id": None},
    ),
    "03_copyleaks_check_200_partial_ai": (
        lambda body: found(Detection.from_copyleaks(body)),
        scan("ai", 0.000244140625, 64, "claims-7f3a-front"),
    ),
    "04_copyleaks_check_200_human": (
        lambda body: found(Detection.from_copyleaks(body)),
        scan("human", 0.0, 0, "claims-7f3a-rear"),
    ),
    "05_copyleaks_check_200_2025_full_ai": (
        lambda body: found(Detection.from_copyleaks(body)),
        scan("ai", 1.0, 409600, "old-shape-1"),
    ),
    "06_copyleaks_check_400_too_small": (
        copyleaks_refusal(400),
        {"type": InvalidRequestError, "code": 1, "id": None},
    ),
    "07_copyleaks_401_expired_token_problem_json": (
        copyleaks_refusal(401),
        {
            "type": AuthError,
            "code": None,
            "id": "00-1c9d0f5b6a7e48d3b2a1908f7e6d5c4b-9a8b7c6d5e4f3a2b-00",
        },
    ),
    "08_copyleaks_402_no_credits": (
        copyleaks_refusal(402),
        {"type": QuotaError, "code": 13, "id": None},
    ),
    "09_copyleaks_async_submit_request": (submitted, {"same": True}),
    "10_copyleaks_webhook_success": (
        scan_event,
        {"kind": "scan.completed", "pixels": 1024, "code": None},
    ),
    "11_copyleaks_webhook_error": (scan_event, {"kind": "scan.failed", "pixels": None, "code": 5}),
    "12_aiid_detect_200_root_docs": (
        lambda body: found(Detection.from_aidetector(body)),
        whole("aidetector", "ai", 0.913, "req_01JD8Z6Q4T"),
    ),
    "13_aiid_detect_200_endpoints_page": (
        lambda body: found(Detection.from_aidetector(body)),
        whole("aidetector", "human", 0.118, "det_4kq09z") | {"pixels": 0},
    ),
    "14_aiid_error_400_image_too_large": (
        aidetector_refusal(400),
        {"type": ImageTooLargeError, "code": "image_too_large", "id": "req_01JD8ZB2MM"},
    ),
    "15_aiid_error_429_rate_limited": (
        aidetector_refusal(429, retry_after="3", x_request_id="req_01JD8ZC7XA"),
        {"type": RateLimitedError, "code": "rate_limited", "id": "req_01JD8ZC7XA"},
    ),
    "16_aiid_webhook_batch_completed": (
        signed_batch,
        {"job": "job_77ab", "verdicts": ["ai", "human"]},
    ),
    "17_sightengine_genai_200": (
        lambda body: found(Detection.from_sightengine(body)),
        whole("sightengine", "ai", 0.99, "req_l7Ab3kQp9XvT2mNc5RwEz"),
    ),
    "18_sightengine_multi_model_200": (
        lambda body: found(Detection.from_sightengine(body)),
        whole("sightengine", "ai", 0.87, "req_l7AbNnE0sVq4TgB7yHcPi"),
    ),
    "19_sightengine_failure_credentials": (
        sightengine_refusal(401),
        {"type": AuthError, "code": 1, "id": "req_l7AcB1fG6tUj0XsOe4ZyM"},
    ),
    "20_sightengine_failure_usage_limit": (
        sightengine_refusal(429),
        {"type": QuotaError, "code": 32, "id": "req_l7AcR9hK2vPq7WdIa5LnT"},
    ),
    "copyleaks_check_edited_1800x1350": (
        lambda body: found(Detection.from_copyleaks(body)),
        scan("ai", 0.0011510288, 2797, "cfcl92131800e095234576b63ca1007e"),
    ),
}
OTHERS = {"coco_fakesegm100"}


def files() -> dict[str, Path]:
    return {path.stem: path for path in GOLDEN.rglob("*.json")}


@pytest.mark.parametrize("name", READERS)
def test_it_says(name: str) -> None:
    read, said = READERS[name]
    assert read(files()[name].read_bytes()) == said


def test_none_is_forgotten() -> None:
    assert set(files()) == set(READERS) | OTHERS
