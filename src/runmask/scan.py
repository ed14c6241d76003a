"""A photo through a detection service, to the files that show the answer."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from . import images
from .detection import Detection
from .errors import APIError, InputError, OutputError
from .gallery import RESPONSE, card_of
from .output import distinct_names, exists, make_folder, reserved
from .page import Card
from .style import Encoding, Look

__all__ = [
    "Job",
    "Result",
    "Service",
    "given_among",
    "images_in",
    "overlay_ending",
    "plan",
    "refuse_existing",
    "scan",
]

# Answers have about a dozen bytes a run; masks with a run in less than two dozen pixels are noise.
_PIXELS_A_BYTE = 2

# Overlays keep the photo's format where it is one that every viewer shows.
_SHOWN = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WEBP": (".webp",)}
_ENDINGS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "bmp": ".bmp", "tiff": ".tif"}
_SENT = _SHOWN | {"BMP": (".bmp",), "HEIF": (".heic", ".heif")}
_PICTURE = re.compile(r"(.*)\.(?:overlay\.[a-z]+|mask\.png)")


class Service(Protocol):
    """What a detection service's client has to offer."""

    def check(self, image: bytes, *, filename: str) -> Detection: ...


@dataclass(frozen=True)
class Job:
    """A photo, the name of its results, what the service is to call it, and the files to make."""

    photo: Path
    name: str
    sent_as: str
    response: Path
    mask: Path
    overlay: Path


@dataclass(frozen=True)
class Result:
    """A job done: the answer, the files that were made of it, and the photo's entry for the page.

    ``files`` has ``"response"``, and where the answer has a mask ``"overlay"`` and ``"mask"``.
    """

    job: Job
    detection: Detection
    files: Mapping[str, Path]
    card: Card


def plan(
    photos: Sequence[Path],
    folder: Path,
    *,
    format: str | None = None,  # noqa: A002 - as images.write has it
    overwrite: bool = False,
) -> list[Job]:
    """Name every output before the first request, so that none meets another or an old file.

    ``format`` is that of overlays; without it the photos' own.

    Raises
    ------
    InputError
        A photo is given twice, or an output would take a photo's place.
    OutputError
        An output exists and ``overwrite`` is False; code ``"exists"``.
    """
    [(path, times)] = Counter(map(os.path.realpath, photos)).most_common(1) or [("", 1)]
    if times > 1:
        raise InputError(f"{path!r} is given {times} times")
    jobs = []
    for photo, name in zip(photos, distinct_names(photos), strict=True):
        kind = images.format_of(photo) or ""
        sent_as = name + _ending(photo, _SENT.get(kind, (photo.suffix,)))
        endings = [RESPONSE, ".mask.png", f".overlay{overlay_ending(photo, kind, format)}"]
        jobs.append(Job(photo, name, sent_as, *(folder / f"{name}{end}" for end in endings)))
    outputs = [path for job in jobs for path in (job.response, job.mask, job.overlay)]
    given = set(map(os.path.realpath, photos))
    for output in outputs:  # not even where overwriting was asked for
        if os.path.realpath(output) in given:
            raise InputError(f"{str(output)!r} is a photo and would be an output as well")
    if not overwrite:
        refuse_existing(outputs)
    return jobs


def overlay_ending(photo: Path, kind: str, fmt: str | None = None) -> str:
    """The ending of an overlay's name: by the photo's content, and its own if that fits."""
    if fmt is not None:
        return _ENDINGS[fmt.lower()]
    return _ending(photo, _SHOWN.get(kind, (".png",)))


def _ending(photo: Path, fitting: Sequence[str]) -> str:
    own = photo.suffix.lower()
    return own if own in fitting else fitting[0]


def images_in(paths: Iterable[Path]) -> list[Path]:
    """The paths, and for each folder among them the images in it, by name.

    The content decides what is an image. Hidden files, folders in the folder, and the pictures
    that a scan has made there are left out.

    Raises
    ------
    InputError
        A folder cannot be read, or holds no image.
    """
    found: list[Path] = []
    for path in paths:
        found += _images_of_folder(path) if path.is_dir() else [path]
    return found


