"""The command line: every command parses, calls the library and prints.

Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import (
    APIConnectionError,
    InputError,
    MissingDependencyError,
    ResponseFormatError,
    RunmaskError,
)

try:
    import click

    from . import exits, services, terminal
except ImportError as missing:
    raise MissingDependencyError.of(missing.name, "all", "the command line") from missing

if TYPE_CHECKING:
    from .detection import Detection
    from .http.webhooks import Inbox
    from .mask import Mask
    from .scan import Result

_MAX_ANSWER = 2**28

Colour = tuple[int, int, int, int] | None


# -- options -------------------------------------------------------------------------------------


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


class _Output(click.Path):
    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not os.fspath(value):  # which would be the working folder
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


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
_FILE_OR_FOLDER = click.Path(exists=True, path_type=Path)
_ANSWER = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_detector_option = click.option(
    "--detector",
    metavar="NAME",
    help="One's own for the sandbox: module:callable, or an offered one.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
_overwrite_option = click.option("--overwrite", is_flag=True, help="Replace files that exist.")


# -- commands ------------------------------------------------------------------------------------


@click.group(
    cls=exits.Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=exits.CODES,
)
@click.version_option(package_name="runmask", prog_name="runmask")
def main() -> None:
    """Masks of AI-image detectors: fetch, draw and describe them."""


@main.command(epilog=exits.CODES)
@click.argument("photos", nargs=-1, required=True, type=_FILE_OR_FOLDER, metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=_Output(file_okay=False, path_type=Path),
    help="Folder for the results; made if need be.",
)
@click.option(
    "--service",
    type=click.Choice(services.NAMES),
    help="Default: the first of these whose key is set, else the embedded sandbox.",
)
@click.option("--base-url", help="Another address of the service, such as a running sandbox.")
@_detector_option
@_colours
@_overwrite_option
@_json_option
def detect(
    photos: tuple[Path, ...],
    folder: Path,
    service: str | None,
    base_url: str | None,
    detector: str | None,
    inside: Colour,
    outside: Colour,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Ask a detection service about photos and draw its masks.

    Makes NAME.response.json for every photo, NAME.overlay.* and NAME.mask.png where the answer
    marks pixels or boxes, and index.html, a page with all results that are in the folder. A folder
    stands for the images in it. Credentials are read from COPYLEAKS_EMAIL and COPYLEAKS_API_KEY,
    AIDETECTOR_API_KEY, or SIGHTENGINE_API_USER and SIGHTENGINE_API_SECRET; without any an embedded
    sandbox answers, which is an analysis for development and not a trained detector: its "ai" means
    that some pixels stand out, and real photos get it too.
    """
    from . import gallery
    from .scan import images_in, plan, scan

    jobs = plan(images_in(photos), folder, overwrite=overwrite)
    if not overwrite:
        gallery.refuse_foreign(folder)
    results: list[Result] = []
    errors: list[RunmaskError] = []
    with (
        services.opened(service, base_url, detector) as (client, note),
        terminal.progress(jobs) as progress,
    ):
        terminal.warn(note)
        try:
            for job in progress:
                try:
                    with exits.about(str(job.photo)):
                        result = scan(
                            job, client, inside=inside, outside=outside, overwrite=overwrite
                        )
                except exits.Failure as failure:
                    errors.append(failure.error)
                    terminal.warn(failure.message)
                    if as_json:
                        terminal.say_json(_failure_line("photo", job.photo, failure.error))
                    if failure.exit_code in (exits.REFUSED, exits.NOT_WRITTEN):
                        break
                    continue
                results.append(result)
                if as_json:
                    terminal.say_json(_result_line(result))
        finally:  # also after Ctrl-C
            if results:
                gallery.update(folder, [result.card for result in results])
    if results and not as_json:
        rows = [
            [r.job.photo, *terminal.answer_cells(r.detection), r.files.get("overlay")]
            for r in results
        ]
        terminal.say_table(["photo", *terminal.ANSWER_COLUMNS, "overlay"], rows)
        terminal.say_notices(result.detection for result in results)
    if results:
        index = folder / gallery.INDEX
        terminal.warn(f"{len(results)} of {len(jobs)} photos done; to look at: {index}")
    elif all(isinstance(error, APIConnectionError) for error in errors):
        terminal.warn("no photo was answered: the service could not be reached")
    sys.exit(exits.exit_code_of_all(len(results), [exits.exit_code_of_scan(e) for e in errors]))


