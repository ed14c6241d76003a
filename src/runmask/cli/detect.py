"""The command detect: photos through a service, to files that show its answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import exits, services, terminal
from ..errors import APIConnectionError, RunmaskError
from .answers import failure_line
from .options import (
    encoding_of,
    encoding_options,
    folder_option,
    json_option,
    look_of,
    look_options,
    overwrite_option,
    service_options,
)

if TYPE_CHECKING:
    from ..scan import Result


@click.command(epilog=exits.CODES)
@click.argument(
    "photos",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PHOTO...",
)
@folder_option
@service_options
@look_options
@encoding_options
@overwrite_option
@json_option
def detect(
    photos: tuple[Path, ...],
    folder: Path,
    service: str | None,
    base_url: str | None,
    detector: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Ask a detection service about photos and draw its masks.

    Makes NAME.response.json for every photo, NAME.overlay.* and NAME.mask.png where the answer
    marks pixels or boxes, and index.html, a page with all results that are in the folder. A folder
    stands for the images in it. Credentials are read from COPYLEAKS_EMAIL and COPYLEAKS_API_KEY,
    AIDETECTOR_API_KEY, or SIGHTENGINE_API_USER and SIGHTENGINE_API_SECRET; without any an embedded
    sandbox answers, which is an analysis for development and not a trained detector: its "ai" means
    that some pixels stand out, and real photos get it too.
    """
    from .. import gallery
    from ..scan import images_in, plan, scan

    look, encoding = look_of(options), encoding_of(options)
    jobs = plan(images_in(photos), folder, format=encoding.format, overwrite=overwrite)
    if not overwrite:
        gallery.refuse_foreign(folder)
    results: list[Result] = []
    errors: list[RunmaskError] = []
    with (
        services.opened(service, base_url, detector) as (client, note),
        terminal.progress(jobs) as progress,
    ):
        terminal.warn(note)
        try:
            for job in progress:
                try:
                    with exits.about(str(job.photo)):
                        result = scan(
                            job, client, look=look, encoding=encoding, overwrite=overwrite
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
        rows = [
            [r.job.photo, *terminal.answer_cells(r.detection), r.files.get("overlay")]
            for r in results
        ]
        terminal.say_table(["photo", *terminal.ANSWER_COLUMNS, "overlay"], rows)
        terminal.say_notices(result.detection for result in results)
    if results:
        index = folder / gallery.INDEX
        terminal.warn(f"{len(results)} of {len(jobs)} photos done; to look at: {index}")
    elif all(isinstance(error, APIConnectionError) for error in errors):
        terminal.warn("no photo was answered: the service could not be reached")
    sys.exit(exits.exit_code_of_all(len(results), [exits.exit_code_of_scan(e) for e in errors]))


def _result_line(result: Result) -> dict[str, Any]:
    files = {name: str(path) for name, path in result.files.items()}
    photo = str(result.job.photo)
    return {"ok": True, "photo": photo, "files": files, **result.detection.to_dict()}
