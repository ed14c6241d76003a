"""Addresses of images and webhooks: which are handed to a service, and which are fetched.

A name is judged by what it resolves to, and an address by its number: ``127.1``, ``0x7f000001`` and
``2130706433`` all are this machine.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from ..errors import UnsafeURLError

MAX_LENGTH = 8192

_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_url(url: str, name: str, *, public: bool = True, loopback: bool = False) -> str:
    """The address, if a service on the internet may be sent there.

    ``loopback``: allow this machine, where a stand-in for the service runs here as well;
    ``public=False``: nothing else. Names are not looked up. Raises UnsafeURLError, which never
    tells a password or a query.
    """
    if not isinstance(url, str):
        raise UnsafeURLError(f"{name} is {type(url).__name__}: not text")
    if len(url) > MAX_LENGTH:
        raise UnsafeURLError(f"{name} has {len(url)} characters > {MAX_LENGTH}", code="url_length")
    if any(not ("!" <= character <= "~") for character in url) or "\\" in url:
        raise UnsafeURLError(
            f"{name} has a space, a control character or one beyond ASCII: escape it (%20)",
            code="url_character",
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UnsafeURLError(f"{name}: no valid address", code="url_syntax") from None
    if parts.scheme not in ("http", "https") or not host:
        raise UnsafeURLError(
            f"{name}: scheme {parts.scheme[:20]!r}: not http://host/... or https://host/...",
            code="url_scheme",
        )
    if "@" in parts.netloc:
        raise UnsafeURLError(
            f"{name}: an address with a name or password in it is refused", code="url_password"
        )
    if not _may_go_to(host, public, loopback):
        where = "on the public internet" if public else "on this machine"
        raise UnsafeURLError(f"{name}: the host {host[:80]!r} is not {where}", code="url_private")
    return url


def is_allowed(address: Address, *, public: bool, loopback: bool) -> bool:
    """Whether an address may be asked, by where it is."""
    return (public and is_public(address)) or (loopback and address.is_loopback)


def _may_go_to(host: str, public: bool, loopback: bool) -> bool:
    address = literal(host)
    if address is not None:
        return is_allowed(address, public=public, loopback=loopback)
    bare = host.rstrip(".").lower()
    if bare == "localhost":
        return loopback
    return "." in bare and not any(bare.endswith(f".{ending}") for ending in _LOCAL_NAMES)


def literal(host: str) -> Address | None:
    """The address that a host is, in any of the ways that systems read; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:  # one to four numbers, decimal, octal or hexadecimal
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Whether it is on the internet, and no way back from there to a private network."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in _NAT64):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved
