"""The commands that draw: overlay and heatmap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING, Any, Literal

import click

from .. import exits, terminal
from ..errors import InputError, counted
from .answers import ANSWER, read_mask, shown
from .options import (
    NumberRange,
    Output,
    encoding_of,
    encoding_options,
    look_of,
    look_options,
    overwrite_option,
)
from .several import Task, pairs_of, refuse_replacing, run_all, tasks_of

if TYPE_CHECKING:
    from ..images import Picture
    from ..mask import Mask
    from ..style import Encoding

_OUT = click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=Output(path_type=Path),
    help="Its ending names the format; without one it gets the image's. Of several, the folder.",
)


def _load(image: Path, mask: Mask | None, encoding: Encoding) -> tuple[Picture, Mask | None]:
    """The picture, with its mask if it has one, reduced alike. The name is in the messages."""
    from .. import images

    known: Any = {
        "mode": None,
        "max_side": encoding.max_side,
        "metadata": encoding.metadata,
        "name": "the image",
    }
    with exits.about(shown(image)):
        if mask is None:
            return images.load(image, orient=False, **known), None
        return images.load_pair(image, mask, **known)


@click.command("overlay", epilog=exits.CODES)
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="IMAGE RESPONSE.json ...",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@_OUT
@click.option(
    "--answers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with NAME.response.json or NAME.json for each image; then only images are given.",
)
@look_options
@encoding_options
@overwrite_option
def overlay_command(
    paths: tuple[Path, ...], output: Path, answers: Path | None, overwrite: bool, **options: Any
) -> None:
    """Draw the masks of answers over their images; a mask as PNG, COCO's JSON or NumPy's file does
    in the place of an answer.

    IMAGE RESPONSE.json makes the file OUT. Several pairs by turns, or images and folders of images
    with --answers, make NAME.overlay.* in the folder OUT. An image is read in the orientation
    whose size is the mask's; the output has its pixels and its orientation tag.
    """
    look, encoding = look_of(options), encoding_of(options)

    def draw(task: Task) -> str:
        with exits.about(shown(task.answer)):
            whole = read_mask(task.answer)
        picture, mask = _load(task.image, whole, encoding)
        assert mask is not None
        look.draw(picture.pixels, mask)
        encoding.write(task.output, picture, overwrite=overwrite)
        marked = f"{whole.area:,} pixels marked ({terminal.share(whole.fraction)})"
        return f"{mask.width} x {mask.height}, {marked}"

    many = answers is not None or len(paths) > 2
    tasks = tasks_of(pairs_of(paths, answers), output, "overlay", encoding.format, many=many)
    run_all(tasks, draw, overwrite=overwrite, what="overlays")


class _Alpha(click.ParamType["int | tuple[int, int]"]):
    name = "A or LOW,HIGH"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | tuple[int, int]:
        parts = str(value).split(",")
        if len(parts) > 2 or not all(fullmatch("[0-9]{1,3}", p) and int(p) < 256 for p in parts):
            self.fail(f"{value!r} is not one number 0..255, or two with a comma", param, ctx)
        return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


@click.command("heatmap", epilog=exits.CODES)
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument(
    "confidence",
    required=False,
    metavar="[CONFIDENCE]",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=(ANSWER, NumberRange(0, 1)),
    metavar="RESPONSE.json CONFIDENCE",
    help="An answer's mask and the confidence it stands for; once for each.",
)
@_OUT
@click.option(
    "--colormap",
    type=click.Choice(["turbo", "inferno", "viridis", "traffic"]),
    default="turbo",
    show_default=True,
)
@click.option(
    "--alpha",
    type=_Alpha(),
    help="Of all colours, or rising from confidence 0 to 1; 0 to 255.  [default: 0,180]",
)
@click.option(
    "--range",
    "limits",
    type=(float, float),
    metavar="LOW HIGH",
    help="The values that mean confidence 0 and 1, in the map's own numbers.  [default: black and "
    "white of pictures, 0 255 of bytes, 0 65535 of uint16, else 0 1]",
)
@click.option(
    "--nan",
    type=click.Choice(["refuse", "transparent"]),
    default="refuse",
    show_default=True,
    help="Whether NaN in a map is an error or leaves the picture as it is.",
)
@encoding_options
@overwrite_option
def heatmap_command(
    image: Path,
    confidence: Path | None,
    levels: tuple[tuple[Path, float], ...],
    output: Path,
    colormap: str,
    alpha: int | tuple[int, int] | None,
    limits: tuple[float, float] | None,
    nan: Literal["refuse", "transparent"],
    overwrite: bool,
    **options: Any,
) -> None:
    """Show confidences over an image in colours.

    CONFIDENCE is a map of any size: a NumPy file (.npy) or a grey picture, black for 0 and white
    for 1, which is stretched over the image as it is stored. Or masks, nested or not, each given
    by --level: a pixel has the highest confidence of the masks it is in.
    """
    from ..blend import heatmap

    encoding = encoding_of(options)
    if (confidence is None) == (not levels):
        raise click.UsageError("give either CONFIDENCE or --level, which says it by masks")

    def draw(task: Task) -> str:
        found = [(_level(path), value) for path, value in levels]
        picture, small = _load(task.image, found[0][0] if found else None, encoding)
        subject = levels[0][0] if levels else task.answer
        with exits.about(shown(subject)):
            given: Any
            if small is None:
                given = _confidence_map(task.answer)
            else:
                _check_one_shape([mask for mask, _ in found])
                given = [(mask.resize(small.shape), value) for mask, value in found]
            pixels = heatmap(
                picture.pixels, given, colormap, alpha, picture.pixels, range=limits, nan=nan
            )
        encoding.write(task.output, replace(picture, pixels=pixels), overwrite=overwrite)
        what = (
            counted(len(found), "mask")
            if found
            else " x ".join(map(str, given.shape[::-1])) + " map"
        )
        return f"{pixels.shape[1]} x {pixels.shape[0]}, {what}"

    pair = (image, confidence if confidence is not None else levels[0][0])
    tasks = tasks_of([pair], output, "heatmap", encoding.format, many=False)
    refuse_replacing(tasks, [path for path, _ in levels])
    run_all(tasks, draw, overwrite=overwrite, what="heatmaps")


def _level(path: Path) -> Mask:
    with exits.about(shown(path)):
        return read_mask(path)


def _check_one_shape(masks: list[Mask]) -> None:
    for mask in masks:
        if mask.shape != masks[0].shape:
            raise InputError(
                f"its mask is {masks[0].height} x {masks[0].width} and another "
                f"{mask.height} x {mask.width} (height x width)",
                code="shape_mismatch",
            )


def _confidence_map(path: Path) -> Any:
    """A 2-D array of a NumPy file, or of a grey picture of 8 or 16 bits."""
    from .. import images
    from ..mask.files import read_array

    if images.format_of(path):
        return images.read_grey(path, name="the map")
    data = images.read_bytes(path, "the map")
    if not data.startswith(b"\x93NUMPY"):
        raise InputError(
            "neither a NumPy file (.npy) nor a picture; answers of a service come with --level"
        )
    return read_array(data)