def _images_of_folder(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.is_dir())
    except OSError as error:
        raise InputError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    photos = [folder / name for name in given_among(names) if images.format_of(folder / name)]
    if not photos:
        raise InputError(f"no images in the folder {str(folder)!r}")
    return photos


def given_among(names: Sequence[str]) -> list[str]:
    """The names in a folder without hidden ones and the pictures that a scan has made there."""
    made = {name.removesuffix(RESPONSE) for name in names if name.endswith(RESPONSE)}
    pictures = {name: _PICTURE.fullmatch(name) for name in names} if made else {}
    ours = {name for name, picture in pictures.items() if picture and picture[1] in made}
    return [name for name in names if not name.startswith(".") and name not in ours]


def refuse_existing(paths: Iterable[Path]) -> None:
    """``OutputError`` with the code ``"exists"`` for the first path that is taken."""
    for path in paths:
        if os.path.lexists(path):
            raise exists(str(path))


def scan(
    job: Job,
    service: Service,
    *,
    look: Look = Look(),  # noqa: B008 - it is frozen
    encoding: Encoding = Encoding(),  # noqa: B008
    overwrite: bool = False,
) -> Result:
    """Send one photo to a service and write what came back. Errors call it "the image".

    The photo is decoded and the answer has its place on the disk before anything is sent, so that
    a broken photo and a full disk cost nothing. The answer is on the disk before it is read, so
    that nothing that was paid for can be lost after. Mask and overlay have the photo's own grid,
    the overlay's reduced if that was asked for, and its orientation tag; an answer without a mask,
    as Sightengine's, has neither, and those of an earlier answer go if overwriting was asked for.

    Raises
    ------
    ImageError, LimitError
        The photo cannot be used; nothing was sent.
    APIError, ResponseFormatError
        The service gave no answer, or one that cannot be read.
    OutputError
        A file could not be written.
    """
    name = "the image"
    data = images.read_bytes(job.photo, name)
    solid = job.overlay.suffix in (".jpg", ".jpeg", ".bmp")  # which hold no transparency
    mode: Literal["RGB"] | None = "RGB" if solid else None
    metadata = encoding.metadata
    stored = images.load(data, mode=mode, orient=False, metadata=metadata, name=name)
    encoding.check(job.overlay, stored)
    make_folder(job.response.parent)
    room = stored.pixels.shape[0] * stored.pixels.shape[1] // _PIXELS_A_BYTE
    with reserved(job.response, room, overwrite=overwrite) as keep:
        try:
            detection = service.check(data, filename=job.sent_as)
        except APIError as error:
            if error.billed != "no" and error.body:  # unreadable, but it may have been paid for
                keep(error.body)
            raise
        keep(detection.raw)
    made = {"response": job.response}
    before = after = b""
    mask = detection.mask
    if mask is None:
        before = images.preview(stored.pixels, orientation=stored.orientation)
        if overwrite:
            _remove(job.overlay, job.mask)
    else:
        picture = images.fit(stored, mask.shape, name)
        turned = picture.orientation
        before = images.preview(picture.pixels, orientation=turned)
        images.write(job.mask, mask.to_array(dtype=bool), orientation=turned, overwrite=overwrite)
        if encoding.max_side is not None:
            picture, mask = images.load_pair(
                data, mask, mode=mode, max_side=encoding.max_side, metadata=metadata, name=name
            )
        look.draw(picture.pixels, mask)
        encoding.write(job.overlay, picture, overwrite=overwrite)
        after = images.preview(picture.pixels, orientation=turned)
        made = {"overlay": job.overlay, "mask": job.mask} | made
    files = [path.name for path in made.values()]
    card = card_of(job.name, job.photo.name, detection, before=before, after=after, files=files)
    return Result(job, detection, made, card)


def _remove(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot remove {str(path)!r}: {error.strerror}", errno=error.errno, path=str(path)
            ) from error
