"""The sandbox's scan ids: which there are, what some mean, and the same one again."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sandbox_client import PNG, Client, client_of, encode, error_of, picture, refused

from runmask.mask import Mask
from runmask.sandbox import NOTICE


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


# Scan ids


@pytest.mark.parametrize(
    "scan_id",
    [
        "abc",
        "0" * 36,
        "a?b"[0] + '/%"<>^{}|`~c',
        "100%25",
        "!@$^&-+%=_(){}<>';:/.\",~`|",
        "../../etc",
    ],
)
def test_scan_ids_are_one_segment_decoded_once(client, scan_id):
    body = client.check(scan_id, PNG, sandbox="true").json()
    assert body["scannedDocument"]["scanId"] == scan_id


@pytest.mark.parametrize(
    "scan_id",
    ["ab", "a" * 37, "ABC", "a b", "café", "a#b", "a?b", "a*b", "a\\b", "a\nb"[:1] + "\tb"],
)
def test_scan_ids_that_are_refused(client, scan_id):
    assert refused(client.check(scan_id, PNG), 400, 1, "scanId")


# Magic scan ids


def test_magic_results(client):
    whole = client.check("sbx-ai-x", PNG).json()
    assert whole["result"] == {"starts": [0], "lengths": [512 * 640]}
    assert whole["summary"] == {"human": 0.0, "ai": 1.0}
    none = client.check("sbx-human-x", PNG).json()
    assert none["result"] == {"starts": [], "lengths": []}
    assert none["isAiDetected"] is False
    part = client.check("sbx-partial-x", PNG).json()
    expected = np.zeros((512, 640), bool)
    expected[128:256, 160:320] = True
    mask = Mask(part["result"]["starts"], part["result"]["lengths"], (512, 640))
    assert np.array_equal(mask.to_array().astype(bool), expected)
    assert part["isAiDetected"] is True
    assert {body["sandbox"]["notice"] for body in (whole, none, part)} == {NOTICE}


@pytest.mark.parametrize("code", [*range(1, 18), 19, 20, 21, 22, 24])
def test_magic_codes(client, code):
    response = client.check(f"sbx-err-{code}-x", PNG)
    error = error_of(response)
    assert error["code"] == code
    kinds = {
        2: "authentication_error",
        13: "payment_error",
        16: "api_error",
        6: "invalid_request_error",
    }
    assert error["type"] == kinds.get(code, error["type"])
    statuses = {1: 400, 2: 401, 6: 413, 8: 400, 10: 400, 13: 402, 14: 400, 15: 400, 24: 400}
    assert response.status_code == statuses.get(code, response.status_code) >= 400


@pytest.mark.parametrize("status", [401, 402, 409, 413, 415, 429, 500, 502, 503])
def test_magic_statuses(client, status):
    before = client.amount
    response = client.check(f"sbx-err-http{status}-x", PNG)
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status in (429, 503))
    assert response.headers["X-Runmask-Sandbox"] == NOTICE
    if status == 502:
        assert response.text.startswith("<html>")
    if status == 429:
        assert (error_of(response)["type"], error_of(response)["code"]) == ("api_error", 9)
    assert client.amount == before


@pytest.mark.parametrize("scan_id", ["sbx-err-18-x", "sbx-err-25", "sbx-err-http418-x"])
def test_errors_that_do_not_exist(client, scan_id):
    assert refused(client.check(scan_id, PNG), 400, 1, "scanId")


def test_magic_errors_without_retry_after():
    with client_of(retry_after=False) as client:
        for status in (429, 503):
            assert "Retry-After" not in client.check(f"sbx-err-http{status}", PNG).headers


# The same scan id again


def test_replay_repeats_the_answer_and_charges_once():
    with client_of(credits=10) as client:
        first, second = client.check("again", PNG), client.check_json("again", PNG)
        assert first.content == second.content
        assert client.amount == 9
        assert refused(client.check("again", encode(picture(seed=4))), 409, 1, "scanId")
        assert client.amount == 9
        with Client(str(client.base_url), email="other@example.org") as other:
            assert other.check("again", encode(picture(seed=4))).status_code == 200


def test_conflict_refuses_any_second_use():
    with client_of(duplicate_policy="conflict") as client:
        assert refused(client.check("again", b"no image"), 400, 10)
        assert client.check("again", PNG).status_code == 200
        assert refused(client.check("again", PNG), 409, 1, "scanId")


def test_ignore_scans_and_charges_again():
    with client_of(duplicate_policy="ignore", credits=10) as client:
        assert client.check("again", PNG).status_code == 200
        assert client.check("again", encode(picture(seed=4))).status_code == 200
        assert client.amount == 8


def test_the_same_scan_id_at_the_same_time_is_charged_once():
    with client_of(credits=10) as client, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.check("twin", PNG), range(4)))
        assert len({answer.content for answer in answers}) == 1
        assert client.amount == 9
