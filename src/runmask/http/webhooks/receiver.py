"""The receiver of webhooks, as an ASGI application of its own or mounted in another.

::

    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(secret), handler=deal_with)
    app = Starlette(routes=[Mount("/hooks", receiver)], lifespan=receiver.lifespan)

The paths are in :class:`Receiver`'s help. What happens is told to the logger ``runmask.webhooks``.

Answers: 200 when the event is on the disk, new or not; 401 without a word of detail to whoever did
not prove who it is; 400, 408, 413 for a body that is none, too slow, or too large; 404 and 405; and
503 with ``Retry-After`` if there is too much at once, or the disk failed: services send again.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread

from ...errors import LimitError, OutputError, ResponseFormatError, SignatureError
from .events import Event, Service, read_aidetector, read_copyleaks, read_sightengine
from .inbox import SMALL, Inbox
from .senders import AIDetectorWebhook, Check, CopyleaksWebhook, SightengineWebhook

logger = logging.getLogger("runmask.webhooks")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BYTES: Mapping[Service, int] = {
    "copyleaks": 64 * 2**20,  # the runs of a mask
    "aidetector": 8 * 2**20,  # a batch of 100
    "sightengine": 2**20,
}
RETRY_AFTER_S = 5
_POLL_S = 1.0


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers


@dataclass(frozen=True)
class _Call:
    """Whom a request claims to be from, and what is left to check."""

    service: Service
    check: Check | None
    scan_id: str = ""


class Receiver:
    """Takes webhooks, checks who sent them, and keeps them in an inbox before it says so.

    ::

        POST /copyleaks/{scan id}/{token}    the address that CopyleaksWebhook made; instead of
                                             /copyleaks the path of its own ``url``
        POST /aidetector                     what to enter in the service's dashboard
        POST /sightengine

    All of them below the place where it is mounted; :attr:`paths` tells them.

    Parameters
    ----------
    inbox : Inbox
    copyleaks, aidetector, sightengine : optional
        The senders to listen to. To the paths of others the answer is 404.
    handler : callable, optional
        Called with each :class:`Event`, in a thread, once the event is on the disk: the service's
        answer does not wait for it. What it raises is logged, and the event comes again later.
        Without one, the inbox is yours to process, in this process or another.
    max_bytes : mapping, optional
        The largest body of each service, after decompression.
    max_waiting : int
        How many requests are in hand at most.
    body_timeout : float
        Seconds for a body to arrive.

    Notes
    -----
    Events that a former run has left are handled from :meth:`start` on. A server calls that, by
    ASGI's lifespan, where the receiver is its application. Where it is mounted in another, pass
    :meth:`lifespan` to that one, or enter it in its own; else it begins with the first request.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        copyleaks: CopyleaksWebhook | None = None,
        aidetector: AIDetectorWebhook | None = None,
        sightengine: SightengineWebhook | None = None,
        handler: Callable[[Event], object] | None = None,
        max_bytes: Mapping[Service, int] | None = None,
        max_waiting: int = 1000,
        body_timeout: float = 30.0,
    ) -> None:
        self.inbox = inbox
        self._copyleaks = copyleaks
        self._signing: dict[str, tuple[Service, AIDetectorWebhook | SightengineWebhook]] = {}
        if aidetector is not None:
            self._signing["aidetector"] = ("aidetector", aidetector)
        if sightengine is not None:
            self._signing["sightengine"] = ("sightengine", sightengine)
        self._max_bytes = {**MAX_BYTES, **(max_bytes or {})}
        self._max_waiting = max_waiting
        self._body_timeout = body_timeout
        self._waiting = 0
        self._large = threading.BoundedSemaphore(2)  # bodies in memory that are not small
        self._worker = None if handler is None else _Worker(inbox, handler)

    @property
    def paths(self) -> dict[Service, str]:
        """Where each service's webhooks are taken, below the place of the receiver itself."""
        paths: dict[Service, str] = {name: f"/{name}" for name, _ in self._signing.values()}
        return paths if self._copyleaks is None else paths | {"copyleaks": self._copyleaks.pattern}

    def start(self) -> None:
        """Begin to call the handler, with what is pending first; again after :meth:`close`."""
        if self._worker is not None:
            self._worker.start()

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Start, and close at the end: the ``lifespan`` of the application it is mounted in."""
        self.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(self.close)

    def close(self) -> None:
        """Stop calling the handler; what is pending is for the next start."""
        if self._worker is not None:
            self._worker.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise NotImplementedError(f"webhooks come by HTTP, not {scope['type']}")
        if self._worker is not None and not self._worker.stopping:
            self._worker.start()
        try:
            status, headers = await self._answer(scope, receive), {}
        except _RefusedError as refused:
            status, headers = refused.status, refused.headers
            logger.info("%d %s", status, refused)
        body = b"{}" if status == 200 else b""
        if status == 400:  # where a body ends is in doubt: what follows may be another's request
            headers["Connection"] = "close"
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(body)).encode()),
                    *(
                        (name.replace("_", "-").encode(), value.encode())
                        for name, value in headers.items()
                    ),
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await anyio.to_thread.run_sync(self.close)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> int:
        headers = _headers(scope)
        call = self._call(scope, headers)
        if self._waiting >= self._max_waiting:
            raise _RefusedError(503, "too much at once", Retry_After=str(RETRY_AFTER_S))
        self._waiting += 1
        try:
            return await self._take(call, headers, receive)
        finally:
            self._waiting -= 1

    def _call(self, scope: Scope, headers: Mapping[str, str]) -> _Call:
        """Find the sender, and refuse what can be refused before a byte of the body is read."""
        whole = str(scope["path"])
        path = whole.removeprefix(str(scope.get("root_path", "")))
        signing = self._signing.get(path.strip("/"))
        scan = None if self._copyleaks is None else self._copyleaks.named_by(whole, path)
        if signing is None and scan is None:
            raise _RefusedError(404, "no such path")
        if scope["method"] != "POST":
            raise _RefusedError(405, "not POST", Allow="POST")
        if "content-length" in headers and "transfer-encoding" in headers:
            raise _RefusedError(400, "two headers tell where the body ends")
        try:
            if signing is not None:
                service, sender = signing
                return _Call(service, sender.check(headers))
            assert self._copyleaks is not None
            assert scan is not None
            service = "copyleaks"
            _tell_of_age(service, self._copyleaks.verify_address(*scan))
            return _Call(service, None, scan[0])
        except SignatureError as error:
            raise _RefusedError(401, f"{service}: {error}") from None

    async def _take(self, call: _Call, headers: Mapping[str, str], receive: Receive) -> int:
        most = self._max_bytes[call.service]
        declared = headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > most):
            raise _RefusedError(413, f"{call.service}: over {most} bytes")
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            raise _RefusedError(415, f"{call.service}: an unknown Content-Encoding")
        with self.inbox.spool() as spool:
            unpack = _Unpacking(most) if encoding == "gzip" else _Plain(most)
            with anyio.move_on_after(self._body_timeout) as scope:
                async for chunk in _chunks(receive):
                    if call.check is not None:
                        call.check.update(chunk)
                    for piece in unpack.pieces(chunk):
                        spool.write(piece)
                unpack.end()
            if scope.cancelled_caught:
                raise _RefusedError(408, f"{call.service}: the body did not come in time")
            try:
                if call.check is not None:
                    _tell_of_age(call.service, call.check.finish())
                return await anyio.to_thread.run_sync(self._keep, call, spool, unpack.size)
            except SignatureError as error:
                raise _RefusedError(401, f"{call.service}: {error}") from None
            except (ResponseFormatError, LimitError) as error:
                raise _RefusedError(400, f"{call.service}: {error}") from None
            except OutputError as error:
                logger.error("%s", error)
                raise _RefusedError(503, str(error), Retry_After=str(RETRY_AFTER_S)) from None

    def _keep(self, call: _Call, spool: Any, size: int) -> int:
        if size > SMALL:
            with self._large:
                return self._store(call, spool)
        return self._store(call, spool)

    def _store(self, call: _Call, spool: Any) -> int:
        spool.seek(0)
        event = self._read(call, spool.read())
        outcome = self.inbox.store(event)
        logger.info("%s %s %r: %s", event.service, event.kind, event.subject, outcome)
        if self._worker is not None and outcome == "new":
            self._worker.wake()
        return 200

    def _read(self, call: _Call, body: bytes) -> Event:
        if call.service == "aidetector":
            return read_aidetector(body)
        if call.service == "sightengine":
            return read_sightengine(body)
        event = read_copyleaks(body, call.scan_id)
        told = event.answer.get("scannedDocument")
        named = told.get("scanId") if isinstance(told, Mapping) else None
        if named is not None and named != call.scan_id:
            raise SignatureError("the body is about another scan than its address")
        payload = event.answer.get("developerPayload")
        if payload is None or self._copyleaks is None:  # no page promises it for images
            return event
        own = self._copyleaks.verify_payload(call.scan_id, payload)
        return Event(
            service=event.service, kind=event.kind, subject=event.subject, payload=own, body=body
        )


def _tell_of_age(service: str, place: int) -> None:
    """So that it can be seen when an old secret is used no more."""
    if place:
        logger.warning("%s: verified by an older secret, number %d of the list", service, place + 1)


def _headers(scope: Scope) -> dict[str, str]:
    """Names in lower case, repeated ones joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def _chunks(receive: Receive) -> Any:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _RefusedError(400, "the connection ended before the body")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


