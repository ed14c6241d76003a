"""Masks as the bytes of files, in the forms of other tools.

Most forms tell themselves by their first bytes or their keys. Those that say neither how they are
laid out nor how large their image is need to be named, and some a shape.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ..errors import InputError, MaskError, ResponseFormatError, shown
from ..formats import load_answer, load_json
from .mask import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..formats.kaggle import Order

__all__ = ["FORMS", "Layout", "form_of", "read_array", "read_mask", "write_mask"]

_PNG, _NPY = b"\x89PNG\r\n\x1a\n", b"\x93NUMPY"
_NPY_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Layout(NamedTuple):
    """What some forms do not say of themselves.

    The image's size, Kaggle's order and base, and above what a PNG or an array of NumPy is set;
    without a threshold all but 0 is.
    """

    shape: tuple[int, int] | None = None
    order: Order | None = None
    base: int | None = None
    threshold: float | None = None

    def size(self, form: str) -> tuple[int, int]:
        if self.shape is None:
            raise InputError(f"{form} does not say its image's size: a shape is needed")
        return self.shape

    def numbering(self) -> dict[str, Any]:
        if self.order is None or self.base is None:
            raise InputError("kaggle does not say how pixels are numbered: order and base do")
        return {"order": self.order, "base": self.base}


class Form(NamedTuple):
    ending: str
    read: Callable[[bytes, Layout], Mask]
    write: Callable[[Mask, Layout], bytes]


def read_mask(data: bytes, form: str | None = None, layout: Layout = Layout()) -> Mask:  # noqa: B008
    """The mask in a file's bytes; of an unnamed form, the one that they show.

    Raises InputError where they show none, or where the layout lacks what the form needs, and what
    the form's own reader raises. O(bytes); PNG and NumPy arrays O(pixels).
    """
    named = form or form_of(data)
    if layout.threshold is not None and named not in ("png", "npy"):
        raise InputError(f"{named} has no levels: a threshold is for png and npy")
    return FORMS[named].read(data, layout)


def write_mask(mask: Mask, form: str, layout: Layout = Layout()) -> bytes:  # noqa: B008
    """The bytes of a file of that form. O(runs); PNG and NumPy arrays O(pixels)."""
    return FORMS[form].write(mask, layout)


def form_of(data: bytes) -> str:
    """The form that a file's bytes show.

    ``"png"``, ``"npy"``, ``"label-studio"``, ``"coco"`` or ``"response"``.
    """
    if data.startswith(_PNG):
        return "png"
    if data.startswith(_NPY):
        return "npy"
    try:
        keys = load_answer(data).keys()
    except ResponseFormatError as error:
        raise InputError(
            f"the file shows no form of a mask, name one of {', '.join(FORMS)}: {error}"
        ) from error
    if keys >= {"original_height", "original_width", "value"}:
        return "label-studio"
    return "response" if keys.isdisjoint(("counts", "zcounts", "segmentation")) else "coco"


def read_array(data: bytes) -> NDArray[Any]:
    """The array in the bytes of a NumPy file (.npy), as a read-only view of them.

    Raises InputError for what is none, and for arrays of Python objects. O(header).
    """
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        if version not in _NPY_HEADERS:
            raise ValueError("version {}.{}: not 1.0 or 2.0".format(*version))
        shape, by_columns, dtype = _NPY_HEADERS[version](file)
        size, left = math.prod(shape) * dtype.itemsize, len(data) - file.tell()
        if size > left:
            raise ValueError(f"{shown(shape)} of {dtype} takes {shown(size)} bytes, not {left}")
        if dtype.hasobject:
            raise ValueError("it is of Python objects, which are not read")
        return np.ndarray(shape, dtype, data, file.tell(), order="F" if by_columns else "C")
    except Exception as error:  # bad headers raise nearly everything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"no array in NumPy's format: {reason}") from error


def _write_npy(mask: Mask, _: Layout) -> bytes:
    file = io.BytesIO()
    np.save(file, mask.to_array(dtype=bool))
    return file.getvalue()


def _write_response(mask: Mask, _: Layout) -> bytes:
    runs = {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()}
    shape = {"height": mask.height, "width": mask.width}
    return _json({"result": runs, "imageInfo": {"shape": shape}})


def _read_label_studio(data: bytes, layout: Layout) -> Mask:
    """A list of bytes, or a result with them and the image's size."""
    found = load_json(data)
    if isinstance(found, Mapping):
        size = found.get("original_height"), found.get("original_width")
        value = found.get("value")
        found = value.get("rle") if isinstance(value, Mapping) else None
        if not isinstance(found, list):
            raise MaskError("value.rle is missing, or no list", code="missing_key")
        return Mask.from_label_studio(found, size)  # type: ignore[arg-type]  # which checks it
    return Mask.from_label_studio(found, layout.size("label-studio"))  # type: ignore[arg-type]


def _write_label_studio(mask: Mask, _: Layout) -> bytes:
    value = {"format": "rle", "rle": mask.to_label_studio()}
    size = {"original_height": mask.height, "original_width": mask.width}
    return _json({**size, "type": "brushlabels", "value": value})


def _of_json(data: bytes) -> Mapping[str, Any]:
    found = load_json(data)
    if not isinstance(found, Mapping):
        raise MaskError(f"{shown(found)}: not an object of size and counts", code="wrong_type")
    return found


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _line(text: str) -> bytes:
    return text.encode() + b"\n"


FORMS: Mapping[str, Form] = {
    "response": Form(".json", lambda data, _: Mask.from_response(data), _write_response),
    "png": Form(
        ".png",
        lambda data, at: Mask.from_png(data, threshold=at.threshold),
        lambda mask, _: mask.to_png(),
    ),
    "npy": Form(
        ".npy", lambda data, at: Mask.from_array(read_array(data), at.threshold), _write_npy
    ),
    "coco": Form(
        ".json",
        lambda data, _: Mask.from_sam(_of_json(data)),
        lambda mask, _: _json(mask.to_coco()),
    ),
    "sam": Form(
        ".json",
        lambda data, _: Mask.from_sam(_of_json(data)),
        lambda mask, _: _json(mask.to_sam()),
    ),
    "nuscenes": Form(
        ".json",
        lambda data, _: Mask.from_nuscenes(_of_json(data)),
        lambda mask, _: _json(mask.to_nuscenes()),
    ),
    "open-images": Form(
        ".txt",
        lambda data, at: Mask.from_open_images(data.strip(), at.size("open-images")),
        lambda mask, _: _line(mask.to_open_images()),
    ),
    "kaggle": Form(
        ".txt",
        lambda data, at: Mask.from_kaggle(data.strip(), at.size("kaggle"), **at.numbering()),
        lambda mask, at: _line(mask.to_kaggle(**at.numbering())),
    ),
    "cvat": Form(
        ".json",
        lambda data, at: Mask.from_cvat(load_json(data), at.size("cvat")),  # type: ignore[arg-type]
        lambda mask, _: _json(mask.to_cvat()),
    ),
    "label-studio": Form(".json", _read_label_studio, _write_label_studio),
}
