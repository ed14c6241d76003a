"""The clients of Sightengine against a server that misbehaves, over real sockets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import Connect, connections, parts, texts
from faults.server import Answer, faulty

from runmask.errors import (
    APIError,
    AuthError,
    ImageError,
    InputError,
    LimitError,
    QuotaError,
    StatusError,
    UnsafeURLError,
)
from runmask.http import AsyncSightengine, Sightengine

USER, SECRET = "1234567890", "markerSecret0123456789"
PHOTO = b"\x00\x01 stands for a photo \r\n--x\r\n" * 30
URL = "https://images.example.org/a.jpg"
BODY = (
    b'{"status":"success","request":{"id":"req_1","operations":5},"type":{"ai_generated":0.01},'
    b'"media":{"id":"med_1","uri":"a.png"}}'
)
GOOD = Answer(body=BODY, charge=True)


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from connections(request.param, Sightengine, AsyncSightengine, USER, SECRET)


def check(client: Any, **options: Any) -> Any:
    return client.check(PHOTO, **({"preflight": False, "filename": "a.png"} | options))


def fixture(golden: Path, name: str) -> bytes:
    return (golden / "sightengine" / f"{name}.json").read_bytes()


def test_an_upload_as_the_server_sees_it(connect: Connect) -> None:
    with faulty(GOOD) as server:
        found = check(connect(server.origin + "/1.0"), models=["genai", "type"])
    [sent] = server.requests
    assert (sent.method, sent.target) == (b"POST", b"/1.0/check.json")
    assert texts(sent) == {"models": "genai,type", "api_user": USER, "api_secret": SECRET}
    name, image = parts(sent)[-1]
    assert (name, image.get_filename()) == ("media", "a.png")
    assert PHOTO in sent.body
    assert "authorization" not in sent.headers
    assert found.raw == BODY


def test_an_address_as_the_server_sees_it(connect: Connect) -> None:
    with faulty(GOOD) as server:
        connect(server.origin).check_url(URL + "?a=b&c")
    [sent] = server.requests
    assert (sent.method, sent.target) == (b"POST", b"/1.0/check.json")
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert f"url={URL.replace(':', '%3A').replace('/', '%2F')}%3Fa%3Db%26c".encode() in sent.body


def test_the_documented_answers(connect: Connect, golden: Path) -> None:
    one, several = (
        fixture(golden, name)
        for name in ("17_sightengine_genai_200", "18_sightengine_multi_model_200")
    )
    with faulty(Answer(body=one), Answer(body=several)) as server:
        client = connect(server.origin)
        found = check(client)
        more = check(client)
    assert (found.service, found.verdict, found.score, found.credits) == (
        *("sightengine", "ai", 0.99),
        5,
    )
    assert found.ids == {
        "request_id": "req_l7Ab3kQp9XvT2mNc5RwEz",
        "media_id": "med_l7AbzYt6LsW1oJfKd8GhU",
        "uri": "upload-0031.png",
    }
    assert (found.mask, found.attribution, found.extra) == (None, None, {})
    assert more.attribution["flux"] == 0.81
    assert more.extra == {"type": {"photo": 0.93, "illustration": 0.07, "deepfake": 0.001}}
    assert (more.raw, more.credits) == (several, 7)


def several(*uris: str, operations: int = 10) -> bytes:
    data = [
        {"type": {"ai_generated": 0.1 * (at + 1)}, "media": {"uri": uri}}
        for at, uri in enumerate(uris)
    ]
    request = {"id": "req_1", "operations": operations}
    return json.dumps({"status": "success", "request": request, "data": data}).encode()


def test_several_images_in_any_order(connect: Connect, tmp_path: Path) -> None:
    for name in ("x.png", "y.png"):
        (tmp_path / name).write_bytes(PHOTO)
    body = several("1-y.png", "0-x.png")
    with faulty(Answer(body=body, charge=True)) as server:
        batch = connect(server.origin).check_many(
            [tmp_path / "x.png", tmp_path / "y.png"], preflight=False
        )
    names = [(name, part.get_filename()) for name, part in parts(server.requests[0])[-2:]]
    assert names == [("media[]", "0-x.png"), ("media[]", "1-y.png")]
    assert batch.raw == body
    assert [each.score for each in batch] == [0.2, 0.1]
    assert [each.credits for each in batch] == [5, 5]


def test_an_image_without_an_answer(connect: Connect) -> None:
    with faulty(Answer(body=several("0-image"))) as server:
        first, second = connect(server.origin).check_many([PHOTO, PHOTO], preflight=False)
    assert first.score == 0.1
    assert isinstance(second, StatusError)
    assert second.billed == "unknown"


def test_too_many_images(connect: Connect) -> None:
    client = connect("http://127.0.0.1:9")
    for count in (0, 7):
        with pytest.raises(InputError, match="1 to 6"):
            client.check_many([PHOTO] * count)
    with pytest.raises(LimitError, match="24,000,000"):
        client.check_many([_png(10_000_000)] * 3)


def _png(size: int) -> bytes:
    import struct

    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 9, 9) + bytes(9)
    return head + struct.pack(">I", size) + b"IDAT" + bytes(size + 4) + b"\0\0\0\0IEND" + bytes(4)


# -- refusals


def failure(kind: str | None, code: int | None = None, message: str = "no") -> bytes:
    error = {"type": kind, "code": code, "message": message}
    request = {"id": "req_f", "operations": 0}
    return json.dumps({"status": "failure", "request": request, "error": error}).encode()


def test_the_documented_failures(connect: Connect, golden: Path) -> None:
    with faulty(
        Answer(status=401, body=fixture(golden, "19_sightengine_failure_credentials")),
        Answer(status=429, body=fixture(golden, "20_sightengine_failure_usage_limit")),
    ) as server:
        client = connect(server.origin)
        with pytest.raises(AuthError):
            check(client)
        with pytest.raises(QuotaError, match="cap for today"):
            check(client)
    assert len(server.requests) == 2


def test_what_costs_nothing_is_sent_again(connect: Connect) -> None:
    with faulty(
        Answer(status=429, headers=(("Retry-After", "0"),)),
        Answer(status=500, body=failure("api_error")),
        Answer(body=failure("unknown_error")),
        GOOD,
    ) as server:
        assert check(connect(server.origin)).score == 0.01
    assert server.charges.total() == 1


@pytest.mark.parametrize(
    ("body", "name", "path"),
    [
        (b'{"status":"success","type":{"ai_generated":1.5}}', "score", "type.ai_generated"),
        (b'{"status":"success","type":{"ai_generated":"x"}}', "verdict", "type.ai_generated"),
        (b'{"status":"success","type":[]}', "score", "type"),
        (b'{"type":{"ai_generators":{"a":2}}}', "attribution", "type.ai_generators.a"),
        (b'{"type":{},"request":{"operations":"5"}}', "credits", "request.operations"),
    ],
)
def test_a_bad_figure_costs_only_itself(
    connect: Connect, body: bytes, name: str, path: str
) -> None:
    with faulty(Answer(body=body)) as server:
        found = check(connect(server.origin))
    assert found.raw == body
    with pytest.raises(InputError) as caught:
        getattr(found, name)
    assert caught.value.path == path


def test_an_answer_without_genai_has_no_verdict(connect: Connect) -> None:
    with faulty(Answer(body=b'{"status":"success","type":{"photo":0.9}}')) as server:
        found = check(connect(server.origin), models="type")
    assert (found.verdict, found.score, found.extra) == (None, None, {"type": {"photo": 0.9}})


# -- secrets


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=400, body=failure("argument_error", 3, f"{USER}:{SECRET}?")),
        Answer(status=401, body=f"<html>?api_secret={SECRET}&api_user={USER}".encode()),
        Answer(body=f'{{"status":"success","{SECRET}":1}}'.encode()),
        Answer(body=f"no JSON {SECRET}".encode()),
        Answer(status=302, headers=(("Location", f"https://x.example/?api_secret={SECRET}"),)),
        Answer(status=400, headers=(("X-Request-Id", SECRET),)),
        Answer(reset="all"),
        Answer(body=BODY, cut=-9),
    ],
)
def test_credentials_are_in_no_error_and_no_log(
    connect: Connect, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    import traceback

    caplog.set_level(logging.DEBUG)
    with faulty(answer) as server:
        client = connect(server.origin, retries=0)
        with pytest.raises(APIError) as caught:
            check(client)
    error = caught.value
    trace = error.__traceback__.tb_next  # without this test's own frame
    report = traceback.TracebackException(type(error), error, trace, capture_locals=True)
    # httpcore2 logs the headers that came; what is sent is in no record of anybody.
    logged = [text for text in caplog.messages if "receive_response_headers" not in text]
    shown = "".join([*report.format(), repr(vars(error)), *logged, repr(vars(client.client))])
    assert SECRET not in shown
    assert USER not in shown
    assert b"GET" not in server.requests[0].method if server.requests else True
    assert SECRET.encode() not in (server.requests[0].target if server.requests else b"")


def test_a_real_secret_stays_with_its_service() -> None:
    with pytest.raises(InputError) as caught:
        Sightengine(USER, SECRET, base_url="https://example.org")
    assert caught.value.code == "custom_host"
    Sightengine("0000", "sandbox", base_url="https://example.org").close()


@pytest.mark.parametrize("missing", ["SIGHTENGINE_API_USER", "SIGHTENGINE_API_SECRET"])
def test_credentials_from_the_environment(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("SIGHTENGINE_API_USER", USER)
    monkeypatch.setenv("SIGHTENGINE_API_SECRET", SECRET)
    Sightengine().close()
    monkeypatch.delenv(missing)
    with pytest.raises(InputError, match=missing):
        Sightengine()


# -- what is refused here


@pytest.mark.parametrize("models", [[], "", ["a,b"], ["genai", 5], ["a b"]])
def test_bad_models(connect: Connect, models: Any) -> None:
    with pytest.raises(InputError, match="models"):
        check(connect("http://127.0.0.1:9"), models=models)


def test_bad_images_and_addresses(connect: Connect) -> None:
    client = connect("http://127.0.0.1:9")
    with pytest.raises(ImageError, match="BMP"):
        client.check(b"BM" + bytes(60))
    with pytest.raises(LimitError, match="12,000,000"):
        client.check(bytes(12_000_001))
    with pytest.raises(UnsafeURLError):
        client.check_url("http://10.0.0.1/a")
