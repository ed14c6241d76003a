"""The sandbox's faults on demand, seen by a raw socket, by plain HTTP, and by our own clients."""

import json
import threading
import time

import httpx2
import pytest
from hooks import receiving
from sandbox_client import LOGIN, PNG, Client, client_of, corner, path_of

from runmask.errors import APIConnectionError, APITimeoutError, RateLimitedError, UnavailableError
from runmask.http import AIDetector, Copyleaks
from runmask.sandbox import Limit, Settings, faults, running

AIDETECTOR = {"Authorization": "Bearer aidet_test_x"}
SIGHTENGINE = {"models": "genai", "api_user": "0000", "api_secret": "sandbox"}


@pytest.fixture(scope="module")
def origin():
    with running(Settings(detector=corner)) as origin:
        yield origin


@pytest.fixture
def client(origin):
    with Client(origin) as client:
        yield client


def test_every_form_is_one():
    for form in faults.FORMS:
        name = form.replace("<ms>", "12").replace("<s>", "12")
        assert faults.parsed(name) not in (None, faults.NONE)
        assert f"``{form}``" in faults.__doc__ or f"``{form}`` too" in faults.__doc__


@pytest.mark.parametrize(
    "name", ["nothing", "latency", "latency-", "latency-99999", "429-after-9999", "418", "slow-x"]
)
def test_unknown_ones_are_refused(client, name):
    answer = client.get("/v3/scans/credits", headers={faults.HEADER: name})
    assert answer.status_code == 400
    assert "there is no fault" in answer.text
    assert client.check(f"sbx-fault-{name}"[:36], PNG).status_code == 400


@pytest.mark.parametrize("via", ["header", "scan id"])
@pytest.mark.parametrize(
    ("name", "status", "retry_after"),
    [
        ("429", 429, None),
        ("429-after-7", 429, "7"),
        ("500", 500, None),
        ("502", 502, None),
        ("503-after-2", 503, "2"),
        ("504", 504, None),
    ],
)
def test_statuses_cost_nothing(client, via, name, status, retry_after):
    before = client.amount
    if via == "header":
        answer = client.get("/v3/scans/credits", headers={faults.HEADER: name})
    else:
        answer = client.check(f"sbx-fault-{name}-1", PNG)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert client.amount == before


