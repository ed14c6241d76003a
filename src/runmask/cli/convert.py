"""The command convert: masks from one form to another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import errors, exits, terminal
from .answers import ANSWER, read_bytes, shown
from .options import Output, overwrite_option
from .several import Task, bare, refuse_inputs, refuse_twice, run_all

if TYPE_CHECKING:
    from ..mask import Mask

# As runmask.mask.files has them, which would load NumPy for the help.
_FORMS = (
    *("response", "png", "npy", "coco", "sam", "nuscenes", "open-images", "kaggle", "cvat"),
    "label-studio",
)
_OF_ENDING = {".png": "png", ".npy": "npy"}


class ShapeType(click.ParamType[tuple[int, int]]):
    name = "HEIGHTxWIDTH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        sides = re.fullmatch("([0-9]{1,20})[xX]([0-9]{1,20})", str(value))
        if sides is None:
            self.fail(f"{errors.shown(value)} is no HEIGHTxWIDTH, such as 1080x1920", param, ctx)
        return int(sides[1]), int(sides[2])


@click.command("convert", epilog=exits.CODES)
@click.argument("masks", nargs=-1, required=True, type=ANSWER, metavar="MASK...")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=Output(allow_dash=True, path_type=Path),
    help="A file, or for several masks a folder; - for standard output.",
)
@click.option("--to", "to", type=click.Choice(_FORMS), help="Default: as OUT.png or OUT.npy says.")
@click.option("--from", "form", type=click.Choice(_FORMS), help="Default: what the file shows.")
@click.option(
    "--shape",
    type=ShapeType(),
    help="Of the image, for forms that do not say it: kaggle, cvat, open-images.",
)
@click.option(
    "--order",
    type=click.Choice(["rows", "columns"]),
    help="For kaggle: whether pixels are numbered along the rows or down the columns.",
)
@click.option("--base", type=click.Choice(["0", "1"]), help="For kaggle: the first pixel's number.")
@click.option(
    "--threshold",
    type=float,
    metavar="N",
    help="Of a PNG or NumPy array: values above N are set.  [default: all but 0]",
)
@overwrite_option
def convert(
    masks: tuple[Path, ...],
    output: Path,
    to: str | None,
    form: str | None,
    shape: tuple[int, int] | None,
    order: Any,
    base: str | None,
    threshold: float | None,
    overwrite: bool,
) -> None:
    """Write masks in the form of another tool.

    MASK is a saved answer of a service, a grey or palette PNG, a NumPy array, COCO's run-length
    JSON, a brush of Label Studio, or what --from says. Nothing is lost: each form holds the same
    pixels. Of a PNG or array all pixels but those of 0 are set, or those above --threshold.
    """
    from ..mask.files import Layout, form_of, read_mask, write_mask
    from ..output import atomic_write

    to = to or _OF_ENDING.get(output.suffix.lower())
    if to is None:
        raise click.UsageError("--to says the form of the output, unless it is OUT.png or OUT.npy")
    layout = Layout(shape, order, None if base is None else int(base), threshold)

    def converted(path: Path) -> tuple[Mask, bytes]:
        with exits.about(shown(path)):
            data = read_bytes(path)
            try:
                mask = read_mask(data, form, layout)
            except errors.MaskError as error:
                if form is None and form_of(data) == "coco":  # nuScenes has the same keys
                    message = f"{error}; if it is of nuScenes, --from nuscenes reads it"
                    raise errors.InputError(message, code=error.code) from error
                raise
            return mask, write_mask(mask, to, layout)

    def work(task: Task) -> str:
        mask, data = converted(task.answer)
        atomic_write(task.output, data, overwrite=overwrite)
        return f"{mask.width} x {mask.height}, {errors.counted(len(mask), 'run')}, {mask.area:,} px"

    if str(output) == "-":
        if len(masks) > 1:
            raise click.UsageError(f"{len(masks)} masks do not go to standard output together")
        terminal.write(converted(masks[0])[1])
        return
    run_all(_tasks(masks, output, to), work, overwrite=overwrite, what="masks")


def _tasks(masks: Sequence[Path], output: Path, to: str) -> list[Task]:
    from ..mask.files import FORMS
    from ..output import distinct_names, make_folder

    if len(masks) == 1 and not output.is_dir():
        tasks = [Task(masks[0], masks[0], output)]
        refuse_inputs(tasks)
        return tasks
    if output.suffix and not output.is_dir():
        raise errors.InputError(
            f"{len(masks)} masks go to a folder, and {str(output)!r} looks like a file"
        )
    refuse_twice(masks)
    said = "" if FORMS[to].ending == f".{to}" else f".{to}"
    tasks = [
        Task(mask, mask, output / f"{name}{said}{FORMS[to].ending}")
        for mask, name in zip(masks, distinct_names(map(bare, masks)), strict=True)
    ]
    refuse_inputs(tasks)
    make_folder(output)
    return tasks
