"""From the JSON of pytest-benchmark to tables: median milliseconds, and what they mean.

    python benchmarks/report.py results.json

Each cell is the median time and, in brackets, how many times the limit's median of the same run it
is. ✗ marks an answer that is not right; its time is shown, but it is no rival.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


def tables(results: dict[str, Any]) -> str:
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    right: dict[tuple[str, str, str], bool | None] = {}
    for entry in results["benchmarks"]:
        info = entry["extra_info"]
        key = (info["job"], info["mask"], info["competitor"])
        times[key].append(entry["stats"]["median"] * 1000)
        right[key] = info["correct"]
    # The first turn warms up, unless it is the only one.
    medians = {key: statistics.median(values[1:] or values) for key, values in times.items()}
    parts = [machine(results)]
    for job in dict.fromkeys(key[0] for key in medians):
        masks = list(dict.fromkeys(key[1] for key in medians if key[0] == job))
        names = sorted({key[2] for key in medians if key[0] == job}, key=rank)
        limit = next(name for name in names if name.startswith("limit"))
        parts += [f"\n### {job}\n", f"| ms (x limit) | {' | '.join(masks)} |"]
        parts.append("|---|" + "---:|" * len(masks))
        for name in names:
            cells = [
                cell(medians, right, (job, mask, name), medians[job, mask, limit]) for mask in masks
            ]
            parts.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def rank(name: str) -> tuple[int, str]:
    return (
        0
        if name.startswith("runmask")
        else 3
        if name.startswith("limit")
        else 2
        if name.startswith("share")
        else 1
    ), name


def cell(medians: dict, right: dict, key: tuple[str, str, str], limit: float) -> str:
    if key not in medians:
        return ""
    wrong = " ✗" if right[key] is False else ""
    return f"{medians[key]:.2f} ({medians[key] / limit:.2f}){wrong}"


def machine(results: dict[str, Any]) -> str:
    about = results["machine_info"]
    cpu = about.get("cpu", {}).get("brand_raw", platform.processor())
    return f"{cpu}, {about['cpu'].get('count', '?')} cores, Python {about['python_version']}."


if __name__ == "__main__":
    print(tables(json.loads(Path(sys.argv[1]).read_text())), end="")
