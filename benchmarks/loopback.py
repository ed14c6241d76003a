"""A server in a process of its own that does nothing but answer: Copyleaks' login, and a check.

with loopback.server() as origin: ...
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"
ANSWER = GOLDEN / "copyleaks_check_edited_1800x1350.json"
LOGIN = GOLDEN / "copyleaks" / "01_copyleaks_login_200.json"


class Answering(asyncio.Protocol):
    def __init__(self) -> None:
        self.head = b""
        self.missing = 0  # bytes of the body that are still to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.missing:
            self.head += data
            head, end, data = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            self.head = head
            self.missing = _length(head)
        self.missing -= len(data)
        if self.missing <= 0:
            self.transport.write(REPLIES[b"/login/" in self.head])
            self.head, self.missing = b"", 0


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def _reply(path: Path) -> bytes:
    body = path.read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


REPLIES = {True: _reply(LOGIN), False: _reply(ANSWER)}


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def server() -> Iterator[str]:
    """Its origin."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    asyncio.run(serve())
