"""Every exception this library raises, in one tree.

::

    RunmaskError                         the root; .code is a stable short name
    ├── InputError (ValueError)          what was passed in cannot be used
    │   ├── MaskError                    runs that mean no mask; .index of the first bad run
    │   │   └── MaskTypeError (TypeError)    not integers
    │   ├── LimitError                   larger than a limit, found before memory was taken
    │   ├── ImageError                   an image array or file that cannot be used
    │   ├── ResponseFormatError          bytes that are no answer of the service; .path, .offset
    │   ├── SignatureError               a webhook whose sender did not prove who it is
    │   └── UnsafeURLError               an address that is not asked, or not handed to a service
    ├── OutputError (OSError)            a file could not be written; the old file is intact
    ├── BatchError                       a job that cannot go on as asked; .path of its journal
    │   ├── JournalLockedError           another process works on it; .pid, .host, .since
    │   ├── JournalMismatchError         it is another job, or one of a newer release
    │   └── JournalCorruptError          its journal is damaged, and was left as it is
    ├── MissingDependencyError (ImportError)    an extra is not installed
    └── APIError                         the service did not give an answer
        ├── APIConnectionError           no connection, or one that broke
        │   └── APITimeoutError          a time limit ran out
        ├── APIResponseError             it said "success" and sent what is no answer of it
        │                                (a ResponseFormatError as well)
        └── StatusError                  the service answered with an error
            ├── AuthError                401, or the login was refused
            │   └── ForbiddenError       403: the key may not do this
            ├── QuotaError               402: no credits left
            ├── DuplicateScanError       409: the scan id is taken
            ├── ImageTooLargeError       413, or the service's code for it
            ├── InvalidRequestError      any other 4xx; .details
            │   ├── NotFoundError        404
            │   └── ImageRefusedError    the service cannot use the image
            │       └── ImageUnfetchableError    nor fetch it from its address
            ├── RateLimitedError         429; .retry_after
            ├── UnavailableError         503; .retry_after
            └── ServerError              any other 5xx

Messages state facts. What can be done about one from Python stands in a note of the exception,
below the message in tracebacks.
"""

from typing import Self, TypeVar


class RunmaskError(Exception):
    """The root of all errors of this library.

    ``code`` is a short name that stays the same across releases, so that programs
    need not read the message.
    """

    code: str = "error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class InputError(RunmaskError, ValueError):
    """Something that was passed in cannot be used as it is."""

    code = "input"


class MaskError(InputError):
    """Runs that mean no mask. ``index`` is the place of the first bad run, if one is to blame."""

    code = "mask"

    def __init__(self, message: str = "", *, code: str | None = None, index: int | None = None):
        super().__init__(message, code=code)
        self.index = index


class MaskTypeError(MaskError, TypeError):
    """Runs that are not integers (a bool, a float and a numeral string are not)."""

    code = "mask_type"


class LimitError(InputError):
    """Something is larger than a limit; found before memory was taken for it."""

    code = "limit"


class ImageError(InputError):
    """An image array or an image file that cannot be used."""

    code = "image"


class ResponseFormatError(InputError):
    """Bytes that are no answer of the service.

    ``path`` names the field (``result.starts``), ``offset`` the byte, where either is known.
    """

    code = "response_format"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        path: str | None = None,
        offset: int | None = None,
    ):
        super().__init__(message, code=code)
        self.path = path
        self.offset = offset


class SignatureError(InputError):
    """A webhook whose sender did not prove who it is."""

    code = "signature"


class UnsafeURLError(InputError):
    """An address that is not asked, or not handed to a service."""

    code = "unsafe_url"


class OutputError(RunmaskError, OSError):
    """A file could not be written. What stood under its name before is still there.

    ``errno`` is the system's error number, ``path`` the file that was to be written.
    """

    code = "output"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        errno: int | None = None,
        path: str | None = None,
    ):
        super().__init__(message, code=code)
        self.errno = errno
        self.path = path


class BatchError(RunmaskError):
    """A job that cannot go on as asked. ``path`` is its journal, which was not changed."""

    code = "batch"

    def __init__(self, message: str = "", *, code: str | None = None, path: str | None = None):
        super().__init__(message, code=code)
        self.path = path


class JournalLockedError(BatchError):
    """Another process works on the job: ``pid`` on ``host``, ``since`` (seconds since 1970)."""

    code = "journal_locked"
    pid: int | None = None
    host: str | None = None
    since: float | None = None


