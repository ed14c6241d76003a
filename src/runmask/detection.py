"""``Detection``: one frozen shape for every service's answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

from .errors import InputError, ResponseFormatError, shown
from .formats import MAX_BYTES, Body, load_answer, plain_answer
from .mask import Mask

Verdict = Literal["ai", "human"]

_TOLD = (
    *("verdict", "score", "summary", "mask", "heatmap", "attribution"),
    *("ids", "credits", "model", "created", "metadata", "notice", "extra", "warnings"),
)
_MISSING = object()


class Summary(NamedTuple):
    """The shares of the pixels, 0 to 1. Rounded by the service: they need not add up to 1."""

    ai: float
    human: float


class Detection:
    """What a service says about one image.

    Made by a client, or by :meth:`from_copyleaks` from a stored answer. Everything but ``raw`` is
    read on access, and raises ResponseFormatError there if the service sent something else than it
    documents: so a bad mask costs nobody the verdict, and nothing that was paid for is lost.

    Attributes
    ----------
    service : str
        ``"copyleaks"``.
    raw : bytes
        The answer as it came, complete.
    answer : dict
        The answer as read from JSON, with every key the service sent. Not to be changed.
    """

    service: str
    raw: bytes
    _answer: Mapping[str, Any]

    def __init__(self, service: str, raw: bytes, answer: Mapping[str, Any]) -> None:
        vars(self).update(service=service, raw=raw, _answer=answer)

    @cached_property
    def answer(self) -> Mapping[str, Any]:
        return plain_answer(self._answer)

    @staticmethod
    def from_copyleaks(raw: Body, *, max_bytes: int = MAX_BYTES) -> Detection:
        """Read an answer of Copyleaks' image detector, or its webhook of the same shape.

        Raises ResponseFormatError if it is not JSON, or has neither a result nor a summary, and
        LimitError if it is longer than ``max_bytes``. O(bytes).
        """
        answer = load_answer(raw, max_bytes=max_bytes)
        if "result" not in answer and "summary" not in answer:
            error = answer.get("error", _MISSING)
            found = (
                f"keys {sorted(answer)!r:.120}" if error is _MISSING else f"error {error!r:.200}"
            )
            raise ResponseFormatError(
                f"no detection: neither 'result' nor 'summary' in the answer, but {found}",
                code="missing_key" if error is _MISSING else "error_report",
                path="result",
            )
        return _CopyleaksDetection(
            "copyleaks",
            raw.encode(errors="surrogatepass") if isinstance(raw, str) else bytes(raw),
            answer,
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Detection is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Detection is frozen: {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Detection):
            return NotImplemented
        return self.service == other.service and self.raw == other.raw

    def __hash__(self) -> int:
        return hash((self.service, self.raw))

    # -- what services may tell; None where one does not

    @property
    def verdict(self) -> Verdict | None:
        """``"ai"`` if anything in the image was found to be made by AI, else ``"human"``."""
        return None

    @property
    def score(self) -> float | None:
        """The service's figure, 0 to 1. Copyleaks: the share of AI pixels, not a probability."""
        return None

    @property
    def summary(self) -> Summary | None:
        """The shares of AI and human pixels."""
        return None

    @property
    def mask(self) -> Mask | None:
        """Which pixels were found. Raises what :class:`Mask` raises for bad runs."""
        return None

    @property
    def heatmap(self) -> Any:
        """A confidence map or its address, as it came. Never fetched."""
        return None

    @property
    def attribution(self) -> Mapping[str, float] | None:
        """Generators and how likely each is."""
        return None

    @property
    def ids(self) -> Mapping[str, str]:
        """What the service calls this answer; Copyleaks: ``scan_id``."""
        return {}

    @property
    def scan_id(self) -> str | None:
        """The id of the scan, where the service has such."""
        return self.ids.get("scan_id")

    @property
    def credits(self) -> float | None:
        """What was charged."""
        return None

    @property
    def model(self) -> str | None:
        """The detector that answered."""
        return None

    @property
    def created(self) -> str | None:
        """When, as the service wrote it."""
        return None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the service read in the file about its making."""
        return {}

    @property
    def notice(self) -> str | None:
        """What a stand-in for the service says of itself; None in answers of the service."""
        return None

    @property
    def extra(self) -> Mapping[str, Any]:
        """The keys of the answer that this library does not know."""
        return {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Oddities of the answer that are no errors."""
        return ()

    # -- telling

    def __repr__(self) -> str:
        shown = [f"verdict={self._shown('verdict')}", f"score={self._shown('score')}"]
        shown += [f"{name}={value!r:.60}" for name, value in self._told("ids", {}).items()]
        return f"<Detection {self.service}: {', '.join(shown)}, {len(self.raw)} bytes>"

    def _shown(self, name: str) -> str:
        try:
            return repr(getattr(self, name))
        except InputError as error:
            return f"<{error.code}>"

    def _told(self, name: str, otherwise: Any) -> Any:
        try:
            return getattr(self, name)
        except InputError:
            return otherwise

    def to_dict(self) -> dict[str, Any]:
        """Everything but ``raw``, ready for ``json.dumps``.

        What cannot be read is None, and ``errors`` says why, by name. The mask comes as its
        measures; its runs are in ``raw``.
        """
        told: dict[str, Any] = {"service": self.service}
        errors: dict[str, str] = {}
        for name in _TOLD:
            try:
                told[name] = _plain(getattr(self, name))
            except InputError as error:
                told[name] = None
                errors[name] = str(error)
        return told | {"errors": errors}


