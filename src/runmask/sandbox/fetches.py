"""Images that a request names by their address: fetched only where the settings allow it."""

from collections.abc import Mapping

from ..errors import APIError, InputError
from ..fetching import fetch
from .refusals import Reason, Refusal
from .settings import Settings

NOT_ALLOWED = (
    "the sandbox fetches nothing unless it is told to (runmask sandbox --fetch loopback or public):"
    " send the image itself, or an address whose last part is one of the names in /v1/health"
)


def fetched(
    url: str, settings: Settings, max_bytes: int, headers: Mapping[str, str] | None = None
) -> bytes:
    """The image at an address. Blocks. Anything amiss is a Refusal, of UNFETCHABLE."""
    if settings.fetch == "none":
        raise Refusal(Reason.UNFETCHABLE, "image_url", NOT_ALLOWED)
    try:
        return fetch(
            url,
            public=settings.fetch == "public",
            loopback=settings.fetch == "loopback",
            max_bytes=max_bytes,
            timeout=settings.fetch_timeout_s,
            headers=headers,
        )
    except (APIError, InputError) as error:
        raise Refusal(Reason.UNFETCHABLE, "image_url", str(error)) from None
