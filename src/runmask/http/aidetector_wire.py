"""aiimagedetectorapi.com on the wire: requests are built and replies are read here, purely.

Two pages of the service describe two interfaces on the same host::

    what             dialect "root"                  dialect "endpoints"
    one image        POST /v1/detect   JSON, form    POST /v1/detect    form, part "image"
    several          POST /v1/detect/batch           -
    several, later   POST /v1/detect/async           POST /v1/batch     {"urls", "webhook_url"}
    forensics        POST /v1/forensics              POST /v1/forensic
    credentials      POST /v1/c2pa/verify            -
    a job, usage     GET  /v1/jobs/{id}, /v1/usage   the same
    health           GET  /v1/health                 (the same)

No page shows the bodies of "root" for several images, nor its fields for uploads: here they are a
list ``images`` of what one image would be, ``image_base64``, and ``image``. Answers are read in
either dialect, whatever was sent. A refusal is ``{"error": {code, message, param, request_id}}``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from ..detection import Detection
from ..errors import (
    APIError,
    AuthError,
    ForbiddenError,
    ImageRefusedError,
    ImageTooLargeError,
    ImageUnfetchableError,
    InputError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    StatusError,
    UnavailableError,
)
from ..formats import load_json, load_object
from .jobs import Batch, Item, Job, Report
from .pace import Rate
from .preflight import Limits
from .replies import Reading, error_of_status, integer, lenient_object, mapping, name_of
from .retry import Reply, Request
from .secret import Secret
from .upload import Encoding, Upload

T = TypeVar("T")

BASE_URL = "https://api.aiimagedetectorapi.com"
OFFICIAL_HOSTS = frozenset(("api.aiimagedetectorapi.com",))
TEST_KEY = "aidet_test_"
SERVICE = "AIDetector"

RATE = Rate(2, 5)  # of the free plan
MAX_IMAGES = 100

LIMITS = Limits(
    service=SERVICE,
    formats=frozenset(("JPEG", "PNG", "WEBP", "HEIF", "GIF", "BMP", "TIFF")),
    max_bytes=20_000_000,
)

Dialect = Literal["root", "endpoints"]
What = Literal["detect", "batch", "async", "forensics", "c2pa"]

_PATHS: dict[Dialect, dict[What, str]] = {
    "root": {
        "detect": "/v1/detect",
        "batch": "/v1/detect/batch",
        "async": "/v1/detect/async",
        "forensics": "/v1/forensics",
        "c2pa": "/v1/c2pa/verify",
    },
    "endpoints": {
        "detect": "/v1/detect",
        "async": "/v1/batch",
        "forensics": "/v1/forensic",
    },
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an answer is to hold beside the verdict, and what it is to repeat."""

    attribution: bool = True
    heatmap: bool = False
    forensics: bool = False
    threshold: float | None = None
    metadata: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "include_attribution": self.attribution,
            "include_heatmap": self.heatmap,
            "include_forensics": self.forensics,
        }
        if self.threshold is not None:
            said["model_threshold"] = self.threshold
        if self.metadata is not None:
            said["metadata"] = dict(self.metadata)
        return said

    def fields(self) -> dict[str, str]:
        return {
            name: json.dumps(value) if not isinstance(value, str) else value
            for name, value in self.body().items()
        }


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where requests go, and how they are written."""

    origin: str
    key: Secret
    dialect: Dialect

    def url(self, what: What) -> str:
        paths = _PATHS[self.dialect]
        if what not in paths:
            raise InputError(f"the dialect {self.dialect!r} has no {what!r}", code="dialect")
        return f"{self.origin}{paths[what]}"

    def headers(self, *, is_json: bool = False) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "runmask",
            "Authorization": f"Bearer {self.key.reveal()}",
        }
        return headers | {"Content-Type": "application/json"} if is_json else headers


# -- requests


def image_request(
    site: Site, what: What, upload: Upload, wanted: Wanted | None, encoding: Encoding
) -> Request:
    """About one image that is sent along."""
    if encoding == "base64":
        if site.dialect != "root":
            raise InputError("the dialect 'endpoints' takes no base64", code="dialect")
        return _json_request(site, what, _encoded(upload) | (wanted.body() if wanted else {}))
    return Request(
        method="POST",
        url=site.url(what),
        headers=site.headers(),
        fields=wanted.fields() if wanted and site.dialect == "root" else {},
        files=[("image", (upload.filename, upload.data, upload.media_type))],
        billed=True,
    )


def url_request(site: Site, what: What, url: str, wanted: Wanted | None) -> Request:
    """About one image that the service is to fetch."""
    if site.dialect != "root":
        raise InputError(
            "the dialect 'endpoints' takes uploads, or addresses by submit_urls", code="dialect"
        )
    return _json_request(site, what, {"image_url": url} | (wanted.body() if wanted else {}))


def batch_request(site: Site, images: Sequence[str | Upload], wanted: Wanted) -> Request:
    """About several images, by address or sent along, to be answered at once."""
    listed = [{"image_url": each} if isinstance(each, str) else _encoded(each) for each in images]
    return _json_request(site, "batch", {"images": listed} | wanted.body())


def async_request(
    site: Site, urls: Sequence[str], wanted: Wanted, webhook_url: str | None
) -> Request:
    """About several images that the service is to fetch, to be answered later."""
    body: dict[str, Any] = (
        {"images": [{"image_url": url} for url in urls]} | wanted.body()
        if site.dialect == "root"
        else {"urls": list(urls)}
    )
    if webhook_url is not None:
        body["webhook_url"] = webhook_url
    return _json_request(site, "async", body)


def get_request(site: Site, path: str) -> Request:
    return Request(method="GET", url=f"{site.origin}{path}", headers=site.headers(), large=True)


def job_path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _json_request(site: Site, what: What, body: Mapping[str, Any]) -> Request:
    return Request(
        method="POST",
        url=site.url(what),
        headers=site.headers(is_json=True),
        content=json.dumps(body, allow_nan=False).encode(),
        billed=True,
    )


def _encoded(upload: Upload) -> dict[str, Any]:
    return {
        "image_base64": base64.b64encode(upload.data).decode("ascii"),
        "filename": upload.filename,
    }


# -- replies


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads the replies to one request."""

    what: str
    key: Secret
    max_bytes: int
    billed: bool = True

    def detection(self, reply: Reply) -> Detection | APIError:
        return self._read(
            reply, lambda body: Detection.from_aidetector(body, max_bytes=self.max_bytes)
        )

    def batch(self, reply: Reply, count: int) -> Batch | APIError:
        """``count``: of the images that were sent."""

        def read(body: bytes) -> Batch:
            answer = load_json(body, max_bytes=self.max_bytes)
            results = answer if isinstance(answer, list) else _results(mapping(answer))
            if results is None or len(results) != count:
                found = "no list" if results is None else f"{len(results)} results"
                raise ResponseFormatError(f"{found} for {count} images", path="results")
            return Batch(items=tuple(self._item(each) for each in _in_order(results)), raw=body)

        return self._read(reply, read)

    def job(self, reply: Reply) -> Job | APIError:
        return self._read(reply, self.read_job)

    def read_job(self, body: bytes) -> Job:
        answer = load_object(body, max_bytes=self.max_bytes)
        told = mapping(answer.get("data")) or answer
        ids = (name_of(told.get(name)) for name in ("job_id", "batch_id", "id"))
        job_id, status = next(filter(None, ids), None), name_of(told.get("status"))
        if job_id is None or status is None:
            raise ResponseFormatError(
                f"no job: keys {sorted(told)!r:.120}", code="missing_key", path="job_id"
            )
        return Job(
            id=job_id,
            status=status,
            total=integer(told.get("total_items")),
            items=tuple(self._item(each) for each in _in_order(_results(told) or [])),
            answer=answer,
            raw=body,
        )

    def report(self, reply: Reply) -> Report | APIError:
        def read(body: bytes) -> Report:
            return Report(answer=load_object(body, max_bytes=self.max_bytes), raw=body)

        return self._read(reply, read)

    def _read(self, reply: Reply, read: Callable[[bytes], T]) -> T | APIError:
        if reply.status >= 300:
            return self.refusal(reply)
        return self._reading.success(reply, read)

    def refusal(self, reply: Reply) -> StatusError:
        error = mapping(lenient_object(reply.body).get("error"))
        code = error.get("code")
        result = self._reading.refusal(
            reply,
            error_class(reply.status, code),
            name=code,
            code=code if isinstance(code, str) else None,
            said=error.get("message"),
            details=self._details(error),
            request_id=error.get("request_id"),
        )
        result.retryable |= isinstance(result, ImageUnfetchableError)
        return result

    def _item(self, value: object) -> Item:
        raw = json.dumps(value).encode()
        error = mapping(mapping(value).get("error"))
        if not error:
            try:
                return Detection.from_aidetector(raw)
            except ResponseFormatError as fault:
                message = f"an image of the batch: {fault}"[:500]
                return StatusError(message, billed="unknown", body=raw)
        code, said = error.get("code"), error.get("message")
        status = _STATUS_OF.get(str(code), 400)
        told = self._reading.told(said, 200) if said else "no reason"
        name = self._reading.told(code, 60)
        result = error_class(status, code)(
            f"{SERVICE} refused an image of the batch: {name}: {told!r}",
            service_code=code if isinstance(code, str) else None,
            retryable=status in (422, 429) or status >= 500,
            body=raw,
        )
        if isinstance(result, InvalidRequestError):
            result.details = tuple(self._details(error))
        return result

    def _details(self, error: Mapping[str, Any]) -> list[tuple[str, str]]:
        parameter, said = error.get("param"), error.get("message")
        if not isinstance(parameter, str):
            return []
        return [(self._reading.told(parameter, 200), self._reading.told(said or "", 1000))]

    @property
    def _reading(self) -> Reading:
        return Reading(service=SERVICE, what=self.what, secrets=(self.key,), billed=self.billed)


