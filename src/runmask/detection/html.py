"""A detection as a notebook shows it. Whatever the answer holds is shown and never run."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from .value import Detection

_LONGEST = 200  # characters of a value


def html_of(detection: Detection) -> str:
    """A table, and the mask as a small picture in the text itself."""
    rows = [("service", detection.service)]
    for name in ("verdict", "score", "model", "credits", "attribution", "ids", "notice"):
        value = _value(detection, name)
        if value is not None and value != {}:
            rows.append((name, value))
    mask = _value(detection, "mask")
    picture = ""
    if mask is not None and not isinstance(mask, _Unreadable):
        rows.append(("mask", repr(mask)))
        if png := mask._repr_png_():
            picture = (
                '<img alt="the mask" style="max-width: 320px; border: 1px solid #888" '
                f'src="data:image/png;base64,{b64encode(png).decode()}">'
            )
    elif mask is not None:
        rows.append(("mask", mask))
    cells = "".join(
        f"<tr><th style='text-align: left'>{name}</th>"
        f"<td style='text-align: left'>{escape(_shown(value))}</td></tr>"
        for name, value in rows
    )
    return f"<div><table>{cells}</table>{picture}</div>"


class _Unreadable(str):
    """Why a value cannot be had."""

    __slots__ = ()


def _value(detection: Detection, name: str) -> Any:
    try:
        return getattr(detection, name)
    except InputError as error:
        return _Unreadable(f"cannot be read: {error}")


def _shown(value: Any) -> str:
    text = ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else None
    text = str(value) if text is None else text
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
