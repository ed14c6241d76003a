"""The command line: every command parses, calls the library and prints.

Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

from ..errors import MissingDependencyError

try:
    import click

    from .. import exits
    from . import (
        batch,
        bench,
        contours,
        convert,
        detect,
        info,
        pictures,
        render,
        report,
        servers,
    )
except ImportError as missing:
    raise MissingDependencyError.of(missing.name, "all", "the command line") from missing

__all__ = ["main"]


@click.group(
    cls=exits.Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=exits.CODES,
)
@click.version_option(package_name="runmask", prog_name="runmask")
def main() -> None:
    """Masks of AI-image detectors: fetch, draw and describe them."""


for command in (
    detect.detect,
    batch.batch_command,
    pictures.overlay_command,
    pictures.heatmap_command,
    contours.contours_command,
    convert.convert,
    info.info,
    render.render_command,
    report.report_command,
    bench.bench,
    servers.sandbox,
    servers.webhooks,
):
    main.add_command(command)
