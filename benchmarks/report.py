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
SUMMARY = {
    "decode": "decode, runs to pixels",
    "encode": "encode, pixels to runs",
    "overlay_in_place": "overlay in place, RGB",
    "and": "intersection of two masks",
}
SUMMARY_MASKS = ("blobs", "patches", "text", "noise")


@dataclass
class Results:
    """Medians in milliseconds by job, mask and competitor, and whether the answers were right."""

    machine: str
    medians: dict[tuple[str, str, str], float] = field(default_factory=dict)
    right: dict[tuple[str, str, str], bool | None] = field(default_factory=dict)

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
    for entry in data["benchmarks"]:
        info = entry["extra_info"]
        key = (info["job"], info["mask"], info["competitor"])
        times[key].append(entry["stats"]["median"] * 1000)
        results.right[key] = info["correct"]
    for key, values in times.items():  # the first turn warms up, unless it is the only one
        results.medians[key] = statistics.median(values[1:] or values)
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
    return "\n".join(parts) + "\n"


def cell(results: Results, key: tuple[str, str, str]) -> str:
    if key not in results.medians:
        return ""
    limit = results.limit(key[0], key[1])
    ratio = f" ({results.medians[key] / limit[1]:.2f})" if limit else ""
    wrong = " ✗" if results.right[key] is False else ""
    return f"{results.medians[key]:.2f}{ratio}{wrong}"


def summary(results: Results) -> str:
    """Ours, the best peer whose answer is right, and the limit."""
    lines = [
        f"4096 x 4096 pixels; {results.machine}. Median ms; in brackets the best peer, the limit.",
        "",
        f"| | {' | '.join(SUMMARY_MASKS)} |",
        "|---|" + "---|" * len(SUMMARY_MASKS),
    ]
    for job, title in SUMMARY.items():
        if job in results.jobs():
            cells = [summary_cell(results, job, mask) for mask in SUMMARY_MASKS]
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def summary_cell(results: Results, job: str, mask: str) -> str:
    names = results.competitors(job)
    ours = next(name for name in names if name.startswith("runmask"))
    time = results.medians[job, mask, ours]
    peers = {
        name: results.medians[job, mask, name]
        for name in names
        if not name.startswith(("runmask", "limit", "share", "decode,"))
        and results.right.get((job, mask, name))
    }
    best = min(peers, key=peers.__getitem__)
    limit = results.limit(job, mask)
    bound = f", {limit[0].removeprefix('limit: ')} {limit[1]:.2f}" if limit else ""
    return f"**{time:.2f}** ({best} {peers[best]:.2f}{bound})"


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
