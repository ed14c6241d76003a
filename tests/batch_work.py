"""Answers to render, and work that goes wrong as it is told; importable in worker processes."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

for library in ("cv2", "pyarrow", "httpx2"):
    pytest.importorskip(library)

from runmask import Mask, images  # noqa: E402
from runmask.batch.sources import digest_of  # noqa: E402
from runmask.batch.values import Answered, Rendered  # noqa: E402

SHAPE = (60, 80)


def mask_of(number: int, shape: tuple[int, int] = SHAPE) -> Mask:
    """A block whose place and size depend on the number, with a hole."""
    height, width = shape
    x, y = 3 + number % (width // 3), 2 + number % (height // 3)
    block = Mask.from_bbox((x, y, x + width // 3, y + height // 4), shape)
    return block - Mask.from_bbox((x + 3, y + 3, x + 8, y + 8), shape)


def body_of(mask: Mask, **more: Any) -> bytes:
    answer = {
        "model": "ai-image-1-ultra",
        "isAiDetected": bool(mask.area),
        "result": {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()},
        "summary": {"ai": mask.fraction, "human": 1 - mask.fraction},
        "imageInfo": {"shape": {"height": mask.height, "width": mask.width}},
        "scannedDocument": {"scanId": f"scan-{mask.area}", "actualCredits": 1},
    }
    return json.dumps(answer | more).encode()


def photo(path: Path, number: int = 0, shape: tuple[int, int] = SHAPE) -> Path:
    """A photo with soft colours."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    planes = [128 + 100 * np.sin((x + 5 * number) / 9), 2 * y, 255 * x / shape[1]]
    images.write(path, np.stack(planes, axis=2).astype(np.uint8))
    return path


def answered(folder: Path, count: int) -> list[Answered]:
    """Photos in a folder, and an answer for each."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        path = photo(folder / f"photo{number}.jpg", number)
        digest = digest_of(path.read_bytes())
        body = body_of(mask_of(number))
        made.append(Answered(number, f"photo{number}", str(path), digest, "copyleaks", body))
    return made


class Source:
    """What a driver takes from: all items, a few at a time."""

    def __init__(self, items: list[Answered]) -> None:
        self._left = list(items)

    def __call__(self, limit: int) -> list[Answered] | None:
        taken, self._left = self._left[:limit], self._left[limit:]
        return taken or None


def plain(number: int, source: str = "", body: bytes = b"") -> Answered:
    return Answered(number, f"n{number}", source, "", "", body)


def work(chunk: list[Answered]) -> list[Rendered]:
    """Does what the items' sources say, and leaves a line in their log for each time."""
    return [_worked(item) for item in chunk]


def _worked(item: Answered) -> Rendered:
    wish, _, log = item.source.partition(":")
    if log:
        with open(log, "a") as file:
            file.write(f"{item.item}\n")
    if wish == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish == "die once" and times(log, item.item) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if wish == "memory":
        raise MemoryError
    if wish == "output":
        return Rendered(item.item, {}, ("output", "the disk is full"), {"write": 0.001})
    if wish == "slow":
        time.sleep(0.05)
    return Rendered(item.item, {}, None, {"write": 0.001})


def times(log: str, number: int) -> int:
    return Path(log).read_text().split().count(str(number))
