"""The page of a folder of results: what is in the folder is on the page.

The page is its own record. Articles of earlier runs are taken over as they stand, those whose
answer is gone are left out, and an answer that came to no page is shown from its files.
"""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from . import images
from .detection import Detection
from .errors import RunmaskError
from .output import atomic_write, exists
from .page import Card, article, articles, is_ours, page

__all__ = ["INDEX", "RESPONSE", "card_of", "refuse_foreign", "update"]

INDEX = "index.html"
RESPONSE = ".response.json"
_TITLE = "What the detector saw"


def card_of(
    name: str,
    title: str,
    detection: Detection,
    *,
    before: bytes,
    after: bytes,
    files: Iterable[str],
) -> Card:
    """The card of an answer; raises what reading the answer raises."""
    mask = detection.mask
    facts = []
    if mask is not None:
        facts = [
            f"{100 * mask.fraction:.3g} % of the pixels marked",
            f"{mask.width} x {mask.height}",
        ]
    elif detection.score is not None:
        facts = [f"score {detection.score:.3g}", "nothing marked in the image"]
    if detection.regions:
        facts.append(f"{len(detection.regions)} boxes")
    if detection.model:
        facts.append(f"model {detection.model}")
    notice = (detection.notice or "")[:300]
    return Card(
        name, title, detection.verdict or "unknown", before, after, facts, list(files), notice
    )


def refuse_foreign(folder: Path) -> None:
    """``OutputError`` with the code ``"exists"`` if the folder has a page that is none of ours."""
    index = folder / INDEX
    if os.path.lexists(index) and not is_ours(_text(index)):
        raise exists(str(index), " and is no page of runmask")


def update(folder: Path, cards: Iterable[Card]) -> Path:
    """Write the page of a folder, with the new cards and all that was there; O(results)."""
    index = folder / INDEX
    known = {**articles(_text(index)), **{card.name: article(card) for card in cards}}
    answers = sorted(folder.glob(f"*{RESPONSE}"))
    names = [path.name.removesuffix(RESPONSE) for path in answers]
    shown = (known.get(name) or article(_from_files(folder, name)) for name in names)
    atomic_write(index, page(_TITLE, shown).encode("utf-8", "replace"))
    return index


def _from_files(folder: Path, name: str) -> Card:
    overlays = sorted(folder.glob(f"{glob.escape(name)}.overlay.*"))
    rest = [folder / f"{name}.mask.png", folder / f"{name}{RESPONSE}"]
    files = [path.name for path in (*overlays, *rest) if path.exists()]
    try:
        after = images.preview(images.read(overlays[0])) if overlays else b""
        raw = images.read_bytes(rest[-1])
        return card_of(name, name, Detection.from_answer(raw), before=b"", after=after, files=files)
    except RunmaskError as error:
        return Card(name, name, "unreadable", b"", b"", [str(error)], files)


def _text(index: Path) -> str:
    try:
        return images.read_bytes(index).decode("utf-8", "replace")
    except RunmaskError:  # none there, or no regular file
        return ""
