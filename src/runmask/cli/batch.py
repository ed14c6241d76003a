"""The command batch: any number of images through a service, in a job that can be stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .. import exits, terminal
from .jobs import outcomes_of, tell, tell_items, watching
from .options import folder_option, json_option, service_options
from .renderings import again_option, engine_of, engines, how_of, renderings


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
@folder_option
@service_options
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
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Try again what has failed before, but not what was given up.",
)
@again_option
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
        tell_items(outcomes_of(folder, "held"), as_json)
        return
    how, engine = how_of(options), engine_of(options)
    asked: Any = {**options, **how, "executor": engine}
    job = job_of(inputs, folder, asked)
    progress = Progress()
    terminal.warn(job.choice.note)
    with watching(progress, as_json), terminal.warnings_about(str(folder)):
        summary = perform(job, progress)
    tell(summary, as_json)
    sys.exit(exits.exit_code_of_job(summary.states, summary.error, summary.signal))
