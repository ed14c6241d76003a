"""A server that misbehaves by script: a real TCP socket, raw bytes, and a ledger of charges.

It plays Copyleaks. Logins are answered by themselves unless scripted; every other request takes the
next answer of the script. A scan id is charged when a check of it has arrived completely and its
answer is marked ``charge``.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from typing import BinaryIO, Literal
from urllib.parse import unquote

LOGIN = b"/v3/account/login/api"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer, and how it goes wrong.

    ``framing``: with Content-Length, chunked, or ended by closing. ``declared``: a Content-Length
    that is not the body's. ``cut``: only so many bytes of the whole answer leave, then the
    connection closes. ``reset``: a hard reset after the request's headers, after half its body,
    or after all of it. ``drip_s``: seconds between single bytes, from the first on. ``delay_s``:
    before the first byte. ``hold``: read nothing of the request's body and answer nothing.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    framing: Literal["length", "chunked", "close"] = "length"
    declared: int | None = None
    cut: int | None = None
    reset: Literal["headers", "half", "all"] | None = None
    drip_s: float = 0.0
    delay_s: float = 0.0
    hold: bool = False
    charge: bool = False

    def raw(self) -> bytes:
        head = [f"HTTP/1.1 {self.status} X"]
        if not any(name.lower() == "content-type" for name, _ in self.headers):
            head.append("Content-Type: application/json")
        head += [f"{name}: {value}" for name, value in self.headers]
        body = self.body
        if self.framing == "length":
            head.append(f"Content-Length: {len(body) if self.declared is None else self.declared}")
        elif self.framing == "chunked":
            head.append("Transfer-Encoding: chunked")
            body = b"".join((b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n"))
        else:
            head.append("Connection: close")
        return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Received:
    method: bytes
    target: bytes
    headers: dict[str, str]
    body: bytes = field(repr=False)


def login_answer(token: str, life_s: float = 48 * 3600) -> Answer:
    issued = "2026-11-20T08:15:02.1840771Z"
    days, rest = divmod(8 * 3600 + 15 * 60 + 2 + life_s, 86400)
    clock = time.strftime("%H:%M:%S", time.gmtime(rest)) + f"{rest % 1:.7f}"[1:]
    expires = f"2026-11-{20 + int(days)}T{clock[:16]}Z"
    body = {"access_token": token, ".issued": issued, ".expires": expires}
    return Answer(body=json.dumps(body).encode())


class FaultServer:
    """``requests``, ``logins`` and ``charges`` tell what came; see :func:`faulty`."""

    def __init__(
        self,
        answers: Iterable[Answer],
        logins: Iterable[Answer] | None,
        by_headers: Callable[[dict[str, str]], Answer] | None,
        late_s: float,
    ) -> None:
        self._late_s = late_s
        self._answers = iter(answers)
        self._by_headers = by_headers
        self._login_answers = None if logins is None else iter(logins)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        if not late_s:
            self._listener.listen(128)
        self._stopping = threading.Event()
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[Received] = []
        self.logins = 0
        self.connections = 0
        self.charges: Counter[str] = Counter()

    def run(self) -> None:
        if self._late_s:
            self._stopping.wait(self._late_s)
            self._listener.listen(128)
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as buffer:
            while self._one(connection, buffer):
                pass
        with self._lock:
            self._open.discard(connection)

    def _one(self, connection: socket.socket, buffer: BufferedReader) -> bool:
        """One request; whether the connection lives on."""
        if buffer.peek(1)[:1] == b"\x16":  # a greeting in TLS
            buffer.read1(2**16)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return False
        line = buffer.readline(2**16)
        if line.count(b" ") < 2:
            return False
        method, target, _ = line.split(b" ", 2)
        headers = _headers(buffer)
        answer = self._next_answer(target, headers)
        if answer.hold:
            self._stopping.wait(30)
            return False
        if answer.reset == "headers":
            return _reset(connection)
        length = int(headers.get("content-length", "0"))
        if answer.reset == "half":
            buffer.read(length // 2)
            return _reset(connection)
        body = buffer.read(length)
        if len(body) < length:
            return False
        with self._lock:
            self.requests.append(Received(method, target, headers, body))
            if answer.charge:
                self.charges[unquote(target.split(b"/")[-2].decode())] += 1
        if answer.reset == "all":
            return _reset(connection)
        self._stopping.wait(answer.delay_s)
        raw = answer.raw()[: answer.cut]
        if answer.drip_s:
            for at in range(len(raw)):
                connection.sendall(raw[at : at + 1])
                if self._stopping.wait(answer.drip_s):
                    return False
        else:
            connection.sendall(raw)
        return answer.cut is None and answer.framing != "close" and answer.declared is None

    def _next_answer(self, target: bytes, headers: dict[str, str]) -> Answer:
        with self._lock:
            if target.endswith(LOGIN):
                self.logins += 1
                if self._login_answers is None:
                    return login_answer(f"token-{self.logins:04}")
                return next(self._login_answers)
            if self._by_headers is not None:
                return self._by_headers(headers)
            return next(self._answers, Answer(status=599, body=b"the script is at its end"))


def _headers(buffer: BinaryIO) -> dict[str, str]:
    headers = {}
    while (line := buffer.readline(2**16)) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _reset(connection: socket.socket) -> bool:
    """Without lingering, closing sends a reset instead of a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


@contextmanager
def faulty(
    *answers: Answer,
    logins: Iterable[Answer] | None = None,
    by_headers: Callable[[dict[str, str]], Answer] | None = None,
    late_s: float = 0.0,
) -> Iterator[FaultServer]:
    """Run a server that gives these answers, one a request, or those that ``by_headers`` chooses.

    ``logins``: the answers to logins. ``late_s``: until then connections are refused.
    """
    server = FaultServer(answers, logins, by_headers, late_s)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
