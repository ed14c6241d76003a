"""What a webhook says, read from its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ...detection import Detection
from ...errors import ResponseFormatError
from ...formats import load_object
from ..aidetector_wire import Reader
from ..copyleaks_wire import error_of
from ..jobs import Job
from ..replies import integer, mapping, name_of
from ..secret import Secret

Service = Literal["copyleaks", "aidetector", "sightengine"]

ENDINGS = ("completed", "failed", "error", "finished", "expired")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One webhook, verified.

    Attributes
    ----------
    service : {"copyleaks", "aidetector", "sightengine"}
    kind : str
        The service's word for it, such as ``"batch.completed"``. Copyleaks has none for images:
        ``"scan.completed"`` or ``"scan.failed"``.
    subject : str or None
        What it is about: Copyleaks' scan id, AIDetector's job or detection.
    payload : str or None
        Your own part of Copyleaks' developer payload.
    body : bytes
        As it came, but for a compression.
    """

    service: Service
    kind: str
    subject: str | None
    payload: str | None = None
    body: bytes = field(repr=False)

    @property
    def ends(self) -> bool:
        """Whether nothing more is to come about the subject."""
        return self.kind.rpartition(".")[2] in ENDINGS

    @cached_property
    def answer(self) -> Mapping[str, Any]:
        """The body as read from JSON."""
        return load_object(self.body)

    @property
    def detection(self) -> Detection | None:
        """What was found about one image; None if the event tells no such thing.

        Raises ResponseFormatError if it should and does not.
        """
        if self.service == "copyleaks":
            return None if self.kind == "scan.failed" else Detection.from_copyleaks(self.body)
        if self.service == "aidetector" and self.kind == "detection.completed":
            return Detection.from_aidetector(_data_of(self.answer))
        return None

    @property
    def job(self) -> Job | None:
        """The batch that has come to its end; None if the event tells no such thing."""
        if self.service != "aidetector" or not self.kind.startswith("batch."):
            return None
        reader = Reader(what="batch", key=Secret(""), max_bytes=len(self.body), billed=False)
        return reader.read_job(self.body)

    @property
    def error(self) -> Mapping[str, Any] | None:
        """What went wrong, in the service's words: ``type``, ``id``, ``code``, ``message``, ..."""
        if self.service == "copyleaks":
            return error_of(self.answer) if self.kind == "scan.failed" else None
        return mapping(_told(self.answer).get("error")) or None


def read_copyleaks(body: bytes, scan_id: str, payload: str | None = None) -> Event:
    """The webhook of a scan. Raises ResponseFormatError if it is no JSON object."""
    answer = load_object(body)
    failed = "error" in answer or integer(answer.get("status")) == 1
    return Event(
        service="copyleaks",
        kind="scan.failed" if failed else "scan.completed",
        subject=scan_id,
        payload=payload,
        body=body,
    )


def read_aidetector(body: bytes) -> Event:
    """Raises ResponseFormatError if it is no JSON object, or says of no event."""
    answer = load_object(body)
    kind, told = answer.get("event"), _told(answer)
    if not isinstance(kind, str) or not kind.isprintable() or len(kind) > 100:
        raise ResponseFormatError("no name of an event", code="missing_key", path="event")
    names = ("job_id", "batch_id", "id", "request_id")
    subjects = (name_of(told.get(name)) for name in names)
    subject = next((subject for subject in subjects if subject is not None), None)
    return Event(service="aidetector", kind=kind, subject=subject, body=body)


def read_sightengine(body: bytes) -> Event:
    """Raises ResponseFormatError if it is no JSON object."""
    answer = load_object(body)
    data = mapping(answer.get("data"))
    status = data.get("status", answer.get("status"))
    return Event(
        service="sightengine",
        kind=f"media.{status}" if isinstance(status, str) and status.isalnum() else "media",
        subject=name_of(mapping(answer.get("media")).get("id")),
        body=body,
    )


def _told(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(answer.get("data")) or answer


def _data_of(answer: Mapping[str, Any]) -> str:
    import json

    return json.dumps(_told(answer))
