"""Where requests may go, and where a real key may not."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ..errors import InputError


def checked_origin(url: str, name: str) -> str:
    """The address without a slash at its end.

    Plain http is for this machine only. Raises InputError.
    """
    if not isinstance(url, str):
        raise InputError(f"{name} is {type(url).__name__}: not text")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"{name}: not an address such as 'https://api.example.org'") from None
    if parts.username is not None or parts.password is not None or "@" in url:
        raise InputError(f"{name}: an address with a name or password in it is refused")
    if any(not ("!" <= character <= "~") for character in url) or "\\" in url:
        raise InputError(
            f"{name} {_shown(url)}: has a space or another character that no address has"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"{name} {_shown(url)}: not an address such as 'https://api.example.org'")
    if parts.query or parts.fragment:
        raise InputError(f"{name} {_shown(url)}: must not have a query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"{name} {_shown(url)}: plain http is for this machine only (127.0.0.1, ::1,"
            " localhost); use https",
            code="plaintext",
        )
    return url.rstrip("/")


def _shown(url: str) -> str:
    """What stands before a query or fragment: in those there may be a key."""
    return repr(url.partition("?")[0].partition("#")[0][:80])


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