def _results(told: Mapping[str, Any]) -> list[Any] | None:
    for name in ("results", "verdicts", "detections", "items", "data"):
        if isinstance(told.get(name), list):
            return list(told[name])
    return None


def _in_order(results: list[Any]) -> list[Any]:
    """By ``index``, where each has one; else as they are."""
    places = [integer(mapping(each).get("index")) for each in results]
    if None in places:
        return results
    return [results[at] for at in sorted(range(len(results)), key=lambda at: places[at] or 0)]


_BY_CODE: dict[object, tuple[int, type[StatusError]]] = {
    "invalid_request": (400, InvalidRequestError),
    "image_too_large": (400, ImageTooLargeError),
    "image_unsupported_format": (400, ImageRefusedError),
    "unauthorized": (401, AuthError),
    "payment_required": (402, QuotaError),
    "forbidden": (403, ForbiddenError),
    "not_found": (404, NotFoundError),
    "image_unfetchable": (422, ImageUnfetchableError),
    "rate_limited": (429, RateLimitedError),
    "internal_error": (500, ServerError),
    "service_unavailable": (503, UnavailableError),
}
_STATUS_OF: dict[object, int] = {code: status for code, (status, _) in _BY_CODE.items()}


def error_class(status: int, code: object) -> type[StatusError]:
    """By the code, which is stable, if the status is of its kind; else by the status."""
    if isinstance(code, str) and code in _BY_CODE and _BY_CODE[code][0] // 100 == status // 100:
        return _BY_CODE[code][1]
    return ImageRefusedError if status == 415 else error_of_status(status)
