"""The sandbox's AIDetector and Sightengine, asked by the clients that ask the services."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from hooks import receiving
from PIL import Image

from runmask import Detection
from runmask.errors import (
    APIError,
    AuthError,
    ForbiddenError,
    ImageRefusedError,
    ImageTooLargeError,
    ImageUnfetchableError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    ServerError,
    UnavailableError,
)
from runmask.http import AIDetector, Rate, Sightengine
from runmask.http.webhooks import AIDetectorWebhook, read_aidetector
from runmask.sandbox import NOTICE, Analysis, Limit, Settings, running
from runmask.sandbox.aidetector import WEBHOOK_SECRET

KEY = "aidet_test_of_mine"
HOST = "https://images.example.org"


def corner(image: Any) -> Analysis:
    """A detector that is quick: it marks two boxes."""
    mask = np.zeros(image.shape[:2], bool)
    mask[10:20, 30:50] = True
    mask[40:60, 5:10] = True
    return Analysis(mask[::8, ::8].astype(np.float32), mask, 0.75)


def png(width: int = 120, height: int = 90, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, kind)
    return file.getvalue()


PHOTO = png()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running(Settings(detector=corner)) as origin:
        yield origin


@pytest.fixture(params=["root", "endpoints"])
def service(request: pytest.FixtureRequest, origin: str) -> Iterator[AIDetector]:
    with AIDetector(KEY, base_url=origin, dialect=request.param, backoff=0.001) as client:
        yield client


@pytest.fixture
def root(origin: str) -> Iterator[AIDetector]:
    with AIDetector(KEY, base_url=origin, backoff=0.001, retries=0) as client:
        yield client


@pytest.fixture
def engine(origin: str) -> Iterator[Sightengine]:
    with Sightengine("0000", "sandbox", base_url=f"{origin}/1.0", backoff=0.001) as client:
        yield client


# -- AIDetector


def test_uploads_are_answered_from_the_pixels(service: AIDetector) -> None:
    found = service.check(PHOTO)
    assert (found.verdict, found.score) == ("ai", 0.75)
    assert found.notice == NOTICE


def test_boxes_in_the_dialect_that_has_them(origin: str) -> None:
    with AIDetector(KEY, base_url=origin, dialect="endpoints") as service:
        found = service.check(PHOTO)
        assert service.heatmap(found).startswith(b"\x89PNG")
    assert [tuple(region)[:4] for region in found.regions] == [(30, 10, 20, 10), (5, 40, 5, 20)]
    assert found.mask.area == 20 * 10 + 5 * 20
    assert found.mask.shape == (90, 120)


@pytest.mark.parametrize("encoding", ["multipart", "base64"])
def test_wishes_are_met_in_the_dialect_of_the_root_page(root: AIDetector, encoding: Any) -> None:
    found = root.check(PHOTO, encoding=encoding, heatmap=True, forensics=True, metadata={"a": "b"})
    assert (found.verdict, found.score, found.regions) == ("ai", 0.75, None)
    assert found.metadata == {"a": "b"}
    assert found.attribution == {"unknown": 0.75}
    assert set(found.extra) >= {"forensics", "c2pa_manifest_present", "latency_ms"}
    assert root.heatmap(found).startswith(b"\x89PNG")
    assert root.check(PHOTO, encoding=encoding, attribution=False).attribution is None


def test_the_dialect_can_be_chosen(origin: str) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "X-Sandbox-Dialect": "root"}
    files = {"image": ("a.png", PHOTO)}
    with httpx2.Client(trust_env=False) as client:
        answer = client.post(f"{origin}/v1/detect", headers=headers, files=files)
        assert answer.json()["verdict"] == "ai_generated"
        del headers["X-Sandbox-Dialect"]  # a bare form, as the other page has it
        bare = client.post(f"{origin}/v1/detect", headers=headers, files=files)
        assert bare.json()["is_ai_generated"] is True
        headers["X-Sandbox-Dialect"] = "x"
        assert client.post(f"{origin}/v1/detect", headers=headers, files=files).status_code == 400
    for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id"):
        assert name in answer.headers
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_forensics_credentials_usage_and_health(service: AIDetector, root: AIDetector) -> None:
    before = root.usage().answer
    assert service.forensics(PHOTO).extra["forensic"]["noise_pattern"] == "inconsistent"
    after = root.usage().answer
    assert after["scans_used"] - before["scans_used"] == 1
    assert before["scans_remaining"] - after["scans_remaining"] == 1
    assert root.verify_c2pa(PHOTO).answer["c2pa_manifest_present"] is False
    assert root.health().answer["status"] == "ok"


@pytest.mark.parametrize(
    ("name", "verdict", "area"),
    [
        ("sbx-ai-1.jpg", "ai", 1.0),
        ("sbx-human-1.jpg", "human", 0.0),
        ("sbx-partial-1.jpg", "ai", 1 / 16),
    ],
)
def test_names_that_cause_an_answer(
    root: AIDetector, engine: Sightengine, name: str, verdict: str, area: float
) -> None:
    assert root.check_url(f"{HOST}/{name}?a=b").verdict == verdict
    found = root.check(PHOTO, filename=name.replace(".jpg", ".png"))
    assert found.verdict == verdict
    assert found.mask is None or abs(found.mask.fraction - area) < 0.01
    assert engine.check_url(f"{HOST}/{name}").verdict == verdict
    assert engine.check(PHOTO, filename=name).verdict == verdict


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_request", InvalidRequestError),
        ("image_too_large", ImageTooLargeError),
        ("image_unsupported_format", ImageRefusedError),
        ("unauthorized", AuthError),
        ("payment_required", QuotaError),
        ("forbidden", ForbiddenError),
        ("not_found", NotFoundError),
        ("image_unfetchable", ImageUnfetchableError),
        ("rate_limited", RateLimitedError),
        ("internal_error", ServerError),
        ("service_unavailable", UnavailableError),
        ("a_new_one", InvalidRequestError),
    ],
)
def test_names_that_cause_an_error(root: AIDetector, code: str, kind: type) -> None:
    for ask in (
        lambda: root.check(PHOTO, filename=f"sbx-err-{code}.png"),
        lambda: root.check_url(f"{HOST}/sbx-err-{code}.png"),
    ):
        with pytest.raises(APIError) as caught:
            ask()
        assert type(caught.value) is kind
        assert caught.value.request_id


def test_addresses_are_not_fetched(root: AIDetector) -> None:
    with pytest.raises(ImageUnfetchableError, match=r"fetches nothing.*--fetch"):
        root.check_url(f"{HOST}/a.jpg")


def test_batches(root: AIDetector) -> None:
    urls = [f"{HOST}/{name}" for name in ("sbx-ai-1.jpg", "a.jpg", "sbx-err-forbidden.jpg")]
    good, bad, asked = root.check_urls(urls)
    assert isinstance(good, Detection)
    assert good.verdict == "ai"
    assert isinstance(bad, ImageUnfetchableError)
    assert isinstance(asked, ForbiddenError)
    first, second = root.check_many([PHOTO, png(60, 60)])
    assert first.verdict == "ai"
    assert isinstance(second, InvalidRequestError)
    assert "of the batch" in str(second)


def test_copyleaks_limit_of_pixels_is_not_the_others() -> None:
    large = io.BytesIO()
    Image.new("RGB", (4001, 4000)).save(large, "PNG")
    with running(Settings(detector=corner, limits="16mp")) as origin:
        with AIDetector(KEY, base_url=origin) as service:
            assert service.check(large.getvalue()).verdict == "ai"
        with Sightengine("0000", "sandbox", base_url=origin) as engine:
            assert engine.check(large.getvalue()).score == 0.75


@pytest.fixture
def hooks() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A receiver that refuses the first attempt."""
    with receiving(503) as receiver:
        yield receiver


