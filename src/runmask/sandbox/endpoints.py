"""What endpoints of all services have in common: how they end."""

import functools
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response

from .bodies import is_framed_twice
from .faults import add_fault, status_asked_for
from .refusals import Reason, Refusal

logger = logging.getLogger("runmask.sandbox")

Handler = Callable[[Request], Awaitable[Response]]


class Answered(Exception):  # noqa: N818 - no error, but a way out
    """Ends a request early with a response that is already made."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def meet_faults(
    request: Request, names: Iterable[str], status: Callable[[int, int | None], Response]
) -> None:
    """Have the faults happen that names of files ask for; to be called before anything is charged.

    ``status`` as for :func:`in_its_form`.
    """
    for name in names:
        fault = add_fault(request, name)
        if fault.reset_before:
            raise Answered(Response())  # which is not sent
        if fault.status is not None:
            raise Answered(status(fault.status, fault.retry_after_s))


def in_its_form(
    handler: Handler,
    refused: Callable[[Refusal], Response],
    internal: Callable[[str], Response],
    status: Callable[[int, int | None], Response],
) -> Handler:
    """Give refusals and failures of a handler the vendor's form.

    ``internal`` gets a ticket, ``status`` an HTTP status to answer with and its ``Retry-After``.
    """

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        if is_framed_twice(request):
            both = "a body has a Content-Length or a Transfer-Encoding, not both"
            response = refused(Refusal(Reason.FIELD, "Content-Length", both))
            response.headers["Connection"] = "close"
            return response
        try:
            return await status_asked_for(request, status) or await handler(request)
        except Answered as answered:
            return answered.response
        except Refusal as refusal:
            return refused(refusal)
        except Exception:
            ticket = str(uuid.uuid4())
            logger.exception("a request failed; ticket %s", ticket)
            return internal(ticket)

    return endpoint
