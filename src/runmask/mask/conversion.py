"""Masks from the wire forms of other tools, and back.

Readers take ``max_pixels``, ``max_runs`` and ``allow_empty`` as :class:`Mask` does, and refuse what
the form cannot mean with MaskError: ``index`` is the count, the run or the byte to blame. All are
O(runs) and the size of what they read, but for PNG, which is O(pixels).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, SupportsIndex, Unpack

import numpy as np

from .. import _core
from ..errors import InputError, MaskError, MaskTypeError, shown
from ..formats import coco, compact, cvat, kaggle, label_studio, png, run_triples
from .arguments import (
    Limits,
    ascii_bytes,
    check_kaggle,
    check_runs,
    counts_array,
    cut_to_integers,
    cvat_points,
    labels_below,
    limited_shape,
    mapping,
    octets,
    pair,
)
from .arrays import checked_threshold
from .untrusted import integers
from .value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .untrusted import Numbers

    Shape = tuple[SupportsIndex, SupportsIndex]


_SHOWN_SIDE = 512


class Compact(NamedTuple):
    """A mask as supervision's ``CompactMask`` holds it."""

    counts: NDArray[np.int32]
    crop_shape: tuple[int, int]
    offset: tuple[int, int]
    image_shape: tuple[int, int]


class Conversion(Value):
    __slots__ = ()

    # -- COCO

    @classmethod
    def from_coco(
        cls, rle: Mapping[str, Any] | Any, shape: Shape | None = None, **limits: Unpack[Limits]
    ) -> Self:
        """The mask of a COCO run-length dict, or of its counts alone with a shape.

        ``rle`` is ``{"size": [height, width], "counts": ...}``; counts are a compressed string
        (str or bytes) or numbers. ``"zcounts"``, the string through zlib, is read as well.
        """
        if isinstance(rle, Mapping):
            size, counts, zcounts = coco.fields(rle, "size", "counts", "zcounts")
            height, width = limited_shape(pair(size, "size"), limits)
            if shape is not None and limited_shape(shape, limits) != (height, width):
                raise InputError(
                    f"shape {shown(shape)} is not the size {height} x {width} of the mask"
                )
            if counts is None:
                data = zcounts if isinstance(zcounts, bytes) else coco.fields(rle, "counts")[0]
                if not isinstance(data, bytes):
                    raise MaskTypeError(f"counts: {type(data).__name__}, not str, bytes or numbers")
                counts = coco.from_zlib(data, height * width)
        elif shape is None:
            raise InputError("counts alone do not say their image's size: a shape is needed")
        else:
            height, width = limited_shape(shape, limits)
            counts = rle
        if isinstance(counts, (str, bytes, bytearray)):
            text = ascii_bytes(counts, "counts")
            return cls._limited(coco.from_string(text, height, width), limits)
        return cls.from_coco_counts(counts, (height, width), **limits)

    def to_coco(self, counts: Literal["string", "list", "zlib"] = "string") -> dict[str, Any]:
        """``{"size": [height, width], "counts": str}``, ready for JSON.

        ``counts="list"`` gives the numbers instead, ``"zlib"`` gives ``"zcounts"`` as bytes.
        """
        size = [self.height, self.width]
        if counts == "list":
            return {"size": size, "counts": coco.to_counts(self._runs).tolist()}
        if counts == "zlib":
            return {"size": size, "zcounts": coco.to_zlib(coco.to_string(self._runs))}
        if counts != "string":
            raise InputError(f"counts {shown(counts)}: not 'string', 'list' or 'zlib'")
        return {"size": size, "counts": coco.to_string(self._runs).decode("ascii")}

    @classmethod
    def from_coco_counts(cls, counts: Numbers, shape: Shape, **limits: Unpack[Limits]) -> Self:
        """The mask of COCO's uncompressed counts: clear, set, clear ... down the columns.

        They must add up to the image; zeros are legal anywhere.
        """
        height, width = limited_shape(shape, limits)
        numbers = counts_array(counts, limits)
        return cls._limited(coco.from_counts(numbers, height, width), limits)

    def to_coco_counts(self) -> NDArray[np.int64]:
        """COCO's uncompressed counts; the first is 0 when the first pixel is set, no other is."""
        return coco.to_counts(self._runs)

    @classmethod
    def from_nuscenes(cls, rle: Mapping[str, Any], **limits: Unpack[Limits]) -> Self:
        """The mask of ``{"size": [height, width], "counts": str}``, its COCO string in base64."""
        size, counts = coco.fields(mapping(rle), "size", "counts")
        text = coco.from_base64(ascii_bytes(counts, "counts"))
        return cls.from_coco(text, pair(size, "size"), **limits)

    def to_nuscenes(self) -> dict[str, Any]:
        """``{"size": [height, width], "counts": str}``, the COCO string in base64."""
        text = coco.to_base64(coco.to_string(self._runs))
        return {"size": [self.height, self.width], "counts": text.decode("ascii")}

    @classmethod
    def from_open_images(cls, text: str | bytes, shape: Shape, **limits: Unpack[Limits]) -> Self:
        """The mask of an Open Images text: base64 of zlib of the COCO string."""
        height, width = limited_shape(shape, limits)
        string = coco.from_zlib(coco.from_base64(ascii_bytes(text, "text")), height * width)
        return cls.from_coco(string, (height, width), **limits)

    def to_open_images(self) -> str:
        """Base64 of zlib of the COCO string."""
        return coco.to_base64(coco.to_zlib(coco.to_string(self._runs))).decode("ascii")

    @classmethod
    def from_sam(cls, rle: Mapping[str, Any], **limits: Unpack[Limits]) -> Self:
        """The mask of a run-length dict of SAM, or of a record with one as ``"segmentation"``."""
        inner = mapping(rle).get("segmentation", rle)
        return cls.from_coco(mapping(inner), **limits)

    def to_sam(self) -> dict[str, Any]:
        """``{"size": [height, width], "counts": list of int}``, as SAM's ``mask_to_rle`` gives."""
        return self.to_coco(counts="list")

    # -- competitions and annotation tools

    @classmethod
    def from_kaggle(
        cls,
        text: str | bytes | float | None,
        shape: Shape,
        *,
        order: kaggle.Order,
        base: Literal[0, 1],
        relative: bool = False,
        **limits: Unpack[Limits],
    ) -> Self:
        """The mask of ``"start length start length ..."``.

        ``order`` says whether pixels are numbered along the ``"rows"`` or down the ``"columns"``,
        ``base`` which number the first has: competitions differ and the text does not tell. With
        ``relative`` (SIIM) a start is the number of clear pixels since the last run; ``base`` is 0
        then, and ``-1`` means no pixel. No text, None and NaN mean none in any case.
        """
        check_kaggle(order, base, relative)
        height, width = limited_shape(shape, limits)
        if text is None or (isinstance(text, float) and math.isnan(text)):
            text = ""
        runs = kaggle.from_text(
            ascii_bytes(text, "text"), height, width, order=order, base=base, relative=relative
        )
        return cls._limited(runs, limits)

    def to_kaggle(self, *, order: kaggle.Order, base: Literal[0, 1], relative: bool = False) -> str:
        """``"start length start length ..."``; see :meth:`from_kaggle`."""
        check_kaggle(order, base, relative)
        return kaggle.to_text(self._runs, order=order, base=base, relative=relative)

    @classmethod
    def from_cvat(
        cls,
        shape_points: Sequence[float] | NDArray[Any] | Mapping[str, Any],
        shape: Shape,
        **limits: Unpack[Limits],
    ) -> Self:
        """The mask of the ``points`` of a CVAT mask, or of the attributes of its XML form.

        Points are the counts of a box and its left, top, right and bottom; floats are cut to
        integers, as CVAT does. Attributes are ``rle``, ``left``, ``top``, ``width``, ``height``.
        """
        height, width = limited_shape(shape, limits)
        if isinstance(shape_points, Mapping):
            points = cvat_points(shape_points)
        else:
            points = cut_to_integers(shape_points, "points")
        check_runs(len(points) // 2 - 2, limits)
        return cls._limited(cvat.from_points(points, height, width), limits)

    def to_cvat(self) -> list[int]:
        """The ``points`` of a CVAT mask. Raises InputError if no pixel is set: CVAT has no such."""
        if not self:
            raise InputError("CVAT has no mask without a pixel set", code="empty_mask")
        return [int(number) for number in cvat.to_points(self._runs)]

    def to_cvat_xml(self) -> dict[str, str]:
        """The attributes ``rle``, ``left``, ``top``, ``width`` and ``height`` of CVAT's XML."""
        *counts, left, top, right, bottom = self.to_cvat()
        box = {"left": left, "top": top, "width": right - left + 1, "height": bottom - top + 1}
        text = ", ".join(map(str, counts))
        return {"rle": text} | {name: str(value) for name, value in box.items()}

    @classmethod
    def from_label_studio(
        cls,
        rle: bytes | Sequence[int] | NDArray[np.uint8],
        shape: Shape,
        *,
        threshold: int = 127,
        **limits: Unpack[Limits],
    ) -> Self:
        """The mask of a Label Studio brush: pixels whose alpha is above ``threshold``, 0 to 254.

        Brushes have soft edges: 127 takes what is at least half covered, 0 whatever is touched.
        """
        height, width = limited_shape(shape, limits)
        if isinstance(threshold, bool) or threshold not in range(255):
            raise InputError(f"threshold {shown(threshold)}: not an integer from 0 to 254")
        data = octets(rle, "rle")
        return cls._limited(label_studio.from_bytes(data, height, width, threshold), limits)

    def to_label_studio(self) -> list[int]:
        """The bytes of a Label Studio brush, the same as its own converter writes."""
        return list(label_studio.to_bytes(self._runs))

    @classmethod
    def from_compact(
        cls,
        counts: Numbers,
        crop_shape: tuple[int, int],
        offset: tuple[int, int],
        shape: Shape,
        **limits: Unpack[Limits],
    ) -> Self:
        """The mask of one item of supervision's ``CompactMask``; ``offset`` is ``(x, y)``."""
        height, width = limited_shape(shape, limits)
        crop_height, crop_width = limited_shape(crop_shape, limits)
        left, top = integers(pair(offset, "offset"), "offset", clip=False).tolist()
        runs = compact.from_counts(
            counts_array(counts, limits), (crop_height, crop_width), (left, top), height, width
        )
        return cls._limited(runs, limits)

    def to_compact(self) -> Compact:
        """Counts, shape and offset of the box, and the shape, as supervision holds them."""
        return Compact(*compact.to_counts(self._runs), self.shape)

    # -- pictures and runs of rows

    @classmethod
    def from_png(
        cls,
        data: bytes,
        *,
        labels: int | Collection[int] | None = None,
        threshold: float | None = None,
        **limits: Unpack[Limits],
    ) -> Self:
        """The mask in a grey or palette PNG: where the palette index, or grey level, is a label.

        ``labels`` is one number or several; None takes all but 0. With a ``threshold`` grey levels
        above it are taken, which are 0 to 255 in a picture of 8 bits. Raises ImageError for other
        pictures and damaged ones. Nothing is unpacked before the size is checked.
        """
        file = octets(data, "data")
        head = png.header(file)
        limited_shape((head.height, head.width), limits)
        chosen: tuple[int, ...] | float | None = None
        if labels is not None and threshold is not None:
            raise InputError("labels and threshold: one of them says what is set")
        if labels is not None:
            chosen = labels_below(labels, head.bits)
        elif threshold is not None:
            chosen = checked_threshold(threshold)
            if head.has_palette:
                raise InputError("a palette picture has no levels for a threshold; labels choose")
        return cls._limited(png.read(file, head, chosen), limits)

    def to_png(self, palette: tuple[Sequence[int], Sequence[int]] | None = None) -> bytes:
        """A PNG of one bit: black and white, or a palette of two RGB colours, clear and set."""
        colours = None
        if palette is not None:
            colours = b"".join(octets(colour, "palette") for colour in palette)
            if len(palette) != 2 or len(colours) != 6:
                raise InputError(f"palette {shown(palette)}: not two colours of R, G, B")
        if not self.height or not self.width:
            raise InputError(f"a PNG of {self.height} x {self.width} pixels cannot be")
        return png.write(self._runs, colours)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: white where the mask is, of 512 pixels a side at most."""
        longest = max(self.shape)
        if not self.height or not self.width:
            return None
        if longest <= _SHOWN_SIDE:
            return self.to_png()
        height, width = (max(1, side * _SHOWN_SIDE // longest) for side in self.shape)
        return png.write(_core.resized(self._runs, height, width, 0), None)

    @classmethod
    def from_run_triples(
        cls, rows: Numbers, begins: Numbers, ends: Numbers, shape: Shape, **limits: Unpack[Limits]
    ) -> Self:
        """The union of runs within rows, first and last column inclusive, as HALCON has them."""
        height, width = limited_shape(shape, limits)
        y = counts_array(rows, limits, "rows")
        x0 = counts_array(begins, limits, "begins")
        x1 = counts_array(ends, limits, "ends")
        if not len(y) == len(x0) == len(x1):
            raise MaskError(
                f"{len(y)} rows, {len(x0)} begins, {len(x1)} ends: each run has all",
                code="length_mismatch",
                index=min(map(len, (y, x0, x1))),
            )
        return cls._limited(run_triples.from_triples(y, x0, x1, height, width), limits)

    def to_run_triples(
        self,
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Row, first and last column (inclusive) of each run within its row, as HALCON's regions.

        O(runs + rows).
        """
        return run_triples.to_triples(self._runs)

    @classmethod
    def from_opencv_rl(cls, points: NDArray[np.integer[Any]], **limits: Unpack[Limits]) -> Self:
        """The mask of an array (runs + 1, 3) of OpenCV's ``ximgproc.rl``."""
        array = np.asarray(points)
        if array.ndim == 3 and array.shape[1] == 1:
            array = array[:, 0]
        if array.shape[1:] != (3,) or len(array) == 0 or array.dtype.kind not in "iu":
            raise MaskError(f"an array {array.shape} of {array.dtype}: not integers (runs + 1, 3)")
        width, height, _ = array[0]
        begins, ends, rows = array[1:].T
        return cls.from_run_triples(rows, begins, ends, (height, width), **limits)

    def to_opencv_rl(self) -> NDArray[np.int32]:
        """An int32 array (runs + 1, 3) for OpenCV's ``ximgproc.rl``."""
        return run_triples.to_points(self._runs)

    @classmethod
    def _limited(cls, runs: _core.Runs, limits: Limits) -> Self:
        check_runs(runs, limits)
        return cls._of(runs)