def test_a_job_and_its_signed_webhook(service: AIDetector, hooks: Any) -> None:
    url, came = hooks
    job = service.submit_urls([f"{HOST}/sbx-ai-1.jpg", f"{HOST}/x.jpg"], webhook=url)
    assert (job.done, job.total) == (False, 2)
    job = service.wait(job, poll=0.02, timeout=10)
    assert job.items[0].verdict == "ai"
    assert isinstance(job.items[1], ImageUnfetchableError)
    for _ in range(200):
        if len(came) == 2:
            break
        threading.Event().wait(0.02)
    (first, body), (again, same) = came
    assert body == same
    for headers in (first, again):
        AIDetectorWebhook(WEBHOOK_SECRET).verify(body, headers)
    event = read_aidetector(body)
    assert (event.kind, event.subject) == ("batch.completed", job.id)


def test_webhooks_go_nowhere_else(root: AIDetector) -> None:
    with pytest.raises(InvalidRequestError, match="webhook_url"):
        root.submit_urls([f"{HOST}/sbx-ai-1.jpg"], webhook=f"{HOST}/hook")
    with pytest.raises(NotFoundError):
        root.job("job_of_another")


@pytest.mark.parametrize("key", ["aidet_live_sk_0123456789", "something"])
def test_other_keys_are_refused_and_not_repeated(origin: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx2.post(f"{origin}/v1/detect", headers=headers, json={}, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert ("live key refused" in answer.text) == key.startswith("aidet_live")
    assert key not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"image_url": f"{HOST}/sbx-ai-1.jpg", "image_base64": "AA=="},
        {"image_url": "file:///etc/passwd"},
        {"image_url": 5},
        {"image_base64": "not base64!"},
        {"image_base64": 5},
        {"image_url": f"{HOST}/sbx-ai-1.jpg", "include_heatmap": "maybe"},
        {"image_url": f"{HOST}/sbx-ai-1.jpg", "model_threshold": 2},
        {"image_url": f"{HOST}/sbx-ai-1.jpg", "metadata": [1]},
        [1],
    ],
)
def test_bad_requests(origin: str, body: Any) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx2.post(f"{origin}/v1/detect", headers=headers, json=body, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("images", [None, [], [1], [{}] * 101, [{}]])
def test_bad_batches(origin: str, images: Any) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    for path in ("detect/batch", "detect/async"):
        answer = httpx2.post(
            f"{origin}/v1/{path}", headers=headers, json={"images": images}, trust_env=False
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


def test_images_that_cannot_be_used(root: AIDetector) -> None:
    for data in (b"no image", png()[:-30], png(20, 20)):
        with pytest.raises(InvalidRequestError):
            root.check(data, preflight=False)
    with pytest.raises(ImageTooLargeError):
        root.check(bytes(20_000_001), preflight=False)
    for kind in ("GIF", "TIFF", "WEBP", "BMP", "JPEG"):
        assert root.check(png(kind=kind)).verdict == "ai"


def test_the_quota_and_what_is_not_charged() -> None:
    with running(Settings(detector=corner, credits=3)) as origin:
        with AIDetector(KEY, base_url=origin) as client:
            for bad in (b"x", png(20, 20)):
                with pytest.raises(InvalidRequestError):
                    client.check(bad, preflight=False)
            client.check(PHOTO)
            with pytest.raises(QuotaError, match="3 scans needed, 2 left"):
                client.check_urls([f"{HOST}/sbx-ai-1.jpg"] * 3)
            client.check_urls([f"{HOST}/sbx-ai-1.jpg"] * 2)
            with pytest.raises(QuotaError):
                client.check(PHOTO)
        with AIDetector(f"{KEY}2", base_url=origin) as other:
            other.check(PHOTO)


def test_the_rate_and_a_client_that_keeps_to_it() -> None:
    limit = Limit(3, 1)
    with running(Settings(detector=corner, aidetector_limit=limit)) as origin:
        with AIDetector(KEY, base_url=origin, retries=0) as rash:
            for _ in range(3):
                rash.usage()
            with pytest.raises(RateLimitedError) as caught:
                rash.usage()
            assert caught.value.retry_after == 1
        with AIDetector(f"{KEY}2", base_url=origin, retries=0, rate_limit=Rate(2.5, 1)) as calm:
            for _ in range(5):
                calm.usage()


# -- Sightengine


def test_a_score_from_the_pixels(engine: Sightengine) -> None:
    found = engine.check(PHOTO)
    assert (found.verdict, found.score, found.credits) == ("ai", 0.75, 5)
    assert found.ids["uri"] == "image.png"
    assert found.notice == NOTICE


def test_several_images_come_in_another_order(engine: Sightengine, tmp_path: Path) -> None:
    names = ["sbx-ai-1.png", "sbx-human-1.png"]
    for name in names:
        (tmp_path / name).write_bytes(PHOTO)
    batch = engine.check_many([tmp_path / name for name in names] + [PHOTO])
    raw = json.loads(batch.raw)
    assert [each["media"]["uri"][0] for each in raw["data"]] == ["2", "1", "0"]
    assert raw["request"]["operations"] == 15
    # the numbers in front make the names mean nothing to the sandbox
    assert [each.credits for each in batch] == [5, 5, 5]
    assert [each.ids["uri"] for each in batch] == [
        "0-sbx-ai-1.png",
        "1-sbx-human-1.png",
        "2-image.png",
    ]
    assert batch[0].notice == NOTICE


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("credentials_error", AuthError),
        ("argument_error", InvalidRequestError),
        ("request_error", InvalidRequestError),
        ("media_error", ImageRefusedError),
        ("plan_error", QuotaError),
        ("usage_limit", QuotaError),
        ("api_error", ServerError),
        ("unknown_error", ServerError),
        ("callback_error", InvalidRequestError),
        ("a_new_one", InvalidRequestError),
    ],
)
def test_errors_of_sightengine(engine: Sightengine, kind: str, error: type) -> None:
    with pytest.raises(APIError) as caught:
        engine.check_url(f"{HOST}/sbx-err-{kind}-1.png")
    assert type(caught.value) is error
    assert caught.value.billed == "no"


