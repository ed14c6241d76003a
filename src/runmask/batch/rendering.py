"""One answered image to its files, and nothing else: any executor can run it, and run it twice.

::

    masks/NAME.png                      overlays/NAME.jpg     heatmaps/NAME.jpg
    contours/NAME.geojson, .svg, .json  thumbnails/NAME.photo.jpg, .overlay.jpg, .svg

The files depend on the answer, the image and the wishes alone, to the byte, and appear by rename:
who renders an item again, or at the same time, changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from .. import images
from ..blend import heatmap, overlay
from ..contours.files import file_text
from ..detection import Detection
from ..errors import ImageError, InputError, RunmaskError
from ..output import atomic_write, make_folder
from ..scan import overlay_ending
from .confidence import confidence_of
from .sources import digest_of, read_image
from .thumbnails import SIDE, outline_of
from .values import Answered, Rendered

if TYPE_CHECKING:
    from ..images import Picture
    from ..mask import Mask

Colour = tuple[int, int, int, int] | None

OUTPUTS = ("mask", "overlay", "heatmap", "geojson", "svg", "coco")
FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "bmp": ".bmp", "tiff": ".tif"}
FOLDERS = ("masks", "overlays", "heatmaps", "contours", "thumbnails")

_CONTOURS = {"geojson": ".geojson", "svg": ".svg", "coco": ".json"}
_NO_ALPHA = {".jpg", ".jpeg", ".bmp"}
_NOT_WISHED = ("folder", "heic")
_NAME = "the image"  # in messages, which stand beside its path


class How(TypedDict, total=False):
    """What is said of files beside their kinds: see :class:`Wishes`."""

    inside: Colour
    outside: Colour
    format: str | None
    quality: int
    colormap: str
    thumbnails: bool


@dataclass(frozen=True)
class Wishes:
    """Which files to make, where, and how.

    ``outputs`` are of :data:`OUTPUTS`; ``format``, of pictures, is of :data:`FORMATS`, or None for
    the photo's own. ``thumbnails`` are what a report shows. ``heic`` allows to decode HEIC: only
    where the loss of the process is none.

    Raises InputError for outputs and formats that are none.
    """

    folder: str
    outputs: tuple[str, ...] = ("overlay",)
    inside: Colour = (255, 0, 0, 120)
    outside: Colour = (0, 255, 0, 120)
    format: str | None = None
    quality: int = 90
    colormap: str = "turbo"
    thumbnails: bool = True
    heic: bool = False

    def __post_init__(self) -> None:
        for name in self.outputs:
            if name not in OUTPUTS:
                raise InputError(f"output {name!r}: there are {', '.join(OUTPUTS)}")
        if self.format is not None and self.format not in FORMATS:
            raise InputError(f"format {self.format!r}: there are {', '.join(FORMATS)}")

    def text(self) -> str:
        """What they ask for, wherever it goes: equal wishes make equal files."""
        told = {name: value for name, value in asdict(self).items() if name not in _NOT_WISHED}
        return json.dumps(told, sort_keys=True)

    def make_folders(self) -> None:
        """Make the folders that files go to; OutputError if one cannot be made."""
        for name in FOLDERS:
            make_folder(Path(self.folder) / name)

    def needs_photo(self, mask: Mask | None, heat: Any, source: str) -> bool:
        """Whether something is asked for that has the photo in it, or its orientation tag."""
        wanted = mask is not None and (
            "overlay" in self.outputs or ("mask" in self.outputs and bool(source))
        )
        return wanted or heat is not None or (self.thumbnails and bool(source))


def wishes_of(
    folder: str, outputs: Iterable[str], *, heic: bool = False, **how: Unpack[How]
) -> Wishes:
    """Wishes of a caller's words; InputError for those that mean nothing."""
    kinds = tuple(dict.fromkeys([outputs] if isinstance(outputs, str) else outputs))
    try:
        return Wishes(folder, kinds, heic=heic, **how)
    except TypeError as error:
        raise InputError(str(error)) from error


def render_chunk(chunk: Sequence[Answered], wishes: Wishes) -> list[Rendered]:
    """What a worker does: one item after the other. Only MemoryError leaves."""
    return [render(answered, wishes) for answered in chunk]


def render(answered: Answered, wishes: Wishes) -> Rendered:
    """Make the files of one item. Whatever is wrong with its answer or image is its own error.

    ``seconds`` has the stages: ``answer`` (to the mask), ``contours``, ``read``, ``decode``,
    ``blend``, ``encode``, ``write``; and ``failed`` for one that ended by an error.
    O(bytes + pixels).
    """
    work = _Work(answered, wishes)
    error = None
    try:
        work.run()
    except RunmaskError as failure:
        error = failure.code, str(failure)
    except MemoryError:
        raise
    except Exception as failure:  # of one item in a million: no reason to stop the others
        error = "unexpected", f"{type(failure).__name__}: {failure}"
    if error is not None:
        work.end("failed")
    return Rendered(answered.item, work.files, error, work.seconds)


