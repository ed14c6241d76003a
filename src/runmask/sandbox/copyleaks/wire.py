"""How Copyleaks writes JSON, numbers and times."""

import json
from datetime import UTC, datetime

import numpy as np
from starlette.responses import Response

from ..settings import SECOND


def as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def json_response(value: object, status: int = 200) -> Response:
    return Response(as_json(value), status, media_type="application/json")


def short_float(value: float) -> float:
    """Return a number whose text is the shortest of its nearest 32-bit float, as the service's."""
    return float(str(np.float32(value)))


def timestamp(nanoseconds: int) -> str:
    """Return a time as .NET writes it: UTC, up to seven digits of a second, none that are zero."""
    seconds, rest = divmod(nanoseconds, SECOND)
    fraction = f"{rest // 100:07d}".rstrip("0")
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"
