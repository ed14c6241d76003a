"""The sandbox as a server on loopback: in the foreground, or in a thread of this process."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from .. import serving
from ..serving import origin_of
from .aidetector import KEY_PREFIX
from .app import HEALTH, create_app
from .app import logger as requests_log
from .copyleaks import DEVELOPMENT_KEY
from .settings import NOTICE, Settings
from .sightengine import DEVELOPMENT

USER, SECRET = DEVELOPMENT


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
                f"  Copyleaks: any e-mail address with the key {DEVELOPMENT_KEY};"
                f" AIDetector: any key that begins with {KEY_PREFIX};"
                f" Sightengine: user {USER}, secret {SECRET}",
                f"  all that it serves: {origin}{HEALTH}",
            )
            print("\n".join(lines), flush=True)

        try:
            with serving.lines_on_stderr(requests_log):
                Server(settings or Settings(), say).run([sock])
        except KeyboardInterrupt:
            print("runmask sandbox stopped", file=sys.stderr)


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket on the loopback."""
    return serving.listening(host, port, who="the sandbox")


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
        make = partial(Server, settings or Settings())
        with serving.in_thread(make, sock) as origin:
            yield origin


class Server(serving.Server):
    """The server of a sandbox."""

    def __init__(self, settings: Settings, on_ready: Callable[[], None]) -> None:
        super().__init__(
            create_app(settings),
            on_ready,
            max_connections=settings.max_connections,
            header_timeout_s=settings.header_timeout_s,
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self.app.state.workers.shutdown(wait=False)
