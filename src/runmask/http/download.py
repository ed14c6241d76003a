"""Fetching what an answer names, such as a heatmap: without credentials, from nowhere inside."""

from __future__ import annotations

from ..fetching import fetch as fetch_checked
from ..fetching.download import MAX_BYTES
from .transport import tls_context


def fetch(
    url: str,
    *,
    max_bytes: int = MAX_BYTES,
    timeout: float = 60.0,
    ca_bundle: str | None = None,
    allow_loopback: bool = False,
) -> bytes:
    """The content at an address, by the same certificates as the clients.

    Raises as :func:`runmask.fetching.fetch`.
    """
    return fetch_checked(
        url,
        loopback=allow_loopback,
        max_bytes=max_bytes,
        timeout=timeout,
        tls=tls_context(ca_bundle),
    )
