"""What is said of files to be made, and of where to make them: options of batch and render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import encoding_of, encoding_options, look_of, look_options, together

if TYPE_CHECKING:
    from ..batch import Engine

OUTPUTS = ("mask", "overlay", "heatmap", "geojson", "svg", "coco")


class _Outputs(click.ParamType["tuple[str, ...]"]):
    name = "KIND,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        kinds = tuple(filter(None, (kind.strip() for kind in value.split(","))))
        for kind in kinds:
            if kind not in OUTPUTS:
                self.fail(f"{kind!r} is none of {', '.join(OUTPUTS)}", param, ctx)
        return tuple(dict.fromkeys(kinds))


renderings = together(
    click.option(
        "--outputs",
        type=_Outputs(),
        default="overlay",
        show_default=True,
        help=f"What to make of each answer: {', '.join(OUTPUTS)}; with commas.",
    ),
    look_options,
    encoding_options,
    click.option(
        "--colormap",
        type=click.Choice(["turbo", "inferno", "viridis", "traffic"]),
        default="turbo",
        show_default=True,
        help="Of heatmaps.",
    ),
    click.option(
        "--thumbnails/--no-thumbnails",
        default=True,
        show_default=True,
        help="Whether to make what a report shows.",
    ),
)
again_option = click.option(
    "--again", is_flag=True, help="Make all files once more, as after some were lost."
)
engines = together(
    click.option(
        "--processes", type=click.IntRange(1), metavar="N", help="Render in so many processes."
    ),
    click.option(
        "--threads", type=click.IntRange(1), metavar="N", help="In threads; then no HEIC photos."
    ),
    click.option("--dask", metavar="ADDRESS", help="On a Dask cluster: tcp://host:8786."),
    click.option("--ray", metavar="ADDRESS", help="On a Ray cluster: host:6379, or auto."),
)


def engine_of(options: dict[str, Any]) -> Engine | None:
    """The engine that options name, which are taken out; None where none does."""
    from .. import batch

    every = {name: options.pop(name) for name in ("processes", "threads", "dask", "ray")}
    given = {name: value for name, value in every.items() if value is not None}
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(f'--{name}' for name in given)}: one place is it")
    for name, value in given.items():
        engine: Engine = getattr(batch, name)(value)
        return engine
    return None


def how_of(options: dict[str, Any]) -> dict[str, Any]:
    """How files are made, of what is left of the options, which are taken out."""
    how = {"look": look_of(options), "encoding": encoding_of(options)}
    return how | {name: options.pop(name) for name in ("colormap", "thumbnails")}
