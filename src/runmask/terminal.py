"""What the command line prints: tables and bars for people, JSON lines for machines."""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import rich.cells
import rich.console
import rich.progress
import rich.text

from .errors import OutputError, ResponseFormatError

if TYPE_CHECKING:
    from .detection import Detection

T = TypeVar("T")

_GAP = "  "
_PATHS = {"photo", "answer", "overlay"}  # columns that are shortened where they are too wide
_SHORTEST = 14  # columns that a shortened path still has
_FEWEST = 2  # columns of a table that stay, however narrow the terminal is
_LONGEST_NOTICE = 300
_LOOK_S = 0.2  # how often a job is looked at
_LINE_S = 30.0  # and told of where there is no terminal

ANSWER_COLUMNS = ("verdict", "score", "marked", "size", "box x, y")

_stderr = rich.console.Console(stderr=True)


def say(text: str) -> None:
    """A line to stdout.

    A reader that went away, a full disk or a closed stream is no reason to drop work that was paid
    for: what cannot be said is left unsaid.
    """
    _echo(text, sys.stdout)


def _echo(text: str, stream: TextIO) -> None:
    try:
        stream.write(text + "\n")
        stream.flush()
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "backslashreplace").decode() + "\n")
    except OSError:
        _silence(stream)


def _silence(stream: TextIO) -> None:
    """What is left in its buffer must not fail once more at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write(data: bytes) -> None:
    """What a command makes, to stdout; OutputError unless all of it got there or nobody reads."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _silence(sys.stdout)
        raise OutputError(
            f"cannot write to standard output: {error.strerror}", errno=error.errno, path="-"
        ) from error


def say_json(line: Mapping[str, Any]) -> None:
    say(json.dumps(line))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Whole in a file or a pipe; on a terminal its lines are no longer than that is wide."""
    cells = [["-" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    table = [list(columns), *cells]
    widths = [max(map(rich.cells.cell_len, column)) for column in zip(*table, strict=True)]
    if sys.stdout.isatty():
        widths = _fitted(columns, widths, rich.console.Console().width)
    for row in table:
        shown = (_set(cell, width) for cell, width in zip(row, widths, strict=False))
        say(_GAP.join(shown).rstrip())
    if left_out := columns[len(widths) :]:
        warn(f"(no room for: {', '.join(left_out)}; --json tells all)")


def _fitted(columns: Sequence[str], widths: Sequence[int], room: int) -> list[int]:
    """The widths of as many columns as there is room for, the paths' made smaller."""
    kept = list(zip(columns, widths, strict=True))

    def least(name: str, width: int) -> int:
        return min(width, _SHORTEST) if name in _PATHS else width

    while len(kept) > _FEWEST and _total(least(*column) for column in kept) > room:
        kept.pop()
    fitted = [width for _, width in kept]
    excess = _total(fitted) - room
    for at, (name, width) in reversed(list(enumerate(kept))):
        saved = max(0, min(excess, width - least(name, width)))
        fitted[at] -= saved
        excess -= saved
    return fitted


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + len(_GAP) * (len(found) - 1)


def _set(text: str, width: int) -> str:
    """The text in so many columns of the terminal, shortened in its middle if it must be."""
    tail = len(text)
    shown = text
    while rich.cells.cell_len(shown) > width and tail > 0:
        tail -= 1
        head = tail // 3
        shown = f"{text[:head]}…{text[len(text) - (tail - head) :]}"
    return shown + " " * (width - rich.cells.cell_len(shown))


def say_notices(detections: Iterable[Detection]) -> None:
    """What those who are no service say of themselves: the note below a table of answers."""
    for notice in dict.fromkeys(detection.notice for detection in detections):
        if notice is not None:
            say(f"(sandbox) {printable(notice[:_LONGEST_NOTICE])}")


def warn(text: str) -> None:
    """A line to stderr, above the bar if there is one."""
    if _stderr.is_terminal:
        _stderr.print(rich.text.Text(printable(text)), soft_wrap=True)
    else:
        _echo(printable(text), sys.stderr)


@contextmanager
def warnings_about(subject: str) -> Iterator[None]:
    """Python's warnings as one line each, which begins with what they are about."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        warn(f"{subject}: warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def progress(jobs: Sequence[T], what: str = "photos") -> Iterator[Iterator[T]]:
    """The jobs in order, under a bar where a person watches."""
    if not sys.stderr.isatty():
        yield iter(jobs)
        return
    with rich.progress.Progress(
        *rich.progress.Progress.get_default_columns(),
        rich.progress.TimeElapsedColumn(),
        console=_stderr,
        transient=True,
    ) as bar:
        yield iter(bar.track(jobs, description=what))


class Gauge(NamedTuple):
    """A stage of a job: how much of how much, and a word on it."""

    name: str
    done: int
    total: int
    note: str = ""


@contextmanager
def gauges(look: Callable[[], Sequence[Gauge]]) -> Iterator[None]:
    """A bar for each stage of a job while the block runs; a line now and then in a log."""
    if not sys.stderr.isatty():
        with every(_LINE_S, lambda: _tell_gauges(look())):
            yield
        return
    with rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        _Rate(),
        rich.progress.TimeRemainingColumn(),
        rich.progress.TextColumn("{task.fields[note]}"),
        console=_stderr,
        transient=True,
    ) as bar:
        tasks: dict[str, rich.progress.TaskID] = {}

        def show() -> None:
            for name, done, total, note in look():
                if name not in tasks:
                    tasks[name] = bar.add_task(name, total=total, note="")
                bar.update(tasks[name], completed=done, total=total, note=printable(note)[:100])

        with every(_LOOK_S, show):
            yield


def _tell_gauges(stages: Sequence[Gauge]) -> None:
    told = [
        f"{name} {done:,} of {total:,}" + (f" ({note})" if note else "")
        for name, done, total, note in stages
    ]
    if told:
        warn(", ".join(told))


@contextmanager
def every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread of its own, again and again while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            act()

    thread = threading.Thread(target=run, name="runmask-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class _Rate(rich.progress.ProgressColumn):
    def render(self, task: rich.progress.Task) -> rich.text.Text:
        return rich.text.Text("" if task.speed is None else f"{task.speed:.3g}/s")


def share(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def answer_cells(detection: Detection) -> list[object]:
    """What a table says of an answer, under :data:`ANSWER_COLUMNS`."""
    verdict: str = detection.verdict or "unknown"
    if detection.notice is not None:
        verdict += " (sandbox)"
    score = None
    with suppress(ResponseFormatError):  # of which --json tells more
        score = None if detection.score is None else f"{detection.score:.3g}"
    mask = detection.mask
    if mask is None:
        return [verdict, score, None, None, None]
    box = mask.bbox
    where = f"{box.x0}..{box.x1}, {box.y0}..{box.y1}" if box else None
    marked = f"{mask.area:,} ({share(mask.fraction)})"
    return [verdict, score, marked, f"{mask.width} x {mask.height}", where]


def printable(text: str) -> str:
    """Text from files and servers without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
