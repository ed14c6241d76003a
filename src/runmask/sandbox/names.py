"""Names of files and addresses that cause a certain answer, where a service takes no id of ours.

The last part of the path counts: ``sbx-ai-1.jpg``, or ``https://images.example.org/sbx-err-…``.
"""

import re
from urllib.parse import unquote, urlsplit

import numpy as np

from .analysis import Analysis

# Sightengine's clients put a number before the names of several files, to tell them apart.
_NAME = re.compile(
    r"(?:\d-)?sbx-(?:(?P<result>ai|human|partial)|err-(?P<error>[a-z_0-9]+))(?:[-.]|$)"
)
NOMINAL = (640, 640)
"""Height and width of an image that an address names and that the sandbox has not seen."""

PATTERNS = {
    "sbx-ai-*": "every pixel is marked",
    "sbx-human-*": "no pixel is marked",
    "sbx-partial-*": "rows H//4 to H//2 and columns W//4 to W//2 are marked, ends out",
}


def result_of(name: str) -> str | None:
    """``"ai"``, ``"human"`` or ``"partial"``, if a name asks for it."""
    match = _NAME.match(name)
    return match["result"] if match else None


def error_of(name: str) -> str | None:
    """The error that a name asks for."""
    match = _NAME.match(name)
    return match["error"] if match else None


def name_in(url: str) -> str:
    """The last part of an address's path; empty for what is no address."""
    try:
        return unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        return ""


def made(result: str, shape: tuple[int, int]) -> Analysis:
    """The analysis that such a name stands for."""
    height, width = shape
    mask = np.zeros(shape, bool)
    if result == "ai":
        mask[:] = True
    elif result == "partial":
        mask[height // 4 : height // 2, width // 4 : width // 2] = True
    score = {"ai": 0.99, "human": 0.01, "partial": 0.8}[result]
    return Analysis(mask[:: height // 8 or 1, :: width // 8 or 1].astype(np.float32), mask, score)
