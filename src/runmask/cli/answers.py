"""Saved answers of services, as the commands read them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InputError, ResponseFormatError, RunmaskError

if TYPE_CHECKING:
    from ..detection import Detection
    from ..mask import Mask

ANSWER = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_MAX_ANSWER = 2**28


def shown(path: Path) -> str:
    return "standard input" if str(path) == "-" else str(path)


def read_answer(path: Path) -> Detection:
    from ..detection import Detection

    raw = read_bytes(path)
    with _telling_images(path, "not an answer of a service"):
        return Detection.from_answer(raw)


def read_mask(path: Path) -> Mask:
    """The mask of a saved answer, or of a file in another form that shows itself."""
    from ..detection import Detection
    from ..mask import files

    raw = read_bytes(path)
    with _telling_images(path, "neither an answer of a service nor a mask"):
        form = files.form_of(raw)
    if form != "response":
        return files.read_mask(raw, form)
    mask = Detection.from_answer(raw).mask
    if mask is None:
        raise ResponseFormatError("the answer has no mask")
    return mask


@contextmanager
def _telling_images(path: Path, what: str) -> Iterator[None]:
    from .. import images

    try:
        yield
    except InputError as error:
        if kind := images.format_of(path):
            raise ResponseFormatError(f"a {kind} image, {what}") from error
        raise


def read_bytes(path: Path) -> bytes:
    """A file, or standard input where it is called ``-``."""
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
    return raw


def failure_line(kind: str, path: Path, error: RunmaskError) -> dict[str, Any]:
    return {"ok": False, kind: str(path), "error": error.code, "message": str(error)}
