"""Options that commands share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .. import services
from ..errors import InputError

if TYPE_CHECKING:
    from ..style import Encoding, Look

Colour = tuple[int, int, int, int] | None
Command = TypeVar("Command", bound=Callable[..., Any])

_TRANSLUCENT = 120  # as the service's own example


class ColourType(click.ParamType[Colour]):
    name = "COLOUR"

    def __init__(self, alpha: int = _TRANSLUCENT):
        self.alpha = alpha

    def convert(self, value: Any, param: Any, ctx: Any) -> Colour:
        if value is None or value == "none":
            return None
        from ..colours import rgba

        try:
            return rgba(value, self.alpha)
        except InputError as error:
            return self.fail(f"{error}, or 'none'", param, ctx)


class NumberRange(click.FloatRange):
    """For click, NaN is in every range."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


class Output(click.Path):
    """A file or folder to make; ``-`` is one only of commands that write to standard output."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not os.fspath(value):  # which would be the working folder
            self.fail("the name is empty", param, ctx)
        if os.fspath(value) == "-" and not self.allow_dash:
            self.fail("nothing goes to standard output; ./- is a file of that name", param, ctx)
        return super().convert(value, param, ctx)


detector_option = click.option(
    "--detector",
    metavar="NAME",
    help="One's own for the sandbox: module:callable, or an offered one.",
)
folder_option = click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=Output(file_okay=False, path_type=Path),
    help="Folder for the results; made if need be.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace files that exist.")


def together(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Several options as one decorator; the help shows them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


colours = together(
    *(
        click.option(
            name,
            type=ColourType(),
            default=default,
            show_default=True,
            help=f"Colour of {side}: a name, #rrggbb, R,G,B or R,G,B,A; or none.",
        )
        for name, default, side in (
            ("--inside", "255,0,0,120", "what the mask marks"),
            ("--outside", "0,255,0,120", "the rest"),
        )
    )
)
service_options = together(
    click.option(
        "--service",
        type=click.Choice(services.NAMES),
        help="Default: the first of these whose key is set, else the embedded sandbox.",
    ),
    click.option("--base-url", help="Another address of the service, such as a running sandbox."),
    detector_option,
)
look_options = together(
    colours,
    click.option(
        "--opacity", type=NumberRange(0, 1), help="Of both colours, instead of their own."
    ),
    click.option(
        "--outline",
        type=NumberRange(1, 2**15),
        metavar="WIDTH",
        help="Draw the mask's outlines too, as wide as that.",
    ),
    click.option(
        "--outline-colour",
        type=ColourType(alpha=255),
        help="Of the outlines; else --inside's, opaque.",
    ),
)
encoding_options = together(
    click.option(
        "--max-side", type=click.IntRange(1), metavar="PIXELS", help="Reduce the picture to that."
    ),
    click.option(
        "--format",
        type=click.Choice(["png", "jpeg", "webp", "bmp", "tiff"], case_sensitive=False),
        help="Of the picture; else an ending names it, or the image.",
    ),
    click.option("--quality", type=click.IntRange(1, 100), default=90, show_default=True),
    click.option("--lossless", is_flag=True, help="For WebP."),
    click.option(
        "--metadata",
        type=click.Choice(["strip", "keep", "none"]),
        default="strip",
        show_default=True,
        help="strip leaves out EXIF, so the place too, but not the colour profile; keep takes both "
        "along, none neither.",
    ),
)


def look_of(options: dict[str, Any]) -> Look:
    """What the options above say, which are taken out."""
    from ..style import Look

    look = Look(**{field.name: options.pop(field.name) for field in fields(Look)})
    if look.outline is not None and look.line_colour is None:
        raise click.UsageError("--outline: which colour? --inside is none; --outline-colour says")
    return look


def encoding_of(options: dict[str, Any]) -> Encoding:
    """The same of a picture's file."""
    from ..style import Encoding

    return Encoding(**{field.name: options.pop(field.name) for field in fields(Encoding)})
