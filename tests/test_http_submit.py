"""Copyleaks' asynchronous submissions, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import Connect, connections
from faults.server import Answer, faulty

from runmask.errors import (
    APIError,
    AuthError,
    DuplicateScanError,
    ImageUnfetchableError,
    InputError,
    InvalidRequestError,
    QuotaError,
    UnsafeURLError,
)
from runmask.http import AsyncCopyleaks, Copyleaks
from runmask.http.webhooks import CopyleaksWebhook

KEY = "00000000-0000-0000-0000-000000000000"
URL = "https://images.example.org/u/4411.webp?sig=abc"
HOOK = "https://hooks.example.org/copyleaks/img/wh-9c1e"
ACCEPTED = Answer(status=201, body=b"{}", charge=True)


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    made = connections(request.param, Copyleaks, AsyncCopyleaks, "a@example.org", KEY)
    for connect in made:

        def with_login(origin: str, _connect: Connect = connect, **options: Any) -> Any:
            return _connect(origin, **({"login_url": origin} | options))

        yield with_login


def submit(client: Any, **options: Any) -> Any:
    return client.submit(URL, **({"webhook": HOOK, "scan_id": "img-4411"} | options))


def test_a_submission_as_the_page_shows_it(connect: Connect, golden: Path) -> None:
    expected = (golden / "copyleaks" / "09_copyleaks_async_submit_request.json").read_bytes()
    with faulty(ACCEPTED) as server:
        found = submit(
            connect(server.origin),
            mask_type="heatmap",
            headers={"X-Origin-Key": "k-123"},
            sandbox=True,
            developer_payload="order:4411;nonce:9c1e",
        )
    sent = server.requests[-1]
    assert (sent.method, sent.target) == (b"PUT", b"/v1/ai-image-detector-async/img-4411/submit")
    assert json.loads(sent.body) == json.loads(expected)
    assert sent.headers["authorization"] == "Bearer token-0001"
    assert (found.scan_id, found.raw) == ("img-4411", b"{}")
    assert found.developer_payload == "order:4411;nonce:9c1e"


def test_post_where_put_is_not_allowed(connect: Connect) -> None:
    with faulty(Answer(status=405, headers=(("Allow", "POST"),)), ACCEPTED, ACCEPTED) as server:
        client = connect(server.origin)
        submit(client)
        submit(client, scan_id="another")
    sent = [request for request in server.requests if b"submit" in request.target]
    assert [request.method for request in sent] == [b"PUT", b"POST", b"POST"]
    assert server.charges == {"img-4411": 1, "another": 1}


def test_neither_put_nor_post(connect: Connect) -> None:
    with faulty(*[Answer(status=405)] * 5) as server, pytest.raises(APIError) as caught:
        submit(connect(server.origin))
    assert (caught.value.status, caught.value.billed) == (405, "no")
    assert [r.method for r in server.requests if b"submit" in r.target] == [b"PUT", b"POST"]


def test_an_address_and_a_payload_that_nobody_can_guess(connect: Connect) -> None:
    ours = CopyleaksWebhook(
        "https://hooks.example.org/c", "a secret of some length".replace(" ", "-")
    )
    with faulty(ACCEPTED, ACCEPTED) as server:
        client = connect(server.origin)
        found = submit(client, webhook=ours, developer_payload="order:1")
        assert submit(client, webhook=ours, scan_id=None).scan_id != "img-4411"
    sent = json.loads(server.requests[1].body)
    scan_id, token = sent["webhooks"]["url"].rsplit("/", 2)[1:]
    ours.verify_address(scan_id, token)
    assert ours.verify_payload("img-4411", sent["developerPayload"]) == "order:1"
    assert found.developer_payload == sent["developerPayload"]


def test_the_longest_scan_id_and_payload_fit(connect: Connect) -> None:
    ours = CopyleaksWebhook("https://hooks.example.org/c", "a-secret-of-some-length")
    with faulty(ACCEPTED) as server:
        submit(connect(server.origin), webhook=ours, scan_id="x" * 36, developer_payload="y" * 475)
    assert len(json.loads(server.requests[-1].body)["developerPayload"]) == 512


@pytest.mark.parametrize(
    ("answer", "kind", "billed"),
    [
        (Answer(status=409), DuplicateScanError, "no"),
        (Answer(status=402), QuotaError, "no"),
        (Answer(status=400, body=b'{"error":{"code":1}}'), InvalidRequestError, "no"),
        (Answer(status=400, body=b'{"error":{"code":5}}'), ImageUnfetchableError, "no"),
        (Answer(status=500, charge=True), APIError, "unknown"),
        (Answer(reset="all", charge=True), APIError, "unknown"),
        (Answer(status=201, body=b"{}", cut=-1, charge=True), APIError, "unknown"),
    ],
)
def test_submissions_that_fail(connect: Connect, answer: Answer, kind: type, billed: str) -> None:
    with faulty(answer, ACCEPTED) as server, pytest.raises(kind) as caught:
        submit(connect(server.origin))
    assert (caught.value.billed, caught.value.scan_id) == (billed, "img-4411")
    assert server.charges.total() <= 1
    assert sum(b"submit" in request.target for request in server.requests) <= 1


def test_a_token_that_ended_is_renewed_once(connect: Connect) -> None:
    with faulty(Answer(status=401), ACCEPTED, Answer(status=401), Answer(status=401)) as server:
        client = connect(server.origin)
        submit(client)
        with pytest.raises(AuthError):
            submit(client)
    assert server.logins == 3
    assert server.charges.total() == 1


@pytest.mark.parametrize(
    ("url", "options", "match"),
    [
        ("https://images.example.org/u/4411", {}, "filename"),
        ("https://images.example.org/a.gif", {}, "filename"),
        (URL, {"scan_id": "A"}, "scan_id"),
        (URL, {"developer_payload": "x" * 513}, "developer_payload"),
        (URL, {"headers": {"X": "a\r\nb"}}, "headers"),
        (URL, {"headers": {"X:": "a"}}, "headers"),
        (URL, {"headers": {"X": 5}}, "headers"),
    ],
)
def test_bad_submissions(connect: Connect, url: str, options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        connect("http://127.0.0.1:9").submit(url, **({"webhook": HOOK} | options))


def test_unsafe_submissions() -> None:
    with Copyleaks("a@example.org", KEY) as client:
        for url, hook in (("http://127.0.0.1/a.png", HOOK), (URL, "http://localhost/x")):
            with pytest.raises(UnsafeURLError):
                client.submit(url, webhook=hook)
