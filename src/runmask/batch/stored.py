"""A job over answers that are stored somewhere: no service is asked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Unpack

from ..errors import BatchError, InputError, OutputError, shown
from ..services import LOCAL
from .answers import answers as stored_at
from .executors import Engine, engine_of
from .finishing import finished, render_all
from .journal import FILE, Journal
from .progress import Progress, Summary
from .rendering import How, wishes_of
from .stopping import Stop, by_signals

_SERVICE = "none: stored answers"


def render(
    answers: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    photos: str | os.PathLike[str] | None = None,
    outputs: Iterable[str] = ("overlay",),
    executor: Engine | Executor | None = None,
    retry_failed: bool = False,
    again: bool = False,
    progress: Progress | None = None,
    **how: Unpack[How],
) -> Summary:
    """Make files, a table and a page of stored answers; the same call goes on where it stopped.

    Parameters
    ----------
    answers : path, or several
        Folders of JSON files, tables, or folders of other jobs: see :mod:`.answers`. The folder
        ``output`` itself renders what is there anew, where ``outputs`` or ``how`` have changed.
    output : path
        The job's folder, made if need be.
    photos : path, optional
        The folder with the images, if they do not lie beside the answers. Those of a job are looked
        for there under as much of their paths as is there, and where they were if they are not.
    outputs : of :data:`.rendering.OUTPUTS`
        The kinds of files to make, where an answer has what that takes.
    executor : Engine or concurrent.futures.Executor, optional
        Where to render: see :mod:`.executors`. Default: processes, one for each core.
    retry_failed : bool
        Try again what has failed before. With ``photos``, what could not be rendered is.
    again : bool
        Make all files once more, also those that were made.
    progress : Progress, optional
        Kept up to date, for another thread to look at.
    how
        The rest of :class:`.rendering.Wishes`: look, encoding, colormap, thumbnails.

    Raises
    ------
    InputError
        An answer cannot be read, or an option cannot be used; nothing was rendered.
    BatchError
        The folder is another job's or in use, its journal is damaged, or workers do not start.
    OutputError
        The disk is full, or cannot be written to. What was rendered is kept.
    KeyboardInterrupt, SystemExit
        Ctrl-C; SIGTERM or SIGHUP. What was under way has been finished.
    """
    return perform(
        answers,
        output,
        photos=photos,
        outputs=outputs,
        executor=executor,
        retry_failed=retry_failed,
        again=again,
        progress=progress or Progress(),
        **how,
    ).or_raised()


def perform(
    answers: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    photos: str | os.PathLike[str] | None,
    outputs: Iterable[str],
    executor: Engine | Executor | None,
    retry_failed: bool,
    again: bool = False,
    progress: Progress,
    **how: Unpack[How],
) -> Summary:
    """As :func:`render`, but what has stopped it is in the summary."""
    folder = os.path.abspath(output)
    given = [answers] if isinstance(answers, str | os.PathLike) else list(answers)
    places = [os.path.abspath(each) for each in given]
    wishes = wishes_of(folder, outputs, **how)
    engine = engine_of(executor)
    anew = places == [folder]
    if folder in places and not (anew and os.path.lexists(os.path.join(folder, FILE))):
        raise InputError(
            f"{shown(folder)}: answers and output are the same folder, and it is no job's: give"
            " another output, such as a folder in it"
        )
    added = 0
    stop = Stop()
    with by_signals(stop), Journal(folder, {} if anew else {"service": _SERVICE}) as journal:
        if not anew:
            journal.check_arguments(places)
            found = stored_at(places, None if photos is None else os.path.abspath(photos))
            added = journal.add_answers(found)
            journal.keep_arguments(places)
        elif photos is not None:
            wishes = replace(wishes, photos=os.path.abspath(photos))
        if retry_failed or wishes.photos:
            journal.retry_rendering()
        if again:
            journal.render_again()
        wishes = replace(wishes, loopback=journal.facts().get("at") in LOCAL)
        journal.wish(wishes.text())
        states = journal.counts()
        progress.images = sum(states.values())
        progress.answered_before = states.get("scored", 0)
        try:
            render_all(journal, wishes, engine, stop=stop.at_once, told=progress.told)
        except (OutputError, BatchError) as error:
            stop.request(error=error)
        page = finished(journal, stop)
        return Summary(
            folder=folder,
            states=journal.counts(),
            images=progress.images,
            added=added,
            changed=0,
            answered=0,
            shared=0,
            spent=0.0,
            spent_in_all=journal.spent(),
            report=page,
            lacking=journal.lacking(wishes.outputs),
            incomplete=journal.incomplete(),
            resent=journal.resent(),
            error=stop.error,
            signal=stop.signal,
        )
