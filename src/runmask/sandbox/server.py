"""The sandbox as a server on loopback: in the foreground, or in a thread of this process."""

import asyncio
import ipaddress
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import InputError
from .app import HEALTH, MAX_HEAD, create_app
from .app import logger as requests_log
from .copyleaks import DEVELOPMENT_KEY
from .settings import NOTICE, Settings

START_S = 10  # a server that does not listen after that many seconds has failed
BACKLOG = 512
STOP_S = 5  # how long a stopping server waits for the requests in hand


def serve(host: str = "127.0.0.1", port: int = 8787, settings: Settings | None = None) -> None:
    """Serve the sandbox until Ctrl-C.

    Prints its address and its key once it listens, and a line for each request to stderr.

    Parameters
    ----------
    host : str
        An address of the loopback, or ``localhost``.
    port : int
        0 picks a free one.
    settings : Settings, optional
        The knobs.

    Raises
    ------
    InputError
        The address is not on the loopback, or cannot be used.
    """
    with listening(host, port) as sock:

        def say() -> None:
            origin = origin_of(sock)
            lines = (
                f"runmask sandbox on {origin} (Ctrl-C ends it)",
                f"  {NOTICE}",
                f"  Copyleaks: any e-mail address with the key {DEVELOPMENT_KEY}",
                f"  all that it serves: {origin}{HEALTH}",
            )
            print("\n".join(lines), flush=True)

        try:
            with requests_on_stderr():
                Server(settings or Settings(), say).run([sock])
        except KeyboardInterrupt:
            print("runmask sandbox stopped", file=sys.stderr)


@contextmanager
def requests_on_stderr() -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    level = requests_log.level
    requests_log.addHandler(handler)
    requests_log.setLevel(logging.INFO)
    try:
        yield
    finally:
        requests_log.setLevel(level)
        requests_log.removeHandler(handler)


@contextmanager
def running(
    settings: Settings | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Run the sandbox in a thread and give its origin, ``http://127.0.0.1:PORT``.

    It listens when the block begins and is gone when the block has ended.

    Raises
    ------
    InputError
        The address is not on the loopback, or cannot be used.
    """
    with listening(host, port) as sock:
        ready = threading.Event()
        server = Server(settings or Settings(), ready.set)
        thread = threading.Thread(
            target=server.run, args=([sock],), name="runmask-sandbox", daemon=True
        )
        thread.start()
        try:
            if not ready.wait(START_S):
                raise RuntimeError(f"the sandbox did not start within {START_S} s")
            yield origin_of(sock)
        finally:
            server.should_exit = True
            thread.join(2 * STOP_S)


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket on the loopback."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        ip = None
    if ip is None or not ip.is_loopback:
        raise InputError(
            f"host {host!r}: the sandbox listens on loopback only (127.0.0.1, ::1, localhost)"
        )
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


class Server(uvicorn.Server):
    """A uvicorn server of the sandbox that says when it listens."""

    def __init__(self, settings: Settings, on_ready: Callable[[], None]) -> None:
        class Protocol(PatientProtocol):
            patience_s = settings.header_timeout_s

        self.app = create_app(settings)
        super().__init__(
            uvicorn.Config(
                self.app,
                loop="asyncio",
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # its lines have the query in them, where some services put keys
                proxy_headers=False,
                server_header=False,
                limit_concurrency=settings.max_connections,
                h11_max_incomplete_event_size=MAX_HEAD,
                timeout_graceful_shutdown=STOP_S,
            )
        )
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:  # a second Ctrl-C would break off the analyses in hand, noisily
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self.app.state.workers.shutdown(wait=False)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits only so long for bytes nobody in the application waits for.

    These are the head of a request, and the rest of a body that was answered before its end.
    """

    patience_s: float = 10
    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.watch()

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
