"""The command contours: answers in, files of their masks' rings out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from .. import exits
from ..errors import InputError, counted
from .answers import read_mask, shown
from .options import Output, overwrite_option
from .several import Task, bare, refuse_inputs, refuse_twice, run_all

_ENDING = ".response.json"


@click.command("contours", epilog=exits.CODES)
@click.argument(
    "responses",
    nargs=-1,
    required=True,
    metavar="RESPONSE.json...",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=Output(path_type=Path),
    help="OUT.geojson, OUT.svg, or OUT.json for an annotation as COCO has it; or a folder.",
)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["geojson", "svg", "json"]),
    help="Of the output; else its ending names it.  [default in a folder: geojson]",
)
@click.option(
    "--outline",
    type=click.Choice(["edge", "center"]),
    default="edge",
    show_default=True,
    help="Rings on the edges of pixels, without loss; or through centres, as OpenCV's (SVG only).",
)
@click.option(
    "--connectivity",
    type=click.Choice(["4", "8"]),
    default="8",
    show_default=True,
    help="Whether pixels that share a corner only belong together (8) or not (4).",
)
@click.option(
    "--min-area",
    type=click.IntRange(0),
    default=0,
    metavar="PIXELS",
    help="Leave out parts of fewer pixels.",
)
@click.option(
    "--simplify",
    type=click.FloatRange(0),
    default=0,
    metavar="PIXELS",
    help="Leave out points that are no further from the line between those that stay.",
)
@click.option("--no-holes", is_flag=True, help="Fill all holes.")
@overwrite_option
def contours_command(
    responses: tuple[Path, ...],
    output: Path,
    fmt: str | None,
    outline: Literal["edge", "center"],
    connectivity: str,
    min_area: int,
    simplify: float,
    no_holes: bool,
    overwrite: bool,
) -> None:
    """Write the contours of answers' masks; a mask as PNG, COCO's JSON or NumPy's file does too.

    One answer makes the file OUT. Several, or a folder, which stands for the NAME.response.json in
    it, make NAME.contours.* in the folder OUT. GeoJSON has a feature for each part, in pixels, y
    pointing down. COCO's polygons know no holes: each is joined with its part by a bridge without
    width.
    """
    from ..contours.files import file_text
    from ..output import atomic_write

    def draw(task: Task) -> str:
        with exits.about(shown(task.answer)):
            mask = read_mask(task.answer)
        found = mask.contours(
            outline,
            4 if connectivity == "4" else 8,
            min_area=min_area,
            holes=not no_holes,
            simplify=simplify,
        )
        text = file_text(found, f".{fmt}" if fmt else task.output.suffix.lower())
        atomic_write(task.output, text.encode(), overwrite=overwrite)
        holes = int(found.is_hole.sum())
        numbers = {"part": len(found) - holes, "hole": holes, "point": len(found.points)}
        counts = ", ".join(counted(number, noun) for noun, number in numbers.items())
        return f"{mask.width} x {mask.height}, {counts}"

    tasks = _tasks(responses, output, fmt)
    run_all(tasks, draw, overwrite=overwrite, what="answers")


def _tasks(responses: Sequence[Path], output: Path, fmt: str | None) -> list[Task]:
    from ..contours.files import ENDINGS, ending_of
    from ..output import distinct_names, make_folder

    answers = [answer for path in responses for answer in _answers_of(path)]
    if len(responses) == 1 and not responses[0].is_dir() and not output.is_dir():
        if fmt and not output.suffix:
            output = output.with_name(f"{output.name}.{fmt}")
        elif not fmt:
            ending_of(output)
        elif output.suffix.lower() in ENDINGS and ending_of(output) != f".{fmt}":
            raise click.UsageError(f"{output.name!r} ends otherwise than --format {fmt} says")
        return [Task(answers[0], answers[0], output)]
    refuse_twice(answers)
    tasks = [
        Task(answer, answer, output / f"{name}.contours.{fmt or 'geojson'}")
        for answer, name in zip(answers, distinct_names(map(bare, answers)), strict=True)
    ]
    refuse_inputs(tasks)
    make_folder(output)
    return tasks


def _answers_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.glob(f"*{_ENDING}"))
    if not found:
        raise InputError(f"no *{_ENDING} in the folder {str(path)!r}")
    return found
