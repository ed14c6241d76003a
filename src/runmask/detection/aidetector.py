"""A detection of aiimagedetectorapi.com, in either of the dialects that its pages describe.

::

    root        {"verdict", "confidence", "model_attribution", "heatmap_url", "request_id", ...}
    endpoints   {"is_ai_generated", "confidence", "source_model", "manipulation_regions", "id", ...}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..errors import LimitError, shown
from ..formats import Body, load_object
from ..mask import Mask
from .value import (
    Detection,
    Region,
    Verdict,
    no_detection,
    notice_of,
    number,
    part,
    plain_bytes,
    text,
    wrong,
)

MAX_REGIONS = 10_000

_VERDICTS = ("verdict", "is_ai_generated", "forensic", "forensics")
_HUMAN = ("authentic", "human", "real", "not_ai_generated")


class AIDetectorDetection(Detection):
    """The verdict is the service's; a word that this library does not know is None."""

    _KNOWN = frozenset(
        (
            *("verdict", "is_ai_generated", "confidence", "metadata", "heatmap_url"),
            *("model_attribution", "source_model", "source_model_confidence"),
            *("manipulation_regions", "id", "request_id"),
        )
    )

    @staticmethod
    def read(raw: Body, max_bytes: int) -> Detection:
        answer = load_object(raw, max_bytes=max_bytes)
        if answer.keys().isdisjoint(_VERDICTS):
            raise no_detection(answer, "neither 'verdict' nor 'is_ai_generated'", "verdict")
        return AIDetectorDetection("aidetector", plain_bytes(raw), answer)

    def __reduce__(self) -> tuple[Any, ...]:
        return Detection.from_aidetector, (self.raw,)

    @property
    def verdict(self) -> Verdict | None:
        said = self._answer.get("is_ai_generated")
        if said is not None:
            if not isinstance(said, bool):
                raise wrong("is_ai_generated", said, "true or false")
            return "ai" if said else "human"
        said = self._answer.get("verdict")
        if said is not None and not isinstance(said, str):
            raise wrong("verdict", said, "text")
        if said == "ai_generated":
            return "ai"
        return "human" if said in _HUMAN else None

    @property
    def score(self) -> float | None:
        value = self._answer.get("confidence")
        return None if value is None else float(number("confidence", value, share=True))

    @cached_property
    def mask(self) -> Mask | None:
        regions, size = self.regions, part(self._answer, "metadata", optional=True)
        if regions is None or size.get("height") is None or size.get("width") is None:
            return None
        if not regions and self.verdict != "human":  # which the service did not tell
            return None
        if len(regions) > MAX_REGIONS:
            raise LimitError(f"{len(regions)} regions > {MAX_REGIONS}", code="regions")
        height, width = (_whole(f"metadata.{name}", size[name]) for name in ("height", "width"))
        empty = Mask([], [], (height, width))  # which has the limits for what comes from outside
        boxes = []
        for at, box in enumerate(regions):
            right, bottom = box.x + box.width, box.y + box.height
            if right > width or bottom > height:
                place = f"manipulation_regions[{at}]"
                raise wrong(place, tuple(box[:4]), f"within {width} x {height} pixels")
            boxes.append(Mask.from_bbox((box.x, box.y, right, bottom), (height, width)))
        return Mask.union([empty, *boxes])

    @property
    def regions(self) -> tuple[Region, ...] | None:
        found = self._answer.get("manipulation_regions")
        if found is None:
            return None
        if not isinstance(found, list):
            raise wrong("manipulation_regions", found, "a list")
        return tuple(_region(f"manipulation_regions[{at}]", item) for at, item in enumerate(found))

    @property
    def heatmap(self) -> str | None:
        value = self._answer.get("heatmap_url")
        if value is not None and not isinstance(value, str):
            raise wrong("heatmap_url", value, "an address")
        return value

    @property
    def attribution(self) -> Mapping[str, float] | None:
        found = self._answer.get("model_attribution")
        if found is None:
            name = self._answer.get("source_model")
            share = self._answer.get("source_model_confidence")
            if name is None or share is None:
                return None
            return {str(name): number("source_model_confidence", share, share=True)}
        if not isinstance(found, Mapping):
            raise wrong("model_attribution", found, "an object")
        return {
            name: number(f"model_attribution.{name}", value, share=True)
            for name, value in found.items()
        }

    @property
    def ids(self) -> Mapping[str, str]:
        return {
            name: str(self._answer[name]) for name in ("id", "request_id") if self._answer.get(name)
        }

    @property
    def metadata(self) -> Mapping[str, Any]:
        return part(self._answer, "metadata", optional=True)

    @property
    def notice(self) -> str | None:
        return notice_of(self._answer)

    @property
    def warnings(self) -> tuple[str, ...]:
        said = self._answer.get("verdict")
        if said is None or self._answer.get("is_ai_generated") is not None:
            return ()
        if said == "ai_generated" or said in _HUMAN:
            return ()
        return (f"verdict {shown(said)} is none that is known here",)

    @property
    def extra(self) -> Mapping[str, Any]:
        known = self._KNOWN if self.notice is None else self._KNOWN | {"sandbox"}
        return {key: value for key, value in self._answer.items() if key not in known}


def _region(path: str, item: object) -> Region:
    if not isinstance(item, Mapping):
        raise wrong(path, item, "an object")
    x, y, width, height = (
        _whole(f"{path}.{name}", item.get(name)) for name in ("x", "y", "width", "height")
    )
    return Region(x, y, width, height, text(item.get("type")))


def _whole(path: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(path, value, "an integer from 0")
    return value
