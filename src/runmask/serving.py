"""What the servers of this library share: a listening socket, and patience with slow clients."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .errors import InputError, MissingDependencyError

try:
    import h11
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise MissingDependencyError.of(error.name, "sandbox", "a server") from error

BACKLOG = 512
START_S = 10  # a server that does not listen after that many seconds has failed
STOP_S = 5  # how long a stopping server waits for the requests in hand
MAX_HEAD = 16 * 1024  # bytes of all headers together
CONNECTION = "runmask.connection"
"""The key in an ASGI scope's ``extensions`` of the request's connection, a PatientProtocol."""


def listening(host: str, port: int, *, who: str | None = None) -> socket.socket:
    """Return a listening socket; for ``who``, on the loopback only."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        ip = None
    if who is not None and (ip is None or not ip.is_loopback):
        raise InputError(
            f"host {host!r}: {who} listens on loopback only (127.0.0.1, ::1, localhost)"
        )
    if ip is None:
        raise InputError(f"host {host!r}: not an address of this machine, such as 127.0.0.1")
    if not 0 <= port <= 65535:
        raise InputError(f"port {port}: 0 to 65535 are ports, and 0 picks a free one")
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    # With the protocol named, asyncio switches Nagle's delay off: it looks for exactly that.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would allow two servers on one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise InputError(f"{host} port {port} cannot be used: {error.strerror}") from error
    return sock


def origin_of(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def in_thread(make: Callable[[Callable[[], object]], Server], sock: socket.socket) -> Iterator[str]:
    """Run the server that ``make`` gives, which calls its argument once it listens; its origin."""
    ready = threading.Event()
    server = make(ready.set)
    thread = threading.Thread(target=server.run, args=([sock],), name="runmask-server", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_S):
            raise RuntimeError(f"the server did not start within {START_S} s")
        yield origin_of(sock)
    finally:
        server.should_exit = True
        thread.join(2 * STOP_S)


@contextmanager
def lines_on_stderr(logger: logging.Logger) -> Iterator[None]:
    """Show what a logger tells of requests."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class Server(uvicorn.Server):
    """A uvicorn server without logs of its own that says when it listens."""

    def __init__(
        self,
        app: Any,
        on_ready: Callable[[], object],
        *,
        max_connections: int,
        header_timeout_s: float,
    ) -> None:
        class Protocol(PatientProtocol):
            patience_s = header_timeout_s

        self.app = app
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # its lines have the query in them, where some services put keys
                proxy_headers=False,
                server_header=False,
                limit_concurrency=max_connections,
                h11_max_incomplete_event_size=MAX_HEAD,
                timeout_graceful_shutdown=STOP_S,
            )
        )
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:  # a second Ctrl-C would break off what is in hand, noisily
            super().handle_exit(sig, frame)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits only so long for bytes nobody in the application waits for.

    These are the head of a request, and the rest of a body that was answered before its end.
    """

    patience_s: float = 10
    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CONNECTION] = self
            await app(scope, receive, send)

        self.app = with_connection
        self.watch()

    def close(self) -> None:
        """End the connection when what was written has left."""
        self.transport.close()

    def reset(self) -> None:
        """End the connection at once, so that the other side sees a reset."""
        at_once = struct.pack("ii", 1, 0)  # linger for no time
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, at_once
        )
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.patience is not None:
            self.patience.cancel()
        super().connection_lost(exc)

    def watch(self) -> None:
        answered = self.cycle is not None and self.cycle.response_complete
        theirs = self.conn.their_state
        waiting = theirs is h11.IDLE or (theirs is h11.SEND_BODY and answered)
        if waiting and self.patience is None:
            self.patience = self.loop.call_later(self.patience_s, self.transport.close)
        elif not waiting and self.patience is not None:
            self.patience.cancel()
            self.patience = None
