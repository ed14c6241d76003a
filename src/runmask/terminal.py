"""What the command line prints: tables and bars for people, JSON lines for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import rich.console
import rich.progress
import rich.table
import rich.text

if TYPE_CHECKING:
    from .detection import Detection
    from .scan import Job

_WIDE = 1000  # columns of a table that goes to a file or a pipe: nothing is folded there

ANSWER_COLUMNS = ("verdict", "marked", "size", "box x, y (end exclusive)")


def say(text: str) -> None:
    """A line to stdout. A reader that went away is no reason to drop work that was paid for."""
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_json(line: Mapping[str, Any]) -> None:
    say(json.dumps(line))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = rich.table.Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        shown = ("-" if cell is None else printable(str(cell)) for cell in row)
        table.add_row(*map(rich.text.Text, shown))
    console = rich.console.Console(width=None if sys.stdout.isatty() else _WIDE)
    with console.capture() as capture:
        console.print(table)
    say("\n".join(line.rstrip() for line in capture.get().splitlines()))


def warn(text: str) -> None:
    """A line to stderr."""
    click.echo(printable(text), err=True)


@contextmanager
def progress(jobs: Sequence[Job]) -> Iterator[Iterator[Job]]:
    """The jobs in order, under a bar where a person watches."""
    if not sys.stderr.isatty():
        yield iter(jobs)
        return
    with rich.progress.Progress(
        *rich.progress.Progress.get_default_columns(),
        rich.progress.TimeElapsedColumn(),
        console=rich.console.Console(stderr=True),
        transient=True,
    ) as bar:
        yield iter(bar.track(jobs, description="photos"))


def share(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def answer_cells(detection: Detection) -> list[object]:
    """What a table says of an answer, under :data:`ANSWER_COLUMNS`."""
    mask = detection.mask
    if mask is None:
        return [detection.verdict, None, None, None]
    box = mask.bbox
    where = f"{box.x0}..{box.x1}, {box.y0}..{box.y1}" if box else None
    marked = f"{mask.area:,} ({share(mask.fraction)})"
    return [detection.verdict, marked, f"{mask.width} x {mask.height}", where]


def answer_line(detection: Detection) -> dict[str, Any]:
    """What a JSON line says of an answer: all but its runs, which are in the answer's file."""
    told = detection.to_dict()
    if told["mask"] is not None:
        told["mask"] = {k: v for k, v in told["mask"].items() if k not in ("starts", "lengths")}
    return told


def printable(text: str) -> str:
    """Text from files and servers without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
