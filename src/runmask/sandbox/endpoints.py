"""What endpoints of all services have in common: how they end."""

import functools
import logging
import uuid
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from .bodies import is_framed_twice
from .faults import status_asked_for
from .refusals import Reason, Refusal

logger = logging.getLogger("runmask.sandbox")

Handler = Callable[[Request], Awaitable[Response]]


class Answered(Exception):  # noqa: N818 - no error, but a way out
    """Ends a request early with a response that is already made."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


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
