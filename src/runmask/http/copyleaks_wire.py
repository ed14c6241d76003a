"""Copyleaks on the wire: requests are built and replies are read here, by pure functions.

::

    POST {login}/v3/account/login/api                    JSON        -> a token for 48 hours
    POST {base}/v1/ai-image-detector/{scanId}/check      form, JSON  -> the detection
    PUT  {base}/v1/ai-image-detector-async/{scanId}/submit   JSON    -> 201, later a webhook
    GET  {base}/v3/scans/credits                                     -> {"Amount": int}

A refusal comes in four shapes: ``{"error": {type, id, code, message, details}}``; a problem object
(RFC 9110) with ``title`` and ``traceId``; the header ``Copyleaks-Error-Code`` with ``{"Message"}``;
and anything, HTML included, from whatever stands in between.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ..detection import Detection
from ..errors import (
    APIError,
    AuthError,
    DuplicateScanError,
    ImageRefusedError,
    ImageTooLargeError,
    ImageUnfetchableError,
    InputError,
    InvalidRequestError,
    QuotaError,
    ResponseFormatError,
    ServerError,
    StatusError,
    UnavailableError,
    shown,
)
from ..formats import load_object
from .pace import Rate
from .preflight import Limits
from .replies import Reading, error_of_status, integer, lenient_object, mapping
from .retry import Reply, Request
from .secret import Secret
from .upload import Encoding

BASE_URL = "https://api.copyleaks.com"
LOGIN_URL = "https://id.copyleaks.com"
OFFICIAL_HOSTS = frozenset(("api.copyleaks.com", "id.copyleaks.com"))
DEVELOPMENT_KEY = "00000000-0000-0000-0000-000000000000"
MODEL = "ai-image-1-ultra"

TOKEN_LIFE_S = 48 * 3600.0
REFRESH_BEFORE_S = 300.0

# 900 checks in any 15 minutes: those at once, and those that follow at this rate.
CHECK_RATE = Rate(0.95, 45)
LOGIN_RATE = Rate(6 / 900, 6)  # 12 in any 15 minutes, by the same reckoning
OTHER_RATE = Rate(10, 10)

MAX_PAYLOAD = 512
SUBMIT_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tiff", ".bmp", ".heic", ".heif")

LIMITS = Limits(
    service="Copyleaks",
    formats=frozenset(("PNG", "JPEG", "BMP", "WEBP", "HEIF")),
    max_bytes=32_000_000 - 1,
    min_side=512,
    max_pixels=27_000_000,
    advised=(6000, 4500),
)

_NARROW = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!@$&-=_()';:.,~")
_WIDE = _NARROW | frozenset('^+%{}<>/"|`')


@dataclass(frozen=True, kw_only=True)
class Token:
    """``fresh_until`` is on the clock that read_login was given."""

    secret: Secret
    fresh_until: float


# -- requests


def check_scan_id(scan_id: str, *, strict: bool) -> None:
    """Raises InputError. Not strict: the longer of the two lists that the service has published."""
    allowed = _NARROW if strict else _WIDE
    if not isinstance(scan_id, str) or not 3 <= len(scan_id) <= 36:
        raise InputError(f"scan_id {shown(scan_id)}: not 3 to 36 characters", code="scan_id")
    for at, character in enumerate(scan_id):
        if character not in allowed:
            raise InputError(
                f"scan_id {shown(scan_id)}: {character!r} at position {at} is not allowed; allowed"
                f" are lower-case letters, digits and {''.join(sorted(allowed - _ALNUM))}",
                code="scan_id",
            )


_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def login_request(login_url: str, email: str, key: Secret) -> Request:
    return Request(
        method="POST",
        url=f"{login_url}/v3/account/login/api",
        headers=_headers() | {"Content-Type": "application/json"},
        content=json.dumps({"email": email, "key": key.reveal()}).encode(),
    )


def check_request(
    base_url: str,
    token: Secret,
    *,
    scan_id: str,
    image: bytes,
    filename: str,
    media_type: str,
    model: str,
    sandbox: bool,
    encoding: Encoding,
) -> Request:
    url = f"{base_url}/v1/ai-image-detector/{quote(scan_id, safe='')}/check"
    if encoding == "multipart":
        return Request(
            method="POST",
            url=url,
            headers=_headers(token),
            fields={
                "filename": filename,
                "model": model,
                "sandbox": "true" if sandbox else "false",
            },
            files=[("image", (filename, image, media_type))],
            billed=True,
        )
    body = {
        "base64": base64.b64encode(image).decode("ascii"),
        "filename": filename,
        "model": model,
        "sandbox": sandbox,
    }
    return Request(
        method="POST",
        url=url,
        headers=_headers(token) | {"Content-Type": "application/json"},
        content=json.dumps(body).encode(),
        billed=True,
    )


def submit_request(
    base_url: str,
    token: Secret,
    *,
    method: str,
    scan_id: str,
    url: str,
    webhook_url: str,
    filename: str,
    model: str,
    mask_type: str | None,
    headers: Mapping[str, str],
    sandbox: bool,
    developer_payload: str | None,
) -> Request:
    body: dict[str, Any] = {
        "url": url,
        "fileName": filename,  # with a capital here, says the page
        "model": model,
        "webhooks": {"url": webhook_url},
        "sandbox": sandbox,
    }
    if mask_type is not None:
        body["maskType"] = mask_type
    if headers:
        body["headers"] = [[name, value] for name, value in headers.items()]
    if developer_payload is not None:
        body["developerPayload"] = developer_payload
    return Request(
        method=method,
        url=f"{base_url}/v1/ai-image-detector-async/{quote(scan_id, safe='')}/submit",
        headers=_headers(token) | {"Content-Type": "application/json"},
        content=json.dumps(body).encode(),
        billed=True,
    )


def credits_request(base_url: str, token: Secret) -> Request:
    return Request(method="GET", url=f"{base_url}/v3/scans/credits", headers=_headers(token))


def _headers(token: Secret | None = None) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "runmask"}
    return headers if token is None else headers | {"Authorization": f"Bearer {token.reveal()}"}


# -- replies


def _reading(what: str, secrets: Sequence[Secret], *, billed: bool = False) -> Reading:
    return Reading(service="Copyleaks", what=what, secrets=secrets, billed=billed)


def read_login(reply: Reply, now: float, key: Secret) -> Token | APIError:
    """``now`` in seconds, on any clock."""
    if reply.status >= 300:
        return refusal(reply, "login", (key,))
    reading = _reading("login", (key,))
    # What is wrong is told without a word of the answer: there may be a token in it.
    try:
        answer = load_object(reply.body)
    except InputError as error:
        return reading.unusable(reply, InputError("it is no JSON object", code=error.code))
    token = answer.get("access_token")
    try:
        if not isinstance(token, str):
            raise InputError("it has no access_token that is text")
        secret = Secret(token)
        secret.check("access_token")
    except InputError as error:
        return reading.unusable(reply, error)
    life = _life(answer.get(".issued"), answer.get(".expires"))
    return Token(secret=secret, fresh_until=now + life - min(REFRESH_BEFORE_S, life / 2))


def _life(issued: object, expires: object) -> float:
    """By the service's own two times, so that a wrong clock here does not matter."""
    try:
        span = datetime.fromisoformat(str(expires)) - datetime.fromisoformat(str(issued))
    except (ValueError, TypeError):
        return TOKEN_LIFE_S
    seconds = span.total_seconds()
    return min(seconds, TOKEN_LIFE_S) if seconds > 0 else TOKEN_LIFE_S


