"""The answers of aiimagedetectorapi.com, in both dialects, from one analysis."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ... import __version__
from ...mask import Mask
from ..analysis import Analysis
from ..credentials import Credentials, credentials_of
from ..fetches import fetched
from ..forensics import examine
from ..forensics import told as told_forensics
from ..measurements import Floats
from ..names import NOMINAL, made, result_of
from ..photo import MAX_PIXELS, Photo, read_photo
from ..settings import NOTICE, Settings
from .errors import new_id
from .images import FORMATS, MAX_FILE, Given, Wishes

MIN_SIDE = 64  # of the analysis; no page names one
MAX_REGIONS = 20
MARKED_WHOLE = 0.9  # the share of an image from which a region is called the whole of it


@dataclass(frozen=True, eq=False)
class Judged:
    """One image, and what the analysis says of it."""

    analysis: Analysis
    photo: Photo | None  # None for one that was named and not sent
    credentials: Credentials

    @property
    def is_ai(self) -> bool:
        return self.analysis.score >= 0.5

    @property
    def confidence(self) -> float:
        """In the verdict."""
        score = self.analysis.score
        return round(score if self.is_ai else 1 - score, 4)


def judge(given: Given, settings: Settings) -> Judged:
    """Decode and analyse an image. Anything amiss is a Refusal."""
    wanted = result_of(given.name)
    if given.data is None and wanted is not None:
        return Judged(made(wanted, NOMINAL), None, Credentials(False))
    data = data_of(given, settings)
    photo = read_photo(data, MAX_PIXELS, formats=FORMATS, min_side=MIN_SIDE)
    analysis = (
        settings.detector(photo.pixels)
        if wanted is None
        else made(wanted, (photo.pixels.shape[0], photo.pixels.shape[1]))
    )
    return Judged(analysis, photo, credentials_of(data))


def data_of(given: Given, settings: Settings) -> bytes:
    """The image's bytes, fetched if need be; a Refusal if they cannot be got."""
    if given.data is not None:
        return given.data
    return fetched(str(given.url), settings, MAX_FILE)


def root_answer(
    judged: Judged, wishes: Wishes, elapsed_ms: int, keep: Callable[[bytes], str]
) -> dict[str, Any]:
    """In the dialect of the root page; ``keep`` stores a heatmap and gives its address."""
    answer: dict[str, Any] = {
        "verdict": "ai_generated" if judged.is_ai else "authentic",
        "confidence": judged.confidence,
    }
    if wishes.attribution:  # the analysis says nothing of who made an image
        answer["model_attribution"] = {"unknown": round(judged.analysis.score, 4)}
    answer["heatmap_url"] = keep(heatmap(judged.analysis)) if wishes.heatmap else None
    if wishes.forensics:
        answer["forensics"] = measures(judged, keep)
    answer["c2pa_manifest_present"] = judged.credentials.present
    if wishes.metadata is not None:
        answer["metadata"] = dict(wishes.metadata)
    return answer | {
        "request_id": new_id("req"),
        "latency_ms": elapsed_ms,
        "sandbox": {"notice": NOTICE, "version": __version__},
    }


def endpoints_answer(
    judged: Judged, elapsed_ms: int, keep: Callable[[bytes], str]
) -> dict[str, Any]:
    """In the dialect of the endpoints page."""
    return {
        "id": new_id("det"),
        "is_ai_generated": judged.is_ai,
        "confidence": judged.confidence,
        "source_model": None,
        "source_model_confidence": None,
        "manipulation_regions": regions(judged) if judged.is_ai else [],
        "heatmap_url": keep(heatmap(judged.analysis)) if judged.is_ai else None,
        "metadata": description(judged),
        "processing_time_ms": elapsed_ms,
        "sandbox": {"notice": NOTICE, "version": __version__},
    }


def forensic_answer(
    judged: Judged, elapsed_ms: int, keep: Callable[[bytes], str]
) -> dict[str, Any]:
    return {
        "id": new_id("for"),
        "is_ai_generated": judged.is_ai,
        "confidence": judged.confidence,
        "source_model": None,
        "forensic": measures(judged, keep),
        "processing_time_ms": elapsed_ms,
        "sandbox": {"notice": NOTICE, "version": __version__},
    }


def c2pa_answer(data: bytes) -> dict[str, Any]:
    """What the Content Credentials of a file are worth."""
    found = credentials_of(data)
    return {
        "c2pa_manifest_present": found.present,
        **found.told(),
        "request_id": new_id("req"),
        "sandbox": {"notice": found.note or NOTICE, "version": __version__},
    }


def regions(judged: Judged) -> list[dict[str, object]]:
    """The largest parts of what is marked, as boxes."""
    mask = Mask.from_array(judged.analysis.mask)
    if mask.fraction >= MARKED_WHOLE:
        return [_region(0, 0, mask.width, mask.height, "full_synthetic")]
    parts = mask.components()
    largest = np.argsort(-parts.areas, kind="stable")[:MAX_REGIONS]
    return [
        _region(x0, y0, x1 - x0, y1 - y0, "local_edit")
        for x0, y0, x1, y1 in parts.boxes[largest].tolist()
    ]


def _region(x: int, y: int, width: int, height: int, kind: str) -> dict[str, object]:
    return {"x": x, "y": y, "width": width, "height": height, "type": kind}


def description(judged: Judged) -> dict[str, object]:
    height, width = judged.analysis.mask.shape
    photo = judged.photo
    return {
        "width": width,
        "height": height,
        "format": photo.format.lower() if photo else "jpeg",
        "has_exif": bool(photo and photo.exif),
    }


def measures(judged: Judged, keep: Callable[[bytes], str]) -> dict[str, object]:
    """Forensics, with maps to fetch; of an image that was only named there are none."""
    photo = judged.photo
    told: dict[str, object] = {"exif_present": bool(photo and photo.exif)}
    if photo is not None:
        found = examine(photo.pixels)
        maps = {name: keep(in_colours(values)) for name, values in found.maps.items()}
        told |= told_forensics(found) | {"maps": maps, "exif": dict(photo.exif)}
    present = judged.credentials.present
    return told | {"c2pa_manifest": judged.credentials.told() if present else None}


def heatmap(analysis: Analysis) -> bytes:
    return in_colours(analysis.confidence)


def in_colours(values: Floats) -> bytes:
    """Values from 0 to 1 in the colours of turbo, as a PNG file, four pixels a tile."""
    grey = np.clip(values * 255, 0, 255).astype(np.uint8)
    large = cv2.resize(grey, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    done, encoded = cv2.imencode(".png", cv2.applyColorMap(large, cv2.COLORMAP_TURBO))
    if not done:
        raise RuntimeError("the heatmap could not be encoded")
    return encoded.tobytes()
