"""Jobs of many images: images per second, where the time goes, and one worker against two.

    .venv/bin/python benchmarks/batches.py [--rounds 3] [--write]

Each image is a JPEG with an answer as JSON; its overlay is written as JPEG. All ways take turns.
The plain script is what one writes with Pillow and NumPy and a process pool; it keeps no journal,
makes no table, and leaves it to chance whether files are on the disk. --write puts the table into
docs/batches.md.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cases
import numpy as np
from PIL import Image

from runmask import Mask, batch, images, overlay

ROOT = Path(__file__).parent.parent
SIZES = {"1 MP": (1024, 300), "16 MP": (4096, 30)}  # the side, and how many images
COLOURS = np.array([(0, 255, 0, 120), (255, 0, 0, 120)], np.uint8)
WORKERS = (1, 2)


def inputs(folder: Path, side: int, count: int) -> None:
    """Photos of which no two are the same, and their answers."""
    (folder / "photos").mkdir(parents=True)
    (folder / "answers").mkdir()
    pixels = cases.image(3, side)
    masks = [Mask.from_array(np.roll(cases.pixels("blobs", side), 37 * n, axis=1)) for n in (0, 1)]
    for number in range(count):
        mask = masks[number % 2]
        answer = {
            "isAiDetected": True,
            "result": {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()},
            "summary": {"ai": mask.fraction, "human": 1 - mask.fraction},
            "imageInfo": {"shape": {"height": side, "width": side}},
        }
        (folder / "answers" / f"p{number}.json").write_text(json.dumps(answer))
        images.write(folder / "photos" / f"p{number}.jpg", np.roll(pixels, 64 * number, axis=1))


def by_runmask(
    folder: Path, out: Path, make: Callable[[int], batch.Engine], workers: int
) -> Mapping[str, float]:
    progress = batch.Progress()
    batch.render(
        folder / "answers",
        out,
        photos=folder / "photos",
        executor=make(workers),
        thumbnails=False,
        progress=progress,
    )
    return progress.seconds


def by_script(folder: Path, out: Path, workers: int) -> Mapping[str, float]:
    (out / "overlays").mkdir(parents=True)
    paths = sorted((folder / "answers").iterdir())
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(partial(plain, out=out / "overlays"), paths))
    return {}


def plain(path: Path, out: Path) -> None:
    answer = json.loads(path.read_text())
    shape = answer["imageInfo"]["shape"]["height"], answer["imageInfo"]["shape"]["width"]
    mask = np.zeros(shape[0] * shape[1], np.uint8)
    for start, length in zip(answer["result"]["starts"], answer["result"]["lengths"], strict=True):
        mask[start : start + length] = 1
    photo = Image.open(path.parent.parent / "photos" / f"{path.stem}.jpg").convert("RGBA")
    painted = Image.fromarray(COLOURS[mask.reshape(shape)])
    result = Image.alpha_composite(photo, painted).convert("RGB")
    result.save(out / f"{path.stem}.jpg", quality=90)


WAYS: dict[str, Callable[[Path, Path, int], Mapping[str, float]]] = {
    "runmask, processes": lambda f, o, n: by_runmask(f, o, batch.processes, n),
    "runmask, threads": lambda f, o, n: by_runmask(f, o, batch.threads, n),
    "Pillow and NumPy, processes": by_script,
}


def is_right(folder: Path, out: Path) -> bool:
    """As near to the overlay as JPEG of this quality is, for each image."""
    for path in (folder / "answers").iterdir():
        mask = Mask.from_response(path.read_bytes())
        want = overlay(images.read(folder / "photos" / f"{path.stem}.jpg"), mask)
        packed = io.BytesIO()
        Image.fromarray(want).save(packed, "JPEG", quality=90)
        own = np.abs(np.asarray(Image.open(packed)).astype(np.int16) - want).mean()
        made = images.read(out / "overlays" / f"{path.stem}.jpg").astype(np.int16)
        if np.abs(made - want).mean() > 1.2 * own:
            return False
    return True


def measured(rounds: int, parent: str | None) -> list[str]:
    lines = []
    order = random.Random(3)
    for size, (side, count) in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="runmask-bench-", dir=parent) as name:
            folder = Path(name) / "in"
            inputs(folder, side, count)
            times: dict[tuple[str, int], list[float]] = {}
            stages: Counter[str] = Counter()
            right: dict[str, bool] = {}
            turns = [(way, workers) for way in WAYS for workers in WORKERS]
            for turn in range(rounds):
                order.shuffle(turns)
                for way, workers in turns:
                    out = Path(name) / "out"
                    began = time.perf_counter()
                    seconds = WAYS[way](folder, out, workers)
                    times.setdefault((way, workers), []).append(time.perf_counter() - began)
                    if way == "runmask, processes":
                        stages.update(seconds)
                    if turn == 0 and workers == 1:
                        right[way] = is_right(folder, out)
                    shutil.rmtree(out)
            lines += rows(size, count, times, stages, right)
    return lines


def rows(
    size: str,
    count: int,
    times: Mapping[tuple[str, int], list[float]],
    stages: Mapping[str, float],
    right: Mapping[str, bool],
) -> list[str]:
    found = []
    for way in WAYS:
        one, two = (count / statistics.median(times[way, workers]) for workers in WORKERS)
        mark = "" if right[way] else " ✗"
        found.append(f"| {size}, {way}{mark} | {one:.1f} | {two:.1f} | {two / one:.2f} | |")
    total = sum(stages.values())
    shares = (f"{name} {100 * time / total:.0f} %" for name, time in
              sorted(stages.items(), key=lambda each: -each[1]))  # fmt: skip
    found[0] = found[0].removesuffix(" |") + f" {', '.join(shares)} |"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="on which disk; default: that of temporary files")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    table = "\n".join(
        [
            "| | 1 worker | 2 workers | ratio | time in workers |",
            "|---|---:|---:|---:|---|",
            *measured(given.rounds, given.folder),
        ]
    )
    about = f"Images per second; {os.cpu_count()} cores, Python {sys.version.split()[0]}."
    print(f"{about}\n\n{table}")
    if given.write:
        page = ROOT / "docs" / "batches.md"
        text = re.sub(
            "<!-- rates -->.*<!-- /rates -->",
            f"<!-- rates -->\n{about}\n\n{table}\n<!-- /rates -->",
            page.read_text(),
            flags=re.DOTALL,
        )
        page.write_text(text)


if __name__ == "__main__":
    main()
