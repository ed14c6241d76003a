"""Webhooks: who is believed, and what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hooks import BATCH, GOLDEN_BATCH, GOLDEN_FAILURE, GOLDEN_SCAN, OLD, SCAN, SECRET, signed
from hypothesis import given
from hypothesis import strategies as st

from runmask.errors import InputError, ResponseFormatError, SignatureError
from runmask.http import webhooks
from runmask.http.webhooks import AIDetectorWebhook, CopyleaksWebhook, SightengineWebhook

# -- who is believed


def test_the_fixture_of_aidetector() -> None:
    AIDetectorWebhook(SECRET).verify(GOLDEN_BATCH, {"X-Signature": BATCH})
    AIDetectorWebhook([SECRET, OLD]).verify(GOLDEN_BATCH, {"x-signature": BATCH.upper()})
    AIDetectorWebhook([OLD, SECRET]).verify(GOLDEN_BATCH, {"X-SIGNATURE": f"sha256={BATCH}"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Signature": ""},
        {"X-Signature": BATCH[:-1]},
        {"X-Signature": BATCH + "0"},
        {"X-Signature": BATCH[:-1] + "é"},
        {"X-Signature": BATCH[:-1] + "\u0665"},
        {"X-Signature": f"{BATCH},{BATCH}"},
        {"X-Signature": f"sha512={BATCH}"},
        {"X-Signature": f"sha256=sha256={BATCH}"},
        {"X-Signature": "0" * 64},
        {"X-Signature": "x" * 10**6},
    ],
)
def test_whatever_else_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        AIDetectorWebhook(SECRET).verify(GOLDEN_BATCH, headers)


def test_a_body_that_was_written_anew_is_refused() -> None:
    anew = json.dumps(json.loads(GOLDEN_BATCH)).encode()
    assert anew != GOLDEN_BATCH
    with pytest.raises(SignatureError) as caught:
        AIDetectorWebhook(SECRET).verify(anew, {"X-Signature": BATCH})
    assert "raw bytes" in caught.value.__notes__[0]


def test_a_secret_that_was_taken_away_is_refused() -> None:
    with pytest.raises(SignatureError):
        AIDetectorWebhook(OLD).verify(GOLDEN_BATCH, {"X-Signature": BATCH})


def test_the_fixture_of_sightengine(golden: Path) -> None:
    body = (golden / "sightengine" / "17_sightengine_genai_200.json").read_bytes()
    stamp = "d823e806bb3aadd43be9633fc58d0b569057fe87ae99ed348f2a4bc0f4060b9d"
    now = 1763712001
    sender = SightengineWebhook("casec_fixture_only", clock=lambda: now + 100)
    name = "Sightengine-Signature"
    sender.verify(body, {name: f"t={now},v1={stamp}"})
    sender.verify(body, {name: f"v0=ab, v1={'0' * 64}, t={now}, v1={stamp}"})
    for bad in (
        *("", f"v1={stamp}", f"t={now}", f"t=,v1={stamp}", f"t={now},t={now},v1={stamp}"),
        *(f"t={now + 1},v1={stamp}", f"t={now},v0={stamp}", f"t={now},v1={stamp[:-1]}"),
        *(f"t={now}.0,v1={stamp}", "t=\u0661,v1=" + stamp),
    ):
        with pytest.raises(SignatureError):
            sender.verify(body, {name: bad})
    for later in (now + 301, now - 301):
        old = SightengineWebhook("casec_fixture_only", clock=lambda later=later: later)
        with pytest.raises(SignatureError) as caught:
            old.verify(body, {name: f"t={now},v1={stamp}"})
        assert caught.value.code == "signature_age"


@given(st.binary(max_size=300), st.text(max_size=80))
def test_no_signature_but_the_right_one(body: bytes, claimed: str) -> None:
    sender = AIDetectorWebhook(SECRET)
    sender.verify(body, {"X-Signature": signed(body)})
    if claimed.lower() != signed(body):
        with pytest.raises(SignatureError):
            sender.verify(body, {"X-Signature": claimed})


def test_copyleaks_addresses_and_payloads() -> None:
    ours = CopyleaksWebhook("https://hooks.example.org/c/", [SECRET])
    address = ours.address("a/b")
    assert address.startswith("https://hooks.example.org/c/a%2Fb/")
    token = address.rpartition("/")[2]
    assert len(token) == 32
    rotated = CopyleaksWebhook("", [OLD, SECRET])
    for sender in (ours, rotated):
        sender.verify_address("a/b", token)
        assert sender.verify_payload("a/b", ours.payload("a/b", "order:1.2")) == "order:1.2"
        assert sender.verify_payload("a/b", ours.payload("a/b")) is None
    for scan_id, bad in (("a/c", token), ("a/b", token[:-1]), ("a/b", ""), ("a/b", "é" * 32)):
        with pytest.raises(SignatureError):
            ours.verify_address(scan_id, bad)
    other = CopyleaksWebhook("", OLD)
    for payload in (
        None,
        5,
        "",
        "order:1",
        "rm1." + token,
        other.payload("a/b"),
        ours.payload("a"),
    ):
        with pytest.raises(SignatureError):
            ours.verify_payload("a/b", payload)


@pytest.mark.parametrize("bad", [[], "has a space in it...", "with\nnewline.....", [SECRET, ""]])
@pytest.mark.parametrize("kind", [AIDetectorWebhook, SightengineWebhook])
def test_secrets_that_are_none(kind: type, bad: Any) -> None:
    with pytest.raises(InputError) as caught:
        kind(bad)
    assert SECRET not in str(caught.value)


def test_secrets_are_in_no_repr() -> None:
    for sender in (AIDetectorWebhook(SECRET), CopyleaksWebhook("https://a.example", SECRET)):
        assert SECRET not in repr(sender) + str(vars(sender))


# -- what they say


def test_what_a_scan_says() -> None:
    good = webhooks.read_copyleaks(GOLDEN_SCAN, SCAN)
    assert (good.kind, good.subject, good.ends, good.error) == ("scan.completed", SCAN, True, None)
    assert good.detection is not None
    assert good.detection.mask.area == 1024
    bad = webhooks.read_copyleaks(GOLDEN_FAILURE, SCAN)
    assert (bad.kind, bad.detection, bad.ends) == ("scan.failed", None, True)
    assert bad.error["id"] == "download_failed"
    for body in (b'{"error":[{"code":"13"}]}', b'{"status":"1","error":{"code":"13"}}'):
        assert webhooks.read_copyleaks(body, SCAN).error["code"] == "13"


def test_what_a_batch_says() -> None:
    found = webhooks.read_aidetector(GOLDEN_BATCH)
    assert (found.kind, found.subject, found.ends) == ("batch.completed", "job_77ab", True)
    assert [item.verdict for item in found.job.items] == ["ai", "human"]
    one = webhooks.read_aidetector(
        b'{"event":"detection.completed","data":{"verdict":"authentic","id":"det_1"}}'
    )
    assert (one.subject, one.detection.verdict, one.job) == ("det_1", "human", None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"a":NaN}', b"{}", b'{"event":5}', b'{"event":"a\\n"}']
)
def test_bodies_that_are_none(body: bytes) -> None:
    with pytest.raises(ResponseFormatError):
        webhooks.read_aidetector(body)
