"""The command report: the page of a job's results."""

from __future__ import annotations

from pathlib import Path

import click

from .. import exits, terminal


@click.command("report", epilog=exits.CODES)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--most",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    help="Show so many items at most.",
)
def report_command(folder: Path, most: int) -> None:
    """Write the page of a job's results, FOLDER/report.html.

    Of a job that was stopped, or runs still, it shows what is there; nothing is sent. It shows
    results.parquet: a table to sort and filter, and each photo against its overlay. It
    needs no server and no network, and moves with its folder.
    """
    from .. import batch

    terminal.say(terminal.printable(batch.report(folder, most=most)))
