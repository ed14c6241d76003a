"""The errors of Copyleaks: its codes, the three forms of its bodies, and scan ids that cause them.

What the vendor's pages state is the codes, the ids of 1 to 7 and 13, and the status of a refused
bearer, of 429 and of 503. The other ids and statuses are ours.
"""

import re
import secrets
from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response

from ..faults import proxy_page
from ..refusals import Reason, Refusal
from .wire import as_json, json_response

PAGE = "https://docs.copyleaks.com/using-the-apis/api-errors/#error-reference"


@dataclass(frozen=True)
class Code:
    """One row of the vendor's table of errors."""

    status: int
    kind: str
    id: str
    message: str


REQUEST, LOGIN, PAYMENT, API = (
    "invalid_request_error",
    "authentication_error",
    "payment_error",
    "api_error",
)

CODES = {
    1: Code(400, REQUEST, "missing_parameter", "a parameter is absent or not acceptable"),
    2: Code(401, LOGIN, "invalid_credentials", "email or key not recognised"),
    3: Code(401, LOGIN, "email_confirmation_required", "the account's mail is not confirmed"),
    4: Code(401, LOGIN, "user_disabled", "the account is switched off"),
    5: Code(500, API, "download_failed", "the source could not be fetched"),
    6: Code(413, REQUEST, "file_too_large", "the file is over the cap"),
    7: Code(400, REQUEST, "text_read_failed", "the text cannot be read"),
    8: Code(400, REQUEST, "low_image_quality", "the image's quality is too low"),
    9: Code(503, API, "temporarily_unavailable", "temporarily unavailable"),
    10: Code(400, REQUEST, "unsupported_file_type", "the file type is not supported"),
    11: Code(400, REQUEST, "text_too_short", "too little text"),
    12: Code(400, REQUEST, "too_many_pages", "too many pages"),
    13: Code(402, PAYMENT, "insufficient_credits", "not enough credits"),
    14: Code(400, REQUEST, "invalid_file", "the submitted file is not valid"),
    15: Code(400, REQUEST, "invalid_url", "the URL is not valid"),
    16: Code(500, API, "internal_error", "internal error"),
    17: Code(402, PAYMENT, "no_credits", "no credits at all"),
    19: Code(431, REQUEST, "headers_too_long", "the headers are too long"),
    20: Code(415, REQUEST, "multipart_only", "only multipart is accepted"),
    21: Code(400, REQUEST, "one_file_only", "one file at a time"),
    22: Code(411, REQUEST, "size_unknown", "the size of the file is not known"),
    24: Code(400, REQUEST, "invalid_file_name", "the file name is not valid"),
}

REASONS = {
    Reason.FIELD: (1, 400),
    Reason.IMAGE_SIZE: (1, 400),
    Reason.TOO_MANY_BYTES: (6, 413),
    Reason.TOO_SLOW: (1, 408),
    Reason.FILE_NAME: (24, 400),
    Reason.FILE_TYPE: (10, 400),
    Reason.FILE_BROKEN: (14, 400),
    Reason.SEVERAL_FILES: (21, 400),
    Reason.MEDIA_TYPE: (1, 415),
    Reason.UNFETCHABLE: (5, 500),
}

MAGIC_ERROR = re.compile(r"sbx-err-(?P<http>http)?(?P<number>[0-9]{1,3})(?:-|$)")
MAGIC_STATUSES = (401, 402, 409, 413, 415, 429, 500, 502, 503)


def envelope(
    code: int,
    *,
    status: int | None = None,
    message: str | None = None,
    details: tuple[str, str] | None = None,
) -> Response:
    """Return the structured error; ``details`` are a parameter and what is wrong with it."""
    row = CODES[code]
    error = {
        "type": row.kind,
        "id": row.id,
        "code": code,
        "message": message or row.message,
        "url": PAGE,
    }
    if details is not None:
        error["details"] = [{"param": details[0], "message": details[1]}]
    return json_response({"error": error}, status or row.status)


def refused(refusal: Refusal) -> Response:
    """Return the vendor's form of a refusal."""
    code, status = REASONS[refusal.reason]
    return envelope(code, status=status, details=(refusal.field, refusal.message))


def unauthorized() -> Response:
    """Return what a bearer that is wrong or too old gets: a problem object, no envelope."""
    body = {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.2",
        "title": "Unauthorized",
        "status": 401,
        "traceId": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
    }
    headers = {"WWW-Authenticate": "Bearer"}
    return Response(as_json(body), 401, headers, media_type="application/problem+json")


def too_many_requests(retry_after_s: int | None) -> Response:
    return with_retry_after(envelope(9, status=429, message="too many requests"), retry_after_s)


def with_retry_after(response: Response, retry_after_s: int | None) -> Response:
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def duplicate(scan_id: str) -> Response:
    message = f"{scan_id} is the id of another scan"
    return envelope(1, status=409, message="the scan id is taken", details=("scanId", message))


def internal(ticket: str) -> Response:
    return envelope(16, message=f"internal error; ticket {ticket}")


def of_status(status: int, retry_after_s: int | None) -> Response:
    """Return the service's answer of a status that a fault asks for."""
    return proxy_page(504) if status == 504 else http_error(status, "", retry_after_s)


def magic_error(scan_id: str, retry_after_s: int | None) -> Response | None:
    """Return the error that a scan id asks for; None if it asks for none."""
    match = MAGIC_ERROR.match(scan_id)
    if match is None:
        return None
    number = int(match["number"])
    if match["http"]:
        return http_error(number, scan_id, retry_after_s)
    if number not in CODES:
        return envelope(1, details=("scanId", f"no error {number}; there are {list(CODES)}"))
    return envelope(number)


def http_error(status: int, scan_id: str, retry_after_s: int | None) -> Response:
    match status:
        case 401:
            return unauthorized()
        case 402:
            return envelope(13)
        case 409:
            return duplicate(scan_id)
        case 413:
            return envelope(6)
        case 415:
            return envelope(1, status=415, details=("Content-Type", "asked for by the scan id"))
        case 429:
            return too_many_requests(retry_after_s)
        case 500:
            return internal("00000000-0000-0000-0000-000000000500")
        case 502:
            return proxy_page(502)
        case 503:
            return with_retry_after(PlainTextResponse("maintenance", 503), retry_after_s)
    allowed = f"no status {status}; there are {list(MAGIC_STATUSES)}"
    return envelope(1, details=("scanId", allowed))
