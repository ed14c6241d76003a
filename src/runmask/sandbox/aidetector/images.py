"""The images in a request, in all the ways in which they come, judged but not yet decoded."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..bodies import Form
from ..names import name_in
from ..refusals import Reason, Refusal

MAX_FILE = 20_000_000  # bytes
MAX_IMAGES = 100
FORMATS = frozenset(("JPEG", "PNG", "WEBP", "HEIF", "GIF", "BMP", "TIFF"))
_FLAGS = ("include_attribution", "include_heatmap", "include_forensics")
WISHES = (*_FLAGS, "model_threshold", "metadata")
"""What only the dialect "root" knows."""


@dataclass(frozen=True)
class Given:
    """One image: its bytes, or the address of one that the sandbox will not fetch."""

    name: str
    data: bytes | None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the answer is to hold."""

    attribution: bool = True
    heatmap: bool = False
    forensics: bool = False
    metadata: Mapping[str, Any] | None = field(default=None)


def wishes_of(fields: Mapping[str, Any]) -> Wishes:
    """The flags and the rest, out of JSON or out of texts of a form."""
    flags = {
        name.removeprefix("include_"): _flag(name, fields[name])
        for name in _FLAGS
        if name in fields
    }
    threshold = _parsed(fields.get("model_threshold"))
    if threshold is not None and (
        isinstance(threshold, bool)
        or not isinstance(threshold, (int, float))
        or not 0 <= threshold <= 1
    ):
        raise Refusal(Reason.FIELD, "model_threshold", "a number from 0 to 1 is needed")
    metadata = _parsed(fields.get("metadata"))
    if metadata is not None and not isinstance(metadata, dict):
        raise Refusal(Reason.FIELD, "metadata", "an object is needed")
    return Wishes(metadata=metadata, **flags)


def image_in(fields: Mapping[str, Any], where: str = "") -> Given:
    """The image of a JSON object: ``image_url``, or base64 in ``image_base64`` or ``image``."""
    url, name = fields.get("image_url"), str(fields.get("filename", ""))
    encoded = fields.get("image_base64", fields.get("image"))
    if (url is None) == (encoded is None):
        raise Refusal(
            Reason.FIELD, f"{where}image_url", "either image_url or image_base64 is needed"
        )
    if url is not None:
        return address(url, f"{where}image_url")
    if not isinstance(encoded, str):
        raise Refusal(Reason.FIELD, f"{where}image_base64", "a text is needed")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(Reason.FIELD, f"{where}image_base64", "not standard base64") from None
    return Given(name, _bounded(data, f"{where}image_base64"))


def address(url: object, where: str) -> Given:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise Refusal(Reason.FIELD, where, "an http or https address is needed")
    return Given(name_in(url), None, url)


def image_of_form(form: Form) -> Given:
    if len(form.files) != 1 or form.files[0].field != "image":
        raise Refusal(Reason.FIELD, "image", "one file part 'image' is needed")
    file = form.files[0]
    return Given(file.name, _bounded(file.data, "image"))


def images_in(fields: Mapping[str, Any], name: str) -> list[Given]:
    """Those of a batch: addresses in ``urls``, or objects in ``images``."""
    listed = fields.get(name)
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_IMAGES:
        raise Refusal(Reason.FIELD, name, f"a list of 1 to {MAX_IMAGES} is needed")
    if name == "urls":
        return [address(url, f"urls[{at}]") for at, url in enumerate(listed)]
    found = []
    for at, item in enumerate(listed):
        if not isinstance(item, dict):
            raise Refusal(Reason.FIELD, f"images[{at}]", "an object is needed")
        found.append(image_in(item, f"images[{at}]."))
    return found


def _bounded(data: bytes, where: str) -> bytes:
    if len(data) > MAX_FILE:
        raise Refusal(Reason.TOO_MANY_BYTES, where, f"{len(data)} bytes; {MAX_FILE} may be")
    return data


def _parsed(value: object) -> object:
    """A form has texts where JSON has values."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _flag(name: str, value: object) -> bool:
    value = _parsed(value)
    if not isinstance(value, bool):
        raise Refusal(Reason.FIELD, name, "true or false is needed")
    return value
