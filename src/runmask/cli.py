"""The command line: every command parses, calls the library and prints.

Results go to stdout, everything else to stderr. Exit codes: 0 all well, 1 some photos
failed, 2 wrong usage or bad input, 3 credentials refused or no credits left, 5 an output could
not be written, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import click
    import rich.console
    import rich.progress
    import rich.table
    import rich.text
except ImportError as missing:  # one line for whoever typed `runmask`, not a traceback
    raise SystemExit(f"runmask needs {missing.name!r}: pip install 'runmask[cli]'") from missing

from .errors import (
    AuthError,
    InputError,
    OutputError,
    QuotaError,
    ResponseFormatError,
    RunmaskError,
)

if TYPE_CHECKING:
    from .detection import Detection
    from .scan import Job, Result, Service

SOME_FAILED, BAD_INPUT, REFUSED, NOT_WRITTEN, INTERRUPTED = 1, 2, 3, 5, 130

_MAX_ANSWER = 2**28
_KEYS = ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY")
_DEVELOPMENT = {"email": "sandbox@localhost", "api_key": "00000000-0000-0000-0000-000000000000"}
_SANDBOX_NOTE = (
    "No service was asked: the embedded sandbox answers. Its answers are an analysis for"
    " development and not those of a trained detector."
)
_WIDE = 160  # columns of a table that goes to a file or a pipe

Colour = tuple[int, int, int, int] | None


class _Failure(click.ClickException):
    def __init__(self, error: RunmaskError):
        super().__init__(_plain(str(error)))
        self.exit_code = _exit_code(error)  # type: ignore[misc]  # a class variable in click


class _Commands(click.Group):
    """Turns the library's errors into one line and an exit code, for every command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RunmaskError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(INTERRUPTED)


class _ColourType(click.ParamType[Colour]):
    name = "R,G,B,A"

    def convert(self, value: Any, param: Any, ctx: Any) -> Colour:
        if value == "none":
            return None
        parts = str(value).split(",")
        if len(parts) != 4 or not all(p.strip().isdecimal() and int(p) < 256 for p in parts):
            message = f"{value!r} is neither four numbers 0..255 with commas nor 'none'"
            self.fail(message, param, ctx)
        red, green, blue, alpha = (int(part) for part in parts)
        return red, green, blue, alpha


def _colours(command: Any) -> Any:
    for name, default, side in (
        ("--outside", "0,255,0,120", "the rest"),
        ("--inside", "255,0,0,120", "what the mask marks"),
    ):
        command = click.option(
            name,
            type=_ColourType(),
            default=default,
            show_default=True,
            help=f"Colour of {side}, or none.",
        )(command)
    return command


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ANSWER = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
_overwrite_option = click.option("--overwrite", is_flag=True, help="Replace files that exist.")


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all well, 1 some photos failed, 2 usage or bad input, 3 credentials or"
    " credits, 5 an output could not be written, 130 interrupted.",
)
@click.version_option(package_name="runmask")
def main() -> None:
    """Masks of AI-image detectors: fetch, draw and describe them."""


