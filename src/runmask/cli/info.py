"""The command info: what saved answers say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import exits, terminal
from .answers import ANSWER, failure_line, read_answer, shown
from .options import json_option

if TYPE_CHECKING:
    from ..detection import Detection


@click.command(epilog=exits.CODES)
@click.argument("responses", nargs=-1, required=True, type=ANSWER, metavar="RESPONSE.json...")
@json_option
def info(responses: tuple[Path, ...], as_json: bool) -> None:
    """Describe saved answers of a service.

    The box is that of what is marked, in pixels from the left and the top, ends out. On a terminal
    the table has the columns there is room for.
    """
    rows: list[list[object]] = []
    read: list[Detection] = []
    codes: list[int] = []
    for path in responses:
        try:
            with exits.about(shown(path)):
                detection = read_answer(path)
                cells = terminal.answer_cells(detection)
        except exits.Failure as failure:
            codes.append(failure.exit_code)
            terminal.warn(failure.message)
            if as_json:
                terminal.say_json(failure_line("file", path, failure.error))
            continue
        read.append(detection)
        runs = len(detection.mask) if detection.mask is not None else None
        rows.append([path, *cells, runs, detection.model, detection.scan_id])
        if as_json:
            terminal.say_json({"ok": True, "file": str(path), **detection.to_dict()})
    if rows and not as_json:
        terminal.say_table(["answer", *terminal.ANSWER_COLUMNS, "runs", "model", "scan id"], rows)
        terminal.say_notices(read)
    sys.exit(exits.exit_code_of_all(len(rows), codes))
