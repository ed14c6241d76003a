"""What is said of files to be made, and of where to make them: options of batch and render."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from .options import colours, together

if TYPE_CHECKING:
    from ..batch import Engine

OUTPUTS = ("mask", "overlay", "heatmap", "geojson", "svg", "coco")
ENGINES = ("processes", "threads", "dask", "ray")


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
    colours,
    click.option(
        "--format",
        type=click.Choice(["png", "jpeg", "webp", "bmp", "tiff"], case_sensitive=False),
        help="Of overlays and heatmaps; else the photo's.",
    ),
    click.option("--quality", type=click.IntRange(1, 100), default=90, show_default=True),
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


def engine_named(options: Mapping[str, Any]) -> Engine | None:
    """The engine that options name; None where they leave it to the library."""
    from .. import batch

    given = [name for name in ENGINES if options[name] is not None]
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} and --{given[1]}: rendering has one place")
    for name in given:
        engine: Engine = getattr(batch, name)(options[name])
        return engine
    return None