@main.command("overlay", epilog=exits.CODES)
@click.argument("image", type=_FILE)
@click.argument("response", type=_ANSWER, metavar="RESPONSE.json")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=_Output(dir_okay=False, path_type=Path),
    help="Its ending names the format; without one it gets the image's.",
)
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
    orientation tag.
    """
    from . import images
    from .blend import overlay
    from .scan import overlay_ending, refuse_existing

    kind = images.format_of(image)
    if not kind and images.format_of(response):
        raise click.UsageError(
            f"'{response}' is an image and '{image}' is none: were IMAGE and RESPONSE.json swapped?"
        )
    if not output.suffix:
        output = output.with_name(output.name + overlay_ending(image, kind or ""))
    images.writable_format(output)
    if not overwrite:
        refuse_existing([output])
    with exits.about(_shown(response)):
        mask = _mask_of(_read_answer(response))
    with exits.about(_shown(image)):
        picture = images.load(image, mode=None, shape=mask.shape, name="the image")
    pixels = overlay(picture.pixels, mask, inside, outside, out=picture.pixels)
    images.write(output, pixels, orientation=picture.orientation, overwrite=overwrite)
    marked = f"{mask.area:,} pixels marked ({terminal.share(mask.fraction)})"
    terminal.say(f"{terminal.printable(str(output))}: {mask.width} x {mask.height}, {marked}")


@main.command("contours", epilog=exits.CODES)
@click.argument("response", type=_ANSWER, metavar="RESPONSE.json")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=_Output(dir_okay=False, path_type=Path),
    help="OUT.geojson, OUT.svg, or OUT.json for an annotation as COCO has it.",
)
@click.option(
    "--outline",
    type=click.Choice(["edge", "center"]),
    default="edge",
    show_default=True,
    help="Rings on the edges of pixels, without loss; or through centres, as OpenCV's (SVG only).",
)
@click.option(
    "--connectivity",
    type=click.Choice(["4", "8"]),
    default="8",
    show_default=True,
    help="Whether pixels that share a corner only belong together (8) or not (4).",
)
@click.option(
    "--min-area",
    type=click.IntRange(0),
    default=0,
    metavar="PIXELS",
    help="Leave out parts of fewer pixels.",
)
@click.option(
    "--simplify",
    type=click.FloatRange(0),
    default=0,
    metavar="PIXELS",
    help="Leave out points that are no further from the line between those that stay.",
)
@click.option("--no-holes", is_flag=True, help="Fill all holes.")
@_overwrite_option
def contours_command(
    response: Path,
    output: Path,
    outline: Literal["edge", "center"],
    connectivity: str,
    min_area: int,
    simplify: float,
    no_holes: bool,
    overwrite: bool,
) -> None:
    """Write the contours of an answer's mask.

    GeoJSON has a feature for each part, in pixels, y pointing down. COCO's polygons know no holes:
    each is joined with its part by a bridge without width.
    """
    from .contours.files import ending_of, file_text
    from .output import atomic_write
    from .scan import refuse_existing

    ending = ending_of(output)
    if not overwrite:
        refuse_existing([output])
    with exits.about(_shown(response)):
        mask = _mask_of(_read_answer(response))
    found = mask.contours(
        outline,
        4 if connectivity == "4" else 8,
        min_area=min_area,
        holes=not no_holes,
        simplify=simplify,
    )
    atomic_write(output, file_text(found, ending).encode(), overwrite=overwrite)
    holes = int(found.is_hole.sum())
    counts = f"{len(found) - holes:,} parts, {holes:,} holes, {len(found.points):,} points"
    terminal.say(f"{terminal.printable(str(output))}: {mask.width} x {mask.height}, {counts}")


@main.command(epilog=exits.CODES)
@click.argument("responses", nargs=-1, required=True, type=_ANSWER, metavar="RESPONSE.json...")
@_json_option
def info(responses: tuple[Path, ...], as_json: bool) -> None:
    """Describe saved answers of a service.

    The box is that of what is marked, in pixels from the left and the top, ends out. On a terminal
    the table has the columns there is room for.
    """
    rows: list[list[object]] = []
    read: list[Detection] = []
    codes: list[int] = []
    for path in responses:
        try:
            with exits.about(_shown(path)):
                detection = _read_answer(path)
                cells = terminal.answer_cells(detection)
        except exits.Failure as failure:
            codes.append(failure.exit_code)
            terminal.warn(failure.message)
            if as_json:
                terminal.say_json(_failure_line("file", path, failure.error))
            continue
        read.append(detection)
        runs = len(detection.mask) if detection.mask is not None else None
        rows.append([path, *cells, runs, detection.model, detection.scan_id])
        if as_json:
            terminal.say_json({"ok": True, "file": str(path), **detection.to_dict()})
    if rows and not as_json:
        terminal.say_table(["answer", *terminal.ANSWER_COLUMNS, "runs", "model", "scan id"], rows)
        terminal.say_notices(read)
    sys.exit(exits.exit_code_of_all(len(rows), codes))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    default=8787,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@_detector_option
def sandbox(host: str, port: int, detector: str | None) -> None:
    """Serve the services' interfaces on this machine, for development.

    Its answers are computed from the pixels; it is no trained detector. It prints its address and
    its key, and a line for each request to stderr. Packages offer detectors by entry points of the
    group runmask.detectors.
    """
    from .sandbox import Settings, detector_of, serve

    settings = Settings() if detector is None else Settings(detector=detector_of(detector))
    serve(host, port, settings)


@main.command()
@click.option(
    "--inbox",
    "folder",
    required=True,
    type=_Output(file_okay=False, path_type=Path),
    help="Folder to keep webhooks in; made if need be.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    default=8788,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@click.option("--list", "listed", is_flag=True, help="Tell what is in the inbox, and end.")
@_json_option
def webhooks(folder: Path, host: str, port: int, listed: bool, as_json: bool) -> None:
    """Receive what services send, verify it, and keep it in a folder.

    A service gets its answer when the event is on the disk. The secrets to verify with come from
    COPYLEAKS_WEBHOOK_SECRET, AIDETECTOR_WEBHOOK_SECRET and SIGHTENGINE_WEBHOOK_SECRET: one or more
    each, the newest first, with spaces between. Put a server with TLS in front. A program reads the
    events with runmask.http.webhooks.Inbox.
    """
    from .http.webhooks import Inbox, Receiver

    inbox = Inbox(folder)
    if listed:
        _list_inbox(inbox, as_json)
        return
    from .http.webhooks.server import senders_from, serve

    receiver = Receiver(inbox, **senders_from(os.environ))
    serve(receiver, host, port, lambda origin: terminal.say(f"runmask webhooks on {origin}"))


def _list_inbox(inbox: Inbox, as_json: bool) -> None:
    rows: list[list[object]] = []
    for delivery in inbox.deliveries():
        event = delivery.event
        told = {
            "id": delivery.id,
            "received": datetime.fromtimestamp(delivery.received, UTC).isoformat(),
            "service": event.service,
            "event": event.kind,
            "subject": event.subject,
            "state": delivery.state,
            "repeats": delivery.repeats,
        }
        if as_json:
            terminal.say_json(told | {"body": event.answer, "fault": delivery.fault})
        rows.append(list(told.values()))
    if not as_json:
        names = ["id", "received", "service", "event", "subject", "state", "repeats"]
        terminal.say_table(names, rows)


# -- answers -------------------------------------------------------------------------------------


def _shown(path: Path) -> str:
    return "standard input" if str(path) == "-" else str(path)


def _read_answer(path: Path) -> Detection:
    from . import images
    from .detection import Detection

    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(_MAX_ANSWER + 1)
        else:
            with open(path, "rb") as file:
                raw = file.read(_MAX_ANSWER + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_ANSWER:
        raise ResponseFormatError(f"more than {_MAX_ANSWER} bytes")
    try:
        return Detection.from_answer(raw)
    except ResponseFormatError as error:
        if kind := images.format_of(path):
            raise ResponseFormatError(f"a {kind} image, not an answer of a service") from error
        raise


def _mask_of(detection: Detection) -> Mask:
    if detection.mask is None:
        raise ResponseFormatError("the answer has no mask")
    return detection.mask


def _result_line(result: Result) -> dict[str, Any]:
    files = {name: str(path) for name, path in result.files.items()}
    photo = str(result.job.photo)
    return {"ok": True, "photo": photo, "files": files, **result.detection.to_dict()}


def _failure_line(kind: str, path: Path, error: RunmaskError) -> dict[str, Any]:
    return {"ok": False, kind: str(path), "error": error.code, "message": str(error)}
