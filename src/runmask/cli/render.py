"""The command render: stored answers in; files, a table and a report out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import exits, terminal
from .options import Output, json_option
from .renderings import ENGINES, draining, engine_named, engines, renderings

if TYPE_CHECKING:
    from ..batch import Rendered


@click.command("render", epilog=exits.CODES)
@click.argument("answers", nargs=-1, required=True, metavar="ANSWERS...", type=click.Path())
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=Output(file_okay=False, path_type=Path),
    help="Folder for the results; made if need be.",
)
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the images, if they do not lie beside the answers.",
)
@renderings
@engines
@click.option("--retry-failed", is_flag=True, help="Try again what failed in an earlier run.")
@json_option
def render_command(
    answers: tuple[str, ...],
    folder: Path,
    photos: Path | None,
    retry_failed: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make overlays, masks, contours and a table of answers that are there already.

    ANSWERS are folders of JSON files (NAME.response.json or NAME.json, where NAME is the photo's),
    tables (.parquet, .csv, .jsonl) with a column for the image and one for the answer, or folders
    of other jobs. No service is asked. DIR gets results.parquet, report.html and a folder for each
    kind of output. The same command goes on where it was stopped.
    """
    from .. import batch

    engine = engine_named(options)
    how = {name: value for name, value in options.items() if name not in ENGINES}
    stages: Counter[str] = Counter()
    with draining() as stop, terminal.counting("answers") as bar:

        def told(results: Sequence[Rendered]) -> None:
            for result in results:
                stages.update(result.seconds)
                if as_json:
                    terminal.say_json(_line(result))
            bar.advance(len(results))

        counts = batch.render(
            answers,
            folder,
            photos=photos,
            executor=engine,
            retry_failed=retry_failed,
            stop=stop,
            planned=bar.of,
            told=told,
            **how,
        )
        stopped = stop.is_set()
    page = batch.report(folder)
    failed, left = counts.get("failed", 0), counts.get("scored", 0)
    done = f"{counts.get('done', 0):,} of {sum(counts.values()):,} answers rendered"
    terminal.warn(done + (f", {failed:,} failed" if failed else "") + f"; to look at: {page}")
    if stages:
        terminal.warn(f"time in workers: {_shares(stages)}")
    if stopped and left:
        terminal.warn(f"stopped with {left:,} to go; the same command goes on from here")
        sys.exit(exits.INTERRUPTED)
    sys.exit(exits.SOME_FAILED if failed else 0)


def _line(result: Rendered) -> dict[str, Any]:
    line: dict[str, Any] = {"ok": result.error is None, "item": result.item}
    if result.error is not None:
        line |= dict(zip(("error", "message"), result.error, strict=True))
    return line | {"files": dict(result.files)}


def _shares(stages: Counter[str]) -> str:
    total = sum(stages.values())
    shares = (f"{name} {terminal.share(time / total)}" for name, time in stages.most_common())
    return ", ".join(shares)
