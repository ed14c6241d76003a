"""A photo through a detection service, to the files that show the answer."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import images
from .blend import overlay
from .detection import Detection
from .errors import APIError, InputError, OutputError, ResponseFormatError
from .output import atomic_write, distinct_names
from .page import Card

__all__ = ["Job", "Result", "Service", "plan", "scan"]

Colour = tuple[int, int, int, int] | None

# Overlays keep the photo's format where it is one that every viewer shows.
_KEPT_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


class Service(Protocol):
    """What a detection service's client has to offer."""

    def check(self, image: bytes, *, filename: str) -> Detection: ...


@dataclass(frozen=True)
class Job:
    """A photo and the files that its scan will make."""

    photo: Path
    response: Path
    mask: Path
    overlay: Path


@dataclass(frozen=True)
class Result:
    """A job done: the answer, and the photo's entry for the page."""

    job: Job
    detection: Detection
    card: Card


def plan(photos: Sequence[Path], folder: Path, *, overwrite: bool = False) -> list[Job]:
    """Name every output before the first request, so that none meets another or an old file.

    Raises
    ------
    InputError
        A photo is given twice.
    OutputError
        An output exists and ``overwrite`` is False; code ``"exists"``.
    """
    [(path, times)] = Counter(map(os.path.realpath, photos)).most_common(1) or [("", 1)]
    if times > 1:
        raise InputError(f"{path!r} is given {times} times")
    jobs = []
    for photo, name in zip(photos, distinct_names(photos), strict=True):
        ending = photo.suffix.lower()
        ending = ending if ending in _KEPT_ENDINGS else ".png"
        files = [f"{name}.response.json", f"{name}.mask.png", f"{name}.overlay{ending}"]
        jobs.append(Job(photo, *(folder / file for file in files)))
    if not overwrite:
        refuse_existing(path for job in jobs for path in (job.response, job.mask, job.overlay))
    return jobs


def refuse_existing(paths: Iterable[Path]) -> None:
    """``OutputError`` with the code ``"exists"`` for the first path that is taken."""
    for path in paths:
        if os.path.lexists(path):
            raise OutputError(
                f"{str(path)!r} exists; overwrite was not asked for", code="exists", path=str(path)
            )


def scan(
    job: Job,
    service: Service,
    *,
    inside: Colour = (255, 0, 0, 120),
    outside: Colour = (0, 255, 0, 120),
    overwrite: bool = False,
) -> Result:
    """Send one photo to a service and write what came back.

    The photo is decoded before it is sent, so that a broken one costs nothing. The answer is
    on the disk before it is read, so that nothing that was paid for can be lost after. Mask and
    overlay have the photo's own grid and its orientation tag.

    Raises
    ------
    ImageError, LimitError
        The photo cannot be used; nothing was sent.
    APIError, ResponseFormatError
        The service gave no answer, or one that cannot be read.
    OutputError
        A file could not be written.
    """
    name = repr(str(job.photo))
    data = images.read_bytes(job.photo, name)
    is_jpeg = job.overlay.suffix in (".jpg", ".jpeg")  # which holds no transparency
    stored = images.load(data, mode="RGB" if is_jpeg else None, orient=False, name=name)
    make_folder(job.response.parent)
    try:
        detection = service.check(data, filename=job.photo.name)
    except APIError as error:
        if error.billed != "no" and error.body:  # unreadable, but it may have been paid for
            atomic_write(job.response, error.body, overwrite=overwrite)
        raise
    atomic_write(job.response, detection.raw, overwrite=overwrite)
    mask = detection.mask
    if mask is None:
        raise ResponseFormatError(f"{name}: the answer has no mask")
    picture = images.fit(stored, mask.shape, name)
    before = images.preview(picture.pixels, orientation=picture.orientation)
    pixels = overlay(picture.pixels, mask, inside, outside, out=picture.pixels)
    turned = picture.orientation
    images.write(job.mask, mask.to_array(dtype=bool), orientation=turned, overwrite=overwrite)
    images.write(job.overlay, pixels, orientation=turned, overwrite=overwrite)
    card = Card(
        title=job.photo.name,
        verdict=str(detection.verdict),
        before=before,
        after=images.preview(pixels, orientation=turned),
        facts=[
            f"{100 * mask.fraction:.3g} % of the pixels marked",
            f"{mask.shape[1]} x {mask.shape[0]}",
            *([f"model {detection.model}"] if detection.model else []),
        ],
        files=[job.overlay.name, job.mask.name, job.response.name],
    )
    return Result(job, detection, card)


def make_folder(folder: Path) -> None:
    """Make the folder for outputs, and see that it can be written to before money is spent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {str(folder)!r}: {error.strerror}",
            errno=error.errno,
            path=str(folder),
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {str(folder)!r} cannot be written to", path=str(folder))