@main.command()
@click.argument("photos", nargs=-1, required=True, type=_FILE, metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the results; made if need be.",
)
@click.option(
    "--service",
    type=click.Choice(["copyleaks", "sandbox"]),
    help="Default: copyleaks if its key is set, else the embedded sandbox.",
)
@click.option("--base-url", help="Another address of the service, such as a running sandbox.")
@_colours
@_overwrite_option
@_json_option
def detect(
    photos: tuple[Path, ...],
    folder: Path,
    service: str | None,
    base_url: str | None,
    inside: Colour,
    outside: Colour,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Ask a detection service about photos and draw its masks.

    Makes NAME.overlay.*, NAME.mask.png and NAME.response.json for every photo, and index.html, a
    page with all of them. Credentials are read from COPYLEAKS_EMAIL and COPYLEAKS_API_KEY;
    without them an embedded sandbox answers, which is an analysis for development and not a
    trained detector.
    """
    from .scan import plan, refuse_existing, scan

    jobs = plan(photos, folder, overwrite=overwrite)
    index = folder / "index.html"
    if not overwrite:
        refuse_existing([index])
    results: list[Result] = []
    failures: list[tuple[Job, RunmaskError]] = []
    with _service(service, base_url) as (client, note), _progress(jobs) as progress:
        click.echo(note, err=True)
        for job in progress:
            try:
                result = scan(job, client, inside=inside, outside=outside, overwrite=overwrite)
            except RunmaskError as error:
                failures.append((job, error))
                click.echo(f"{_plain(str(job.photo))}: {_plain(str(error))}", err=True)
                if as_json:
                    _say(json.dumps(_failure_line(job, error)))
                if _exit_code(error) in (REFUSED, NOT_WRITTEN):
                    break
                continue
            results.append(result)
            if as_json:
                _say(json.dumps(_result_line(result)))
    if results:
        _write_page(index, results, note, overwrite)
    if not as_json:
        _say_table(_result_table(results))
    if results:
        click.echo(f"{len(results)} of {len(jobs)} photos done; to look at: {index}", err=True)
    sys.exit(_code_of_all(len(results), [error for _, error in failures]))


@main.command("overlay")
@click.argument("image", type=_FILE)
@click.argument("response", type=_ANSWER, metavar="RESPONSE.json")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@_colours
@_overwrite_option
@_json_option
def overlay_command(
    image: Path,
    response: Path,
    output: Path,
    inside: Colour,
    outside: Colour,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Draw the mask of an answer over its image.

    The image is read in the orientation whose size is the mask's; OUT has its pixels and its
    orientation tag. The ending of OUT names the format.
    """
    from . import images
    from .blend import overlay
    from .scan import refuse_existing

    images.writable_format(output)
    if not overwrite:
        refuse_existing([output])
    mask = _read_answer(response).mask
    picture = images.load(image, mode=None, shape=mask.shape)
    pixels = overlay(picture.pixels, mask, inside, outside, out=picture.pixels)
    images.write(output, pixels, orientation=picture.orientation, overwrite=overwrite)
    if as_json:
        _say(json.dumps({"output": str(output), **_mask_facts(mask)}))
    else:
        size = f"{mask.shape[1]} x {mask.shape[0]}"
        _say(f"{_plain(str(output))}: {size}, {mask.area:,} pixels marked ({mask.fraction:.4%})")


@main.command()
@click.argument("responses", nargs=-1, required=True, type=_ANSWER, metavar="RESPONSE.json...")
@_json_option
def info(responses: tuple[Path, ...], as_json: bool) -> None:
    """Describe saved answers of a service."""
    rows, errors = [], []
    for path in responses:
        try:
            detection = _read_answer(path)
            line = {"file": str(path), **detection.to_dict(), **_mask_facts(detection.mask)}
        except RunmaskError as error:
            errors.append(error)
            click.echo(f"{_plain(str(path))}: {_plain(str(error))}", err=True)
            continue
        rows.append((path, detection))
        if as_json:
            _say(json.dumps(line))
    if rows and not as_json:
        _say_table(_info_table(rows))
    sys.exit(_code_of_all(len(rows), errors))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    default=8787,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
def sandbox(host: str, port: int) -> None:
    """Serve the services' interfaces on this machine, for development.

    Its answers are computed from the pixels; it is no trained detector.
    """
    from .sandbox import serve

    serve(host, port)


# -- the service ---------------------------------------------------------------------------------


@contextmanager
def _service(name: str | None, base_url: str | None) -> Iterator[tuple[Service, str]]:
    """The client to ask, and the sentence that says who answers."""
    from .http import Copyleaks

    has_key = any(os.environ.get(key) for key in _KEYS)
    if name is None:
        name = "copyleaks" if has_key or base_url else "sandbox"
    if name == "sandbox" and base_url is None:
        from .sandbox import running

        with (
            running() as origin,
            Copyleaks(**_DEVELOPMENT, base_url=origin, login_url=origin) as client,
        ):
            yield client, _SANDBOX_NOTE
        return
    if base_url is None:
        with Copyleaks() as client:  # its credentials come from the environment
            yield client, "Asking Copyleaks."
        return
    credentials = {} if has_key and name == "copyleaks" else _DEVELOPMENT
    with Copyleaks(**credentials, base_url=base_url, login_url=base_url) as client:
        yield client, f"Asking {_plain(base_url)}."


def _write_page(index: Path, results: Sequence[Result], note: str, overwrite: bool) -> None:
    from .output import atomic_write
    from .page import page

    text = page("What the detector saw", [result.card for result in results], note=note)
    atomic_write(index, text.encode("utf-8", "replace"), overwrite=overwrite)


def _read_answer(path: Path) -> Detection:
    from .detection import Detection

    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(_MAX_ANSWER + 1)
        else:
            with open(path, "rb") as file:
                raw = file.read(_MAX_ANSWER + 1)
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
    if len(raw) > _MAX_ANSWER:
        raise ResponseFormatError(f"{str(path)!r} has more than {_MAX_ANSWER} bytes")
    return Detection.from_copyleaks(raw)


# -- what is printed -----------------------------------------------------------------------------


def _exit_code(error: RunmaskError) -> int:
    if isinstance(error, (AuthError, QuotaError)):
        return REFUSED
    if isinstance(error, OutputError):
        return BAD_INPUT if error.code == "exists" else NOT_WRITTEN
    return BAD_INPUT if isinstance(error, (InputError, ImportError)) else SOME_FAILED


def _code_of_all(done: int, errors: Sequence[RunmaskError]) -> int:
    codes = {_exit_code(error) for error in errors}
    for code in (REFUSED, NOT_WRITTEN):
        if code in codes:
            return code
    if codes == {BAD_INPUT} and not done:
        return BAD_INPUT
    return SOME_FAILED if codes else 0


@contextmanager
def _progress(jobs: Sequence[Job]) -> Iterator[Iterator[Job]]:
    """The jobs in order, under a bar where a person watches."""
    if not sys.stderr.isatty():
        yield iter(jobs)
        return
    with rich.progress.Progress(
        *rich.progress.Progress.get_default_columns(),
        rich.progress.TimeElapsedColumn(),
        console=rich.console.Console(stderr=True),
        transient=True,
    ) as bar:
        yield iter(bar.track(jobs, description="photos"))


def _say(text: str) -> None:
    """A line to stdout. A reader that went away is no reason to drop work that was paid for."""
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def _say_table(table: rich.table.Table) -> None:
    width = None if sys.stdout.isatty() else _WIDE
    console = rich.console.Console(width=width)
    with console.capture() as capture:
        console.print(table)
    _say(capture.get().rstrip("\n"))


def _result_table(results: Sequence[Result]) -> rich.table.Table:
    table = _table("photo", "verdict", "marked", "size", "box (x, y)", "overlay")
    for result in results:
        _row(table, result.job.photo, *_facts(result.detection), result.job.overlay)
    return table


def _info_table(rows: Sequence[tuple[Path, Detection]]) -> rich.table.Table:
    table = _table("answer", "verdict", "marked", "size", "box (x, y)", "runs", "model", "scan id")
    for path, detection in rows:
        runs = f"{len(detection.mask.starts):,}"
        _row(table, path, *_facts(detection), runs, detection.model, detection.scan_id)
    return table


def _facts(detection: Detection) -> list[str]:
    mask = detection.mask
    box = mask.bbox
    where = f"{box.x0}..{box.x1 - 1}, {box.y0}..{box.y1 - 1}" if box else "-"
    share = f"{mask.area:,} ({mask.fraction:.2%})"
    return [str(detection.verdict), share, f"{mask.shape[1]} x {mask.shape[0]}", where]


def _table(*names: str) -> rich.table.Table:
    table = rich.table.Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _row(table: rich.table.Table, *cells: object) -> None:
    shown = ("-" if cell is None else _plain(str(cell)) for cell in cells)
    table.add_row(*(rich.text.Text(cell) for cell in shown))


def _mask_facts(mask: Any) -> dict[str, Any]:
    return {
        "height": mask.shape[0],
        "width": mask.shape[1],
        "area": mask.area,
        "fraction": mask.fraction,
        "bbox": list(mask.bbox) if mask.bbox else None,
        "runs": len(mask.starts),
    }


def _result_line(result: Result) -> dict[str, Any]:
    job = result.job
    files = {name: str(getattr(job, name)) for name in ("photo", "overlay", "mask", "response")}
    answer = {**result.detection.to_dict(), **_mask_facts(result.detection.mask)}
    return {"ok": True, **{k: v for k, v in answer.items() if k not in files}, **files}


def _failure_line(job: Job, error: RunmaskError) -> dict[str, Any]:
    return {"ok": False, "photo": str(job.photo), "error": error.code, "message": str(error)}


def _plain(text: str) -> str:
    """Text from files and servers without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
