"""Keys show themselves nowhere."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
import warnings
from collections.abc import Callable

import pytest
from faults.server import Answer, FaultServer, faulty

from runmask.errors import APIError, InputError
from runmask.http import AsyncCopyleaks, Copyleaks
from runmask.http.secret import Secret

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