class _Work:
    """One item under way: the files that are there already, and the time of each stage."""

    def __init__(self, answered: Answered, wishes: Wishes) -> None:
        self.answered, self.wishes = answered, wishes
        self.files: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._since = perf_counter()

    def run(self) -> None:
        detection = detection_of(self.answered.service, self.answered.body)
        mask = detection.mask
        heat = confidence_of(detection) if "heatmap" in self.wishes.outputs else None
        self.end("answer")
        if mask is not None:
            self._write_contours(mask)
        if not self.wishes.needs_photo(mask, heat, self.answered.source):
            if mask is not None and "mask" in self.wishes.outputs:
                self._write_mask(mask, orientation=1)
            return
        picture = self._photo(mask)
        if self.wishes.thumbnails:
            self._write_thumbnail("thumbnail", ".photo.jpg", picture)
        if heat is not None:
            heated = heatmap(picture.pixels, heat, self.wishes.colormap)
            self.end("blend")
            self._write_picture("heatmap", heated, picture)
        if mask is not None:
            self._write_marked(mask, picture)

    def _photo(self, mask: Mask | None) -> Picture:
        """The photo as it is stored, or upright if the mask fits that."""
        answered = self.answered
        if not answered.source:
            raise ImageError("the image of this answer is not known", code="unreadable")
        data = read_image(answered.source, _NAME)
        if answered.digest and digest_of(data) != answered.digest:
            raise ImageError(f"{_NAME} is not the one that was sent: it changed", code="changed")
        self.end("read")
        kind = images.format_of(data) or ""
        if kind == "HEIF" and not self.wishes.heic:
            raise ImageError(f"{_NAME} is HEIC, decoded in worker processes only", code="heic")
        mode: Any = "RGB" if self._ending(kind) in _NO_ALPHA else None
        stored = images.load(data, mode=mode, orient=False, name=_NAME)
        picture = stored if mask is None else images.fit(stored, mask.shape, _NAME)
        self.end("decode")
        return picture

    def _write_contours(self, mask: Mask) -> None:
        wanted = [kind for kind in _CONTOURS if kind in self.wishes.outputs]
        if not wanted:
            return
        contours = mask.contours()
        for kind in wanted:
            text = file_text(contours, _CONTOURS[kind])
            self.end("contours")
            self._write(kind, "contours", _CONTOURS[kind], text.encode())

    def _write_marked(self, mask: Mask, picture: Picture) -> None:
        """All that shows the mask; the picture's pixels are the overlay's from now on."""
        wishes = self.wishes
        if "mask" in wishes.outputs:
            self._write_mask(mask, picture.orientation)
        if "overlay" not in wishes.outputs and not wishes.thumbnails:
            return
        overlay(picture.pixels, mask, wishes.inside, wishes.outside, out=picture.pixels)
        self.end("blend")
        if "overlay" in wishes.outputs:
            self._write_picture("overlay", picture.pixels, picture)
        if wishes.thumbnails:
            self._write_thumbnail("thumbnail_overlay", ".overlay.jpg", picture)
            outline = outline_of(mask.orient(picture.orientation))
            self.end("contours")
            self._write("outline", "thumbnails", ".svg", outline)

    def _write_mask(self, mask: Mask, orientation: int) -> None:
        pixels = mask.to_array(dtype=bool)
        data = images.encode(pixels, "PNG", orientation=orientation, threads=1)
        self.end("encode")
        self._write("mask", "masks", ".png", data)

    def _write_picture(self, kind: str, pixels: Any, picture: Picture) -> None:
        ending = self._ending(picture.format)
        data = images.encode(
            pixels,
            images.writable_format(f"picture{ending}"),
            quality=self.wishes.quality,
            orientation=picture.orientation,
            threads=1,
        )
        self.end("encode")
        self._write(kind, f"{kind}s", ending, data)

    def _write_thumbnail(self, kind: str, ending: str, picture: Picture) -> None:
        data = images.preview(picture.pixels, side=SIDE, orientation=picture.orientation)
        self.end("encode")
        self._write(kind, "thumbnails", ending, data)

    def _ending(self, photo_format: str) -> str:
        if self.wishes.format is not None:
            return FORMATS[self.wishes.format]
        return overlay_ending(Path(self.answered.source), photo_format)

    def _write(self, kind: str, folder: str, ending: str, data: bytes) -> None:
        path = f"{folder}/{self.answered.name}{ending}"
        atomic_write(os.path.join(self.wishes.folder, path), data)
        self.files[kind] = path
        self.end("write")

    def end(self, stage: str) -> None:
        """Count the time since the last stage ended as this one's."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now


def detection_of(service: str | None, body: bytes) -> Detection:
    """The answer read as its service's, or, where that is not known, by its shape."""
    read = {
        "copyleaks": Detection.from_copyleaks,
        "aidetector": Detection.from_aidetector,
        "sightengine": Detection.from_sightengine,
    }
    return read.get(service or "", Detection.from_answer)(body)
