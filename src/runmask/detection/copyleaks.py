"""A detection of Copyleaks: shares of pixels, and a mask."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from ..errors import InputError, ResponseFormatError
from ..formats import Body, load_answer
from ..mask import Mask
from .value import (
    Detection,
    Summary,
    Verdict,
    no_detection,
    notice_of,
    number,
    part,
    plain_bytes,
    text,
    wrong,
)


class CopyleaksDetection(Detection):
    """The verdict is ``isAiDetected``: a share of 0.001 is a finding, no threshold would see it."""

    _KNOWN = frozenset(
        ("model", "isAiDetected", "result", "summary", "imageInfo", "scannedDocument")
    )

    @staticmethod
    def read(raw: Body, max_bytes: int) -> Detection:
        return CopyleaksDetection.of(raw, load_answer(raw, max_bytes=max_bytes))

    @staticmethod
    def of(raw: Body, answer: Mapping[str, Any]) -> Detection:
        """What ``raw`` says, already read by :func:`load_answer`."""
        if "result" not in answer and "summary" not in answer:
            raise no_detection(answer, "neither 'result' nor 'summary'", "result")
        return CopyleaksDetection("copyleaks", plain_bytes(raw), answer)

    def __reduce__(self) -> tuple[Any, ...]:
        return Detection.from_copyleaks, (self.raw,)

    @property
    def verdict(self) -> Verdict:
        said = self._answer.get("isAiDetected")
        if said is None:  # answers of 2025
            return "ai" if self.mask.area else "human"
        if not isinstance(said, bool):
            raise wrong("isAiDetected", said, "true or false")
        return "ai" if said else "human"

    @property
    def score(self) -> float:
        return self.summary.ai

    @property
    def summary(self) -> Summary:
        return Summary(ai=self._share("ai"), human=self._share("human"))

    def _share(self, name: str) -> float:
        value = part(self._answer, "summary").get(name)
        return float(number(f"summary.{name}", value, share=True))

    @cached_property
    def mask(self) -> Mask:
        return Mask.from_response(dict(self._answer))

    @property
    def heatmap(self) -> Any:
        result = self._answer.get("result")
        places = [self._answer, result] if isinstance(result, Mapping) else [self._answer]
        found = (
            place[name]
            for name in ("heatmap", "heatmapUrl", "overlay", "mask")
            for place in places
            if place.get(name) is not None
        )
        return next(found, None)

    @property
    def ids(self) -> Mapping[str, str]:
        scan_id = part(self._answer, "scannedDocument", optional=True).get("scanId")
        return {} if scan_id is None else {"scan_id": str(scan_id)}

    @property
    def credits(self) -> float | None:
        value = part(self._answer, "scannedDocument", optional=True).get("actualCredits")
        return None if value is None else number("scannedDocument.actualCredits", value)

    @property
    def model(self) -> str | None:
        return text(self._answer.get("model"))

    @property
    def created(self) -> str | None:
        return text(part(self._answer, "scannedDocument", optional=True).get("creationTime"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        value = part(self._answer, "imageInfo", optional=True).get("metadata")
        if value is not None and not isinstance(value, Mapping):
            raise wrong("imageInfo.metadata", value, "an object")
        return value or {}

    @property
    def notice(self) -> str | None:
        return notice_of(self._answer)

    @property
    def extra(self) -> Mapping[str, Any]:
        known = self._KNOWN if self.notice is None else self._KNOWN | {"sandbox"}
        return {key: value for key, value in self._answer.items() if key not in known}

    @property
    def warnings(self) -> tuple[str, ...]:
        found = []
        with suppress(ResponseFormatError):
            total = math.fsum(self.summary)
            if abs(total - 1) >= 1e-3:
                found.append(f"summary.ai + summary.human = {total:.6g}, not 1")
        with suppress(InputError):
            share, marked = self.summary.ai, self.mask.fraction
            if abs(share - marked) >= 1e-3:
                found.append(f"summary.ai = {share:.6g}, and the mask marks {marked:.6g}")
        return tuple(found)
