"""Sightengine on the wire: requests are built and replies are read here, by pure functions.

::

    POST {base}/check.json   form: models, url            -> the figures for one image
    POST {base}/check.json   form: models, file media     -> the same
    POST {base}/check.json   form: models, files media[]  -> {"data": [one for each, in any order]}

The credentials travel as fields of the form. (The pages show them in the query of a GET for
addresses, from where they get into logs.) A refusal is ``{"status": "failure", "error": {type,
code, message}}``, whatever the HTTP status, and costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..detection import Detection
from ..errors import (
    APIError,
    AuthError,
    ImageRefusedError,
    ImageTooLargeError,
    InvalidRequestError,
    QuotaError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    StatusError,
)
from ..formats import load_object
from .pace import Rate
from .preflight import Limits
from .replies import Reading, error_of_status, integer, lenient_object, mapping
from .retry import Reply, Request
from .secret import Secret
from .upload import Upload

BASE_URL = "https://api.sightengine.com/1.0"
OFFICIAL_HOSTS = frozenset(("api.sightengine.com",))
DEVELOPMENT = ("0000", "sandbox")
SERVICE = "Sightengine"
MODELS = ("genai",)

RATE = Rate(5, 5)  # no page tells one: this is but good manners
MAX_IMAGES, MAX_TOTAL_BYTES = 6, 24_000_000

LIMITS = Limits(
    service=SERVICE,
    formats=frozenset(("JPEG", "PNG", "WEBP", "GIF")),
    max_bytes=12_000_000,
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where requests go, and who asks."""

    origin: str
    user: Secret = field(repr=False)
    secret: Secret = field(repr=False)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What errors must not tell. A user of a few digits would be found in any number."""
        if (self.user.reveal(), self.secret.reveal()) == DEVELOPMENT:
            return ()  # published, and its secret a word that messages need
        return (self.secret, self.user) if len(self.user.reveal()) >= 6 else (self.secret,)


def versioned(origin: str) -> str:
    """The address, with the version that is asked where it has no path."""
    return origin if urlsplit(origin).path else f"{origin}/1.0"


def url_request(site: Site, url: str, models: Sequence[str]) -> Request:
    return _request(site, models, fields={"url": url})


def upload_request(site: Site, upload: Upload, models: Sequence[str]) -> Request:
    return _request(site, models, files=[("media", _file(upload, upload.filename))])


def uploads_request(site: Site, uploads: Sequence[Upload], models: Sequence[str]) -> Request:
    """The names are made distinct: answers come in any order, and are told apart by them."""
    files = [("media[]", _file(upload, name_of(at, upload))) for at, upload in enumerate(uploads)]
    return _request(site, models, files=files)


def name_of(at: int, upload: Upload) -> str:
    return f"{at}-{upload.filename}"


def _file(upload: Upload, name: str) -> tuple[str, bytes, str]:
    return name, upload.data, upload.media_type


def _request(
    site: Site,
    models: Sequence[str],
    *,
    fields: Mapping[str, str] | None = None,
    files: Sequence[tuple[str, tuple[str, bytes, str]]] = (),
) -> Request:
    return Request(
        method="POST",
        url=f"{site.origin}/check.json",
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "runmask",
        },
        fields={
            "models": ",".join(models),
            "api_user": site.user.reveal(),
            "api_secret": site.secret.reveal(),
            **(fields or {}),
        },
        files=files,
        billed=True,
    )


def _reading(secrets: Sequence[Secret]) -> Reading:
    return Reading(service=SERVICE, what="check", secrets=secrets, billed=True)


def read_check(reply: Reply, secrets: Sequence[Secret], max_bytes: int) -> Detection | APIError:
    def read(body: bytes) -> Detection:
        return Detection.from_sightengine(body, max_bytes=max_bytes)

    refused = _refused(reply, secrets)
    return _reading(secrets).success(reply, read) if refused is None else refused


def read_checks(
    reply: Reply, secrets: Sequence[Secret], max_bytes: int, names: Sequence[str]
) -> tuple[list[Detection | StatusError], bytes] | APIError:
    """The answers in the order of the names that were sent, and the whole body."""

    def read(body: bytes) -> tuple[list[Detection | StatusError], bytes]:
        answer = load_object(body, max_bytes=max_bytes)
        told = answer.get("data")
        if told is None and len(names) == 1 and "type" in answer:
            told = [answer]
        if not isinstance(told, list):
            raise ResponseFormatError("no list of answers", code="missing_key", path="data")
        found = {str(mapping(mapping(each).get("media")).get("uri")): each for each in told}
        return [_item(answer, found.get(name), name, len(names)) for name in names], body

    refused = _refused(reply, secrets)
    return _reading(secrets).success(reply, read) if refused is None else refused


def _item(
    answer: Mapping[str, Any], told: object, name: str, count: int
) -> Detection | StatusError:
    """One image's answer, with the request's data as in an answer to it alone."""
    request = dict(mapping(answer.get("request")))
    operations = integer(request.get("operations"))
    if operations is not None:
        share = operations / count
        request["operations"] = int(share) if share.is_integer() else share
    raw = json.dumps({"status": "success", "request": request, **mapping(told)}).encode()
    try:
        return Detection.from_sightengine(raw)
    except ResponseFormatError as error:
        message = f"{SERVICE} gave no answer for {name!r:.80}: {error}"[:500]
        return StatusError(message, billed="unknown", body=raw)


_BY_TYPE: dict[object, type[StatusError]] = {
    "credentials_error": AuthError,
    "usage_limit": QuotaError,
    "plan_error": QuotaError,
    "media_error": ImageRefusedError,
    "argument_error": InvalidRequestError,
    "request_error": InvalidRequestError,
    "callback_error": InvalidRequestError,
    "api_error": ServerError,
    "unknown_error": ServerError,
}
BAD_CREDENTIALS = 1


def _refused(reply: Reply, secrets: Sequence[Secret]) -> StatusError | None:
    """The HTTP status alone does not tell."""
    if reply.status < 300 and b'"failure"' not in reply.body:
        return None
    body = lenient_object(reply.body)
    if reply.status < 300 and body.get("status") != "failure":
        return None
    return refusal(reply, body, secrets)


def refusal(reply: Reply, body: Mapping[str, Any], secrets: Sequence[Secret]) -> StatusError:
    error, request = mapping(body.get("error")), mapping(body.get("request"))
    kind, code = error.get("type"), integer(error.get("code"))
    chosen = _error_class(reply.status, kind, code)
    result = _reading(secrets).refusal(
        reply,
        chosen,
        name=kind,
        code=code,
        said=error.get("message"),
        request_id=request.get("id"),
        free=body.get("status") == "failure",
    )
    if chosen is ServerError and error:
        result.retryable = True
    elif chosen is not RateLimitedError and isinstance(kind, str) and kind in _BY_TYPE:
        result.retryable = False
    return result


def _error_class(status: int, kind: object, code: int | None) -> type[StatusError]:
    if kind == "argument_error" and code == BAD_CREDENTIALS:  # as the pages have it
        return AuthError
    if isinstance(kind, str) and kind in _BY_TYPE:
        return ImageTooLargeError if status == 413 else _BY_TYPE[kind]
    return InvalidRequestError if status < 300 else error_of_status(status)
