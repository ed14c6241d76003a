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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from .. import images
from ..blend import colormap as table_of_colours
from ..blend import heatmap
from ..contours.files import file_text
from ..detection import Detection
from ..errors import ImageError, InputError, RunmaskError
from ..output import atomic_write, make_folder
from ..scan import overlay_ending
from ..style import Encoding, Look
from .confidence import confidence_of, resized
from .sources import digest_of, read_image, relocated
from .thumbnails import SIDE, outline_of
from .values import Answered, Rendered

if TYPE_CHECKING:
    from ..images import Picture
    from ..mask import Mask

OUTPUTS = ("mask", "overlay", "heatmap", "geojson", "svg", "coco")
FOLDERS = ("masks", "overlays", "heatmaps", "contours", "thumbnails")

_CONTOURS = {"geojson": ".geojson", "svg": ".svg", "coco": ".json"}
_NO_ALPHA = {".jpg", ".jpeg", ".bmp"}
_NOT_WISHED = ("folder", "heic", "loopback", "photos")
_NAME = "the image"  # in messages, which stand beside its path


class How(TypedDict, total=False):
    """What is said of files beside their kinds: see :class:`Wishes`."""

    look: Look
    encoding: Encoding
    colormap: str
    thumbnails: bool


@dataclass(frozen=True)
class Wishes:
    """Which files to make, where, and how.

    ``outputs`` are of :data:`OUTPUTS`. ``encoding`` is that of overlays and heatmaps; without a
    format they have the photo's own. ``colormap`` is that of heatmaps. ``thumbnails`` are what a
    report shows. ``heic`` allows to decode HEIC: only where the loss of the process is none;
    ``loopback`` to fetch images from this machine. ``photos`` is a folder where images are looked
    for first.

    Raises InputError for what means nothing.
    """

    folder: str
    outputs: tuple[str, ...] = ("overlay",)
    look: Look = Look()  # noqa: RUF009 - it is frozen
    encoding: Encoding = Encoding()  # noqa: RUF009
    colormap: str = "turbo"
    thumbnails: bool = True
    heic: bool = False
    loopback: bool = False
    photos: str = ""

    def __post_init__(self) -> None:
        for name in self.outputs:
            if name not in OUTPUTS:
                raise InputError(f"output {name!r}: there are {', '.join(OUTPUTS)}")
        if not isinstance(self.look, Look) or not isinstance(self.encoding, Encoding):
            raise InputError("look and encoding are of runmask.style: Look and Encoding")
        if self.encoding.format is not None:
            images.writable_format(f"picture.{self.encoding.format}")
        table_of_colours(self.colormap)

    def text(self) -> str:
        """What they ask for, wherever it goes: equal wishes make equal files."""
        told = {name: value for name, value in asdict(self).items() if name not in _NOT_WISHED}
        return json.dumps(told, sort_keys=True)

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
    try:
        kinds = tuple(dict.fromkeys([outputs] if isinstance(outputs, str) else outputs))
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
        try:
            data = self._photo()
        except RunmaskError:
            if not self._did_without_photo(mask, heat):
                raise
            return
        picture, drawn = self._decoded(data, mask)
        if self.wishes.thumbnails:
            self._write_thumbnail("thumbnail", ".photo.jpg", picture)
        if heat is not None:
            shown = resized(heat, picture.pixels.shape[:2])
            heated = heatmap(picture.pixels, shown, self.wishes.colormap)
            self.end("blend")
            self._write_picture("heatmap", replace(picture, pixels=heated))
        if mask is not None and drawn is not None:
            self._write_marked(mask, drawn, picture)

    def _did_without_photo(self, mask: Mask | None, heat: Any) -> bool:
        """Write the mask, without an orientation; whether only thumbnails are missing then."""
        wanted = self.wishes.outputs
        if mask is not None and "mask" in wanted:
            path = os.path.join(self.wishes.folder, "masks", f"{self.answered.name}.png")
            if not os.path.exists(path):  # it may have the photo's orientation tag
                self._write_mask(mask, orientation=1)
        return bool(wanted) and heat is None and (mask is None or "overlay" not in wanted)

    def _photo(self) -> bytes:
        answered = self.answered
        if not answered.source:
            raise ImageError("the image of this answer is not known", code="no_photo")
        source = relocated(answered.source, self.wishes.photos)
        data = read_image(source, _NAME, loopback=self.wishes.loopback)
        if answered.digest and digest_of(data) != answered.digest:
            raise ImageError(f"{_NAME} is not the one that was sent: it changed", code="changed")
        self.end("read")
        return data

    def _decoded(self, data: bytes, mask: Mask | None) -> tuple[Picture, Mask | None]:
        """The photo as it is stored, or upright if the mask fits that; and the mask in its size."""
        encoding = self.wishes.encoding
        kind = images.format_of(data) or ""
        if kind == "HEIF" and not self.wishes.heic:
            raise ImageError(f"{_NAME} is HEIC, decoded in worker processes only", code="heic")
        how: Any = {
            "mode": "RGB" if self._ending(kind) in _NO_ALPHA else None,
            "max_side": encoding.max_side,
            "metadata": encoding.metadata,
            "name": _NAME,
        }
        drawn = None
        if mask is None:
            picture = images.load(data, orient=False, **how)
        else:
            picture, drawn = images.load_pair(data, mask, **how)
        self.end("decode")
        return picture, drawn

    def _write_contours(self, mask: Mask) -> None:
        wanted = [kind for kind in _CONTOURS if kind in self.wishes.outputs]
        if not wanted:
            return
        contours = mask.contours()
        for kind in wanted:
            text = file_text(contours, _CONTOURS[kind])
            self.end("contours")
            self._write(kind, "contours", _CONTOURS[kind], text.encode())

    def _write_marked(self, mask: Mask, drawn: Mask, picture: Picture) -> None:
        """All that shows the mask; the picture's pixels are the overlay's from now on."""
        wishes = self.wishes
        if "mask" in wishes.outputs:
            self._write_mask(mask, picture.orientation)
        if "overlay" not in wishes.outputs and not wishes.thumbnails:
            return
        wishes.look.draw(picture.pixels, drawn)
        self.end("blend")
        if "overlay" in wishes.outputs:
            self._write_picture("overlay", picture)
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

    def _write_picture(self, kind: str, picture: Picture) -> None:
        ending = self._ending(picture.format)
        encoding = self.wishes.encoding
        data = images.encode(
            picture.pixels,
            images.writable_format(f"picture{ending}"),
            quality=encoding.quality,
            lossless=encoding.lossless,
            orientation=picture.orientation,
            metadata=picture.metadata,
            threads=1,
        )
        self.end("encode")
        self._write(kind, f"{kind}s", ending, data)

    def _write_thumbnail(self, kind: str, ending: str, picture: Picture) -> None:
        data = images.preview(picture.pixels, side=SIDE, orientation=picture.orientation)
        self.end("encode")
        self._write(kind, "thumbnails", ending, data)

    def _ending(self, photo_format: str) -> str:
        return overlay_ending(Path(self.answered.source), photo_format, self.wishes.encoding.format)

    def _write(self, kind: str, folder: str, ending: str, data: bytes) -> None:
        path = f"{folder}/{self.answered.name}{ending}"
        make_folder(os.path.join(self.wishes.folder, folder))
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