class JournalMismatchError(BatchError):
    """The journal is of another job than the one asked for, or of a newer release."""

    code = "journal_mismatch"


class JournalCorruptError(BatchError):
    """The journal is damaged. To begin anew would pay again: it is left as it is."""

    code = "journal_corrupt"


class MissingDependencyError(RunmaskError, ImportError):
    """An optional library, ``name``, is not installed; ``extra`` is what would install it."""

    code = "missing_dependency"

    def __init__(self, message: str = "", *, name: str | None = None, extra: str | None = None):
        super().__init__(message)
        self.name = name
        self.extra = extra

    @classmethod
    def of(cls, name: str | None, extra: str, who: str) -> Self:
        """The error for the library ``name``, which ``who`` needs and ``extra`` installs."""
        message = f"{who} needs {name}: pip install 'runmask[{extra}]'"
        return cls(message, name=name, extra=extra)


class APIError(RunmaskError):
    """A service gave no usable answer.

    Attributes
    ----------
    status : int or None
        The HTTP status, if an answer came.
    service_code : int or str or None
        The service's own error code.
    request_id : str or None
        What the service calls this request; quote it to its support.
    attempts : int
        How many times the request was sent.
    retryable : bool
        Whether the same call may succeed later.
    billed : str
        ``"no"``, ``"yes"`` or ``"unknown"``: whether the service may have charged for it.
    body : bytes
        The answer as it came, complete.
    scan_id : str or None
        The id of the scan, where the service has such; give it again to ask for the same scan.
    """

    code = "api"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        status: int | None = None,
        service_code: int | str | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        retryable: bool = False,
        billed: str = "no",
        body: bytes = b"",
    ):
        super().__init__(message, code=code)
        self.status = status
        self.service_code = service_code
        self.request_id = request_id
        self.attempts = attempts
        self.retryable = retryable
        self.billed = billed
        self.body = body
        self.scan_id: str | None = None


class APIConnectionError(APIError):
    """No connection, or one that broke before the answer was complete."""

    code = "connection"


class APITimeoutError(APIConnectionError):
    """A time limit ran out."""

    code = "timeout"


class APIResponseError(APIError, ResponseFormatError):
    """The service reported success, and sent something else than its answer."""

    code = "response_format"


class StatusError(APIError):
    """The service answered with an error."""

    code = "status"


class AuthError(StatusError):
    """The credentials were refused."""

    code = "auth"


class ForbiddenError(AuthError):
    """The key may not do this."""

    code = "forbidden"


class QuotaError(StatusError):
    """The account has no credits left."""

    code = "quota"


class DuplicateScanError(StatusError):
    """The scan id was used before."""

    code = "duplicate_scan"


class ImageTooLargeError(StatusError):
    """The service refused the image for its size."""

    code = "image_too_large"


class InvalidRequestError(StatusError):
    """The service refused the request. ``details`` lists ``(parameter, reason)`` pairs."""

    code = "invalid_request"
    details: tuple[tuple[str, str], ...] = ()


class NotFoundError(InvalidRequestError):
    """The service knows no such thing."""

    code = "not_found"


class ImageRefusedError(InvalidRequestError):
    """The service cannot use the image."""

    code = "image_refused"


class ImageUnfetchableError(ImageRefusedError):
    """The service could not fetch the image from its address."""

    code = "image_unfetchable"


class RateLimitedError(StatusError):
    """Too many requests. ``retry_after`` is the wait in seconds that the service named, if any."""

    code = "rate_limited"
    retry_after: float | None = None


class UnavailableError(StatusError):
    """The service is down for now. ``retry_after`` as for :class:`RateLimitedError`."""

    code = "unavailable"
    retry_after: float | None = None


class ServerError(StatusError):
    """The service failed."""

    code = "server"


E = TypeVar("E", bound=RunmaskError)


def advised(error: E, advice: str) -> E:
    """The error with a note for who calls from Python."""
    error.add_note(advice)
    return error


def counted(number: int, noun: str) -> str:
    """How many of something, for a message."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shown(value: object) -> str:
    """What was passed in, for a message: its repr on one line, cut to 80 characters."""
    if isinstance(value, int) and abs(value) >= 10**80:  # Python may refuse to write it
        return f"a number of about {value.bit_length() * 3 // 10} digits"
    if isinstance(value, (str, bytes)):
        value = value[:81]
    try:
        text = " ".join(line.strip() for line in repr(value).splitlines())
    except Exception:  # a container of such numbers, or a broken object
        return f"<{type(value).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}..."
