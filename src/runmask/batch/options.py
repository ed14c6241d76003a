"""What is asked of a job, checked before anything is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal, cast

from .. import services
from ..errors import InputError, shown
from ..http.pace import Rate
from ..http.webhooks import CopyleaksWebhook
from .executors import Engine, engine_of
from .rendering import How, Wishes, wishes_of
from .sources import is_address, local_path
from .submitting import Manner, webhook_of

Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Resolve = Literal["resend", "skip", "fetch"]


class Options(How, total=False):
    """What a job takes beside its images and its folder; none of it need be given.

    service, base_url, detector : str
        Whom to ask: see :func:`runmask.services.choice_of`. Default: the first service whose key
        is in the environment, else the embedded sandbox.
    column : str
        Of lists: which column has the paths.
    outputs : of :data:`.rendering.OUTPUTS`
        The kinds of files to make. Default: overlays.
    look, encoding, colormap, thumbnails
        How to make them: see :class:`.rendering.Wishes`.
    executor : Engine or concurrent.futures.Executor
        Where to render: see :mod:`.executors`. Default: processes, one for each core.
    in_flight : int
        Requests under way at a time (16). Each has its image in memory.
    rate : float
        Requests a second, at most. Default: what the service publishes.
    resolve : {"resend", "skip", "fetch"}
        What becomes of ``held`` items, those that may have been paid for without an answer: sent
        again, and perhaps paid for again; given up; or (by webhook) looked for in the inbox.
        Default: they stay held.
    retry_failed : bool
        Try again what has failed before, but not what was given up.
    again : bool
        Make the files of all answers once more, also those that were made.
    webhook : str
        Have the service fetch the images and send its answers to this public address, such as
        ``https://hooks.example.org/copyleaks``. For Copyleaks, and images at web addresses.
    listen : (host, port)
        Receive the webhooks in this process. Default: ``runmask webhooks`` does, into the folder
        ``inbox`` of the job.
    wait : float
        Seconds to wait for the next webhook (3600).
    patience : float
        Seconds to wait for a service that cannot be reached (600).
    drain : float
        Seconds that requests under way get when the job is stopped (30).
    """

    service: str | None
    base_url: str | None
    detector: str | None
    column: str | None
    outputs: Iterable[str]
    executor: Engine | Executor | None
    in_flight: int
    rate: float | None
    resolve: Resolve | None
    retry_failed: bool
    again: bool
    webhook: str | None
    listen: tuple[str, int] | None
    wait: float
    patience: float
    drain: float


@dataclass(frozen=True, kw_only=True)
class Job:
    """Images, a folder, and the options, checked."""

    inputs: Sequence[str]
    folder: str
    choice: services.Choice
    wishes: Wishes
    engine: Engine
    manner: Manner
    column: str | None
    rate: Rate | None
    resolve: Resolve | None
    retry_failed: bool
    again: bool
    webhook: CopyleaksWebhook | None
    listen: tuple[str, int] | None
    wait_s: float


def job_of(inputs: Inputs, output: str | os.PathLike[str], options: Options) -> Job:
    """The job that is asked for. Raises InputError for what cannot be used."""
    if unknown := options.keys() - Options.__annotations__:
        raise InputError(f"{', '.join(sorted(unknown))}: a job has no such option")
    folder = os.path.abspath(output)
    how = cast(How, {name: value for name, value in options.items() if name in How.__annotations__})
    rate = options.get("rate")
    choice = services.choice_of(
        options.get("service"), options.get("base_url"), options.get("detector")
    )
    _check_ways(choice.service, options)
    webhook = options.get("webhook")
    return Job(
        inputs=_arguments(inputs, folder),
        folder=folder,
        choice=choice,
        wishes=wishes_of(folder, options.get("outputs", ("overlay",)), **how),
        engine=engine_of(options.get("executor")),
        manner=Manner(
            in_flight=_in_flight(options.get("in_flight", 16)),
            patience_s=_positive(options.get("patience", 600.0), "patience"),
            drain_s=_positive(options.get("drain", 30.0), "drain"),
        ),
        column=options.get("column"),
        rate=None if rate is None else Rate(_positive(rate, "rate"), max(1, round(rate))),
        resolve=options.get("resolve"),
        retry_failed=options.get("retry_failed", False),
        again=options.get("again", False),
        webhook=None if webhook is None else webhook_of(webhook),
        listen=options.get("listen"),
        wait_s=_positive(options.get("wait", 3600.0), "wait"),
    )


def _arguments(inputs: Inputs, folder: str) -> list[str]:
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    arguments = []
    for each in given:
        text = os.fspath(each)
        if not isinstance(text, str) or not text or "\0" in text:
            raise InputError(f"inputs: {shown(each)} is no path or address")
        is_elsewhere = is_address(text) and not text.startswith("file://")
        arguments.append(text if is_elsewhere else local_path(text))
    if not arguments:
        raise InputError("inputs: none are given")
    for argument in arguments:
        if os.path.realpath(argument) == os.path.realpath(folder):
            raise InputError(
                f"{shown(argument)}: input and output are the same folder: give another output,"
                " such as a folder in it"
            )
    return arguments


def _check_ways(service: str, options: Options) -> None:
    resolve, webhook = options.get("resolve"), options.get("webhook")
    if resolve not in (None, "resend", "skip", "fetch"):
        raise InputError(f"resolve {shown(resolve)}: not 'resend', 'skip' or 'fetch'")
    if webhook is not None and service != "copyleaks":
        raise InputError(f"webhook: {service} sends none about images", code="webhook")
    if webhook is None and resolve == "fetch":
        raise InputError(
            f"resolve 'fetch': {service} keeps no results to ask for, but for webhooks; 'resend'"
            " may pay again, 'skip' gives up",
            code="resolve",
        )
    if webhook is None and options.get("listen") is not None:
        raise InputError("listen: it is for webhooks, and there is no address for any")


def _in_flight(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000:
        raise InputError(f"in_flight {shown(value)}: not 1 to 1000")
    return value


def _positive(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise InputError(f"{name} {shown(value)}: not a number above 0")
    return float(value)
