"""What is common in reading the replies of all services.

Servers may repeat what they were sent: whatever is told of a reply is scrubbed first, then cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    AuthError,
    ForbiddenError,
    ImageTooLargeError,
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
from ..formats import load_object
from .retry import Reply, retry_after
from .secret import Secret

T = TypeVar("T")

Details = Sequence[tuple[str, str]]

MAX_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Reads the replies of ``service`` to ``what``, which it may have charged for (``billed``)."""

    service: str
    what: str
    secrets: Sequence[Secret] = field(repr=False)
    billed: bool = False

    def success(self, reply: Reply, read: Callable[[bytes], T]) -> T | APIError:
        """What ``read`` makes of the body of a reply below 300."""
        try:
            return read(reply.body)
        except ResponseFormatError:
            return self.unusable(reply, self._fault(read, reply.body))

    def _fault(self, read: Callable[[bytes], object], body: bytes) -> InputError:
        """What is wrong with an answer, found again in the scrubbed one: the words quote it."""
        try:
            read(self.scrubbed_bytes(body))
        except InputError as error:
            return error
        return ResponseFormatError("it is damaged where it repeats a secret")

    def unusable(self, reply: Reply, error: InputError) -> APIError:
        """The error for a success that is none. What was paid for is kept as ``body``."""
        kind = self.told(reply.headers.get("content-type", "no content type"), 60)
        message = self.scrubbed(
            f"{self.service} answered the {self.what} with {reply.status} ({kind!r}) and no answer:"
            f" {error}"
        )
        known: dict[str, Any] = {
            "status": reply.status,
            "request_id": self.request_id(reply),
            "billed": "unknown" if self.billed else "no",
            "body": self.scrubbed_bytes(reply.body) if self.billed else b"",
        }
        if error.code == "json_truncated":
            return APIConnectionError(message, code="truncated", retryable=True, **known)
        result = APIResponseError(message, code=error.code, **known)
        path = getattr(error, "path", None)
        result.path = None if path is None else self.scrubbed(path)
        result.offset = getattr(error, "offset", None)
        return result

    def refusal(
        self,
        reply: Reply,
        chosen: type[StatusError],
        *,
        name: object = None,
        code: int | str | None = None,
        said: object = None,
        details: Details = (),
        request_id: object = None,
        free: bool = False,
    ) -> StatusError:
        """The error that a reply means which is no success.

        Parameters
        ----------
        chosen : type
            The error's.
        name, code, said, details
            What the service calls it, in a word, a number, a sentence, and by parameter.
        request_id
            Where it stands in the body.
        free : bool
            The service says itself that it did not charge.
        """
        status, pause = reply.status, retry_after(reply.headers)
        parts = [f"{self.service} refused the {self.what}: {status}"]
        if 300 <= status < 400:
            parts.append(self._redirect(reply.headers.get("location")))
        if name:
            parts.append(f" {self.told(name, 60)}")
        if code is not None and code != name:
            parts.append(f", code {code}")
        if said:
            parts.append(f": {self.told(said, 200)!r}")
        parts += [f"; {parameter:.80}: {reason!r:.100}" for parameter, reason in details[:5]]
        safe = free or status < 500 or (status == 503 and pause is not None)
        result = chosen(
            escaped(self.scrubbed("".join(parts)))[:500],
            status=status,
            service_code=code,
            request_id=self.request_id(reply, request_id),
            retryable=status in (408, 425, 429) or (status >= 500 and status not in (501, 505)),
            billed="unknown" if self.billed and not safe else "no",
            body=self.scrubbed_bytes(reply.body),
        )
        if isinstance(result, (RateLimitedError, UnavailableError)):
            result.retry_after = pause
        if isinstance(result, InvalidRequestError):
            result.details = tuple(details)
        return result

    def _redirect(self, location: str | None) -> str:
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
        return f", a redirect to {self.told(origin, 100)}, which is not followed"

    def request_id(self, reply: Reply, in_body: object = None) -> str | None:
        for name in ("x-request-id", "request-id", "x-correlation-id"):
            if name in reply.headers:
                return escaped(self.told(reply.headers[name], 200))
        return escaped(self.told(in_body, 200)) if isinstance(in_body, str) else None

    def told(self, value: object, size: int) -> str:
        return self.scrubbed(value if isinstance(value, str) else repr(value))[:size]

    def scrubbed(self, text: str) -> str:
        for secret in self.secrets:
            text = secret.scrub(text)
        return text

    def scrubbed_bytes(self, data: bytes) -> bytes:
        for secret in self.secrets:
            data = secret.scrub_bytes(data)
        return data


_BY_STATUS: dict[int, type[StatusError]] = {
    401: AuthError,
    402: QuotaError,
    403: ForbiddenError,
    404: NotFoundError,
    413: ImageTooLargeError,
    429: RateLimitedError,
    503: UnavailableError,
}


def error_of_status(status: int) -> type[StatusError]:
    """What a status means where the service says nothing better."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    return InvalidRequestError if status >= 400 else StatusError


def lenient_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a refusal; empty for anything else, such as HTML of a proxy."""
    try:
        return load_object(body, max_bytes=2**20)
    except InputError:
        return {}


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def name_of(value: object) -> str | None:
    """What may be the name of something: short, and of characters that can be shown."""
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable():
        return value
    return None


def integer(value: object) -> int | None:
    """Of 64 bits; older bodies have numbers as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    return None


def escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
