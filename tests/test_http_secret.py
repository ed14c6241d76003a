"""Keys show themselves nowhere."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from billed_calls import CALLS, client_of
from faults.server import Answer, FaultServer, faulty
from hooks import GOLDEN_BATCH, SECRET, deliver, listening_to, ours, path_of, send

from runmask.errors import APIError, InputError, InvalidRequestError
from runmask.http import AsyncCopyleaks, Copyleaks
from runmask.http import copyleaks_wire as wire
from runmask.http.address import checked_origin
from runmask.http.retry import Reply
from runmask.http.secret import Secret
from runmask.http.webhooks import AIDetectorWebhook, Inbox, Receiver

KEY = "marker0f-5ec2-e7aa-bbcc-0123456789ab"
HIDDEN = KEY[:-4]


def client(server: FaultServer, **options: object) -> Copyleaks:
    options = {"base_url": server.origin, "login_url": server.origin, "backoff": 0.001} | options
    return Copyleaks("a@example.org", KEY, **options)  # type: ignore[arg-type]


def test_secret_hides() -> None:
    secret = Secret(KEY)
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>90}",
        f"{secret!s:.3}{secret!r}",
    ):
        assert HIDDEN not in shown
        assert "redacted" in shown
    assert repr([secret]) == f"[<redacted …{KEY[-4:]}>]"
    assert repr(Secret("short")) == "<redacted …>"
    assert secret.reveal() == KEY


def test_secret_is_not_pickled_and_copies_are_itself() -> None:
    secret = Secret(KEY)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(secret, protocol)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_secret_compares_by_value() -> None:
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    with pytest.raises(TypeError):
        hash(Secret("a"))


@pytest.mark.parametrize(
    ("key", "place"),
    [
        (f"{KEY}\n", "a newline at position 36"),
        (f" {KEY}", "a space at position 0"),
        (f"{KEY[:5]}\t", "a space at position 5"),
        (f'"{KEY}"', "a quote at position 0"),
        (f"{KEY[:9]}ä{KEY[9:]}", "a character beyond ASCII at position 9"),
        (f"{KEY}\x00", "a control character at position 36"),
        (f"{KEY}\u2028", "a space at position 36"),
        ("", "is empty"),
        (KEY.encode(), "is not text"),
    ],
)
def test_pasting_slips_tell_length_and_position_only(key: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        Copyleaks("a@example.org", key)
    assert place in str(caught.value)
    if key:
        shown = shown_tracebacks(caught.value, skip=1)
        assert HIDDEN[:5] not in shown


def shown_tracebacks(error: BaseException, skip: int = 0) -> str:
    """As a crash reporter would write it, locals and all; without the frames of this test."""
    trace = error.__traceback__
    for _ in range(skip):
        assert trace is not None
        trace = trace.tb_next
    parts = traceback.TracebackException(type(error), error, trace, capture_locals=True).format()
    return "".join(parts) + repr(error) + str(vars(error))


def failures(server: FaultServer, **options: object) -> APIError:
    with client(server, **options) as service, pytest.raises(APIError) as caught:
        service.check(b"\x00" * 2000, preflight=False)
    return caught.value


ECHO = Answer(status=400, body=b'{"error": {"message": "token-0001 and %s"}}' % KEY.encode())


@pytest.mark.parametrize(
    ("answers", "logins"),
    [
        ([], [Answer(status=401, body=b'{"error":{"message":"key %s?"}}' % KEY.encode())]),
        ([], [Answer(body=b'{"token": "%s"}' % KEY.encode())]),
        ([], [Answer(reset="all")] * 9),
        ([], [Answer(body=b"<html>" + KEY.encode())]),
        ([ECHO], None),
        ([Answer(reset="all")], None),
        ([Answer(cut=20)], None),
        ([Answer(body=b"no JSON")], None),
        ([Answer(headers=(("Content-Encoding", "gzip"),), body=b"lie")], None),
        ([Answer(status=302, headers=(("Location", "http://x.example/?k=1"),))], None),
    ],
)
def test_errors_and_their_tracebacks(
    answers: list[Answer], logins: list[Answer] | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with faulty(*answers, logins=logins) as server, warnings.catch_warnings(record=True) as warned:
        error = failures(server)
    told = shown_tracebacks(error, skip=1)
    seen: BaseException | None = error
    while seen is not None:
        assert type(seen).__module__.startswith("runmask")
        seen = seen.__cause__ or seen.__context__
    for text in (
        told,
        str(warned),
        caplog.text,
        str(error.body),
        *map(str, error.__dict__.values()),
    ):
        assert HIDDEN not in text
        assert "token-0001" not in text
    assert "httpx" not in told


@pytest.mark.parametrize("kind", [Copyleaks, AsyncCopyleaks])
def test_clients_hide_and_stay(kind: Callable[..., Copyleaks | AsyncCopyleaks]) -> None:
    service = kind("a@example.org", KEY, proxy=f"http://user:{KEY}@127.0.0.1:1")
    for shown in (repr(service), str(service), str(vars(service)), str(vars(service._session))):
        assert HIDDEN not in shown
    assert "api.copyleaks.com" in repr(service)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            attempt(service)
    if isinstance(service, Copyleaks):
        service.close()


def test_a_bad_proxy_is_not_told() -> None:
    with pytest.raises(InputError) as caught:
        Copyleaks("a@example.org", KEY, proxy=f"ftp://user:{KEY}@[")
    assert HIDDEN not in shown_tracebacks(caught.value, skip=1)


TOKEN = "eyJ-bearer/of-the\\account/0123456789abcdef"
SECRETS = (Secret(TOKEN), Secret(KEY))


def assert_hidden(error: object) -> None:
    assert isinstance(error, APIError)
    shown = [str(error), *map(str, vars(error).values())]
    for text in (part.lower() for part in shown):
        for hidden in (KEY[:8], TOKEN[:8], "of-the", "7aa-bbcc"):
            assert hidden not in text, text


@pytest.mark.parametrize("secret", [KEY, TOKEN])
@pytest.mark.parametrize("before", range(160, 205, 5))
def test_what_is_cut_was_scrubbed_before(secret: str, before: int) -> None:
    padded = "x" * (before - 160) + "y" * 40 + secret
    told = {"message": "x" * before + secret, "id": padded, "type": padded}
    details = [{"param": padded, "message": "x" * before + secret}]
    body = {"error": told | {"details": details}, "traceId": "x" * before + secret}
    for headers in ({}, {"x-request-id": "x" * before + secret}):
        reply = Reply(status=400, headers=headers, body=json.dumps(body).encode())
        error = wire.refusal(reply, "check", SECRETS)
        assert isinstance(error, InvalidRequestError)
        assert error.details
        assert error.request_id
        assert_hidden(error)


@pytest.mark.parametrize("secret", [KEY, TOKEN])
def test_secrets_in_other_writing(secret: str) -> None:
    for text in (repr(secret), json.dumps({"x": secret}), quote(secret, safe=""), secret.upper()):
        scrubbed = text
        for one in SECRETS:
            scrubbed = one.scrub(scrubbed)
        assert "redacted" in scrubbed
        assert secret[:8].lower() not in scrubbed.lower()
    odd = wire.refusal(
        Reply(status=400, headers={}, body=json.dumps({"Message": {"a": secret}}).encode()),
        "check",
        SECRETS,
    )
    assert_hidden(odd)
    moved = Reply(status=302, headers={"location": f"https://{KEY}.example/"}, body=b"")
    assert_hidden(wire.refusal(moved, "check", SECRETS))


@pytest.mark.parametrize("secret", [KEY, TOKEN])
def test_unusable_answers_are_told_without_secrets(secret: str) -> None:
    for body in (
        json.dumps({"Amount": "x" * 60 + secret}),
        json.dumps({"result": {"starts": "x" * 60 + secret}}),
        json.dumps({"model": ["x" * 60 + secret]}),
        json.dumps("x" * 60 + secret),
        secret,
    ):
        reply = Reply(status=200, headers={"content-type": "x" * 50 + secret}, body=body.encode())
        assert_hidden(wire.read_credits(reply, SECRETS))
        checked = wire.read_check(reply, SECRETS, 2**20)
        if isinstance(checked, APIError):  # a Detection reads its parts later
            assert_hidden(checked)


def test_the_answer_to_a_login_is_not_told() -> None:
    for body in (b'"eyJ-unknown"', b"eyJ-unknown", b'["eyJ-unknown"]', b'{"eyJ-unknown": 1}'):
        error = wire.read_login(Reply(status=200, headers={}, body=body), 0.0, Secret(KEY))
        assert isinstance(error, APIError)
        assert "eyJ" not in shown_tracebacks(error)


@pytest.mark.parametrize(
    "url",
    [
        f"https://x.example/?k={KEY}",
        f"https://x.example/#{KEY}",
        f"ftp://x.example/?k={KEY}",
        f"http://x.example/?k={KEY}",
        f"https://x.example/?k= {KEY}",
        f"user:{KEY}@x.example",
    ],
)
def test_an_address_is_told_without_its_query(url: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_origin(url, "base_url")
    assert KEY[:8] not in str(caught.value)


def test_long_secrets() -> None:
    with pytest.raises(InputError, match="characters > 16384"):
        Secret("x" * 60_000_000).check("access_token")
    with pytest.raises(InputError, match="a space at position 16383"):
        Secret("x" * 16383 + " ").check("access_token")


# -- the other clients, the senders of webhooks, and the inbox


def holders() -> list[object]:
    from runmask.http import AIDetector, AsyncAIDetector, AsyncSightengine, Sightengine
    from runmask.http.webhooks import AIDetectorWebhook, CopyleaksWebhook, SightengineWebhook

    loose: dict[str, object] = {"allow_custom_host": True}
    return [
        AIDetector(KEY, **loose),  # type: ignore[arg-type]
        AsyncAIDetector(KEY, **loose),  # type: ignore[arg-type]
        Sightengine(KEY, KEY, **loose),  # type: ignore[arg-type]
        AsyncSightengine(KEY, KEY, **loose),  # type: ignore[arg-type]
        AIDetectorWebhook(KEY),
        SightengineWebhook([KEY, KEY]),
        CopyleaksWebhook("https://hooks.example.org", KEY),
    ]


@pytest.mark.parametrize("holder", holders(), ids=lambda holder: type(holder).__name__)
def test_whatever_holds_a_key_hides_it(holder: object) -> None:
    inner = [value for value in vars(holder).values() if hasattr(value, "__dict__")]
    shown = [repr(holder), str(holder), f"{holder}", str(vars(holder)), *map(repr, inner)]
    shown += [str(vars(value)) for value in inner if not isinstance(value, type)]
    assert HIDDEN not in "".join(shown)
    with pytest.raises(TypeError):
        pickle.dumps(holder)


@pytest.mark.parametrize("slip", [f"{KEY}\n", f"{KEY}ä", f'"{KEY}"', ""])
def test_slips_in_pasting_other_keys(slip: str) -> None:
    from runmask.http import AIDetector, Sightengine
    from runmask.http.webhooks import AIDetectorWebhook

    for make in (
        lambda: AIDetector(slip),
        lambda: Sightengine("1", slip),
        lambda: Sightengine(slip, "secret"),
        lambda: AIDetectorWebhook(slip),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert HIDDEN not in shown_tracebacks(caught.value, skip=2)


def test_a_proxy_password_is_in_no_traceback_of_the_others() -> None:
    from runmask.http import AIDetector, Sightengine

    for make in (
        lambda: AIDetector("aidet_test_1", proxy=f"http://u:{KEY}@[", total_timeout=-1),
        lambda: Sightengine("0000", "sandbox", proxy=f"x://u:{KEY}@h"),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert HIDDEN not in shown_tracebacks(caught.value, skip=2)


# -- logs and files


@pytest.mark.parametrize("kind", ["threads", "loop"])
@pytest.mark.parametrize("service", ["copyleaks", "aidetector", "sightengine"])
def test_no_log_and_no_file_tells_a_key(
    service: str, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a call that went well, one that failed, and one from the cache; logs with all details."""
    good = CALLS[f"{service}-check"].good
    keys = {"copyleaks": ("a@example.org", KEY), "aidetector": (KEY,), "sightengine": (KEY, KEY)}
    caplog.set_level(logging.DEBUG)
    with (
        faulty(good, Answer(status=500)) as server,
        client_of(
            *(service, kind, server.origin), *keys[service], cache=tmp_path / "answers.db"
        ) as client,
    ):
        for photo in (b"one", b"one"):
            assert client.check(photo, preflight=False).raw == good.body
        with pytest.raises(APIError):
            client.check(b"two", preflight=False)
    assert len(server.requests) - server.logins == 2
    assert "send_request_headers" in caplog.text
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert good.body in kept
    for hidden in (HIDDEN, "token-0001"):
        assert hidden not in caplog.text
        assert hidden.encode() not in kept


def test_no_file_of_an_inbox_tells_a_secret(tmp_path: Path) -> None:
    with listening_to(
        Receiver(Inbox(tmp_path), aidetector=AIDetectorWebhook(SECRET), copyleaks=ours())
    ) as port:
        assert deliver(port, GOLDEN_BATCH) == 200
        assert send(port, path_of("abc"), b'{"result": {}}') == 200
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert GOLDEN_BATCH in kept
    assert SECRET.encode() not in kept
    assert path_of("abc").rpartition("/")[2].encode() not in kept
