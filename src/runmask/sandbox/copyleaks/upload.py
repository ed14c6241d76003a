"""The two forms in which an image comes to the check: JSON with base64, and multipart."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from ..bodies import Form, in_time, media_type, parse_json, read_bytes, read_form
from ..photo import EXTENSIONS
from ..refusals import Reason, Refusal

MAX_FILE = 33_554_432  # bytes; a file has to be smaller
SLACK = 64 * 1024  # bytes of a body that are not the file
MODELS = ("ai-image-1-ultra", "ai-image-1-ultra-01-09-2025")
SCAN_ID = re.compile(r"[a-z0-9!@$^&\-+%=_(){}<>';:/.\",~`|]{3,36}")


@dataclass(frozen=True)
class Upload:
    """What a check was given, judged but for the image itself."""

    data: bytes
    sandbox: bool


def scan_id_of(request: Request) -> str:
    """Return the scan id out of the path: one raw segment, percent-decoded once."""
    segment = request.scope["raw_path"].decode("ascii").split("/")[-2]
    scan_id = unquote(segment)
    if SCAN_ID.fullmatch(scan_id) is None:
        raise Refusal(
            Reason.FIELD,
            "scanId",
            "3 to 36 characters are needed: lower-case letters, digits and"
            " !@$^&-+%=_(){}<>';:/.\",~`|",
        )
    return scan_id


async def read_upload_body(request: Request, seconds: float) -> bytes | Form:
    """Read the body of either form within its limits, without looking at it yet."""
    match media_type(request):
        case "application/json":
            limit = (MAX_FILE + 2) // 3 * 4 + SLACK
            return await in_time(read_bytes(request, limit), seconds)
        case "multipart/form-data":
            return await in_time(read_form(request, MAX_FILE + SLACK), seconds)
    raise Refusal(
        Reason.MEDIA_TYPE, "Content-Type", "application/json or multipart/form-data is needed"
    )


def judge_upload(body: bytes | Form) -> Upload:
    """Return the upload in a body of either form; anything amiss is a Refusal."""
    return from_form(body) if isinstance(body, Form) else from_json(parse_json(body))


def from_json(fields: dict[str, Any]) -> Upload:
    for name in ("base64", "filename", "model"):
        if not isinstance(fields.get(name), str):
            raise Refusal(Reason.FIELD, name, "a text is needed")
    check_name(fields["filename"])
    check_model(fields["model"])
    sandbox = flag(fields.get("sandbox", False))
    try:
        data = base64.b64decode(fields["base64"], validate=True)
    except (binascii.Error, ValueError):
        hint = "the file in standard base64 is needed, without a data: prefix or line breaks"
        raise Refusal(Reason.FIELD, "base64", hint) from None
    return Upload(check_bytes(data), sandbox)


def from_form(form: Form) -> Upload:
    if "base64" in form.texts:
        raise Refusal(Reason.FIELD, "base64", "a form carries the file itself, as the part 'image'")
    if "image" in form.texts:
        raise Refusal(Reason.FIELD, "image", "a file part with a file name is needed, not a text")
    if len(form.files) > 1:
        raise Refusal(Reason.SEVERAL_FILES, "image", f"{len(form.files)} files came")
    if not form.files or form.files[0].field != "image":
        raise Refusal(Reason.FIELD, "image", "the file part 'image' is missing")
    image = form.files[0]
    check_name(form.texts.get("filename", image.name))
    check_model(form.texts.get("model", MODELS[0]))
    return Upload(check_bytes(image.data), flag(form.texts.get("sandbox", False)))


def check_name(name: str) -> None:
    if not 1 <= len(name) <= 255 or not name.isprintable():
        raise Refusal(Reason.FILE_NAME, "filename", "1 to 255 printable characters are needed")
    if not name.lower().endswith(EXTENSIONS):
        raise Refusal(Reason.FILE_TYPE, "filename", f"one of {', '.join(EXTENSIONS)} is needed")


def check_model(model: str) -> None:
    if model not in MODELS:
        raise Refusal(Reason.FIELD, "model", f"one of {', '.join(MODELS)} is needed")


def check_bytes(data: bytes) -> bytes:
    if len(data) >= MAX_FILE:
        raise Refusal(Reason.TOO_MANY_BYTES, "image", f"{len(data)} bytes; {MAX_FILE - 1} may be")
    return data


def flag(value: object) -> bool:
    """Return a flag that came as true, false or as a text that says so."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Refusal(Reason.FIELD, "sandbox", "true or false is needed")
