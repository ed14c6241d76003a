"""Fetching what an answer names, such as a heatmap: without credentials, and from nowhere inside.

The address comes from a server, so it may be anything. The name is resolved once, every address it
has must be on the public internet, and the connection goes to one that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable

import httpcore2

from ..errors import APIError, LimitError, StatusError, UnsafeURLError
from .address import host_of
from .network import DeadlineNetwork, deadline
from .retry import Call, Reply, Request
from .transport import Settings, Transport
from .urls import Address, checked_url, is_public

MAX_BYTES = 64 * 2**20


def fetch(
    url: str,
    *,
    max_bytes: int = MAX_BYTES,
    timeout: float = 60.0,
    ca_bundle: str | None = None,
    allow_loopback: bool = False,
) -> bytes:
    """The content at an address. No redirect is followed, and nothing is sent twice.

    Raises
    ------
    UnsafeURLError
        It is no address on the public internet, by its text or by what its name resolves to.
    LimitError
        More than ``max_bytes``.
    APIError
        No answer within ``timeout`` seconds, or another one than 200.
    """
    checked_url(url, "url", loopback=allow_loopback)
    settings = Settings(
        connect_timeout=min(10.0, timeout),
        read_timeout=timeout,
        max_response_bytes=max_bytes,
        ca_bundle=ca_bundle,
        proxy=None,
    )
    transport = Transport(settings, _GuardedNetwork(allow_loopback))
    call = Call(deadline=time.monotonic() + timeout, clock=time.monotonic)
    request = Request(method="GET", url=url, headers={"User-Agent": "runmask"}, large=True)
    try:
        outcome = transport.send(request, call)
    finally:
        transport.close()
    if isinstance(outcome, Reply) and outcome.status == 200:
        return outcome.body
    if isinstance(outcome, (APIError, LimitError, UnsafeURLError)):
        raise outcome
    if isinstance(outcome, Reply):
        raise StatusError(
            f"{host_of(url)} answered {outcome.status}", status=outcome.status, attempts=1
        )
    raise outcome


class _GuardedNetwork(DeadlineNetwork):
    def __init__(self, allow_loopback: bool) -> None:
        super().__init__()
        self._allow_loopback = allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        fault: Exception = httpcore2.ConnectError("the name has no address")
        for address in self._checked(host, port):
            if time.monotonic() >= deadline.get():
                raise httpcore2.ConnectTimeout("deadline")
            try:
                return super().connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault

    def _checked(self, host: str, port: int) -> list[Address]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from None
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not is_public(address) and not (self._allow_loopback and address.is_loopback):
                raise UnsafeURLError(
                    f"the name {host[:80]!r} leads into a private network", code="url_private"
                )
        return addresses