class _CopyleaksDetection(Detection):
    """The verdict is ``isAiDetected``: a share of 0.001 is a finding, no threshold would see it."""

    _KNOWN = frozenset(
        ("model", "isAiDetected", "result", "summary", "imageInfo", "scannedDocument")
    )

    def __reduce__(self) -> tuple[Any, ...]:
        return Detection.from_copyleaks, (self.raw,)

    @property
    def verdict(self) -> Verdict:
        said = self._answer.get("isAiDetected")
        if said is None:  # answers of 2025
            return "ai" if self.mask.area else "human"
        if not isinstance(said, bool):
            raise _wrong("isAiDetected", said, "true or false")
        return "ai" if said else "human"

    @property
    def score(self) -> float:
        return self.summary.ai

    @property
    def summary(self) -> Summary:
        return Summary(ai=self._share("ai"), human=self._share("human"))

    def _share(self, name: str) -> float:
        value = self._part("summary").get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(f"summary.{name}", value, "a number")
        if not 0 <= value <= 1:
            raise _wrong(f"summary.{name}", value, "between 0 and 1")
        return float(value)

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
        scan_id = self._part("scannedDocument", optional=True).get("scanId")
        return {} if scan_id is None else {"scan_id": str(scan_id)}

    @property
    def credits(self) -> float | None:
        value = self._part("scannedDocument", optional=True).get("actualCredits")
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise _wrong("scannedDocument.actualCredits", value, "a number")
        return value

    @property
    def model(self) -> str | None:
        value = self._answer.get("model")
        return None if value is None else str(value)

    @property
    def created(self) -> str | None:
        value = self._part("scannedDocument", optional=True).get("creationTime")
        return None if value is None else str(value)

    @property
    def metadata(self) -> Mapping[str, Any]:
        value = self._part("imageInfo", optional=True).get("metadata")
        if value is not None and not isinstance(value, Mapping):
            raise _wrong("imageInfo.metadata", value, "an object")
        return value or {}

    @property
    def notice(self) -> str | None:
        stand_in = self._answer.get("sandbox")
        notice = stand_in.get("notice") if isinstance(stand_in, Mapping) else None
        return notice if isinstance(notice, str) else None

    @property
    def extra(self) -> Mapping[str, Any]:
        known = self._KNOWN if self.notice is None else self._KNOWN | {"sandbox"}
        return {key: value for key, value in self._answer.items() if key not in known}

    @property
    def warnings(self) -> tuple[str, ...]:
        try:
            total = math.fsum(self.summary)
        except ResponseFormatError:
            return ()
        if abs(total - 1) < 1e-3:
            return ()
        return (f"summary.ai + summary.human = {total:.6g}, not 1",)

    def _part(self, name: str, *, optional: bool = False) -> Mapping[str, Any]:
        value = self._answer.get(name)
        if value is None and optional:
            return {}
        if not isinstance(value, Mapping):
            raise _wrong(name, value, "an object")
        return value


def _wrong(path: str, value: object, wanted: str) -> ResponseFormatError:
    return ResponseFormatError(
        f"{path} is {shown(value)}: not {wanted}", code="wrong_type", path=path
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mask):
        return {
            "height": value.height,
            "width": value.width,
            "runs": len(value),
            "area": value.area,
            "fraction": value.fraction,
            "bbox": None if value.bbox is None else list(value.bbox),
        }
    return value._asdict() if isinstance(value, Summary) else value
