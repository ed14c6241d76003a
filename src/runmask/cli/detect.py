"""The command detect: photos through a service, to files that show its answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import exits, terminal
from ..errors import APIConnectionError, RunmaskError
from .answers import failure_line
from .options import Colour, Output, colours, json_option, overwrite_option

if TYPE_CHECKING:
    from ..scan import Result, Service

_KEYS = ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY")
_DEVELOPER = ("sandbox@localhost", "00000000-0000-0000-0000-000000000000")


@click.command(epilog=exits.CODES)
@click.argument(
    "photos",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PHOTO...",
)
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=Output(file_okay=False, path_type=Path),
    help="Folder for the results; made if need be.",
)
@click.option(
    "--service",
    type=click.Choice(["copyleaks", "sandbox"]),
    help="Default: copyleaks if its key is set, else the embedded sandbox.",
)
@click.option("--base-url", help="Another address of the service, such as a running sandbox.")
@colours
@overwrite_option
@json_option
def detect(
    photos: tuple[Path, ...],
    folder: Path,
    service: str | None,
    base_url: str | None,
    inside: Colour,
    outside: Colour,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Ask a detection service about photos and draw its masks.

    Makes NAME.overlay.*, NAME.mask.png and NAME.response.json for every photo, and index.html, a
    page with all results that are in the folder. A folder stands for the images in it. Credentials
    are read from COPYLEAKS_EMAIL and COPYLEAKS_API_KEY; without them an embedded sandbox answers,
    which is an analysis for development and not a trained detector: its "ai" means that some
    pixels stand out, and real photos get it too.
    """
    from .. import gallery
    from ..scan import images_in, plan, scan

    jobs = plan(images_in(photos), folder, overwrite=overwrite)
    if not overwrite:
        gallery.refuse_foreign(folder)
    results: list[Result] = []
    errors: list[RunmaskError] = []
    with _service(service, base_url) as (client, note), terminal.progress(jobs) as progress:
        terminal.warn(note)
        try:
            for job in progress:
                try:
                    with exits.about(str(job.photo)):
                        result = scan(
                            job, client, inside=inside, outside=outside, overwrite=overwrite
                        )
                except exits.Failure as failure:
                    errors.append(failure.error)
                    terminal.warn(failure.message)
                    if as_json:
                        terminal.say_json(failure_line("photo", job.photo, failure.error))
                    if failure.exit_code in (exits.REFUSED, exits.NOT_WRITTEN):
                        break
                    continue
                results.append(result)
                if as_json:
                    terminal.say_json(_result_line(result))
        finally:  # also after Ctrl-C
            if results:
                gallery.update(folder, [result.card for result in results])
    if results and not as_json:
        rows = [[r.job.photo, *terminal.answer_cells(r.detection), r.job.overlay] for r in results]
        terminal.say_table(["photo", *terminal.ANSWER_COLUMNS, "overlay"], rows)
        terminal.say_notices(result.detection for result in results)
    if results:
        index = folder / gallery.INDEX
        terminal.warn(f"{len(results)} of {len(jobs)} photos done; to look at: {index}")
    elif all(isinstance(error, APIConnectionError) for error in errors):
        terminal.warn("no photo was answered: the service could not be reached")
    sys.exit(exits.exit_code_of_all(len(results), [exits.exit_code_of_scan(e) for e in errors]))


@contextmanager
def _service(name: str | None, base_url: str | None) -> Iterator[tuple[Service, str]]:
    """The client to ask, and the sentence that says who answers."""
    from ..http import Copyleaks

    has_key = any(os.environ.get(key) for key in _KEYS)
    if name is None:
        name = "copyleaks" if has_key or base_url else "sandbox"
    if name == "copyleaks" and base_url is None:
        with Copyleaks() as client:  # its credentials come from the environment
            yield client, "Asking Copyleaks."
        return
    email, key = (None, None) if name == "copyleaks" and has_key else _DEVELOPER
    note = "The embedded sandbox answers, no service is asked."
    with (
        _embedded_sandbox() if base_url is None else nullcontext(base_url) as origin,
        Copyleaks(email, key, base_url=origin, login_url=origin) as client,
    ):
        yield client, note if base_url is None else f"Asking {base_url}."


def _embedded_sandbox() -> AbstractContextManager[str]:
    from ..sandbox import running

    return running()


def _result_line(result: Result) -> dict[str, Any]:
    job = result.job
    files = {name: str(getattr(job, name)) for name in ("overlay", "mask", "response")}
    return {"ok": True, "photo": str(job.photo), "files": files, **result.detection.to_dict()}
