"""From the JSON of pytest-benchmark to tables: median milliseconds, and what they mean.

    python benchmarks/report.py results.json [--write]

Each cell of a full table is the median time and, in brackets, how many times the limit's median of
the same run it is. ✗ marks an answer that is not right; its time is shown, but it is no rival.
--write puts the full tables into docs/benchmarks.md and a summary into the README.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
MASKS = ("blobs", "patches", "text", "noise")
SUMMARY = {  # the columns of a table, and its jobs
    MASKS: {
        "decode": "decode, runs to pixels",
        "encode": "encode, pixels to runs",
        "overlay_in_place": "overlay in place, RGB",
        "overlay_fresh": "overlay to a new image, RGB",
        "and": "intersection",
        "union_of_8": "union of eight",
        "components": "components",
        "contours_cv2": "contours, as OpenCV's",
        "dilate_3x3": "dilate by 3 x 3",
        "transpose": "transpose",
        "to_coco": "to a COCO string",
        "outline": "outlines 3 pixels wide",
        "file_to_jpeg": "JPEG and JSON to JPEG, 16 MP",
        "file_to_png": "JPEG and JSON to PNG, 16 MP",
        "file_to_webp": "JPEG and JSON to WebP, 16 MP",
    },
    ("8 k", "80 k", "400 k", "4.2 M"): {"json_to_mask": "JSON to a mask, by runs"},
}
OURS = ("runmask", "runmask avx512", "runmask avx2", "runmask scalar")  # what a user gets


@dataclass
class Results:
    """Medians in milliseconds by job, mask and competitor, and whether the answers were right.

    ``loads``: of a server, by job and number of connections.
    """

    machine: str
    medians: dict[tuple[str, str, str], float] = field(default_factory=dict)
    right: dict[tuple[str, str, str], bool | None] = field(default_factory=dict)
    loads: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)

    def jobs(self) -> list[str]:
        return list(dict.fromkeys(job for job, _, _ in self.medians))

    def masks(self, job: str) -> list[str]:
        return list(dict.fromkeys(mask for name, mask, _ in self.medians if name == job))

    def competitors(self, job: str) -> list[str]:
        return sorted({name for of, _, name in self.medians if of == job}, key=rank)

    def limit(self, job: str, mask: str) -> tuple[str, float] | None:
        for name in self.competitors(job):
            if name.startswith("limit") and (job, mask, name) in self.medians:
                return name, self.medians[job, mask, name]
        return None


def rank(name: str) -> tuple[int, str]:
    for place, start in enumerate(("runmask", "", "share", "limit")):
        if start and name.startswith(start):
            return place, name
    return 1, name


def read(path: Path) -> Results:
    data = json.loads(path.read_text())
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    cpu = data["machine_info"]["cpu"]
    about = f"{cpu.get('brand_raw', 'unknown processor')}, {cpu.get('count', '?')} cores"
    results = Results(f"{about}, Python {data['machine_info']['python_version']}")
    loads: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for entry in data["benchmarks"]:
        info = entry["extra_info"]
        if "load" in info:
            loads[info["job"], info["mask"]].append(info["load"])
            continue
        key = (info["job"], info["mask"], info["competitor"])
        times[key].append(entry["stats"]["median"] * 1000)
        results.right[key] = info["correct"]
    for key, values in times.items():  # the first turn warms up, unless it is the only one
        results.medians[key] = statistics.median(values[1:] or values)
    for place, turns in sorted(loads.items(), key=lambda item: (item[0][0], int(item[0][1]))):
        last = turns[1:] or turns
        results.loads[place] = {
            name: statistics.median(turn[name] for turn in last) for name in last[0]
        }
    return results


def tables(results: Results) -> str:
    parts = [results.machine + "."]
    for job in results.jobs():
        masks = results.masks(job)
        parts += [f"\n### {job}\n", f"| ms (x limit) | {' | '.join(masks)} |"]
        parts.append("|---|" + "---:|" * len(masks))
        for name in results.competitors(job):
            cells = [cell(results, (job, mask, name)) for mask in masks]
            parts.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n" + load_table(results)


def load_table(results: Results) -> str:
    if not results.loads:
        return ""
    parts = [
        "\n### the sandbox under load\n",
        "| | connections | requests a second | p50, ms | p99, ms |",
        "|---|---:|---:|---:|---:|",
    ]
    for (job, connections), load in results.loads.items():
        times = f"{load['p50']:.1f} | {load['p99']:.1f}"
        parts.append(f"| {job} | {connections} | {load['per_second']:.0f} | {times} |")
    return "\n".join(parts) + "\n"


def cell(results: Results, key: tuple[str, str, str]) -> str:
    if key not in results.medians:
        return ""
    limit = results.limit(key[0], key[1])
    ratio = f" ({results.medians[key] / limit[1]:.2f})" if limit else ""
    wrong = " ✗" if results.right[key] is False else ""
    return f"{results.medians[key]:.2f}{ratio}{wrong}"


def summary(results: Results) -> str:
    """Ours, how much longer the best peer takes whose answer is right, the limit and the guide."""
    parts = [
        f"4096 x 4096 pixels; {results.machine}. Median ms, and how many times as long the best"
        " peer takes; how many times as long we take as the limit; the guide's own loop.\n"
    ]
    for masks, every in SUMMARY.items():
        jobs = {job: title for job, title in every.items() if job in results.jobs()}
        if not jobs:
            continue
        parts.append(f"| | {' | '.join(masks)} | limit | guide |")
        parts.append("|---|" + "---|" * len(masks) + "---|---:|")
        for job, title in jobs.items():
            cells = [summary_cell(results, job, mask) for mask in masks]
            cells += [times_the_limit(results, job, masks), guide(results, job, masks)]
            parts.append(f"| {title} | {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts)


def ours(results: Results, job: str) -> str:
    names = results.competitors(job)
    return next(name for name in OURS if name in names)


def summary_cell(results: Results, job: str, mask: str) -> str:
    time = results.medians.get((job, mask, ours(results, job)))
    if time is None:
        return ""
    peers = {
        name: results.medians[job, mask, name]
        for name in results.competitors(job)
        if not name.startswith(("runmask", "limit", "share", "decode,"))
        and results.right.get((job, mask, name))
    }
    if not peers:
        return f"**{time:.2f}**"
    best = min(peers, key=peers.__getitem__)
    return f"**{time:.2f}**, {peers[best] / time:.1f}x {best}"


def times_the_limit(results: Results, job: str, masks: tuple[str, ...]) -> str:
    limits = {mask: results.limit(job, mask) for mask in masks}
    found = [
        (results.medians[job, mask, ours(results, job)] / limit[1], limit[0])
        for mask, limit in limits.items()
        if limit is not None
    ]
    if not found:
        return ""
    return f"{span([ratio for ratio, _ in found], '.1f')} x {found[0][1].removeprefix('limit: ')}"


def guide(results: Results, job: str, masks: tuple[str, ...]) -> str:
    times = [
        time
        for (name, mask, competitor), time in results.medians.items()
        if name == job and mask in masks and competitor.startswith("guide")
    ]
    return span(times, ".0f") if times else ""


def span(values: list[float], form: str) -> str:
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def write(results: Results) -> None:
    readme = ROOT / "README.md"
    before, rest = readme.read_text().split("<!-- benchmarks -->\n")
    after = rest.split("<!-- /benchmarks -->")[1]
    readme.write_text(f"{before}<!-- benchmarks -->\n{summary(results)}<!-- /benchmarks -->{after}")
    (ROOT / "docs" / "benchmarks.md").write_text(
        "# Benchmarks\n\nMade by `make bench`; all competitors of a row took turns in one process."
        f" See benchmarks/ for each one's code.\n\n{tables(results)}"
    )


if __name__ == "__main__":
    found = read(Path(sys.argv[1]))
    if "--write" in sys.argv:
        write(found)
    print(tables(found), end="")