def test_statuses_have_the_form_of_the_service(origin):
    with httpx2.Client(base_url=origin, trust_env=False) as client:
        for status, code in ((429, "rate_limited"), (500, "internal_error")):
            headers = AIDETECTOR | {faults.HEADER: str(status)}
            answer = client.post("/v1/detect", json={}, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
            answer = client.post(
                "/1.0/check.json", data=SIGHTENGINE, headers={faults.HEADER: str(status)}
            )
            assert (answer.status_code, answer.json()["status"]) == (status, "failure")
        answer = client.post(
            LOGIN, json={"email": "a@b.c", "key": "k"}, headers={faults.HEADER: "429-after-1"}
        )
        assert (answer.status_code, answer.json()["error"]["type"]) == (429, "api_error")


def test_time_and_type(client):
    began = time.monotonic()
    answer = client.get("/v1/health", headers={faults.HEADER: "latency-120, content-type"})
    assert time.monotonic() - began >= 0.12
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["status"] == "ok"
    began = time.monotonic()
    with client.stream("GET", "/v1/health", headers={faults.HEADER: "slow-10"}) as answer:
        raw = answer.iter_raw()
        first = next(raw)
        arrived = time.monotonic() - began
        rest = b"".join(raw)
    assert arrived < 0.1 < 0.15 <= time.monotonic() - began
    assert len(first + rest) == int(answer.headers["content-length"])


@pytest.mark.parametrize(
    ("name", "error", "charged"),
    [
        ("truncated", httpx2.RemoteProtocolError, 1),
        ("reset", httpx2.ReadError, 1),
        ("reset-before", httpx2.TransportError, 0),  # while sending, or when it has sent
    ],
)
def test_connections_that_break(client, name, error, charged):
    before = client.amount
    with pytest.raises(error):
        client.check(f"sbx-fault-{name}-1", PNG)
    assert client.amount == before - charged


def test_a_fault_that_happens_once(client):
    assert client.check("sbx-fault-once-503-1", PNG).status_code == 503
    assert client.check("sbx-fault-once-503-1", PNG).status_code == 200
    assert client.check("sbx-fault-once-503-2", PNG).status_code == 503


def test_no_fault_disturbs_the_next_request_and_no_log_is_written(client, caplog):
    for name in ("truncated", "reset", "reset-before"):
        with pytest.raises(httpx2.TransportError):
            client.get("/v1/health", headers={faults.HEADER: name})
        assert client.get("/v1/health").status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# -- our own clients


@pytest.fixture
def ours(origin):
    key = "00000000-0000-0000-0000-000000000000"
    with Copyleaks(
        "a@example.org", key, base_url=origin, login_url=origin, backoff=0.001, read_timeout=1
    ) as client:
        yield client


@pytest.mark.parametrize("fault", ["429", "429-after-0", "503-after-0"])
def test_a_client_gets_over_what_happens_once(ours, fault):
    assert ours.check(PNG, scan_id=f"sbx-fault-once-{fault}-c").mask.area == 100


@pytest.mark.parametrize(
    ("fault", "error", "billed"),
    [
        ("429", RateLimitedError, "no"),
        ("503", UnavailableError, "unknown"),  # as no page says that it costs nothing
        ("429-after-999", RateLimitedError, "no"),
        ("truncated", APIConnectionError, "unknown"),
        ("reset", APIConnectionError, "unknown"),
        ("latency-1500", APITimeoutError, "unknown"),
    ],
)
def test_a_client_tells_what_it_cannot_get_over(ours, fault, error, billed):
    with pytest.raises(error) as caught:
        ours.check(PNG, scan_id=f"sbx-fault-{fault}-d")
    assert caught.value.billed == billed


# -- webhooks


@pytest.fixture
def hook():
    with receiving() as receiver:
        yield receiver


def submit(client, scan_id, url, fault=""):
    body = {
        "url": "https://images.example.org/a.png",
        "fileName": "a.png",
        "model": "ai-image-1-ultra",
        "webhooks": {"url": url},
        "developerPayload": scan_id,
    }
    path = path_of(scan_id).replace("detector/", "detector-async/").replace("/check", "/submit")
    answer = client.put(path, json=body, headers={faults.HEADER: fault} if fault else {})
    assert answer.status_code == 201, answer.text


def payloads(came, count):
    for _ in range(200):
        if len(came) >= count:
            break
        time.sleep(0.02)
    return [json.loads(body)["developerPayload"] for _, body in came]


def test_webhooks_come_twice_and_out_of_order(client, hook):
    url, came = hook
    submit(client, "sbx-fault-webhook-late-400-1", url)
    submit(client, "second", url, "webhook-twice")
    assert payloads(came, 3) == ["second", "second", "sbx-fault-webhook-late-400-1"]


def test_a_job_s_webhook_comes_twice(origin, hook):
    url, came = hook
    body = {"urls": ["https://x.example/sbx-ai-1.jpg"], "webhook_url": url}
    headers = AIDETECTOR | {faults.HEADER: "webhook-twice"}
    answer = httpx2.post(f"{origin}/v1/batch", json=body, headers=headers, trust_env=False)
    assert answer.status_code == 202
    for _ in range(200):
        if len(came) == 2:
            break
        time.sleep(0.02)
    assert len(came) == 2
    assert came[0][1] == came[1][1]


# -- plans, quotas, tokens


def test_the_free_plan():
    clock = [1_800_000_000_000_000_000]
    settings = Settings(detector=corner, aidetector_plan="free", clock=lambda: clock[0])
    with running(settings) as origin, httpx2.Client(base_url=origin, trust_env=False) as client:
        client.headers.update(AIDETECTOR)
        for second in range(24):
            clock[0] += 1_000_000_000
            told = [client.get("/v1/usage") for _ in range(6)]
            assert [answer.status_code for answer in told] == [200] * 5 + [429], second
            assert told[0].headers["X-RateLimit-Limit"] == "2"
            assert told[5].headers["X-RateLimit-Remaining"] == "0"
            assert told[5].headers["X-Request-Id"] == told[5].json()["error"]["request_id"]
        assert told[0].json()["plan"] == "free"
        assert told[0].json()["scans_remaining"] == 500
        clock[0] += 1_000_000_000
        used_up = client.get("/v1/usage")
        assert (used_up.status_code, used_up.headers["X-RateLimit-Remaining"]) == (429, "0")
        assert int(used_up.headers["Retry-After"]) == 36  # until the first of 60 s ago is out
        clock[0] += 36_000_000_000
        late = client.post("/v1/batch", json={"urls": ["https://x.example/sbx-ai-1.jpg"]})
        assert (late.status_code, late.json()["error"]["code"]) == (403, "forbidden")


def test_a_plan_s_batches_at_a_time():
    busy, go = threading.Event(), threading.Event()

    def waiting(image):
        busy.set()
        go.wait(10)
        return corner(image)

    settings = Settings(detector=waiting, aidetector_plan="free")
    with (
        running(settings) as origin,
        AIDetector("aidet_test_a", base_url=origin, retries=0) as client,
    ):
        first = threading.Thread(target=client.check_many, args=([PNG],))
        first.start()
        assert busy.wait(10)
        with pytest.raises(RateLimitedError, match="1 batches at a time"):
            client.check_many([PNG])
        go.set()
        first.join(10)
        assert len(client.check_many([PNG]).items) == 1


def test_a_limit_of_one_s_own_goes_before_the_plan_s():
    settings = Settings(detector=corner, aidetector_plan="pro", aidetector_limit=Limit(1, 60))
    with running(settings) as origin, httpx2.Client(base_url=origin, trust_env=False) as client:
        told = [client.get("/v1/usage", headers=AIDETECTOR) for _ in range(2)]
    assert [answer.status_code for answer in told] == [200, 429]
    assert [answer.headers["X-RateLimit-Limit"] for answer in told] == ["1", "1"]


def test_the_pro_plan_tells_its_rate():
    settings = Settings(detector=corner, aidetector_plan="pro")
    with running(settings) as origin, httpx2.Client(base_url=origin, trust_env=False) as client:
        told = client.get("/v1/usage", headers=AIDETECTOR)
    limit, left = (told.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining"))
    assert (limit, left) == ("200", "200")


def test_a_token_that_expires_between_two_requests():
    clock = [1_800_000_000_000_000_000]
    with client_of(token_life_s=60, clock=lambda: clock[0]) as client:
        assert client.get("/v3/scans/credits").status_code == 200
        clock[0] += 61_000_000_000
        assert client.get("/v3/scans/credits").status_code == 401
