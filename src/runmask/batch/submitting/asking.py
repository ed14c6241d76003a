"""What is asked of a service about an item, and what its errors mean for a job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ...detection import Detection
from ...errors import (
    APIConnectionError,
    APIError,
    AuthError,
    DuplicateScanError,
    QuotaError,
    RateLimitedError,
    ResponseFormatError,
    RunmaskError,
    UnavailableError,
)
from ...http import (
    AsyncAIDetector,
    AsyncCopyleaks,
    AsyncSightengine,
    aidetector_wire,
    copyleaks_wire,
    sightengine_wire,
)
from ...http.pace import Pace, Rate
from ...http.preflight import Limits
from ...http.upload import prepare
from ..journal import Fault, Unread, hash_of
from ..sources import digest_of, read_image

Client = AsyncCopyleaks | AsyncAIDetector | AsyncSightengine

Fate = Literal["again", "refused", "held", "stop"]
"""What becomes of a request that failed: sent again later, given up, left to a person, or the end
of all sending."""

_READ_ATTEMPTS = 3  # of a web address

# What a service takes, and what is asked of it: the same image and question have the same scan id.
_LIMITS: Mapping[str, Limits] = {
    "copyleaks": copyleaks_wire.LIMITS,
    "aidetector": aidetector_wire.LIMITS,
    "sightengine": sightengine_wire.LIMITS,
}
_RATES: Mapping[str, Rate] = {
    "copyleaks": copyleaks_wire.CHECK_RATE,
    "aidetector": aidetector_wire.RATE,
    "sightengine": sightengine_wire.RATE,
}
QUESTIONS: Mapping[str, str] = {
    "copyleaks": copyleaks_wire.MODEL,
    "aidetector": "default",
    "sightengine": ",".join(sightengine_wire.MODELS),
}


@dataclass(frozen=True)
class Question:
    """What is sent about an item, and the scan that it is: the same content is the same scan.

    ``digest`` is of the very bytes that are sent, and empty where the service fetches them.
    """

    scan_id: str
    digest: str
    filename: str
    content: bytes | str = field(repr=False)


class Way(Protocol):
    """How a service is asked. ``pace`` is how fast; None: as fast as it answers."""

    service: str
    pace: Pace | None

    def prepared(self, item: Unread) -> Question:
        """In a thread. Raises RunmaskError for an item that the service would not take."""
        ...

    async def asked(self, question: Question, send_as: str) -> Detection | None:
        """The answer, or None if it comes later. Raises what the client does."""
        ...


class ByUpload:
    """Images are read here, looked at, and sent; the answer comes back at once.

    ``is_local``: the service is on this machine, where it has no rate of its own, and so may be the
    web addresses of images.
    """

    def __init__(
        self, service: str, client: Client, *, is_local: bool, rate: Rate | None = None
    ) -> None:
        self.service = service
        self.pace = pace_of(service, rate, is_local=is_local)
        self._client = client
        self._is_local = is_local

    def prepared(self, item: Unread) -> Question:
        limits = _LIMITS[self.service]
        data = self._read(item.source, limits.max_bytes)
        upload = prepare(data, None, limits, preflight=True)
        digest = digest_of(data)
        return Question(
            scan_id=scan_id_of(self.service, digest),
            digest=digest,
            filename=item.name + os.path.splitext(upload.filename)[1],
            content=data,
        )

    def _read(self, source: str, most: int) -> bytes:
        for _ in range(_READ_ATTEMPTS - 1):
            try:
                return read_image(source, "the image", most=most, loopback=self._is_local)
            except APIError as error:  # of the server that has it
                if not error.retryable:
                    raise
        return read_image(source, "the image", most=most, loopback=self._is_local)

    async def asked(self, question: Question, send_as: str) -> Detection:
        known: dict[str, Any] = {"filename": question.filename, "preflight": False}
        if isinstance(self._client, AsyncCopyleaks):
            known["scan_id"] = send_as
        return await self._client.check(question.content, **known)


def pace_of(service: str, rate: Rate | None, *, is_local: bool) -> Pace | None:
    """The client's own pace once more: who waits for a turn has not claimed its scan yet.

    So what is ``sent`` when a process dies are requests under way, and not those in the queue.
    """
    if rate is None and not is_local:
        rate = _RATES[service]
    return None if rate is None else Pace(rate)


def scan_id_of(service: str, content: str) -> str:
    return hash_of(f"{service}\0{QUESTIONS[service]}\0{content}".encode())


def cost_of(detection: Detection) -> float | None:
    with suppress(ResponseFormatError):
        return detection.credits
    return None


def fate_of(error: Exception) -> Fate:
    """What becomes of a request.

    What may have been billed is never sent again unasked: it is held. A scan id that the service
    knows already is one of ours, whose answer never came.
    """
    if not isinstance(error, RunmaskError):
        return "held"
    if not isinstance(error, APIError):
        return "held" if error.code == "response_bytes" else "refused"
    if error.billed != "no" or isinstance(error, DuplicateScanError):
        return "held"
    if isinstance(error, (AuthError, QuotaError)):
        return "stop"
    is_away = isinstance(error, (APIConnectionError, RateLimitedError, UnavailableError))
    return "again" if error.retryable or is_away else "refused"


def fault_of(error: Exception) -> Fault:
    if isinstance(error, RunmaskError):
        return Fault(error.code, str(error)[:500])
    return Fault("internal", f"{type(error).__name__}: {error}"[:500])