def test_what_sightengine_refuses(engine: Sightengine) -> None:
    with pytest.raises(ImageRefusedError, match=r"fetches nothing.*--fetch"):
        engine.check_url(f"{HOST}/a.jpg")
    with pytest.raises(InvalidRequestError, match="genai and no other"):
        engine.check(PHOTO, models=["genai", "type"])
    for bad in (b"x", png(20, 20), png(kind="BMP")):
        with pytest.raises(ImageRefusedError):
            engine.check(bad, preflight=False)


def test_credentials_come_first(origin: str) -> None:
    for user, secret in (("0000", "wrong-secret"), ("1234567", "sandbox")):
        with (
            Sightengine(user, secret, base_url=f"{origin}/1.0") as client,
            pytest.raises(AuthError, match="key refused") as caught,
        ):
            client.check(b"not even an image", preflight=False)
        assert secret == "sandbox" or secret not in str(caught.value) + repr(caught.value.body)


def test_by_get_as_the_page_shows_it(origin: str) -> None:
    query = {"models": "genai", "api_user": "0000", "api_secret": "sandbox"}
    url = f"{origin}/1.0/check.json"
    with httpx2.Client(trust_env=False) as client:
        good = client.get(url, params=query | {"url": f"{HOST}/sbx-ai-1.jpg"})
        assert good.json()["type"]["ai_generated"] == 0.99
        for missing, kind in (
            ("models", "argument_error"),
            ("api_secret", "credentials_error"),
            ("url", "argument_error"),
        ):
            given = query | {"url": f"{HOST}/sbx-ai-1.jpg"}
            del given[missing]
            answer = client.get(url, params=given).json()
            assert (answer["status"], answer["error"]["type"]) == ("failure", kind)
            assert answer["request"]["operations"] == 0
        # a part without a file name is no file
        text = client.post(url, data=query, files={"media": (None, PHOTO)})
        assert text.json()["error"]["type"] == "argument_error"


