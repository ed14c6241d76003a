"""From answers in a journal to files and a table; and a job that has nothing else to do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any

from ..output import remove_leftovers
from . import table
from .answers import answers as answers_at
from .executors import Engine, engine_of
from .journal import Journal
from .pool import drive
from .rendering import FOLDERS, Wishes, render_chunk, wishes_of
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
    wishes.make_folders()
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


def write_table(journal: Journal) -> bool:
    """Write the table of results, unless it is there and tells of everything; whether it was."""
    path = os.path.join(journal.folder, table.FILE)
    if journal.is_table_current() and os.path.exists(path):
        return False
    table.write(path, journal.outcomes())
    journal.table_written()
    return True


def render(
    answers: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    photos: str | os.PathLike[str] | None = None,
    outputs: Iterable[str] = ("overlay",),
    executor: Engine | Executor | None = None,
    retry_failed: bool = False,
    stop: threading.Event | None = None,
    planned: Callable[[int], None] = lambda _: None,
    told: Told = lambda _: None,
    **how: Any,
) -> Mapping[str, int]:
    """Make files and a table of stored answers; the same call goes on where it stopped.

    Parameters
    ----------
    answers : path, or several
        Folders of JSON files, tables, or folders of other jobs: see :mod:`.answers`. The folder
        ``output`` itself renders what is there anew, where ``outputs`` or ``how`` have changed.
    output : path
        The job's folder, made if need be.
    photos : path, optional
        The folder with the images, if they do not lie beside the answers.
    outputs : of :data:`.rendering.OUTPUTS`
        What to make of each answer, where it has what that takes.
    executor : Engine or concurrent.futures.Executor, optional
        Where: see :mod:`.executors`. Default: processes, one for each core.
    retry_failed : bool
        Try again what has failed in an earlier call.
    stop : threading.Event, optional
        Once it is set, what is under way is finished and the rest left for the next call.
    planned, told : callable, optional
        Hear how many items there are to render, and of results, a bunch at a time, once they are in
        the journal.
    how
        As for :class:`.rendering.Wishes`: colours, format, quality, thumbnails.

    Returns
    -------
    Mapping of str to int
        How many items there are in each state: ``"done"``, ``"failed"``, ``"scored"`` (stopped).

    Raises
    ------
    InputError
        An answer cannot be read, or an option cannot be used; nothing was rendered.
    BatchError
        The folder is another job's, one is at work in it, or workers do not start.
    OutputError
        A file could not be written.
    """
    folder = os.path.abspath(output)
    given = [answers] if isinstance(answers, str | os.PathLike) else list(answers)
    places = [os.path.abspath(each) for each in given]
    wishes = wishes_of(folder, outputs, **how)
    engine = engine_of(executor)
    itself = places == [folder]
    with Journal(folder, {} if itself else {"service": "stored answers"}) as journal:
        if not itself:
            journal.check_arguments(places)
            stored = answers_at(places, None if photos is None else os.path.abspath(photos))
            journal.add_answers(stored)
        journal.wish(wishes.text())
        if retry_failed:
            journal.retry_failed()
        planned(journal.counts().get("scored", 0))
        try:
            render_all(journal, wishes, engine, stop=stop, told=told)
        finally:
            write_table(journal)
        return journal.counts()


def _tidy(folder: str) -> None:
    """Remove what workers have left that were killed while they wrote."""
    for name in ("", *FOLDERS):
        remove_leftovers(os.path.join(folder, name))
