"""The command bench: how fast this machine runs the core."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from .. import exits, terminal
from .options import json_option


@click.command(epilog=exits.CODES)
@click.option(
    "--size",
    type=click.IntRange(64, 32768),
    default=4096,
    show_default=True,
    metavar="PIXELS",
    help="The image's sides.",
)
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@json_option
def bench(size: int, rounds: int, threads: int, as_json: bool) -> None:
    """Time the main jobs on this machine, and check their answers.

    A limit moves the bytes that a job must move, and computes nothing. Jobs on the runs alone can
    take less. RUNMASK_KERNELS=scalar, avx2 or avx512 forces a kernel set.
    """
    from ..bench import kernels, measure

    figures = measure(size, rounds, threads)
    if as_json:
        for figure in figures:
            terminal.say_json({"kernels": kernels(), "size": size, **asdict(figure)})
    else:
        rows = [
            [
                figure.job,
                f"{figure.ms:.2f}",
                f"{figure.ms / figure.limit_ms:.2f} x {figure.limit}",
                "yes" if figure.right else "NO",
            ]
            for figure in figures
        ]
        terminal.say_table(["job", "ms", "limit", "right"], rows)
        terminal.say(f"{size} x {size} pixels, kernels {kernels()}, median of {rounds} rounds")
    sys.exit(0 if all(figure.right for figure in figures) else exits.SOME_FAILED)
