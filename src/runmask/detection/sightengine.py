"""A detection of Sightengine: a score for the whole image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..formats import Body, load_object
from .value import Detection, Verdict, no_detection, notice_of, number, part, plain_bytes, text

THRESHOLD = 0.5


class SightengineDetection(Detection):
    """The score is ``type.ai_generated``; or it is at the top.

    Other models put their figures into ``type`` as well: they are in ``extra``.
    """

    _KNOWN = frozenset(("status", "request", "type", "media", "ai_generated"))

    @staticmethod
    def read(raw: Body, max_bytes: int) -> Detection:
        answer = load_object(raw, max_bytes=max_bytes)
        if answer.get("status") not in (None, "success") or answer.keys().isdisjoint(
            ("type", "ai_generated", "media")
        ):
            raise no_detection(answer, "no 'type'", "type")
        return SightengineDetection("sightengine", plain_bytes(raw), answer)

    def __reduce__(self) -> tuple[Any, ...]:
        return Detection.from_sightengine, (self.raw,)

    @property
    def verdict(self) -> Verdict | None:
        score = self.score
        if score is None:
            return None
        return "ai" if score >= THRESHOLD else "human"

    @property
    def score(self) -> float | None:
        value = self._type.get("ai_generated", self._answer.get("ai_generated"))
        return None if value is None else float(number("type.ai_generated", value, share=True))

    @property
    def attribution(self) -> Mapping[str, float] | None:
        found = self._type.get("ai_generators")
        if found is None:
            return None
        path = "type.ai_generators"
        return {
            name: number(f"{path}.{name}", value, share=True)
            for name, value in part(self._type, "ai_generators").items()
        }

    @property
    def ids(self) -> Mapping[str, str]:
        request, media = self._section("request"), self._section("media")
        found = {
            "request_id": request.get("id"),
            "media_id": media.get("id"),
            "uri": media.get("uri"),
        }
        return {name: str(value) for name, value in found.items() if value is not None}

    @property
    def credits(self) -> float | None:
        value = self._section("request").get("operations")
        return None if value is None else number("request.operations", value)

    @property
    def created(self) -> str | None:
        return text(self._section("request").get("timestamp"))

    @property
    def notice(self) -> str | None:
        return notice_of(self._answer)

    @property
    def extra(self) -> Mapping[str, Any]:
        known = self._KNOWN if self.notice is None else self._KNOWN | {"sandbox"}
        more = {key: value for key, value in self._answer.items() if key not in known}
        others = {
            key: value
            for key, value in self._type.items()
            if key not in ("ai_generated", "ai_generators")
        }
        return more | ({"type": others} if others else {})

    @property
    def _type(self) -> Mapping[str, Any]:
        return self._section("type")

    def _section(self, name: str) -> Mapping[str, Any]:
        return part(self._answer, name, optional=True)
