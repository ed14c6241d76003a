"""The commands that draw: overlay and heatmap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .. import exits, terminal
from ..errors import InputError
from .answers import ANSWER, mask_of, read_answer, shown
from .options import Colour, ColourType, Output, colours, picture_files, together
from .several import Task, pairs_of, run_all, tasks_of

if TYPE_CHECKING:
    from ..images import Picture
    from ..mask import Mask

_OUT = click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=Output(path_type=Path),
    help="Its ending names the format; without one it gets the image's. Of several, the folder.",
)
_lines = together(
    click.option(
        "--outline",
        type=click.FloatRange(1, 2**15),
        metavar="WIDTH",
        help="Draw the mask's outlines too, as wide as that.",
    ),
    click.option(
        "--outline-colour",
        type=ColourType(alpha=255),
        help="Of the outlines; else --inside's, opaque.",
    ),
)


@dataclass(frozen=True)
class _Files:
    """What the options say of the files in and out."""

    max_side: int | None
    fmt: str | None
    quality: int
    lossless: bool
    metadata: Literal["strip", "keep"]
    overwrite: bool

    def load(self, image: Path, mask: Mask | None) -> tuple[Picture, Mask | None]:
        """The picture, with its mask if it has one, reduced alike. The name is in the messages."""
        from .. import images

        known: Any = {
            "mode": None,
            "max_side": self.max_side,
            "metadata": self.metadata,
            "name": "the image",
        }
        with exits.about(shown(image)):
            if mask is None:
                return images.load(image, orient=False, **known), None
            return images.load_pair(image, mask, **known)

    def write(self, path: Path, picture: Picture) -> None:
        from .. import images

        images.write(
            path,
            picture.pixels,
            format=self.fmt,
            quality=self.quality,
            lossless=self.lossless,
            orientation=picture.orientation,
            metadata=picture.metadata,
            overwrite=self.overwrite,
        )


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
@colours
@click.option(
    "--opacity", type=click.FloatRange(0, 1), help="Of both colours, instead of their own."
)
@_lines
@picture_files
def overlay_command(
    paths: tuple[Path, ...],
    output: Path,
    answers: Path | None,
    inside: Colour,
    outside: Colour,
    opacity: float | None,
    outline: float | None,
    outline_colour: Colour,
    **files: Any,
) -> None:
    """Draw the masks of answers over their images.

    IMAGE RESPONSE.json makes the file OUT. Several pairs by turns, or images and folders of images
    with --answers, make NAME.overlay.* in the folder OUT. An image is read in the orientation
    whose size is the mask's; the output has its pixels and its orientation tag.
    """
    from ..blend import outline as draw_outline
    from ..blend import overlay

    out = _Files(**files)
    if outline_colour is None and inside is not None:
        outline_colour = (*inside[:3], 255)
    if outline is not None and outline_colour is None:
        raise click.UsageError("--outline: which colour? --inside is none; --outline-colour says")
    inside, outside = (_opaque_as(colour, opacity) for colour in (inside, outside))

    def draw(task: Task) -> str:
        with exits.about(shown(task.answer)):
            whole = mask_of(read_answer(task.answer))
        picture, mask = out.load(task.image, whole)
        assert mask is not None
        overlay(picture.pixels, mask, inside, outside, out=picture.pixels)
        if outline is not None and outline_colour is not None:
            draw_outline(picture.pixels, mask, outline_colour, outline, out=picture.pixels)
        out.write(task.output, picture)
        marked = f"{whole.area:,} pixels marked ({terminal.share(whole.fraction)})"
        return f"{mask.width} x {mask.height}, {marked}"

    many = answers is not None or len(paths) > 2
    tasks = tasks_of(pairs_of(paths, answers), output, "overlay", out.fmt, many=many)
    run_all(tasks, draw, overwrite=out.overwrite, what="overlays")


def _opaque_as(colour: Colour, opacity: float | None) -> Colour:
    if colour is None or opacity is None:
        return colour
    return (*colour[:3], int(255 * opacity + 0.5))


class _Alpha(click.ParamType["int | tuple[int, int]"]):
    name = "A or LOW,HIGH"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | tuple[int, int]:
        parts = str(value).split(",")
        if len(parts) > 2 or not all(p.isdecimal() and p.isascii() and int(p) < 256 for p in parts):
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
    type=(ANSWER, click.FloatRange(0, 1)),
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
    default=(0.0, 1.0),
    metavar="LOW HIGH",
    help="The values of a map that mean confidence 0 and 1.  [default: 0 1]",
)
@picture_files
def heatmap_command(
    image: Path,
    confidence: Path | None,
    levels: tuple[tuple[Path, float], ...],
    output: Path,
    colormap: str,
    alpha: int | tuple[int, int] | None,
    limits: tuple[float, float],
    **files: Any,
) -> None:
    """Show confidences over an image in colours.

    CONFIDENCE is a map of any size: a NumPy file (.npy) or a grey picture, black for 0 and white
    for 1, which is stretched over the image as it is stored. Or masks, nested or not, each given
    by --level: a pixel has the highest confidence of the masks it is in.
    """
    from ..blend import heatmap

    out = _Files(**files)
    if (confidence is None) == (not levels):
        raise click.UsageError("give either CONFIDENCE or --level, which says it by masks")

    def draw(task: Task) -> str:
        found = [(_level(path), value) for path, value in levels]
        picture, small = out.load(task.image, found[0][0] if found else None)
        subject = levels[0][0] if levels else task.answer
        with exits.about(shown(subject)):
            given: Any
            if small is None:
                given = _confidence_map(task.answer)
            else:
                _check_one_shape([mask for mask, _ in found])
                given = [(mask.resize(small.shape), value) for mask, value in found]
            pixels = heatmap(picture.pixels, given, colormap, alpha, picture.pixels, range=limits)
        out.write(task.output, replace(picture, pixels=pixels))
        what = f"{len(found)} masks" if found else " x ".join(map(str, given.shape[::-1])) + " map"
        return f"{pixels.shape[1]} x {pixels.shape[0]}, {what}"

    pair = (image, confidence if confidence is not None else levels[0][0])
    tasks = tasks_of([pair], output, "heatmap", out.fmt, many=False)
    run_all(tasks, draw, overwrite=out.overwrite, what="heatmaps")


def _level(path: Path) -> Mask:
    with exits.about(shown(path)):
        return mask_of(read_answer(path))


def _check_one_shape(masks: list[Mask]) -> None:
    for mask in masks:
        if mask.shape != masks[0].shape:
            raise InputError(
                f"its mask is {masks[0].height} x {masks[0].width} and another "
                f"{mask.height} x {mask.width} (height x width)",
                code="shape_mismatch",
            )


def _confidence_map(path: Path) -> Any:
    """A 2-D array of a NumPy file, or of a grey picture."""
    import io

    import numpy as np

    from .. import images

    if kind := images.format_of(path):
        grey = images.read(path, orient=False)
        if (grey != grey[:, :, :1]).any():
            raise InputError(f"a {kind} picture with colours: a map of confidences is grey")
        return grey[:, :, 0]
    data = images.read_bytes(path, "the map")
    if not data.startswith(b"\x93NUMPY"):
        raise InputError(
            "neither a NumPy file (.npy) nor a picture; answers of a service come with --level"
        )
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"the NumPy file cannot be read: {error}") from error
