"""The command batch: any number of images through a service, in a job that can be stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import exits, services, terminal
from .options import Output, detector_option, json_option
from .renderings import ENGINES, engine_named, engines, renderings

if TYPE_CHECKING:
    from ..batch import Outcome, Progress, Summary

_JSON_EVERY_S = 5.0
_LISTED = 10
_OF_THE_JOB = (
    *("service", "base_url", "detector", "column", "outputs", "in_flight", "rate", "resolve"),
    *("retry_failed", "webhook", "listen", "wait", "patience"),
)


class _Place(click.ParamType["tuple[str, int]"]):
    name = "HOST:PORT"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        return host.strip("[]"), int(port)


@click.command("batch", epilog=exits.CODES)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=Output(file_okay=False, path_type=Path),
    help="Folder of the job; made if need be.",
)
@click.option(
    "--service",
    type=click.Choice(services.NAMES),
    help="Default: the first of these whose key is set, else the embedded sandbox.",
)
@click.option("--base-url", help="Another address of the service, such as a running sandbox.")
@detector_option
@click.option("--column", metavar="NAME", help="Of lists: the column with the paths.")
@renderings
@engines
@click.option(
    "--in-flight",
    type=click.IntRange(1, 1000),
    default=16,
    show_default=True,
    help="Requests under way at a time.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    help="Requests a second, at most; else what the service publishes.",
)
@click.option(
    "--resolve",
    type=click.Choice(["resend", "skip", "fetch"]),
    help="Held images: send them again and perhaps pay again, give them up, or look for webhooks.",
)
@click.option("--retry-failed", is_flag=True, help="Try again what has failed before.")
@click.option("--held", "list_held", is_flag=True, help="List the job's held images, and end.")
@click.option(
    "--webhook",
    metavar="URL",
    help="Have Copyleaks fetch the images, and send its answers to this public address.",
)
@click.option(
    "--listen",
    type=_Place(),
    help="Receive webhooks here; else 'runmask webhooks --inbox DIR/inbox' does.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, min_open=True),
    default=3600.0,
    show_default=True,
    help="Seconds to wait for the next webhook.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds to wait for a service that cannot be reached.",
)
@json_option
def batch_command(
    inputs: tuple[str, ...], folder: Path, list_held: bool, as_json: bool, **options: Any
) -> None:
    """Ask a detection service about any number of images.

    INPUT is an image, a folder, a pattern, a list (.csv, .jsonl, .parquet, .txt) or an address
    (https://, s3://, ...). The folder gets results.parquet, report.html and a folder for each kind
    of output. The same command goes on where it was stopped, and pays for nothing twice: images of
    the same content are sent once, and what may have been paid for without an answer is held until
    --resolve says what is to become of it. Ctrl-C waits for what is under way.
    Credentials are read as for detect; without any an embedded sandbox answers.
    """
    from ..batch.job import perform
    from ..batch.options import job_of
    from ..batch.progress import Progress

    if list_held:
        _tell_items(_outcomes(folder, "held"), as_json)
        return
    asked: dict[str, Any] = {name: options.pop(name) for name in _OF_THE_JOB}
    engine = engine_named(options)
    how = {name: value for name, value in options.items() if name not in ENGINES}
    job = job_of(inputs, folder, {**asked, "executor": engine, "how": how})  # type: ignore[typeddict-item]
    progress = Progress()
    terminal.warn(job.choice.note)
    with _watching(progress, as_json):
        summary = perform(job, progress)
    _tell(summary, as_json)
    sys.exit(exits.exit_code_of_job(summary.states, summary.error, summary.signal))


# -- while it runs


@contextmanager
def _watching(progress: Progress, as_json: bool) -> Iterator[None]:
    def look() -> list[terminal.Gauge]:
        if not progress.images:
            return []
        note = f"waiting: {progress.trouble}" if progress.trouble else ""
        if not note and progress.spent:
            note = f"{progress.spent:,.6g} credits"
        found = [terminal.Gauge("rendered", progress.rendered, progress.to_render)]
        if progress.to_submit:
            sent = terminal.Gauge("submitted", progress.submitted, progress.to_submit, note)
            found.insert(0, sent)
        return found

    def say() -> None:
        terminal.say_json(
            {
                "event": "progress",
                "to_submit": progress.to_submit,
                "submitted": progress.submitted,
                "to_render": progress.to_render,
                "rendered": progress.rendered,
                "credits": progress.spent,
                "waiting": progress.trouble or None,
            }
        )

    with terminal.every(_JSON_EVERY_S, say) if as_json else terminal.gauges(look):
        yield


# -- when it is over


def _tell(summary: Summary, as_json: bool) -> None:
    states = summary.states
    if as_json:
        for state in ("failed", "held"):
            _tell_items(_outcomes(summary.folder, state), as_json)
        terminal.say_json(
            {
                "event": "summary",
                "states": dict(states),
                "answered": summary.answered,
                "shared": summary.shared,
                "credits": summary.spent,
                "credits_in_all": summary.spent_in_all,
                "report": summary.report,
                "error": None if summary.error is None else str(summary.error),
            }
        )
    total = sum(states.values())
    parts = [f"{states.get('done', 0):,} of {total:,} images done"]
    parts += [f"{states[name]:,} {name}" for name in ("failed", "held") if states.get(name)]
    if left := total - sum(states.get(name, 0) for name in ("done", "failed", "held")):
        parts.append(f"{left:,} to go")
    terminal.warn(", ".join(parts))
    if summary.answered:
        same = f", {summary.shared:,} have the content of others" if summary.shared else ""
        cost = f"; {summary.spent:,.6g} credits" if summary.spent else ""
        terminal.warn(f"{summary.answered:,} answered now{same}{cost}")
    if not as_json:
        for state in ("failed", "held"):
            if states.get(state):
                _tell_items(_outcomes(summary.folder, state), as_json, _LISTED)
    if states.get("held"):
        terminal.warn(
            "held: they may have been paid for, and no answer came. --held lists them; --resolve"
            " resend sends them again, which may cost again, and --resolve skip gives them up"
        )
    if summary.report is not None:
        terminal.warn(f"to look at: {summary.report}")
    if summary.error is not None:
        terminal.warn(f"stopped: {summary.error}")
    if left:
        terminal.warn("the same command goes on from here")


def _outcomes(folder: str | Path, state: Any) -> Iterator[Outcome]:
    from ..batch.reading import Reading

    journal = Reading(folder)
    try:
        yield from journal.outcomes(state)
    finally:
        journal.close()


def _tell_items(outcomes: Iterator[Outcome], as_json: bool, most: int | None = None) -> None:
    for number, outcome in enumerate(outcomes):
        if number == most:
            terminal.warn("  ...")
            return
        code, message = outcome.error or ("", "")
        if as_json:
            terminal.say_json(
                {
                    "ok": False,
                    "image": outcome.source,
                    "state": outcome.state,
                    "scan_id": outcome.scan_id,
                    "error": code,
                    "message": message,
                }
            )
        else:
            terminal.say(terminal.printable(f"{outcome.source}: {outcome.state}: {message}"))
