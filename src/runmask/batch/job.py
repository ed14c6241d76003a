"""A job from its images to its results: planned, submitted, rendered, told of.

The submitter runs in a thread with an event loop of its own, and the caller's thread drives the
rendering. Both work on the same journal; the rendering ends when nothing more is coming.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Unpack

from ..errors import BatchError, InputError, OutputError
from ..http import AsyncCopyleaks
from ..http.client import Options as ClientOptions
from ..http.webhooks import CopyleaksWebhook, Inbox
from .finishing import finished, render_all
from .items import entries
from .journal import Journal, Planned
from .options import Inputs, Job, Options, job_of
from .progress import Progress, Summary
from .stopping import Stop, by_signals
from .submitting import INBOX, QUESTIONS, ByUpload, ByWebhook, Submitter, receiving, take_in

_RESERVED_BYTES = 2**20  # on the disk, for each request under way
_POLL_S = 0.5  # of the inbox


def run(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Ask a detection service about any number of images, and make files of its answers.

    The same call goes on where it stopped, whatever stopped it; what was paid for is never paid
    for again. Images of the same content are sent once.

    Parameters
    ----------
    inputs : path or address, or several
        Files, folders, patterns, lists, addresses: see :mod:`.items`.
    output : path
        The job's folder, made if need be: ``journal.sqlite``, ``results.parquet``,
        ``report.html``, and a folder for each kind of files.
    progress : Progress, optional
        Kept up to date, for another thread to look at.
    options
        Whom to ask and how, what to make and where: see :class:`.options.Options`.

    Raises
    ------
    InputError
        Something cannot be used; nothing was sent.
    BatchError
        The folder is another job's, is in use, or its journal is damaged; or workers do not start.
    AuthError, QuotaError, APIError
        The service refuses all requests, or cannot be reached. Here, as below, what was under way
        has been waited for, and all answers are kept.
    OutputError
        The disk is full, or cannot be written to.
    KeyboardInterrupt, SystemExit
        Ctrl-C; SIGTERM or SIGHUP. After a second one nothing is waited for.
    """
    return perform(job_of(inputs, output, options), progress or Progress()).or_raised()


def perform(job: Job, progress: Progress) -> Summary:
    """Do a job, and tell what it has come to, also where something has stopped it.

    Raises what :func:`run` does before the first request, and what a second signal does.
    """
    stop = Stop()
    with by_signals(stop), Journal(job.folder, _identity(job)) as journal:
        planned = _planned(job, journal)
        states = journal.counts()
        progress.note = job.choice.note
        progress.images = sum(states.values())
        progress.to_submit = states.get("new", 0)
        progress.answered_before = states.get("scored", 0)
        with _submitting(job, journal, stop, progress, states) as is_coming:
            try:
                render_all(
                    journal,
                    replace(job.wishes, loopback=job.choice.is_local),
                    job.engine,
                    stop=stop.at_once,
                    coming=is_coming,
                    told=progress.told,
                )
            except (OutputError, BatchError) as error:
                stop.request(error=error)
        return _summary(job, journal, stop, progress, planned)


def _identity(job: Job) -> Mapping[str, str]:
    return {
        "service": job.choice.service,
        "at": job.choice.place,
        "question": QUESTIONS[job.choice.service],
        "way": "upload" if job.webhook is None else "webhook",
    }


def _planned(job: Job, journal: Journal) -> Planned:
    """Everything that is decided before the first request."""
    journal.check_arguments(job.inputs)
    planned = journal.plan(entries(job.inputs, job.column))
    if not planned.images:
        raise InputError("inputs: there is no image among them")
    journal.keep_arguments(job.inputs)
    if job.resolve in ("resend", "skip"):
        journal.resolve(job.resolve)
    if job.retry_failed:
        journal.retry_failed()
    if job.again:
        journal.render_again()
    journal.wish(job.wishes.text())
    return planned


def _summary(
    job: Job, journal: Journal, stop: Stop, progress: Progress, planned: Planned
) -> Summary:
    page = finished(journal, stop)
    submitter = progress.submitter
    return Summary(
        folder=job.folder,
        states=journal.counts(),
        images=planned.images,
        added=planned.added,
        changed=planned.changed,
        answered=submitter.tally.answered if submitter else 0,
        shared=submitter.tally.shared if submitter else 0,
        spent=progress.spent,
        spent_in_all=journal.spent(),
        report=page,
        lacking=journal.lacking(job.wishes.outputs),
        incomplete=journal.incomplete(),
        resent=journal.resent(),
        error=stop.error,
        signal=stop.signal,
    )


# -- the thread that submits


@contextmanager
def _submitting(
    job: Job, journal: Journal, stop: Stop, progress: Progress, states: Mapping[str, int]
) -> Iterator[Callable[[], bool]]:
    """Submit while the block runs, and wait for the end of it; whether something may still come."""
    waits = job.webhook is not None and not states.keys().isdisjoint(("submitted", "held"))
    if not states.get("new") and not waits:
        yield lambda: False
        return
    journal.reserve(job.manner.in_flight * _RESERVED_BYTES)
    thread = threading.Thread(
        target=_submit_all, args=(job, journal, stop, progress), name="runmask-submit", daemon=True
    )
    thread.start()
    try:
        yield thread.is_alive
    except Exception as error:  # a second Ctrl-C is none, and waits for nothing
        stop.request(error=error)
        thread.join()
        raise
    thread.join()


def _submit_all(job: Job, journal: Journal, stop: Stop, progress: Progress) -> None:
    try:
        with job.choice.running() as choice:
            running = replace(job, choice=choice)
            asyncio.run(_submitted(running, journal, stop, progress))
    except Exception as error:
        stop.request(error=error)


async def _submitted(job: Job, journal: Journal, stop: Stop, progress: Progress) -> None:
    options: ClientOptions = {} if job.rate is None else {"rate_limit": job.rate}
    async with job.choice.async_client(**options) as client:
        if job.webhook is None:
            way = ByUpload(job.choice.service, client, is_local=job.choice.is_local, rate=job.rate)
            progress.submitter = Submitter(journal, way, stop, job.manner)
            await progress.submitter.run()
            return
        assert isinstance(client, AsyncCopyleaks)
        await _by_webhook(job, job.webhook, client, journal, stop, progress)


async def _by_webhook(
    job: Job,
    webhook: CopyleaksWebhook,
    client: AsyncCopyleaks,
    journal: Journal,
    stop: Stop,
    progress: Progress,
) -> None:
    inbox = Inbox(os.path.join(job.folder, INBOX), only_expected=True)
    try:
        with receiving(inbox, webhook, *job.listen) if job.listen else nullcontext():
            progress.submitter = Submitter(
                journal, ByWebhook(client, webhook, inbox, job.rate), stop, job.manner
            )
            submitting = asyncio.create_task(progress.submitter.run())
            await _received(job, journal, inbox, stop, progress, submitting)
            await submitting
    finally:
        inbox.close()


async def _received(
    job: Job,
    journal: Journal,
    inbox: Inbox,
    stop: Stop,
    progress: Progress,
    submitting: asyncio.Task[None],
) -> None:
    """Take in answers until none is missing, or none has come for long."""
    last = time.monotonic()
    while not stop:
        is_over = submitting.done()  # asked first: what comes in between is found then
        came = await asyncio.to_thread(take_in, journal, inbox)
        progress.received += came
        if came or not is_over:
            last = time.monotonic()
        if is_over and not came:
            missing = await asyncio.to_thread(journal.counts)
            if not missing.get("submitted") or time.monotonic() - last > job.wait_s:
                return
        await stop.wait(_POLL_S)
