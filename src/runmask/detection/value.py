"""``Detection``: one frozen shape for every service's answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

from ..errors import InputError, ResponseFormatError, shown
from ..formats import MAX_BYTES, Body, load_answer, plain_answer
from ..mask import Mask

Verdict = Literal["ai", "human"]

_TOLD = (
    *("verdict", "score", "summary", "mask", "regions", "heatmap", "attribution"),
    *("ids", "credits", "model", "created", "metadata", "notice", "extra", "warnings"),
)


class Summary(NamedTuple):
    """The shares of the pixels, 0 to 1. Rounded by the service: they need not add up to 1."""

    ai: float
    human: float


class Region(NamedTuple):
    """A box that a service marks, in pixels, and what it says of it."""

    x: int
    y: int
    width: int
    height: int
    kind: str | None


class Detection:
    """What a service says about one image.

    Made by a client, or by :meth:`from_answer` from a stored answer. Everything but ``raw`` is
    read on access, and raises ResponseFormatError there if the service sent something else than it
    documents: so a bad mask costs nobody the verdict, and nothing that was paid for is lost.

    Attributes
    ----------
    service : str
        ``"copyleaks"``, ``"aidetector"`` or ``"sightengine"``.
    raw : bytes
        The answer as it came, complete.
    answer : dict
        The answer as read from JSON, with every key the service sent. Not to be changed.
    cached : bool
        Whether it was taken from a cache of answers, so that nothing was charged this time.
    """

    service: str
    raw: bytes
    cached: bool = False
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
        from .copyleaks import CopyleaksDetection

        return CopyleaksDetection.read(raw, max_bytes)

    @staticmethod
    def from_aidetector(raw: Body, *, max_bytes: int = MAX_BYTES) -> Detection:
        """Read an answer of aiimagedetectorapi.com in either of its dialects, forensics included.

        Raises as :meth:`from_copyleaks`, where neither verdict nor forensics are in it.
        """
        from .aidetector import AIDetectorDetection

        return AIDetectorDetection.read(raw, max_bytes)

    @staticmethod
    def from_sightengine(raw: Body, *, max_bytes: int = MAX_BYTES) -> Detection:
        """Read an answer of Sightengine about one image.

        Raises as :meth:`from_copyleaks`, where it is no success, or there is no score in it.
        """
        from .sightengine import SightengineDetection

        return SightengineDetection.read(raw, max_bytes)

    @staticmethod
    def from_answer(raw: Body, *, max_bytes: int = MAX_BYTES) -> Detection:
        """Read an answer of whichever service it is, by its shape. Raises as the others."""
        from .copyleaks import CopyleaksDetection

        answer = load_answer(raw, max_bytes=max_bytes)
        if "result" in answer:  # whatever else, and large: not to be read twice
            return CopyleaksDetection.of(raw, answer)
        if "type" in answer or "status" in answer:
            return Detection.from_sightengine(raw, max_bytes=max_bytes)
        if not answer.keys().isdisjoint(("verdict", "is_ai_generated", "forensic", "forensics")):
            return Detection.from_aidetector(raw, max_bytes=max_bytes)
        return CopyleaksDetection.of(raw, answer)

    def marked_as_cached(self) -> Detection:
        """This very detection, from now on with ``cached`` True."""
        vars(self)["cached"] = True
        return self

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
        """``"ai"`` if anything in the image was found to be made by AI, else ``"human"``.

        None where the service said neither; ``warnings`` tell a word of its that is not known.
        Sightengine gives a score only: ``"ai"`` from 0.5. For another threshold take ``score``.
        """
        return None

    @property
    def score(self) -> float | None:
        """The service's figure, 0 to 1. Figures of different services cannot be compared.

        Copyleaks: the share of AI pixels, not a probability. AIDetector: its ``confidence``, and
        its pages do not say in what: in the verdict, or in AI. Sightengine: how likely AI is.
        """
        return None

    @property
    def summary(self) -> Summary | None:
        """The shares of AI and human pixels."""
        return None

    @property
    def mask(self) -> Mask | None:
        """Which pixels were found. Raises what :class:`Mask` raises for bad runs.

        AIDetector: all of its ``regions`` together, where the answer has them and the image's size.
        """
        return None

    @property
    def regions(self) -> tuple[Region, ...] | None:
        """The boxes that were found, where the service tells them."""
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
        """What the service calls this answer and its image: ``scan_id``, ``request_id``, ..."""
        return {}

    @property
    def scan_id(self) -> str | None:
        """The id of the scan, where the service has such."""
        return self.ids.get("scan_id")

    @property
    def credits(self) -> float | None:
        """What was charged; Sightengine: operations."""
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
        """What the service read in the file; AIDetector's older dialect: what it was sent along."""
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

    def _repr_html_(self) -> str:
        """What a notebook shows: what the service said, escaped, and the mask as a picture."""
        from .html import html_of

        return html_of(self)

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


def no_detection(answer: Mapping[str, Any], what: str, path: str) -> ResponseFormatError:
    """The error for an answer that is none: it says what is there instead of ``what``."""
    reported = "error" in answer
    found = f"error {answer['error']!r:.200}" if reported else f"keys {sorted(answer)!r:.120}"
    return ResponseFormatError(
        f"no detection: {what} in the answer, but {found}",
        code="error_report" if reported else "missing_key",
        path=path,
    )


def plain_bytes(raw: Body) -> bytes:
    return raw.encode(errors="surrogatepass") if isinstance(raw, str) else bytes(raw)


def number(path: str, value: object, *, share: bool = False) -> float:
    """A number of an answer, if it is one; ``share``: from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong(path, value, "a number")
    if share and not 0 <= value <= 1:
        raise wrong(path, value, "between 0 and 1")
    return value


def part(answer: Mapping[str, Any], name: str, *, optional: bool = False) -> Mapping[str, Any]:
    """An object within an answer."""
    value = answer.get(name)
    if value is None and optional:
        return {}
    if not isinstance(value, Mapping):
        raise wrong(name, value, "an object")
    return value


def text(value: object) -> str | None:
    return None if value is None else str(value)


def notice_of(answer: Mapping[str, Any]) -> str | None:
    """What this library's sandbox says of itself."""
    stand_in = answer.get("sandbox")
    notice = stand_in.get("notice") if isinstance(stand_in, Mapping) else None
    return notice if isinstance(notice, str) else None


def wrong(path: str, value: object, wanted: str) -> ResponseFormatError:
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
    if isinstance(value, tuple) and all(isinstance(item, Region) for item in value):
        return [region._asdict() for region in value]
    return value._asdict() if isinstance(value, Summary) else value