class _Plain:
    """A body as it comes, up to a size."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = 0

    def pieces(self, chunk: bytes) -> list[bytes]:
        self.size += len(chunk)
        if self.size > self._most:
            raise _RefusedError(413, f"over {self._most} bytes")
        return [chunk]

    def end(self) -> None:
        pass


class _Unpacking(_Plain):
    """A compressed body, never more of it in memory than a little."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._unpack = zlib.decompressobj(wbits=31)

    def pieces(self, chunk: bytes) -> list[bytes]:
        found: list[bytes] = []
        while chunk and not self._unpack.eof:
            try:
                piece = self._unpack.decompress(chunk, SMALL)
            except zlib.error:
                raise _RefusedError(400, "not compressed as its header says") from None
            found += super().pieces(piece)
            chunk = self._unpack.unconsumed_tail
        return found

    def end(self) -> None:
        if not self._unpack.eof:
            raise _RefusedError(400, "the compressed body is cut off")


class _Worker:
    """A thread that hands events to a handler, as they come and as they fall due."""

    def __init__(self, inbox: Inbox, handler: Callable[[Event], object]) -> None:
        self._inbox = inbox
        self._handler = handler
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self.stopping = False

    def start(self) -> None:
        with self._lock:
            self.stopping = False
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="runmask-webhooks", daemon=True
                )
                self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        with self._lock:
            self.stopping = True
            self._wake.set()
            if self._thread is not None:
                self._thread.join(10)
                if not self._thread.is_alive():
                    self._thread = None

    def _run(self) -> None:
        while not self.stopping:
            self._wake.clear()
            try:
                self._inbox.process(self._handled)
            except OutputError as error:
                logger.error("%s", error)
            self._wake.wait(_POLL_S)

    def _handled(self, event: Event) -> None:
        try:
            self._handler(event)
        except Exception:
            logger.exception("the handler failed on %s %r", event.kind, event.subject)
            raise