def read_credits(reply: Reply, secrets: Sequence[Secret]) -> int | APIError:
    if reply.status >= 300:
        return refusal(reply, "question for credits", secrets)
    return _reading("question for credits", secrets).success(reply, _amount)


def _amount(body: bytes) -> int:
    amount = load_object(body).get("Amount")
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise ResponseFormatError(f"Amount is {shown(amount)}: not an integer", path="Amount")
    return amount


def read_check(reply: Reply, secrets: Sequence[Secret], max_bytes: int) -> Detection | APIError:
    def read(body: bytes) -> Detection:
        return Detection.from_copyleaks(body, max_bytes=max_bytes)

    if reply.status >= 300:
        return refusal(reply, "check", secrets, billed=True)
    return _reading("check", secrets, billed=True).success(reply, read)


def read_submit(reply: Reply, secrets: Sequence[Secret]) -> bytes | APIError:
    """The body, which the page shows as ``{}``; whatever it is, the scan was accepted."""
    if reply.status >= 300:
        return refusal(reply, "submission", secrets, billed=True)
    return reply.body


def refusal(
    reply: Reply, what: str, secrets: Sequence[Secret], *, billed: bool = False
) -> StatusError:
    """The error that a reply of status 300 or more means."""
    reading = _reading(what, secrets, billed=billed)
    body = lenient_object(reply.body)
    error = error_of(body)
    code = integer(error.get("code", reply.headers.get("copyleaks-error-code")))
    kind = error.get("type")
    return reading.refusal(
        reply,
        _error_class(reply.status, kind, code),
        name=error.get("id") or kind,
        code=code,
        said=error.get("message") or body.get("Message") or body.get("title"),
        details=_details(error.get("details"), reading),
        request_id=body.get("traceId"),
    )


def error_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An older page calls the error a list, and shows an object."""
    error = body.get("error")
    if isinstance(error, list) and error:
        error = error[0]
    return mapping(error)


_BY_CODE: dict[int | None, type[StatusError]] = {
    **dict.fromkeys((2, 3, 4), AuthError),
    5: ImageUnfetchableError,
    6: ImageTooLargeError,
    **dict.fromkeys((8, 10, 14), ImageRefusedError),
    9: UnavailableError,
    **dict.fromkeys((13, 17), QuotaError),
    16: ServerError,
}
_BY_TYPE: dict[object, type[StatusError]] = {
    "authentication_error": AuthError,
    "payment_error": QuotaError,
    "api_error": ServerError,
    "invalid_request_error": InvalidRequestError,
}


def _error_class(status: int, kind: object, code: int | None) -> type[StatusError]:
    """By the status where it is plain; then by the code, the type, and any status."""
    by_status = error_of_status(status)
    if status == 409:
        return DuplicateScanError
    if status < 400 or status in (401, 402, 413, 429, 503):
        return by_status
    if code in _BY_CODE:
        return _BY_CODE[code]
    by_type = _BY_TYPE.get(kind, by_status) if isinstance(kind, str) else by_status
    return by_status if status >= 500 or issubclass(by_status, by_type) else by_type


def _details(value: object, reading: Reading) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        (reading.told(item.get("param"), 1000), reading.told(item.get("message"), 1000))
        for item in value
        if isinstance(item, Mapping)
    )