def test_the_operations_of_a_day() -> None:
    with (
        running(Settings(detector=corner, credits=12)) as origin,
        Sightengine("0000", "sandbox", base_url=f"{origin}/1.0") as client,
    ):
        with pytest.raises(ImageRefusedError):
            client.check(b"x", preflight=False)
        client.check_many([PHOTO, PHOTO])
        with pytest.raises(QuotaError):
            client.check(PHOTO)


def test_secrets_in_a_query_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "runmask.sandbox")
    with running(Settings(detector=corner)) as origin:
        query = {"models": "genai", "api_user": "0000", "api_secret": "live-secret-of-mine"}
        with httpx2.Client(trust_env=False) as client:
            client.get(f"{origin}/1.0/check.json", params=query)
    told = [record.getMessage() for record in caplog.records if record.name == "runmask.sandbox"]
    assert any("/1.0/check.json 401" in line for line in told)
    assert "live-secret" not in "".join(told)


# -- Copyleaks' submissions; the way of a good one is in test_webhooks

GOOD = {
    "url": f"{HOST}/a.png",
    "fileName": "a.png",
    "model": "ai-image-1-ultra",
    "webhooks": {"url": "http://127.0.0.1:9/x"},
}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    ("changes", "status", "param"),
    [
        ({}, 201, None),
        ({"maskType": "heatmap", "developerPayload": "x" * 512, "sandbox": "true"}, 201, None),
        ({"url": None}, 400, "url"),
        ({"url": "file:///a.png"}, 400, "url"),
        ({"fileName": "a.gif"}, 400, "fileName"),
        ({"model": "another"}, 400, "model"),
        ({"maskType": "x"}, 400, "maskType"),
        ({"webhooks": None}, 400, "webhooks.url"),
        ({"webhooks": {"url": "http://localhost:9/"}}, 400, "webhooks.url"),
        ({"webhooks": {"url": "http://10.0.0.1:9/"}}, 400, "webhooks.url"),
        ({"webhooks": {"url": "https://127.0.0.1:9/"}}, 400, "webhooks.url"),
        ({"developerPayload": "x" * 513}, 400, "developerPayload"),
        ({"sandbox": "maybe"}, 400, "sandbox"),
    ],
)
def test_submissions(
    origin: str, method: str, changes: dict[str, Any], status: int, param: Any
) -> None:
    key = "00000000-0000-0000-0000-000000000000"
    with httpx2.Client(base_url=origin, trust_env=False) as client:
        login = client.post("/v3/account/login/api", json={"email": "a@b.c", "key": key}).json()
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        scan_id = f"{method.lower()}-{abs(hash(str(changes)))}"[:36]
        path = f"/v1/ai-image-detector-async/{scan_id}/submit"
        answer = client.request(method, path, json=GOOD | changes, headers=headers)
        assert client.request(method, path, json=GOOD).status_code == 401
    assert answer.status_code == status
    if status == 201:
        assert answer.json() == {}
    else:
        assert answer.json()["error"]["details"][0]["param"] == param
