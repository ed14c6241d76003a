"""From answers in a journal to files, and from the whole of it to a table and a page."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from ..errors import OutputError
from ..output import remove_leftovers
from . import table
from .executors import Engine
from .journal import Journal
from .pool import drive
from .rendering import FOLDERS, Wishes, render_chunk
from .reporting import FILE as PAGE
from .reporting import page
from .stopping import Stop
from .values import Answered, Rendered

Told = Callable[[Sequence[Rendered]], None]
"""Hears of results once they are in the journal."""


def render_all(
    journal: Journal,
    wishes: Wishes,
    engine: Engine,
    *,
    stop: threading.Event | None = None,
    coming: Callable[[], bool] = lambda: False,
    told: Told = lambda _: None,
) -> None:
    """Render what is answered in a journal, until there is nothing left and nothing is coming.

    What is done is in the journal, a bunch at a time; whatever ends this, the rest is rendered by
    the next call. Raises as :func:`.pool.drive`, and what the journal raises.
    """
    _tidy(wishes.folder)
    work = partial(render_chunk, wishes=replace(wishes, heic=engine.apart))

    def take(limit: int) -> Sequence[Answered] | None:
        more = coming()  # asked first: what comes in between is found then
        items = journal.to_render(limit)
        return items if items or more else None

    def done(results: Sequence[Rendered]) -> None:
        journal.rendered(results)
        told(results)

    drive(take, work, done, engine, stop)
    _tidy(wishes.folder)


def finished(journal: Journal, stop: Stop) -> str | None:
    """Write the table of results and the page, unless they tell of everything; the page's path.

    If they cannot be written, that is what has stopped the job.
    """
    path = os.path.join(journal.folder, table.FILE)
    are_there = all(
        os.path.exists(os.path.join(journal.folder, name)) for name in (table.FILE, PAGE)
    )
    if are_there and journal.is_table_current():
        return None
    try:
        table.write(path, journal.outcomes())
        made = page(os.path.abspath(journal.folder))
        journal.table_written()
        return made
    except OutputError as error:
        stop.request(error=error)
        return None


def _tidy(folder: str) -> None:
    """Remove what workers have left that were killed while they wrote."""
    for name in ("", *FOLDERS):
        remove_leftovers(os.path.join(folder, name))
