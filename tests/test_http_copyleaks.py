"""The clients of Copyleaks over real sockets: what is sent, and what is made of the answers."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from copyleaks_client import BODY, GOOD, KEY, PHOTO, REAL_KEY, Connect, error_of, facades
from faults.server import Answer, Received, faulty
from hypothesis import given
from hypothesis import strategies as st

from runmask import Detection, Mask
from runmask.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    AuthError,
    ImageError,
    InputError,
    LimitError,
    MaskError,
    QuotaError,
    ResponseFormatError,
)
from runmask.http import Copyleaks
from runmask.http import copyleaks_wire as wire
from runmask.http.retry import Reply
from runmask.http.secret import Secret


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from facades(request.param)


# -- what is sent


def parts(received: Received) -> dict[str, Any]:
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + received.body)
    return {
        part.get_param("name", header="content-disposition"): part for part in message.iter_parts()
    }


def test_multipart_as_the_server_sees_it(connect: Connect) -> None:
    with faulty(GOOD) as server:
        found = connect(server).check(filename='a "b" é.png', scan_id="scan-1", sandbox=True)
    assert found.raw == BODY
    login, check = server.requests[0], server.requests[-1]
    assert login.method == b"POST"
    assert json.loads(login.body) == {"email": "a@example.org", "key": KEY}
    assert login.headers["content-type"] == "application/json"
    assert (check.method, check.target) == (b"POST", b"/v1/ai-image-detector/scan-1/check")
    assert check.headers["authorization"] == "Bearer token-0001"
    assert check.headers["accept-encoding"] == "gzip"
    sent = parts(check)
    assert set(sent) == {"image", "filename", "model", "sandbox"}
    boundary = b"--" + check.headers["content-type"].split("boundary=")[1].encode()
    image = next(part for part in check.body.split(boundary) if b'name="image"' in part)
    assert image.split(b"\r\n\r\n", 1)[1] == PHOTO + b"\r\n"
    assert sent["model"].get_content() == "ai-image-1-ultra"
    assert sent["sandbox"].get_content() == "true"
    assert 'a "b" é.png'.encode() in check.body


def test_base64_as_the_server_sees_it(connect: Connect) -> None:
    with faulty(GOOD) as server:
        connect(server).check(filename="a é.png", encoding="base64", model="m")
    check = server.requests[-1]
    assert check.headers["content-type"] == "application/json"
    assert json.loads(check.body) == {
        "base64": base64.b64encode(PHOTO).decode(),
        "filename": "a é.png",
        "model": "m",
        "sandbox": False,
    }


def test_paths_bytes_and_files(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "photo.bin").write_bytes(PHOTO)
    with faulty(GOOD, GOOD, GOOD) as server, open(tmp_path / "photo.bin", "rb") as file:
        client = connect(server)
        for image in (tmp_path / "photo.bin", PHOTO, file):
            client.check(image)
    assert all(PHOTO in check.body for check in server.requests[1:])
    assert b'filename="photo.bin"' in server.requests[1].body


def test_scan_ids(connect: Connect) -> None:
    with faulty(GOOD, GOOD, GOOD, GOOD) as server:
        client = connect(server)
        client.check(scan_id="a-b_c.1!@$&=();':,~")
        client.check()
        client.check()
        connect(server, strict_scan_id=False).check(
            scan_id="a?b/c%d#e".replace("?", "<").replace("#", "|")
        )
    targets = [r.target for r in server.requests if b"login" not in r.target]
    assert targets[0] == b"/v1/ai-image-detector/a-b_c.1%21%40%24%26%3D%28%29%3B%27%3A%2C~/check"
    assert targets[1] != targets[2]
    assert UUID(targets[1].split(b"/")[3].decode()).version == 4
    assert targets[3] == b"/v1/ai-image-detector/a%3Cb%2Fc%25d%7Ce/check"


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "scan_id", ["ab", "x" * 37, "Abc", "a b", "a?b", "a#b", "aé1", "a\n1", "a\\b", "", 123, b"abc"]
)
def test_scan_ids_that_cannot_be(strict: bool, scan_id: Any) -> None:
    with pytest.raises(InputError, match="scan_id") as caught:
        wire.check_scan_id(scan_id, strict=strict)
    assert caught.value.code == "scan_id"


@pytest.mark.parametrize("character", '^+%{}<>/"|`')
def test_the_wide_list_has_more(character: str) -> None:
    wire.check_scan_id(f"ab{character}", strict=False)
    with pytest.raises(InputError, match="position 2"):
        wire.check_scan_id(f"ab{character}", strict=True)


def test_nothing_is_sent_for_bad_input(connect: Connect, tmp_path: Path) -> None:
    with faulty() as server:
        client = connect(server)
        for bad in ({"image": b"no image", "preflight": True}, {"image": tmp_path / "none"}):
            with pytest.raises(ImageError):
                client.check(**bad)
        for bad in ({"scan_id": "A"}, {"encoding": "gzip"}, {"filename": "a/b"}, {"image": 3}):
            with pytest.raises(InputError):
                client.check(**bad)
    assert server.connections == 0


# -- what comes back


@pytest.mark.parametrize(
    ("name", "verdict", "area"),
    [
        ("03_copyleaks_check_200_partial_ai.json", "ai", 64),
        ("04_copyleaks_check_200_human.json", "human", 0),
        ("05_copyleaks_check_200_2025_full_ai.json", "ai", 640 * 640),
        ("copyleaks_check_edited_1800x1350.json", "ai", 2797),
    ],
)
def test_answers(connect: Connect, golden: Path, name: str, verdict: str, area: int) -> None:
    body = (golden / name).read_bytes()
    with faulty(Answer(body=body)) as server:
        found = connect(server).check()
    assert (found.raw, found.verdict) == (body, verdict)
    assert isinstance(found.mask, Mask)
    assert found.mask.area == area


def test_a_large_answer_is_read_beside_the_event_loop(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = []
    read_check = wire.read_check

    def noted(*args: Any) -> Any:
        readers.append(threading.current_thread())
        return read_check(*args)

    monkeypatch.setattr(wire, "read_check", noted)
    with faulty(GOOD, Answer(body=BODY + b" " * 2**20)) as server:
        client = connect(server)
        assert client.check().mask == client.check().mask
    here, there = readers
    assert here is threading.current_thread()
    assert (there is here) == (client.runner is None)


def test_a_bad_mask_costs_nothing_but_the_mask(connect: Connect) -> None:
    with faulty(Answer(body=BODY.replace(b"[2]", b"[99]"))) as server:
        found = connect(server).check()
    assert (found.verdict, found.score) == ("ai", 0.1)
    with pytest.raises(MaskError):
        _ = found.mask


def test_every_cut_of_an_answer_is_an_error(connect: Connect, golden: Path) -> None:
    body = (golden / "03_copyleaks_check_200_partial_ai.json").read_bytes()
    cuts = range(len(body))
    answers = [Answer(body=body[:cut], charge=True) for cut in cuts]
    with faulty(*answers) as server:
        client = connect(server)
        for cut in cuts:
            error = error_of(client, scan_id=f"cut-{cut}")
            assert type(error) is APIConnectionError
            assert (error.code, error.billed, error.attempts) == ("truncated", "unknown", 1)
            assert (error.status, error.body) == (200, body[:cut])
    assert server.charges == {f"cut-{cut}": 1 for cut in cuts}


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_connection_that_breaks_within_the_answer(connect: Connect, framing: Any) -> None:
    whole = len(Answer(body=BODY, framing=framing).raw())
    head = whole - len(BODY)
    with faulty(
        *(Answer(body=BODY, framing=framing, cut=cut) for cut in range(head, whole - 9, 17))
    ) as server:
        client = connect(server)
        for _ in range(head, whole - 9, 17):
            error = error_of(client)
            assert (type(error), error.code, error.billed) == (
                APIConnectionError,
                "truncated",
                "unknown",
            )
            assert BODY.startswith(error.body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"ok"', "not_an_object"),
        (b"<html>Sign in", "html"),
        (b'{"a": NaN}', "not_finite"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b"[" * 100_000, "too_deep"),
        (b'{"status": "fine"}', "missing_key"),
        (b'{"error": {"code": 1}}', "error_report"),
        (b"\xff", "encoding"),
        (b"\x1b[31m", "json_syntax"),
    ],
)
def test_a_success_that_is_none(connect: Connect, body: bytes, code: str) -> None:
    with faulty(Answer(body=body, headers=(("Content-Type", "text/x"),))) as server:
        error = error_of(connect(server), scan_id="abc")
    assert type(error) is APIResponseError
    assert isinstance(error, ResponseFormatError)
    assert (error.code, error.status, error.billed) == (code, 200, "unknown")
    assert (error.body, error.scan_id, error.attempts) == (body, "abc", 1)
    assert "text/x" in str(error)
    assert str(error).isprintable()


@given(st.data())
def test_damaged_answers_raise_nothing_but_our_errors(golden: Path, data: st.DataObject) -> None:
    body = bytearray((golden / "03_copyleaks_check_200_partial_ai.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.sampled_from(
                [b"", b"0", b"-", b"9" * 99, b"null", b'"', b"[", b"}", b"\\u0", b",", b"\xff"]
            )
        )
    for status in (200, 400, 500):
        reply = Reply(status=status, headers={}, body=bytes(body))
        found = wire.read_check(reply, (Secret(KEY),), 2**20)
        assert isinstance(found, (Detection, APIError))
        assert repr(found).isprintable()
        if isinstance(found, Detection):
            assert found.raw == body
            json.dumps(found.to_dict())
            with suppress(InputError):
                _ = found.mask


def test_too_large_an_answer_names_its_scan(connect: Connect) -> None:
    with faulty(Answer(body=BODY + b" " * 500)) as server:
        client = connect(server, max_response_bytes=500)
        with pytest.raises(LimitError) as caught:
            client.check(scan_id="abc")
    assert caught.value.__notes__ == ["scan_id: abc"]


# -- with the sandbox


def test_the_sandbox(golden: Path) -> None:
    sandbox = pytest.importorskip("runmask.sandbox")
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (640, 512), (200, 90, 9)).save(file, "JPEG")
    with sandbox.running() as origin:
        with Copyleaks("a@example.org", KEY, base_url=origin, login_url=origin) as client:
            before = client.credits()
            for encoding in ("multipart", "base64"):
                found = client.check(
                    file.getvalue(), encoding=encoding, scan_id=f"sbx-ai-{encoding}"
                )
                assert (found.verdict, found.score) == ("ai", 1.0)
                assert found.mask == Mask.full((512, 640))
            assert client.credits() == before - 2
            with pytest.raises(QuotaError):
                client.check(file.getvalue(), scan_id="sbx-err-13-a")
        with (
            Copyleaks("a@example.org", REAL_KEY, base_url=origin, login_url=origin) as client,
            pytest.raises(AuthError),
        ):
            client.login()
