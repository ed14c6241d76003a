"""The clients of Copyleaks against a server that misbehaves, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import email.parser
import email.policy
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from faults.server import Answer, FaultServer, Received, faulty, login_answer
from hypothesis import given
from hypothesis import strategies as st

from runmask import Detection, Mask
from runmask.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APITimeoutError,
    AuthError,
    DuplicateScanError,
    ImageError,
    ImageTooLargeError,
    InputError,
    InvalidRequestError,
    LimitError,
    MaskError,
    QuotaError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    StatusError,
    UnavailableError,
)
from runmask.http import AsyncCopyleaks, Copyleaks
from runmask.http import copyleaks_wire as wire
from runmask.http.retry import Reply
from runmask.http.secret import Secret

KEY = "00000000-0000-0000-0000-000000000000"
REAL_KEY = "12345678-1234-1234-1234-123456789abc"
PHOTO = b"\x00\x01 stands for a photo \r\n--x\r\n" * 30
BODY = (
    b'{"isAiDetected":true,"result":{"starts":[3],"lengths":[2]},"summary":{"ai":0.1,"human":0.9},'
    b'"imageInfo":{"shape":{"height":4,"width":5}},"scannedDocument":{"scanId":"abc"}}'
)
GOOD = Answer(body=BODY, charge=True)


class Facade:
    """Either client, called without awaiting."""

    def __init__(self, kind: str, *arguments: Any, **options: Any) -> None:
        self.runner = asyncio.Runner() if kind == "loop" else None
        chosen = AsyncCopyleaks if self.runner else Copyleaks
        self.client = chosen(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if self.runner is None:
            return method
        return lambda *args, **kwargs: self.runner.run(method(*args, **kwargs))

    def check(self, image: Any = PHOTO, **options: Any) -> Detection:
        return self.__getattr__("check")(image, **({"preflight": False} | options))


Connect = Callable[..., Facade]


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    made: list[Facade] = []

    def connect(server: FaultServer, **options: Any) -> Facade:
        options = {
            "base_url": server.origin,
            "login_url": server.origin,
            "backoff": 0.001,
        } | options
        made.append(Facade(request.param, "a@example.org", options.pop("key", KEY), **options))
        return made[-1]

    yield connect
    for client in made:
        client.close()
        if client.runner:
            client.runner.close()


def error_of(client: Facade, **options: Any) -> APIError:
    with pytest.raises(APIError) as caught:
        client.check(**options)
    return caught.value


def refusal(name: str, golden: Path, status: int) -> Answer:
    return Answer(status=status, body=(golden / "copyleaks" / f"{name}.json").read_bytes())


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


# -- refusals


def shape_a(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "code", "billed", "retryable"),
    [
        (Answer(status=400, body=b"{}"), InvalidRequestError, None, "no", False),
        (Answer(status=403), InvalidRequestError, None, "no", False),
        (Answer(status=404, body=b"<html>"), InvalidRequestError, None, "no", False),
        (Answer(status=422, body=b"\xff"), InvalidRequestError, None, "no", False),
        (Answer(status=402), QuotaError, None, "no", False),
        (
            Answer(status=400, body=shape_a(type="payment_error", code=13)),
            QuotaError,
            13,
            "no",
            False,
        ),
        (
            Answer(status=403, body=shape_a(type="authentication_error", code="4")),
            AuthError,
            4,
            "no",
            False,
        ),
        (Answer(status=409), DuplicateScanError, None, "no", False),
        (Answer(status=413), ImageTooLargeError, None, "no", False),
        (Answer(status=400, body=shape_a(code=6)), ImageTooLargeError, 6, "no", False),
        (Answer(status=400, body=b'{"error":[{"code":"6"}]}'), ImageTooLargeError, 6, "no", False),
        (Answer(status=400, body=shape_a(type="api_error", code=16)), ServerError, 16, "no", False),
        (Answer(status=408), InvalidRequestError, None, "no", True),
        (Answer(status=425), InvalidRequestError, None, "no", True),
        (
            Answer(status=429, body=shape_a(type="api_error", code=9)),
            RateLimitedError,
            9,
            "no",
            True,
        ),
        (Answer(status=503), UnavailableError, None, "unknown", True),
        (
            Answer(status=503, headers=(("Retry-After", "soon"),)),
            UnavailableError,
            None,
            "unknown",
            True,
        ),
        (Answer(status=503, headers=(("Retry-After", "9"),)), UnavailableError, None, "no", True),
        (Answer(status=500), ServerError, None, "unknown", True),
        (Answer(status=502, body=b"<html>"), ServerError, None, "unknown", True),
        (Answer(status=504), ServerError, None, "unknown", True),
        (Answer(status=501), ServerError, None, "unknown", False),
        (
            Answer(status=307, headers=(("Location", "https://x.example/a"),)),
            StatusError,
            None,
            "no",
            False,
        ),
    ],
)
def test_refusals(
    connect: Connect, answer: Answer, kind: type, code: int, billed: str, retryable: bool
) -> None:
    with faulty(answer) as server:
        error = error_of(connect(server, retries=0), scan_id="abc")
    assert type(error) is kind
    assert (error.status, error.service_code) == (answer.status, code)
    assert (error.billed, error.retryable) == (billed, retryable)
    assert (error.body, error.attempts, error.scan_id) == (answer.body, 1, "abc")
    assert str(answer.status) in str(error)


def test_the_documented_refusals(connect: Connect, golden: Path) -> None:
    with faulty(
        refusal("06_copyleaks_check_400_too_small", golden, 400),
        refusal("08_copyleaks_402_no_credits", golden, 402),
    ) as server:
        client = connect(server)
        error = error_of(client)
        assert isinstance(error, InvalidRequestError)
        assert error.details == (("image", "320x240 is under the 512x512 minimum"),)
        assert "320x240" in str(error)
        error = error_of(client)
        assert (type(error), error.service_code) == (QuotaError, 13)


def test_the_older_shape(connect: Connect) -> None:
    answer = Answer(
        status=400,
        headers=(("Copyleaks-Error-Code", "10"), ("X-Request-Id", "r-\x851")),
        body=b'{"Message": "\\u001b[31mno"}',
    )
    with faulty(answer) as server:
        error = error_of(connect(server))
    assert (error.service_code, error.request_id) == (10, "r-\\x851")
    assert str(error).isprintable()
    assert "\\x1b[31mno" in str(error)


def test_a_redirect_names_its_origin_only(connect: Connect) -> None:
    location = (("Location", "https://x.example/path?token=1"),)
    with faulty(Answer(status=302, headers=location)) as server:
        error = error_of(connect(server))
    assert "https://x.example," in str(error)
    assert "token" not in str(error)


@pytest.mark.parametrize(
    ("status", "location", "words"),
    [
        (302, "http://[", "no valid address"),
        (302, "/login?token=1", "another path"),
        (302, None, "302, neither an answer"),
        (304, None, "304, neither an answer"),
        (399, "", "another path"),
        (307, "//x.example/token", "a redirect to x.example,"),
        (307, "https://" + "x" * 9000 + "/token", "a redirect to https://xxx"),
    ],
)
def test_odd_redirects(status: int, location: str | None, words: str) -> None:
    headers = {} if location is None else {"location": location}
    reply = Reply(status=status, headers=headers, body=b"")
    error = wire.refusal(reply, "check", ())
    assert type(error) is StatusError
    assert words in str(error)
    assert "token" not in str(error)
    assert len(str(error)) < 300


def test_long_and_odd_error_bodies(connect: Connect) -> None:
    odd = [
        shape_a(message="x" * 10**6, type=["a"], id={"b": 1}, details=[1, {"param": 3}]),
        b'{"error": "text"}',
        b'{"error": null, "Message": {"x": 1}}',
        b"x" * (2**20 + 1),
    ]
    with faulty(*(Answer(status=400, body=body) for body in odd)) as server:
        client = connect(server)
        for body in odd:
            error = error_of(client)
            assert type(error) is InvalidRequestError
            assert len(str(error)) <= 500
            assert error.body == body[: 2**20]


# -- sending again


SAFE = [
    Answer(status=429),
    Answer(status=429, headers=(("Retry-After", "0"),)),
    Answer(status=503, headers=(("Retry-After", "0"),)),
    Answer(status=408),
    Answer(status=425),
]
AMBIGUOUS = [
    Answer(reset="headers"),
    Answer(reset="all", charge=True),
    Answer(status=500, charge=True),
    Answer(status=502, charge=True),
    Answer(status=503, charge=True),
    Answer(status=504, charge=True),
    Answer(body=BODY, cut=150, charge=True),
    Answer(body=BODY, declared=999, charge=True),
    Answer(delay_s=9, charge=True),
]


@pytest.mark.parametrize("answer", SAFE)
def test_safe_failures_are_resent_with_the_same_id(connect: Connect, answer: Answer) -> None:
    with faulty(answer, answer, GOOD) as server:
        connect(server).check()
    checks = [r for r in server.requests if b"login" not in r.target]
    assert len(checks) == 3
    assert len({check.target for check in checks}) == 1
    assert list(server.charges.values()) == [1]
    assert server.logins == 1


@pytest.mark.parametrize("answer", AMBIGUOUS)
def test_nothing_is_charged_twice(connect: Connect, answer: Answer) -> None:
    with faulty(answer, GOOD) as server:
        error = error_of(connect(server, read_timeout=0.2), scan_id="abc")
    assert (error.billed, error.attempts, error.scan_id) == ("unknown", 1, "abc")
    assert error.retryable
    assert server.charges["abc"] == int(answer.charge)


@pytest.mark.parametrize("answer", AMBIGUOUS)
def test_unless_resending_was_asked_for(connect: Connect, answer: Answer) -> None:
    with faulty(answer, GOOD) as server:
        client = connect(server, read_timeout=0.2, resend_ambiguous=True)
        assert client.check(scan_id="abc").raw == BODY
    assert server.charges["abc"] == int(answer.charge) + 1


def test_a_taken_id_after_doubt_is_still_doubt(connect: Connect) -> None:
    with faulty(Answer(status=500), Answer(status=409)) as server:
        error = error_of(connect(server, resend_ambiguous=True))
    assert (type(error), error.billed, error.attempts) == (DuplicateScanError, "unknown", 2)


def test_retries_end(connect: Connect) -> None:
    with faulty(*[Answer(status=429)] * 9) as server:
        client = connect(server, retries=2)
        error = error_of(client)
        assert (type(error), error.attempts) == (RateLimitedError, 3)


def test_a_long_wait_is_raised(connect: Connect) -> None:
    with faulty(Answer(status=429, headers=(("Retry-After", "3600"),))) as server:
        error = error_of(connect(server))
    assert isinstance(error, RateLimitedError)
    assert (error.retry_after, error.attempts) == (3600.0, 1)


def test_a_storm_is_ended_by_the_budget(connect: Connect) -> None:
    with faulty(*[Answer(status=429)] * 99) as server:
        client = connect(server)
        attempts = [error_of(client).attempts for _ in range(9)]
    assert sum(attempts) == 9 + 10
    assert attempts[-1] == 1


def test_the_time_of_the_call_covers_all_of_it(connect: Connect) -> None:
    begun = time.monotonic()
    with faulty(*[Answer(delay_s=0.3, status=429)] * 9) as server:
        error = error_of(connect(server, total_timeout=0.5))
    assert isinstance(error, (APITimeoutError, RateLimitedError))
    assert time.monotonic() - begun < 5


def test_a_dead_service(connect: Connect) -> None:
    with faulty() as server:
        pass
    error = error_of(connect(server))
    assert (type(error), error.billed, error.attempts) == (APIConnectionError, "no", 4)


# -- the token


def test_one_login_for_many_calls(connect: Connect) -> None:
    with faulty(GOOD, GOOD, Answer(body=b'{"Amount": 7}')) as server:
        client = connect(server)
        client.login()
        client.login()
        client.check()
        client.check()
        assert client.credits() == 7
    assert server.logins == 1
    assert server.requests[-1].target == b"/v3/scans/credits"


@pytest.mark.parametrize("body", [b"{}", b'{"Amount": "7"}', b'{"Amount": true}', b"[]"])
def test_odd_credits(connect: Connect, body: bytes) -> None:
    with faulty(Answer(body=body)) as server, pytest.raises(APIResponseError):
        connect(server).credits()


def test_a_refused_token_is_replaced_once(connect: Connect, golden: Path) -> None:
    expired = refusal("07_copyleaks_401_expired_token_problem_json", golden, 401)
    with faulty(GOOD, expired, GOOD) as server:
        client = connect(server)
        client.check()
        client.check(scan_id="abc")
    assert server.logins == 2
    checks = [r for r in server.requests if b"login" not in r.target]
    assert [check.headers["authorization"] for check in checks] == [
        *("Bearer token-0001", "Bearer token-0001", "Bearer token-0002")
    ]
    assert checks[1].target == checks[2].target
    assert server.charges["abc"] == 1


def test_a_second_401_is_an_error(connect: Connect, golden: Path) -> None:
    expired = refusal("07_copyleaks_401_expired_token_problem_json", golden, 401)
    with faulty(expired, expired, GOOD) as server:
        error = error_of(connect(server))
    assert (type(error), error.status, error.attempts) == (AuthError, 401, 2)
    assert error.request_id == "00-1c9d0f5b6a7e48d3b2a1908f7e6d5c4b-9a8b7c6d5e4f3a2b-00"
    assert server.logins == 2


def test_a_token_is_renewed_before_its_end(connect: Connect) -> None:
    with faulty(GOOD, GOOD, GOOD) as server:
        client = connect(server)
        client.check()
        now = time.monotonic()
        client.client._session.clock = lambda: now + 48 * 3600 - 290
        client.check()
        client.check()
    assert server.logins == 2


def test_a_short_lived_token(connect: Connect) -> None:
    with faulty(GOOD, GOOD, logins=[login_answer("a", 0.4), login_answer("b")]) as server:
        client = connect(server)
        client.check()
        time.sleep(0.25)
        client.check()
    assert server.logins == 2
    assert server.requests[-1].headers["authorization"] == "Bearer b"


@pytest.mark.parametrize(
    ("issued", "expires", "life"),
    [
        ("2026-11-20T08:15:02.1840771Z", "2026-11-22T08:15:02.1840772Z", 48 * 3600 - 300),
        ("2026-11-20T08:15:02+02:00", "2026-11-20T07:15:02Z", 3600 - 300),
        ("2026-11-20T08:15:02Z", "2026-11-20T08:16:02Z", 30),
        ("2026-11-20T08:15:02Z", "2026-11-20T08:15:01Z", 48 * 3600 - 300),
        ("2026-11-20T08:15:02Z", "2027-11-20T08:15:02Z", 48 * 3600 - 300),
        ("2026-11-20T08:15:02Z", "2026-11-20T09:15:02", 48 * 3600 - 300),
        (None, "soon", 48 * 3600 - 300),
    ],
)
def test_the_life_of_a_token(issued: object, expires: object, life: float) -> None:
    body = json.dumps({"access_token": "t", ".issued": issued, ".expires": expires}).encode()
    found = wire.read_login(Reply(status=200, headers={}, body=body), 1000.0, Secret(KEY))
    assert isinstance(found, wire.Token)
    assert found.fresh_until == pytest.approx(1000 + life)


def test_a_refused_login(connect: Connect, golden: Path) -> None:
    answers = [
        refusal("02_copyleaks_login_401_bad_key", golden, 401),
        Answer(status=403),
        Answer(status=400, body=shape_a(type="authentication_error", code=3)),
    ]
    with faulty(logins=answers) as server:
        client = connect(server)
        for _ in answers:
            error = error_of(client)
            assert (type(error), error.billed, error.attempts) == (AuthError, "no", 1)
            assert "login" in str(error)
    assert server.logins == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=503),
        Answer(status=429),
        Answer(reset="all"),
        Answer(body=b'{"access_to'),
    ],
)
def test_a_login_is_sent_again(connect: Connect, answer: Answer) -> None:
    with faulty(GOOD, logins=[answer, login_answer("t")]) as server:
        connect(server).check()
    assert server.logins == 2


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"<html>", b'{"access_token": 5}', b'{"access_token": "a\\nb"}']
)
def test_a_login_without_a_token(connect: Connect, body: bytes) -> None:
    with faulty(logins=[Answer(body=body)]) as server:
        error = error_of(connect(server))
    assert (type(error), error.billed, error.body) == (APIResponseError, "no", b"")


# -- many at once


def in_threads(client: Copyleaks, count: int) -> list[Any]:
    barrier = threading.Barrier(count)

    def one(_: int) -> Any:
        barrier.wait()
        try:
            return client.check(PHOTO, preflight=False)
        except APIError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


async def in_tasks(client: AsyncCopyleaks, count: int) -> list[Any]:
    checks = (client.check(PHOTO, preflight=False) for _ in range(count))
    return await asyncio.gather(*checks, return_exceptions=True)


def many_at_once(client: Facade, count: int) -> list[Any]:
    if isinstance(client.client, Copyleaks):
        return in_threads(client.client, count)
    return client.runner.run(in_tasks(client.client, count))


def test_one_logs_in_for_all(connect: Connect) -> None:
    slow = Answer(body=login_answer("t").body, delay_s=0.2)
    with faulty(*[GOOD] * 8, logins=[slow]) as server:
        results = many_at_once(connect(server), 8)
    assert all(isinstance(result, Detection) for result in results), results
    assert server.logins == 1
    assert len(server.charges) == 8


def test_one_refreshes_for_all(connect: Connect) -> None:
    def answer(headers: dict[str, str]) -> Answer:
        return Answer(status=401) if headers["authorization"] == "Bearer token-0001" else GOOD

    with faulty(by_headers=answer) as server:
        client = connect(server)
        client.login()
        results = many_at_once(client, 8)
    assert all(isinstance(result, Detection) for result in results), results
    assert server.logins == 2


def test_a_refused_login_is_shared(connect: Connect) -> None:
    slow = Answer(status=401, delay_s=0.4)
    with faulty(logins=[slow] * 8) as server:
        client = connect(server)
        results = many_at_once(client, 8)
        assert [type(result) for result in results] == [AuthError] * 8
        assert len({id(result) for result in results}) == 8
        assert server.logins == 1
        assert type(error_of(client)) is AuthError
    assert server.logins == 2


def test_waiting_for_a_login_ends_with_the_call(connect: Connect) -> None:
    with faulty(logins=[Answer(delay_s=9)] * 3) as server:
        results = many_at_once(connect(server, total_timeout=0.3), 3)
    assert [type(result) for result in results] == [APITimeoutError] * 3
    assert all(result.billed == "no" for result in results)


def test_a_cancelled_login_is_taken_over() -> None:
    async def scene(origin: str) -> Detection:
        async with AsyncCopyleaks(
            "a@example.org", KEY, base_url=origin, login_url=origin
        ) as client:
            first = asyncio.create_task(client.check(PHOTO, preflight=False))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(client.check(PHOTO, preflight=False))
            await asyncio.sleep(0.1)
            first.cancel()
            return await second

    with faulty(GOOD, logins=[Answer(delay_s=9), login_answer("t")]) as server:
        assert asyncio.run(scene(server.origin)).raw == BODY


# -- the life of a client


def test_use_after_close(connect: Connect) -> None:
    with faulty(GOOD) as server:
        client = connect(server)
        client.check()
        client.close()
        for call in (client.login, client.credits, client.check):
            with pytest.raises(RuntimeError, match="closed"):
                call()


def test_as_context_managers() -> None:
    async def scene(origin: str) -> Detection:
        async with AsyncCopyleaks(
            "a@example.org", KEY, base_url=origin, login_url=origin
        ) as client:
            return await client.check(PHOTO, preflight=False)

    with faulty(GOOD, GOOD) as server:
        with Copyleaks(
            "a@example.org", KEY, base_url=server.origin, login_url=server.origin
        ) as one:
            assert one.check(PHOTO, preflight=False).raw == BODY
        assert asyncio.run(scene(server.origin)).raw == BODY


def test_a_second_event_loop() -> None:
    with faulty(GOOD, GOOD) as server:
        client = AsyncCopyleaks(
            "a@example.org", KEY, base_url=server.origin, login_url=server.origin
        )
        with asyncio.Runner() as first, asyncio.Runner() as second:
            first.run(client.check(PHOTO, preflight=False))
            with pytest.raises(RuntimeError, match="event loop"):
                second.run(client.check(PHOTO, preflight=False))
            first.run(client.close())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_a_fork() -> None:
    with (
        faulty(GOOD, GOOD) as server,
        Copyleaks("a@example.org", KEY, base_url=server.origin, login_url=server.origin) as client,
    ):
        client.check(PHOTO, preflight=False)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # nothing of pytest may run on in here
            try:
                client.check(PHOTO, preflight=False)
                os.write(writer, b"no error")
            except RuntimeError as error:
                os.write(writer, str(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, "rb") as told:
            assert b"after a fork" in told.read()
        os.waitpid(child, 0)
        client.check(PHOTO, preflight=False)
    assert server.logins == 1


# -- how it is made


def test_credentials_of_the_environment(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYLEAKS_EMAIL", "env@example.org")
    monkeypatch.setenv("COPYLEAKS_API_KEY", REAL_KEY)
    with faulty() as server, Copyleaks(base_url=server.origin, login_url=server.origin) as client:
        client.login()
    assert json.loads(server.requests[0].body) == {"email": "env@example.org", "key": REAL_KEY}
    for name, argument in (("COPYLEAKS_EMAIL", "email"), ("COPYLEAKS_API_KEY", "api_key")):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(InputError, match=f"{argument}.*{name}"):
                Copyleaks()


@pytest.mark.parametrize("kind", [Copyleaks, AsyncCopyleaks])
def test_a_real_key_goes_to_known_hosts_only(kind: Callable[..., Any]) -> None:
    other = "https://copyleaks.example.org"
    for where in (
        {"base_url": other},
        {"login_url": other},
        {"base_url": "https://127.0.0.1.x.org"},
    ):
        with pytest.raises(InputError, match="allow_custom_host") as caught:
            kind("a@example.org", REAL_KEY, **where)
        assert caught.value.code == "custom_host"
        kind("a@example.org", REAL_KEY, allow_custom_host=True, **where)
        kind("a@example.org", KEY, **where)
    kind("a@example.org", REAL_KEY)
    kind("a@example.org", REAL_KEY, base_url="http://127.0.0.1:1", login_url="http://[::1]:1")
    with pytest.raises(InputError, match="plain http") as caught:
        kind("a@example.org", KEY, base_url="http://api.copyleaks.com", allow_custom_host=True)
    assert caught.value.code == "plaintext"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, value)
            for name in ("connect_timeout", "read_timeout")
            for value in (0, "1", True)
        ),
        *(("total_timeout", value) for value in (-1, float("nan"), float("inf"), None, 10**400)),
        *(("retries", value) for value in (-1, 1.0, True, None)),
        *(("max_response_bytes", value) for value in (0, 1.5)),
        *(("email", value) for value in ("", "a", "a @b", "a@b\n", 3)),
        ("backoff", 0),
        *(("proxy", value) for value in (5, b"http://127.0.0.1:1")),
        *(("ca_bundle", value) for value in (5, "no/such", "a\0b", "x" * 5000)),
        *(("base_url", value) for value in (5, "x" * 5000)),
    ],
)
def test_arguments_that_cannot_be(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name) as caught:
        Copyleaks(**({"email": "a@example.org", "api_key": KEY} | {name: value}))
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["total_timeout", "retries", "max_response_bytes", "proxy"])
def test_numbers_of_more_digits_than_python_writes(name: str) -> None:
    with pytest.raises(InputError, match=name):
        Copyleaks("a@example.org", KEY, **{name: -(10**5000)})  # type: ignore[arg-type]


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
