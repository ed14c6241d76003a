"""Copyleaks on the wire: requests are built and replies are read here, by pure functions.

::

    POST {login}/v3/account/login/api                    JSON        -> a token for 48 hours
    POST {base}/v1/ai-image-detector/{scanId}/check      form, JSON  -> the detection
    GET  {base}/v3/scans/credits                                     -> {"Amount": int}

A refusal comes in four shapes: ``{"error": {type, id, code, message, details}}``; a problem object
(RFC 9110) with ``title`` and ``traceId``; the header ``Copyleaks-Error-Code`` with ``{"Message"}``;
and anything, HTML included, from whatever stands in between.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from ..detection import Detection
from ..errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    AuthError,
    DuplicateScanError,
    ImageTooLargeError,
    InputError,
    InvalidRequestError,
    QuotaError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    StatusError,
    UnavailableError,
    shown,
)
from ..formats import load_object
from .preflight import Limits
from .retry import Reply, Request, retry_after
from .secret import Secret

BASE_URL = "https://api.copyleaks.com"
LOGIN_URL = "https://id.copyleaks.com"
OFFICIAL_HOSTS = frozenset(("api.copyleaks.com", "id.copyleaks.com"))
DEVELOPMENT_KEY = "00000000-0000-0000-0000-000000000000"
MODEL = "ai-image-1-ultra"

TOKEN_LIFE_S = 48 * 3600.0
REFRESH_BEFORE_S = 300.0

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

Encoding = Literal["multipart", "base64"]


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
            files={"image": (filename, image, media_type)},
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


def credits_request(base_url: str, token: Secret) -> Request:
    return Request(method="GET", url=f"{base_url}/v3/scans/credits", headers=_headers(token))


def _headers(token: Secret | None = None) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "runmask"}
    return headers if token is None else headers | {"Authorization": f"Bearer {token.reveal()}"}


# -- replies


def read_login(reply: Reply, now: float, key: Secret) -> Token | APIError:
    """``now`` in seconds, on any clock."""
    if reply.status >= 300:
        return refusal(reply, "login", (key,))
    # What is wrong is told without a word of the answer: there may be a token in it.
    try:
        answer = load_object(reply.body)
    except InputError as error:
        return _unusable(
            reply, "login", InputError("it is no JSON object", code=error.code), (key,)
        )
    token = answer.get("access_token")
    try:
        if not isinstance(token, str):
            raise InputError("it has no access_token that is text")
        secret = Secret(token)
        secret.check("access_token")
    except InputError as error:
        return _unusable(reply, "login", error, (key,))
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
    try:
        return _amount(reply.body)
    except InputError:
        return _unusable(
            reply, "question for credits", _fault(_amount, reply.body, secrets), secrets
        )


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
    try:
        return read(reply.body)
    except ResponseFormatError:
        return _unusable(reply, "check", _fault(read, reply.body, secrets), secrets, billed=True)


def _fault(read: Callable[[bytes], object], body: bytes, secrets: Sequence[Secret]) -> InputError:
    """What is wrong with an answer, found again in the scrubbed one: the words quote and cut it."""
    try:
        read(_scrubbed_bytes(body, secrets))
    except InputError as error:
        return error
    return ResponseFormatError("it is damaged where it repeats a secret")


def _unusable(
    reply: Reply, what: str, error: InputError, secrets: Sequence[Secret], *, billed: bool = False
) -> APIError:
    """The error for a success that is none. What was paid for is kept as ``body``."""
    kind = _told(reply.headers.get("content-type", "no content type"), 60, secrets)
    message = _scrubbed(
        f"Copyleaks answered the {what} with {reply.status} ({kind!r}) and no answer: {error}",
        secrets,
    )
    known: dict[str, Any] = {
        "status": reply.status,
        "request_id": _request_id(reply, {}, secrets),
        "billed": "unknown" if billed else "no",
        "body": _scrubbed_bytes(reply.body, secrets) if billed else b"",
    }
    if error.code == "json_truncated":
        return APIConnectionError(message, code="truncated", retryable=True, **known)
    result = APIResponseError(message, code=error.code, **known)
    path = getattr(error, "path", None)
    result.path = None if path is None else _scrubbed(path, secrets)
    result.offset = getattr(error, "offset", None)
    return result


def refusal(
    reply: Reply, what: str, secrets: Sequence[Secret], *, billed: bool = False
) -> StatusError:
    """The error that a reply of status 300 or more means."""
    body = _lenient_object(reply.body)
    error = body.get("error")
    if isinstance(error, list) and error:
        error = error[0]
    if not isinstance(error, Mapping):
        error = {}
    code = _integer(error.get("code", reply.headers.get("copyleaks-error-code")))
    kind = error.get("type")
    said = error.get("message") or body.get("Message") or body.get("title")
    details = _details(error.get("details"), secrets)
    status, pause = reply.status, retry_after(reply.headers)

    parts = [f"Copyleaks refused the {what}: {status}"]
    if 300 <= status < 400:
        parts.append(_redirect(reply.headers.get("location"), secrets))
    if kind or error.get("id"):
        parts.append(f" {_told(error.get('id') or kind, 60, secrets)}")
    if code is not None:
        parts.append(f", code {code}")
    if said:
        parts.append(f": {_told(said, 200, secrets)!r}")
    parts += [f"; {name:.80}: {reason!r:.100}" for name, reason in details[:5]]

    chosen = _error_class(status, kind, code, what)
    safe = status < 500 or (status == 503 and pause is not None)
    result = chosen(
        _escaped(_scrubbed("".join(parts), secrets))[:500],
        status=status,
        service_code=code,
        request_id=_request_id(reply, body, secrets),
        retryable=status in (408, 425, 429) or (status >= 500 and status not in (501, 505)),
        billed="unknown" if billed and not safe else "no",
        body=_scrubbed_bytes(reply.body, secrets),
    )
    if isinstance(result, (RateLimitedError, UnavailableError)):
        result.retry_after = pause
    if isinstance(result, InvalidRequestError):
        result.details = details
    return result


def _redirect(location: str | None, secrets: Sequence[Secret]) -> str:
    """Names the origin only: in a path or query there may be a key."""
    if location is None:
        return ", neither an answer nor an address to ask"
    try:
        target = urlsplit(location)
        host = target.hostname
    except ValueError:
        return ", a redirect to no valid address"
    if host is None:
        return ", a redirect to another path, which is not followed"
    origin = f"{target.scheme}://{host}" if target.scheme else host
    return f", a redirect to {_told(origin, 100, secrets)}, which is not followed"


# -- what servers say may repeat what they were sent: it is scrubbed first, then cut


def _told(value: object, size: int, secrets: Sequence[Secret]) -> str:
    text = value if isinstance(value, str) else repr(value)
    return _scrubbed(text, secrets)[:size]


def _scrubbed(text: str, secrets: Sequence[Secret]) -> str:
    for secret in secrets:
        text = secret.scrub(text)
    return text


def _scrubbed_bytes(data: bytes, secrets: Sequence[Secret]) -> bytes:
    for secret in secrets:
        data = secret.scrub_bytes(data)
    return data


def _error_class(status: int, kind: object, code: int | None, what: str) -> type[StatusError]:
    by_status: dict[int, type[StatusError]] = {
        429: RateLimitedError,
        503: UnavailableError,
        409: DuplicateScanError,
        413: ImageTooLargeError,
    }
    if status in by_status:
        return by_status[status]
    if code == 6:
        return ImageTooLargeError
    if kind == "authentication_error" or status == 401 or (status == 403 and what == "login"):
        return AuthError
    if kind == "payment_error" or status == 402:
        return QuotaError
    if kind == "api_error" or status >= 500:
        return ServerError
    return InvalidRequestError if status >= 400 else StatusError


def _lenient_object(body: bytes) -> Mapping[str, Any]:
    try:
        return load_object(body, max_bytes=2**20)
    except InputError:
        return {}


def _details(value: object, secrets: Sequence[Secret]) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        (_told(item.get("param"), 1000, secrets), _told(item.get("message"), 1000, secrets))
        for item in value
        if isinstance(item, Mapping)
    )


def _integer(value: object) -> int | None:
    """Older bodies have the code as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _request_id(reply: Reply, body: Mapping[str, Any], secrets: Sequence[Secret]) -> str | None:
    for name in ("x-request-id", "request-id", "x-correlation-id"):
        if name in reply.headers:
            return _escaped(_told(reply.headers[name], 200, secrets))
    trace = body.get("traceId")
    return _escaped(_told(trace, 200, secrets)) if isinstance(trace, str) else None


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
