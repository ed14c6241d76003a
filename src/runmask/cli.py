"""The command line: every command parses, calls the library and prints.

Results go to stdout, everything else to stderr. Exit codes: 0 all well, 1 some photos
failed, 2 wrong usage or bad input, 3 credentials refused or no credits left, 5 an output could
not be written, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import click

    from . import terminal
except ImportError as missing:  # one line for whoever typed `runmask`, not a traceback
    raise SystemExit(f"runmask needs {missing.name!r}: pip install 'runmask[cli]'") from missing

from .errors import (
    AuthError,
    InputError,
    MaskError,
    OutputError,
    QuotaError,
    ResponseFormatError,
    RunmaskError,
)

if TYPE_CHECKING:
    from .detection import Detection
    from .mask import Mask
    from .scan import Job, Result, Service

SOME_FAILED, BAD_INPUT, REFUSED, NOT_WRITTEN, INTERRUPTED = 1, 2, 3, 5, 130

_MAX_ANSWER = 2**28
_KEYS = ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY")
_DEVELOPER = ("sandbox@localhost", "00000000-0000-0000-0000-000000000000")
_SANDBOX_NOTE = (
    "The embedded sandbox answers, no service is asked: this is an analysis for development, not a"
    " trained detector."
)

Colour = tuple[int, int, int, int] | None


class _Failure(click.ClickException):
    def __init__(self, error: RunmaskError):
        super().__init__(terminal.printable(str(error)))
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
@click.version_option(package_name="runmask", prog_name="runmask")
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
    with _service(service, base_url) as (client, note), terminal.progress(jobs) as progress:
        terminal.warn(note)
        for job in progress:
            try:
                result = scan(job, client, inside=inside, outside=outside, overwrite=overwrite)
            except RunmaskError as error:
                failures.append((job, error))
                terminal.warn(f"{job.photo}: {error}")
                if as_json:
                    terminal.say_json(_failure_line(job, error))
                if _exit_code(error) in (REFUSED, NOT_WRITTEN):
                    break
                continue
            results.append(result)
            if as_json:
                terminal.say_json(_result_line(result))
    if results:
        _write_page(index, results, note, overwrite)
    if results and not as_json:
        rows = [[r.job.photo, *terminal.answer_cells(r.detection), r.job.overlay] for r in results]
        terminal.say_table(["photo", *terminal.ANSWER_COLUMNS, "overlay"], rows)
    if results:
        terminal.warn(f"{len(results)} of {len(jobs)} photos done; to look at: {index}")
    sys.exit(_code_of_all(len(results), [_code_of_scan(error) for _, error in failures]))


@main.command("overlay")
@click.argument("image", type=_FILE)
@click.argument("response", type=_ANSWER, metavar="RESPONSE.json")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@_colours
@_overwrite_option
def overlay_command(
    image: Path,
    response: Path,
    output: Path,
    inside: Colour,
    outside: Colour,
    overwrite: bool,
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
    mask = _mask_of(_read_answer(response))
    picture = images.load(image, mode=None, shape=mask.shape)
    pixels = overlay(picture.pixels, mask, inside, outside, out=picture.pixels)
    images.write(output, pixels, orientation=picture.orientation, overwrite=overwrite)
    marked = f"{mask.area:,} pixels marked ({terminal.share(mask.fraction)})"
    terminal.say(f"{terminal.printable(str(output))}: {mask.width} x {mask.height}, {marked}")


@main.command()
@click.argument("responses", nargs=-1, required=True, type=_ANSWER, metavar="RESPONSE.json...")
@_json_option
def info(responses: tuple[Path, ...], as_json: bool) -> None:
    """Describe saved answers of a service."""
    rows: list[list[object]] = []
    errors: list[RunmaskError] = []
    for path in responses:
        try:
            detection = _read_answer(path)
            cells = terminal.answer_cells(detection)
        except RunmaskError as error:
            errors.append(error)
            terminal.warn(f"{path}: {error}")
            continue
        runs = len(detection.mask) if detection.mask is not None else None
        rows.append([path, *cells, runs, detection.model, detection.ids.get("scan_id")])
        if as_json:
            terminal.say_json({"file": str(path), **terminal.answer_line(detection)})
    if rows and not as_json:
        terminal.say_table(["answer", *terminal.ANSWER_COLUMNS, "runs", "model", "scan id"], rows)
    sys.exit(_code_of_all(len(rows), [_exit_code(error) for error in errors]))


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
    if name == "copyleaks" and base_url is None:
        with Copyleaks() as client:  # its credentials come from the environment
            yield client, "Asking Copyleaks."
        return
    email, key = (None, None) if name == "copyleaks" and has_key else _DEVELOPER
    note = _SANDBOX_NOTE if base_url is None else f"Asking {base_url}."
    with (
        _embedded_sandbox() if base_url is None else nullcontext(base_url) as origin,
        Copyleaks(email, key, base_url=origin, login_url=origin) as client,
    ):
        yield client, note


def _embedded_sandbox() -> AbstractContextManager[str]:
    from .sandbox import running

    return running()


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


def _mask_of(detection: Detection) -> Mask:
    if detection.mask is None:
        raise ResponseFormatError("the answer has no mask")
    return detection.mask


def _result_line(result: Result) -> dict[str, Any]:
    job = result.job
    files = {name: str(getattr(job, name)) for name in ("overlay", "mask", "response")}
    answer = terminal.answer_line(result.detection)
    return {"ok": True, "photo": str(job.photo), "files": files, **answer}


def _failure_line(job: Job, error: RunmaskError) -> dict[str, Any]:
    return {"ok": False, "photo": str(job.photo), "error": error.code, "message": str(error)}


# -- exit codes ----------------------------------------------------------------------------------


def _exit_code(error: RunmaskError) -> int:
    if isinstance(error, (AuthError, QuotaError)):
        return REFUSED
    if isinstance(error, OutputError):
        return BAD_INPUT if error.code == "exists" else NOT_WRITTEN
    return BAD_INPUT if isinstance(error, (InputError, ImportError)) else SOME_FAILED


def _code_of_scan(error: RunmaskError) -> int:
    """As above, but an answer that cannot be used is the service's fault and not the input's."""
    is_answer = isinstance(error, (ResponseFormatError, MaskError))
    return SOME_FAILED if is_answer or error.code == "shape_mismatch" else _exit_code(error)


def _code_of_all(done: int, codes: Sequence[int]) -> int:
    for code in (REFUSED, NOT_WRITTEN):
        if code in codes:
            return code
    if not done and set(codes) == {BAD_INPUT}:
        return BAD_INPUT
    return SOME_FAILED if codes else 0
