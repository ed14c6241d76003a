"""The report of a job: one page that shows its table, and its pictures by relative paths.

The page runs from the file system, asks nothing of anybody, and keeps some dozen rows in the
document, however many there are. Whatever names and answers hold is shown, and never run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from typing import Any

from ...errors import InputError
from ...output import atomic_write
from .. import table
from ..journal import FILE as JOURNAL
from ..journal import Reading
from ..sources import is_address

FILE = "report.html"
MOST = 50_000
"""Items that a page shows, at most."""

_COLUMNS = (
    *("name", "source", "state", "service", "verdict", "score", "fraction", "area", "width"),
    *("height", "parts", "credits", "model", "notice", "error", "files"),
)


def report(folder: str | os.PathLike[str], *, most: int = MOST) -> str:
    """Write ``report.html`` into a job's folder, from the table of results there; its path.

    The table is written first if the journal beside it says more, as that of a job that was
    stopped, or runs still.

    Parameters
    ----------
    folder : path
        Of a job, or with ``results.parquet``.
    most : int
        Of a longer table, the page has so many first items and says so.

    Raises
    ------
    InputError
        There is no such table, or it cannot be read.
    OutputError
        The page cannot be written.
    """
    folder = os.path.abspath(folder)
    _bring_up_to_date(folder)
    return page(folder, most)


def _bring_up_to_date(folder: str) -> None:
    if not os.path.lexists(os.path.join(folder, JOURNAL)):
        return
    path = os.path.join(folder, table.FILE)
    journal = Reading(folder)
    try:
        if not (journal.is_table_current() and os.path.exists(path)):
            table.write(path, journal.outcomes())
    finally:
        journal.close()


def page(folder: str, most: int = MOST) -> str:
    """Write the page of the table as it is; its path. Raises as :func:`report`."""
    shown, summary, notices = _read(folder, most)
    title = f"Results in {os.path.basename(folder) or folder}"
    path = os.path.join(folder, FILE)
    atomic_write(path, _page(title, shown, summary, notices))
    return path


def _read(folder: str, most: int) -> tuple[list[list[Any]], str, list[str]]:
    pa = table.arrow()
    path = os.path.join(folder, table.FILE)
    shown: list[list[Any]] = []
    counts: Counter[str | None] = Counter()
    notices: dict[str, None] = {}
    cost = 0.0
    if not os.path.isfile(path):
        raise InputError(f"{folder!r} has no {table.FILE}: it is no job's")
    kinds = pa.schema([table.schema().field(name) for name in _COLUMNS])
    try:
        with pa.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=4096, columns=list(_COLUMNS)):
                for row in batch.select(_COLUMNS).cast(kinds).to_pylist():
                    counts[row["verdict"] if row["state"] == "done" else row["state"]] += 1
                    cost += _finite(row["credits"]) or 0
                    if row["notice"]:
                        notices[row["notice"][:300]] = None
                    if len(shown) < most:
                        shown.append(_row(row, folder))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise InputError(f"{path!r} is no table of results: {error}") from error
    return shown, _summary(counts, len(shown), cost), list(notices)


def _row(row: Mapping[str, Any], folder: str) -> list[Any]:
    error = row["error"] or {"code": None, "message": None}
    by = row["service"] + (" (sandbox)" if row["notice"] else "") if row["service"] else None
    files = {kind: path for kind, path in (row["files"] or {}).items() if path}
    name, source, state = (row[name] or "" for name in _COLUMNS[:3])
    photo = None if not source or is_address(source) else os.path.relpath(source, folder)
    figures = [_finite(row[name]) for name in _COLUMNS[4:13]]
    told = [name, source, state, by, *figures]
    return [*told, error["code"], error["message"], photo, files]


def _finite(value: Any) -> Any:
    """A value as JSON can have it, which has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _summary(counts: Mapping[str | None, int], shown: int, cost: float) -> str:
    total = sum(counts.values())
    parts = [f"{total:,} items"]
    for name, number in sorted(counts.items(), key=lambda each: str(each[0])):
        parts.append(f"{number:,} {name or 'without a verdict'}")
    if cost:
        parts.append(f"{cost:,g} credits")
    if shown < total:
        parts.append(f"the first {shown:,} are shown")
    return " · ".join(parts)


def _page(title: str, rows: list[list[Any]], summary: str, notices: list[str]) -> Iterator[bytes]:
    parts = {name: _template(name) for name in ("page.html", "page.css", "page.js")}
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src {_hashed(parts['page.css'])};"
        f" script-src {_hashed(parts['page.js'])}; base-uri 'none'; form-action 'none'"
    )
    # The title last: it may be any of these words.
    filled = {"POLICY": policy, "STYLE": parts["page.css"], "TITLE": escape(title)}
    before, after = parts["page.html"].split("DATA")
    for name, text in filled.items():
        before = before.replace(name, text)
    yield before.encode("utf-8", "replace")
    head = _embedded({"summary": summary, "notices": notices})
    yield f'{head[:-1]}, "rows": [\n'.encode()
    for at, row in enumerate(rows):
        yield ((",\n" if at else "") + _embedded(row)).encode()
    yield b"\n]}"
    yield after.replace("SCRIPT", parts["page.js"]).encode()


def _embedded(told: Any) -> str:
    """JSON that ends no element around it."""
    text = json.dumps(told, separators=(",", ":"))  # in ASCII
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _template(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
