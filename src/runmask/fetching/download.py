"""Fetching what others name: without credentials, and from no network that was not allowed.

The address may be anything. Its name is resolved once, every address that it has must be allowed,
and the connection goes to one that was checked. No redirect is followed, nothing is sent twice.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

from ..errors import APIConnectionError, APITimeoutError, LimitError, StatusError, UnsafeURLError
from .addresses import Address, checked_url, is_allowed

MAX_BYTES = 64 * 2**20
CONNECT_S = 10.0
_PIECE = 2**16


def fetch(
    url: str,
    *,
    public: bool = True,
    loopback: bool = False,
    max_bytes: int = MAX_BYTES,
    timeout: float = 60.0,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> bytes:
    """The content at an address.

    Parameters
    ----------
    public, loopback : bool
        Whether it may be on the public internet, and on this machine.
    timeout : float
        Seconds for all of it.
    headers : mapping, optional
        To send along.
    tls : SSLContext, optional
        Default: the system's certificates.

    Raises
    ------
    UnsafeURLError
        It is no such address, by its text or by what its name resolves to.
    LimitError
        More than ``max_bytes``.
    APIError
        No answer within the time, or another one than 200.
    """
    checked_url(url, "url", public=public, loopback=loopback)
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    end = time.monotonic() + timeout
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    said = {"User-Agent": "runmask", "Accept-Encoding": "identity", **(headers or {})}
    with _faults_told(host, end):
        raw = _connected(_resolved(host, port, public, loopback), end)
        with closing(raw), _ended_at(end, raw):
            if secure:
                context = tls or ssl.create_default_context()
                raw = context.wrap_socket(raw, server_hostname=host)
            with closing(raw):
                kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
                connection = kind(host, port)
                connection.sock = raw
                connection.request("GET", target, headers=said)
                with closing(connection.getresponse()) as response:
                    return _content(response, host, max_bytes)


def _resolved(host: str, port: int, public: bool, loopback: bool) -> list[tuple[str, int]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for entry in found:
        address: Address = ipaddress.ip_address(str(entry[4][0]).partition("%")[0])
        if not is_allowed(address, public=public, loopback=loopback):
            where = "into a private network" if public else "beyond this machine"
            raise UnsafeURLError(f"the name {host[:80]!r} leads {where}", code="url_private")
    return [(str(entry[4][0]), port) for entry in found]


def _connected(addresses: list[tuple[str, int]], end: float) -> socket.socket:
    fault = OSError("the name has no address")
    for address in addresses:
        try:
            left = min(CONNECT_S, max(0.001, end - time.monotonic()))
            return socket.create_connection(address, left)
        except OSError as error:
            fault = error
    raise fault


@contextmanager
def _ended_at(end: float, connection: socket.socket) -> Iterator[None]:
    """Break the connection off at the end: a limit for each read would wait for one that drips."""
    handle = connection.dup()
    connection.settimeout(max(0.001, end - time.monotonic()))

    def end_it() -> None:
        with suppress(OSError):  # it may have ended by then
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, end - time.monotonic()), end_it)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        handle.close()


def _content(response: http.client.HTTPResponse, host: str, max_bytes: int) -> bytes:
    if response.status != 200:
        message = f"{host} answered {response.status}"
        raise StatusError(message, status=response.status, attempts=1)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise APIConnectionError(f"the answer of {host} is compressed, unasked", code="encoding")
    pieces: list[bytes] = []
    size = 0
    while piece := response.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            message = f"the answer of {host} is larger than {max_bytes} bytes"
            raise LimitError(message, code="response_bytes")
    if response.length:
        message = f"the answer of {host} broke off after {size} bytes"
        raise APIConnectionError(message, code="truncated", attempts=1, retryable=True)
    return b"".join(pieces)


@contextmanager
def _faults_told(host: str, end: float) -> Iterator[None]:
    """What the network's libraries raise, as errors of ours; late ones are the time's fault."""
    try:
        yield
    except ssl.SSLError as error:
        message = f"TLS with {host}: {repr(str(error)[:200])[1:-1]}"
        raise APIConnectionError(message, code="tls", attempts=1) from None
    except (OSError, http.client.HTTPException, ValueError, APIConnectionError) as error:
        if isinstance(error, (UnsafeURLError, LimitError)):
            raise
        if isinstance(error, TimeoutError) or time.monotonic() >= end:
            message = f"{host}: the time ran out"
            raise APITimeoutError(message, attempts=1, retryable=True) from None
        if isinstance(error, APIConnectionError):
            raise
        message = f"no answer from {host}: {repr(str(error)[:200])[1:-1]}"
        raise APIConnectionError(message, attempts=1, retryable=True) from None
    if time.monotonic() >= end:
        raise APITimeoutError(f"{host}: the time ran out", attempts=1, retryable=True)
