"""The sandbox's accounts: login, credits, rates."""

import json
import logging
from datetime import datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import (
    CREDITS,
    KEY,
    LIVE_KEY,
    LOGIN,
    PNG,
    SECOND,
    Client,
    client_of,
    error_of,
    path_of,
    refused,
)

from runmask.sandbox import Limit, Settings, running
from runmask.sandbox.rates import Newest, Rate


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


# Login


def test_login(client):
    response = client.post(LOGIN, json={"email": "someone@example.org", "key": KEY})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", ".issued", ".expires"}
    life = datetime.fromisoformat(body[".expires"]) - datetime.fromisoformat(body[".issued"])
    assert abs(life.total_seconds() - 48 * 3600) <= 2e-6
    assert body[".expires"].endswith("Z")


def test_live_keys_are_refused_and_neither_echoed_nor_logged(client, caplog):
    caplog.set_level(logging.DEBUG)
    response = client.post(LOGIN, json={"email": "a@b.c", "key": LIVE_KEY})
    assert refused(response, 401, 2)
    assert error_of(response)["type"] == "authentication_error"
    assert "key refused" in error_of(response)["message"]
    assert LIVE_KEY not in response.text + str(response.headers)
    assert f"POST {LOGIN} 401" in caplog.text
    assert LIVE_KEY not in caplog.text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"key": KEY}, "email"),
        ({"email": "", "key": KEY}, "email"),
        ({"email": "nobody", "key": KEY}, "email"),
        ({"email": 5, "key": KEY}, "email"),
        ({"email": "a@b"}, "key"),
        ({"email": "a@b", "key": None}, "key"),
        ([KEY], "body"),
    ],
)
def test_login_needs_its_fields(client, body, param):
    assert refused(client.post(LOGIN, json=body), 400, 1, param)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"\xff\xfe{", b'{"a":' + b"9" * 5000])
def test_login_with_a_body_that_is_no_json(client, body):
    response = client.post(LOGIN, content=body, headers={"Content-Type": "application/json"})
    assert refused(response, 400, 1, "body")


def test_login_limits_its_body_and_its_type(client):
    big = json.dumps({"email": "a@b", "key": "x" * 70_000})
    json_type = {"Content-Type": "application/json"}
    assert refused(client.post(LOGIN, content=big, headers=json_type), 413, 6)
    assert refused(client.post(LOGIN, data={"email": "a@b"}), 415, 1, "Content-Type")


def test_login_rate():
    now = [SECOND]
    with running(Settings(login_limit=Limit(2, 900), clock=lambda: now[0])) as origin:
        body = {"email": "a@b.c", "key": KEY}
        asked = [httpx2.post(origin + LOGIN, json=body, trust_env=False) for _ in range(3)]
        assert [r.status_code for r in asked] == [200, 200, 429]
        assert error_of(asked[2])["type"] == "api_error"
        assert asked[2].headers["Retry-After"] == "900"
        now[0] += 900 * SECOND
        assert httpx2.post(origin + LOGIN, json=body, trust_env=False).status_code == 200


# Bearer and credits


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer nonsense", "Basic abc", "Bearer \xe9"])
def test_a_wrong_bearer_gets_a_problem_object(client, bearer):
    headers = {"Authorization": bearer.encode("latin-1")}
    for response in (
        client.get(CREDITS, headers=headers),
        client.post(path_of("abc"), headers=headers, content=b"x"),
    ):
        assert response.status_code == 401
        assert response.headers["Content-Type"] == "application/problem+json"
        body = response.json()
        assert set(body) == {"type", "title", "status", "traceId"}
        assert body["type"].endswith("rfc9110#section-15.5.2")
        assert body["status"] == 401


def test_a_token_ends_with_its_life():
    now = [SECOND]
    with client_of(token_life_s=60, clock=lambda: now[0]) as client:
        assert client.get(CREDITS).status_code == 200
        now[0] += 60 * SECOND
        assert client.get(CREDITS).status_code == 200
        now[0] += SECOND
        assert client.get(CREDITS).status_code == 401
        assert client.check("abc", PNG).status_code == 401


def test_credits_are_counted_and_run_out():
    with client_of(credits=2) as client:
        assert client.amount == 2
        free = client.check("free", PNG, sandbox="true").json()["scannedDocument"]
        assert (free["actualCredits"], free["expectedCredits"], client.amount) == (0, 1, 2)
        paid = client.check("paid", PNG).json()["scannedDocument"]
        assert (paid["actualCredits"], paid["expectedCredits"], client.amount) == (1, 1, 1)
        assert refused(client.check("bad", b"no image"), 400, 10)
        assert client.amount == 1
        assert client.check("last", PNG).status_code == 200
        response = client.check("none", PNG)
        assert refused(response, 402, 13)
        assert error_of(response)["type"] == "payment_error"
        assert client.check("free-2", PNG, sandbox="true").status_code == 200
        assert client.amount == 0
        with Client(str(client.base_url), email="other@example.org") as other:
            assert other.amount == 2


# Rates


def test_check_and_credit_rates():
    now = [SECOND]
    limits = {"check_limit": Limit(2, 10), "other_limit": Limit(1, 1)}
    with client_of(clock=lambda: now[0], **limits) as client:
        statuses = [client.check("sbx-ai-1", PNG).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        now[0] += 4 * SECOND
        assert client.check("sbx-ai-1", PNG).headers["Retry-After"] == "6"
        now[0] += 6 * SECOND
        assert client.check("sbx-ai-1", PNG).status_code == 200
        assert [client.get(CREDITS).status_code for _ in range(2)] == [200, 429]


def test_rate_answers_without_retry_after():
    with client_of(other_limit=Limit(1, 60), retry_after=False) as client:
        client.get(CREDITS)
        response = client.get(CREDITS)
        assert response.status_code == 429
        assert "Retry-After" not in response.headers


@given(st.integers(1, 4), st.integers(1, 5), st.lists(st.integers(0, 3), max_size=30))
def test_no_stretch_of_time_has_more_than_the_limit(count, seconds, steps):
    rate, now, admitted = Rate(Limit(count, seconds)), 0, []
    for step in steps:
        now += step * SECOND // 2
        wait = rate.wait_s("someone", now)
        recent = [at for at in admitted if at > now - seconds * SECOND]
        assert (wait == 0) == (len(recent) < count)
        if wait == 0:
            admitted.append(now)
        else:
            assert (wait - 1) * SECOND < recent[0] + seconds * SECOND - now <= wait * SECOND


def test_the_newest_entries_are_kept():
    newest = Newest(3)
    for number in range(5):
        assert newest.setdefault(number, number) == number
    newest[9] = 9
    assert list(newest) == [3, 4, 9]
