"""The errors of aiimagedetectorapi.com: its table, as its page has it."""

import secrets

from starlette.responses import JSONResponse, Response

from ..faults import proxy_page
from ..refusals import Reason, Refusal

CODES = {
    "invalid_request": (400, "the request is malformed"),
    "image_too_large": (400, "the file is over 20 MB"),
    "image_unsupported_format": (400, "JPEG, PNG, WebP, HEIC, GIF, BMP and TIFF are supported"),
    "unauthorized": (401, "the API key is missing or not valid"),
    "payment_required": (402, "the quota is exhausted"),
    "forbidden": (403, "the key may not use this endpoint"),
    "not_found": (404, "there is no such job or endpoint"),
    "image_unfetchable": (422, "the address did not give a valid image"),
    "rate_limited": (429, "too many requests"),
    "internal_error": (500, "internal error"),
    "service_unavailable": (503, "maintenance; https://status.aiimagedetectorapi.com"),
}

_REASONS = {
    Reason.FIELD: "invalid_request",
    Reason.IMAGE_SIZE: "invalid_request",
    Reason.TOO_MANY_BYTES: "image_too_large",
    Reason.TOO_SLOW: "invalid_request",
    Reason.FILE_NAME: "invalid_request",
    Reason.FILE_TYPE: "image_unsupported_format",
    Reason.FILE_BROKEN: "image_unsupported_format",
    Reason.SEVERAL_FILES: "invalid_request",
    Reason.MEDIA_TYPE: "invalid_request",
    Reason.UNFETCHABLE: "image_unfetchable",
}


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(13).upper()}"


def error_body(
    code: str, message: str | None = None, param: str | None = None
) -> dict[str, object]:
    if code not in CODES:
        message = f"no error {code!r}; there are {', '.join(CODES)}"
        code = "invalid_request"
    return {
        "code": code,
        "message": message or CODES[code][1],
        "param": param,
        "request_id": new_id("req"),
    }


def error(
    code: str,
    message: str | None = None,
    *,
    param: str | None = None,
    retry_after_s: int | None = None,
) -> Response:
    """The service's form of an error."""
    body = error_body(code, message, param)
    headers = {"X-Request-Id": str(body["request_id"])}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return JSONResponse({"error": body}, CODES[str(body["code"])][0], headers)


def refused(refusal: Refusal) -> Response:
    return error(code_of(refusal), refusal.message, param=refusal.field)


def code_of(refusal: Refusal) -> str:
    return _REASONS[refusal.reason]


def unrouted(status: int) -> Response:
    """The service's answer to a path (404) or a method (405) that it does not have."""
    response = error("not_found" if status == 404 else "invalid_request")
    response.status_code = status
    return response


def of_status(status: int, retry_after_s: int | None) -> Response:
    """The service's answer of a status that a fault asks for."""
    code = {429: "rate_limited", 500: "internal_error", 503: "service_unavailable"}.get(status)
    return error(code, retry_after_s=retry_after_s) if code else proxy_page(status)


def internal(ticket: str) -> Response:
    return error("internal_error", f"internal error; ticket {ticket}")
