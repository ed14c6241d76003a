"""The answers of Copyleaks: the login, and the result of a check."""

import re

import numpy as np

from ... import __version__
from ...mask import Mask
from ..photo import Photo
from ..settings import NOTICE, Settings
from .accounts import Login
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
    shape = photo.pixels.shape[:2]
    mask = magic_mask(scan_id, shape)
    if mask is None:
        mask = Mask.from_array(settings.detector(photo.pixels).mask)
    newest = settings.shape == "2026"
    ai = mask.area / (shape[0] * shape[1])
    return as_json(
        {
            "model": MODELS[0] if newest else MODELS[1],
            **({"isAiDetected": mask.area > 0} if newest else {}),
            "result": {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()},
            "summary": {"human": short_float(1 - ai), "ai": short_float(ai)},
            "imageInfo": {
                "shape": {"height": shape[0], "width": shape[1]},
                "metadata": photo.metadata,
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
    )


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
