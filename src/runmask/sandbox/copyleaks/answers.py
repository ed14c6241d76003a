"""The answers of Copyleaks: the login, and the result of a check."""

import re
from typing import Any

import numpy as np

from ... import __version__
from ...mask import Mask
from ..names import NOMINAL
from ..photo import Photo
from ..settings import NOTICE, Settings
from .accounts import Login
from .errors import CODES
from .submission import Submission
from .upload import MODELS
from .wire import as_json, short_float, timestamp

MAGIC_RESULT = re.compile(r"sbx-(ai|human|partial)(?:-|$)")


def login_answer(login: Login) -> bytes:
    return as_json(
        {
            "access_token": login.token,
            ".issued": timestamp(login.issued),
            ".expires": timestamp(login.expires),
        }
    )


def check_answer(
    settings: Settings, scan_id: str, photo: Photo, actual_credits: int, created: int
) -> bytes:
    """Return the body of a successful check; this is where the image is analysed."""
    mask = magic_mask(scan_id, photo.pixels.shape[:2])
    if mask is None:
        mask = Mask.from_array(settings.detector(photo.pixels).mask)
    return as_json(result(settings, scan_id, mask, photo.metadata, actual_credits, created))


def webhook_body(
    settings: Settings,
    scan_id: str,
    submission: Submission,
    photo: Photo | None,
    cost: int,
    created: int,
) -> bytes:
    """Return what a webhook tells of a scan; without a photo, of what its id asks for."""
    mask = magic_mask(scan_id, NOMINAL)
    if photo is not None:
        mask = Mask.from_array(settings.detector(photo.pixels).mask)
    assert mask is not None
    metadata = {} if photo is None else photo.metadata
    told = result(settings, scan_id, mask, metadata, cost, created)
    if submission.heatmap and settings.heatmap_levels:
        told["result"]["heatmap"] = heatmap_levels(mask)
    return as_json(told | payload_of(submission))


def failure_body(submission: Submission, code: int, message: str) -> bytes:
    """Return what a webhook tells of a scan that came to nothing."""
    row = CODES[code]
    error = {"type": row.kind, "id": row.id, "code": code, "message": message}
    return as_json({"status": 1, "error": error} | payload_of(submission))


def payload_of(submission: Submission) -> dict[str, Any]:
    payload = submission.payload
    return {} if payload is None else {"developerPayload": payload}


def result(
    settings: Settings,
    scan_id: str,
    mask: Mask,
    metadata: dict[str, str],
    actual_credits: int,
    created: int,
) -> dict[str, Any]:
    """Return what a check found, in the service's form."""
    newest = settings.shape == "2026"
    ai = mask.fraction
    return {
        "model": MODELS[0] if newest else MODELS[1],
        **({"isAiDetected": mask.area > 0} if newest else {}),
        "result": {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()},
        "summary": {"human": short_float(1 - ai), "ai": short_float(ai)},
        "imageInfo": {
            "shape": {"height": mask.height, "width": mask.width},
            "metadata": metadata,
        },
        "scannedDocument": {
            "scanId": scan_id,
            "actualCredits": actual_credits,
            "expectedCredits": 1,
            "creationTime": timestamp(created),
        },
        # not the service's: a stored answer has to tell where it is from
        "sandbox": {"notice": NOTICE, "version": __version__},
    }


def heatmap_levels(mask: Mask) -> list[dict[str, Any]]:
    """Return runs for each of three levels, each further from the edge of what is marked."""
    step = min(mask.shape) // 32
    levels = {0.25: mask, 0.5: mask.erode(step), 0.75: mask.erode(2 * step)}
    return [
        {"level": level, "starts": each.starts.tolist(), "lengths": each.lengths.tolist()}
        for level, each in levels.items()
    ]


def magic_mask(scan_id: str, shape: tuple[int, int]) -> Mask | None:
    """Return the mask that a scan id asks for; None if it asks for none."""
    match = MAGIC_RESULT.match(scan_id)
    if match is None:
        return None
    height, width = shape
    match match[1]:
        case "ai":
            return Mask([0], [height * width], shape)
        case "human":
            return Mask([], [], shape)
    rows = np.arange(height // 4, height // 2)
    starts = rows * width + width // 4
    return Mask(starts, np.full_like(starts, width // 2 - width // 4), shape)
