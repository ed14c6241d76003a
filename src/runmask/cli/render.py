"""The command render: stored answers in; files, a table and a report out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .. import exits, terminal
from .jobs import tell, watching
from .options import folder_option, json_option
from .renderings import again_option, engine_of, engines, how_of, renderings


@click.command("render", epilog=exits.CODES)
@click.argument("answers", nargs=-1, required=True, metavar="ANSWERS...", type=click.Path())
@folder_option
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the images, if they do not lie beside the answers, or a job's have moved.",
)
@renderings
@engines
@click.option("--retry-failed", is_flag=True, help="Try again what failed in an earlier run.")
@again_option
@json_option
def render_command(
    answers: tuple[str, ...],
    folder: Path,
    photos: Path | None,
    retry_failed: bool,
    again: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make overlays, masks, contours and a table of answers that are there already.

    ANSWERS are folders of JSON files (NAME.response.json or NAME.json, where NAME is the photo's),
    tables (.parquet, .csv, .jsonl) with a column for the image and one for the answer, or folders
    of other jobs. No service is asked. DIR gets results.parquet, report.html and a folder for each
    kind of output. The same command goes on where it was stopped.
    """
    from ..batch.progress import Progress
    from ..batch.stored import perform

    how, engine = how_of(options), engine_of(options)
    progress = Progress()
    with watching(progress, as_json), terminal.warnings_about(str(folder)):
        summary = perform(
            answers,
            folder,
            photos=photos,
            executor=engine,
            retry_failed=retry_failed,
            again=again,
            progress=progress,
            **options,
            **how,
        )
    tell(summary, as_json)
    if progress.seconds and not as_json:
        terminal.warn(f"time in workers: {_shares(progress.seconds)}")
    sys.exit(exits.exit_code_of_job(summary.states, summary.error, summary.signal))


def _shares(seconds: Mapping[str, float]) -> str:
    total = sum(seconds.values())
    stages = sorted(seconds.items(), key=lambda stage: -stage[1])
    return ", ".join(f"{name} {terminal.share(time / total)}" for name, time in stages)
