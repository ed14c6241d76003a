"""Every refusal of every service as the error of its type, over real sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from billed_calls import PHOTO, client_of
from faults.server import Answer, faulty

from runmask.errors import (
    APIError,
    AuthError,
    DuplicateScanError,
    ForbiddenError,
    ImageRefusedError,
    ImageTooLargeError,
    ImageUnfetchableError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    ServerError,
    StatusError,
    UnavailableError,
)


@pytest.fixture(params=["threads", "loop"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def refused(service: str, kind: str, answer: Answer, **options: Any) -> APIError:
    with (
        faulty(answer, answer) as server,
        client_of(service, kind, server.origin, **({"retries": 0} | options)) as client,
        pytest.raises(APIError) as caught,
    ):
        client.check(PHOTO, preflight=False)
    error = caught.value
    assert (error.status, error.attempts, error.body) == (answer.status, 1, answer.body)
    assert str(answer.status) in str(error)
    assert len(server.requests) - server.logins == 1
    return error


# -- what a status means where the service says nothing

EVERYWHERE = [
    (302, StatusError, "no", False),
    (400, InvalidRequestError, "no", False),
    (401, AuthError, "no", False),
    (402, QuotaError, "no", False),
    (403, ForbiddenError, "no", False),
    (404, NotFoundError, "no", False),
    (408, InvalidRequestError, "no", True),
    (413, ImageTooLargeError, "no", False),
    (422, InvalidRequestError, "no", False),
    (425, InvalidRequestError, "no", True),
    (429, RateLimitedError, "no", True),
    (500, ServerError, "unknown", True),
    (501, ServerError, "unknown", False),
    (502, ServerError, "unknown", True),
    (503, UnavailableError, "unknown", True),
    (504, ServerError, "unknown", True),
]


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"\xff"])
@pytest.mark.parametrize(("status", "error", "billed", "retryable"), EVERYWHERE)
@pytest.mark.parametrize("service", ["copyleaks", "aidetector", "sightengine"])
def test_by_status(
    service: str, status: int, error: type, billed: str, retryable: bool, body: bytes
) -> None:
    if (service, status) == ("copyleaks", 401):
        return  # of the token: see the tests of logins
    found = refused(service, "threads", Answer(status=status, body=body))
    assert type(found) is error
    assert (found.billed, found.retryable) == (billed, retryable)


@pytest.mark.parametrize(
    ("after", "billed"), [("0", "no"), ("9", "no"), ("soon", "unknown"), ("-1", "unknown")]
)
@pytest.mark.parametrize("service", ["copyleaks", "aidetector", "sightengine"])
def test_a_service_that_names_a_pause_did_no_work(service: str, after: str, billed: str) -> None:
    found = refused(service, "loop", Answer(status=503, headers=(("Retry-After", after),)))
    assert (type(found), found.billed) == (UnavailableError, billed)


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
@pytest.mark.parametrize("service", ["copyleaks", "aidetector", "sightengine"])
def test_what_is_wrong_stays_wrong_and_is_not_sent_again(service: str, status: int) -> None:
    refused(service, "threads", Answer(status=status), retries=5)


# -- Copyleaks

COPYLEAKS = [
    (1, 400, "invalid_request_error", InvalidRequestError),
    (2, 401, "authentication_error", AuthError),
    (3, 403, "authentication_error", AuthError),
    (4, 403, "authentication_error", AuthError),
    (5, 400, "api_error", ImageUnfetchableError),
    (5, 500, "api_error", ImageUnfetchableError),
    (6, 400, "invalid_request_error", ImageTooLargeError),
    (7, 400, "invalid_request_error", InvalidRequestError),
    (8, 400, "invalid_request_error", ImageRefusedError),
    (9, 400, "api_error", UnavailableError),
    (9, 429, "api_error", RateLimitedError),
    (9, 503, "api_error", UnavailableError),
    (10, 415, "invalid_request_error", ImageRefusedError),
    *((code, 400, "invalid_request_error", InvalidRequestError) for code in (11, 12)),
    (13, 400, "payment_error", QuotaError),
    (14, 400, "invalid_request_error", ImageRefusedError),
    (15, 400, "invalid_request_error", InvalidRequestError),
    (16, 500, "api_error", ServerError),
    (16, 400, "api_error", ServerError),
    (17, 402, "payment_error", QuotaError),
    *((code, 400, "invalid_request_error", InvalidRequestError) for code in (19, 20, 21, 22, 24)),
    (99, 400, "payment_error", QuotaError),
    (99, 403, "authentication_error", ForbiddenError),
    (99, 403, "invalid_request_error", InvalidRequestError),
    (99, 404, "invalid_request_error", NotFoundError),
    (99, 400, "news", InvalidRequestError),
    (99, 500, "invalid_request_error", ServerError),
    (1, 409, "invalid_request_error", DuplicateScanError),
]


@pytest.mark.parametrize(("code", "status", "name", "error"), COPYLEAKS)
def test_codes_of_copyleaks(kind: str, code: int, status: int, name: str, error: type) -> None:
    told = {"type": name, "id": "x", "code": code, "message": "no"}
    answer = Answer(status=status, body=json.dumps({"error": told}).encode())
    if status == 401:
        with (
            faulty(logins=[answer]) as server,
            client_of("copyleaks", kind, server.origin, retries=0) as client,
            pytest.raises(error) as caught,
        ):
            client.check(PHOTO, preflight=False)
        found = caught.value
    else:
        found = refused("copyleaks", kind, answer)
    assert (type(found), found.service_code) == (error, code)
    assert found.billed == ("no" if status < 500 else "unknown")


@pytest.mark.parametrize("form", ['{"error":[{"code":"%d"}]}', '{"error":{"code":%d}}', "{}"])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((4, AuthError), (5, ImageUnfetchableError), (6, ImageTooLargeError)),
        *((9, UnavailableError), (13, QuotaError), (16, ServerError), (17, QuotaError)),
    ],
)
def test_older_forms_of_copyleaks_tell_the_code_alone(form: str, code: int, error: type) -> None:
    in_header = (("Copyleaks-Error-Code", str(code)),) if form == "{}" else ()
    body = (form % code if "%d" in form else form).encode()
    found = refused("copyleaks", "threads", Answer(status=400, body=body, headers=in_header))
    assert (type(found), found.service_code, found.billed) == (error, code, "no")


# -- AIDetector

AIDETECTOR = [
    (400, "invalid_request", InvalidRequestError, False),
    (400, "image_too_large", ImageTooLargeError, False),
    (400, "image_unsupported_format", ImageRefusedError, False),
    (401, "unauthorized", AuthError, False),
    (402, "payment_required", QuotaError, False),
    (403, "forbidden", ForbiddenError, False),
    (404, "not_found", NotFoundError, False),
    (422, "image_unfetchable", ImageUnfetchableError, True),
    (429, "rate_limited", RateLimitedError, True),
    (500, "internal_error", ServerError, True),
    (503, "service_unavailable", UnavailableError, True),
    (400, "a_new_code", InvalidRequestError, False),
    (400, 5, InvalidRequestError, False),
    (500, "not_found", ServerError, True),
    (415, None, ImageRefusedError, False),
]


@pytest.mark.parametrize(("status", "code", "error", "retryable"), AIDETECTOR)
def test_codes_of_aidetector(
    kind: str, status: int, code: object, error: type, retryable: bool
) -> None:
    told = {"code": code, "message": "no", "param": "image_url", "request_id": "req_2"}
    answer = Answer(status=status, body=json.dumps({"error": told}).encode())
    found = refused("aidetector", kind, answer)
    assert (type(found), found.request_id) == (error, "req_2")
    assert found.service_code == (code if isinstance(code, str) else None)
    assert found.billed == ("no" if status < 500 else "unknown")
    assert found.retryable == retryable
    if isinstance(found, InvalidRequestError):
        assert found.details == (("image_url", "no"),)


# -- Sightengine

SIGHTENGINE = [
    ("credentials_error", 1, AuthError, False),
    ("argument_error", 1, AuthError, False),
    ("argument_error", 7, InvalidRequestError, False),
    ("request_error", 2, InvalidRequestError, False),
    ("callback_error", 2, InvalidRequestError, False),
    ("media_error", 9, ImageRefusedError, False),
    ("plan_error", None, QuotaError, False),
    ("usage_limit", 32, QuotaError, False),
    ("api_error", None, ServerError, True),
    ("unknown_error", None, ServerError, True),
]


def failure(kind: str | None, code: int | None = None) -> bytes:
    error = {"type": kind, "code": code, "message": "no"}
    request = {"id": "req_f", "operations": 0}
    return json.dumps({"status": "failure", "request": request, "error": error}).encode()


@pytest.mark.parametrize("status", [200, 400, 429, 500])
@pytest.mark.parametrize(("name", "code", "error", "retryable"), SIGHTENGINE)
def test_types_of_sightengine_whatever_the_status(
    kind: str, status: int, name: str, code: int | None, error: type, retryable: bool
) -> None:
    found = refused("sightengine", kind, Answer(status=status, body=failure(name, code)))
    assert type(found) is error
    assert (found.service_code, found.request_id) == (code, "req_f")
    assert (found.billed, found.retryable) == ("no", retryable)
    assert name in str(found)


def test_other_failures_of_sightengine(kind: str) -> None:
    large = Answer(status=413, body=failure("media_error"))
    assert type(refused("sightengine", kind, large)) is ImageTooLargeError
    new = Answer(body=failure("news"))
    assert type(refused("sightengine", kind, new)) is InvalidRequestError
