"""Sending one request over the network.

Both transports turn whatever happens into a value, a :class:`Reply` or an error that is not raised
yet: so no exception of the HTTP library, which holds the request and its secrets, is in the chain
or the traceback of ours.
"""

from __future__ import annotations

import io
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpcore2
import httpx2

from ..errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APITimeoutError,
    InputError,
    LimitError,
    MissingDependencyError,
    shown,
)
from . import network
from .address import host_of
from .retry import Call, Reply, Request, out_of_time
from .secret import Secret

T = TypeVar("T")

SMALL_BODY = 2**20
MAX_SMALL_ANSWER = 2**20  # of a refusal, a login, or anything else but what was paid for


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Times in seconds, sizes in bytes. A proxy's address may hold a password."""

    connect_timeout: float
    read_timeout: float
    max_response_bytes: int
    ca_bundle: str | None
    proxy: Secret | None


class Transport:
    """For threads: sends, sleeps, and lets one caller at a time in."""

    def __init__(
        self, settings: Settings, connections: httpcore2.NetworkBackend | None = None
    ) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        transport = network.PoolTransport(
            tls_context(settings.ca_bundle),
            _proxy(settings.proxy),
            connections or network.DeadlineNetwork(),
        )
        self._client = httpx2.Client(transport=transport, **_client_options())

    def send(self, request: Request, call: Call) -> Reply | Exception:
        exchange = _Exchange(request, self._settings, call)
        token = network.deadline.set(time.monotonic() + call.left())
        try:
            with exchange.watching():
                built = _in_one_piece(
                    self._client.build_request(**exchange.arguments(exchange.trace))
                )
                response = self._client.send(built, stream=True)
                try:
                    exchange.began(response)
                    for chunk in response.iter_bytes():
                        exchange.take(chunk)
                finally:
                    response.close()
        finally:
            network.deadline.reset(token)
        return exchange.outcome()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    @contextmanager
    def exclusive(self, call: Call) -> Iterator[None]:
        if not self._lock.acquire(timeout=max(0.0, call.left())):
            raise out_of_time(call)
        try:
            yield
        finally:
            self._lock.release()

    def close(self) -> None:
        self._client.close()


class AsyncTransport:
    """For the tasks of one event loop: as :class:`Transport`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = anyio.Lock()
        self._loop: object = None
        transport = network.AsyncPoolTransport(
            tls_context(settings.ca_bundle), _proxy(settings.proxy)
        )
        self._client = httpx2.AsyncClient(transport=transport, **_client_options())

    async def send(self, request: Request, call: Call) -> Reply | Exception:
        exchange = _Exchange(request, self._settings, call)
        with exchange.watching(), anyio.fail_after(max(0.0, call.left())):
            built = _in_one_piece(
                self._client.build_request(**exchange.arguments(exchange.async_trace))
            )
            response = await self._client.send(built, stream=True)
            try:
                exchange.began(response)
                async for chunk in response.aiter_bytes():
                    exchange.take(chunk)
            finally:
                await response.aclose()
        return exchange.outcome()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    @asynccontextmanager
    async def exclusive(self, call: Call) -> AsyncIterator[None]:
        with anyio.move_on_after(max(0.0, call.left())) as scope:
            await self._lock.acquire()
        if scope.cancelled_caught:
            raise out_of_time(call)
        try:
            yield
        finally:
            self._lock.release()

    async def in_thread(self, function: Callable[[], T]) -> T:
        """For what blocks, such as reading a file."""
        return await anyio.to_thread.run_sync(function)

    def bind(self) -> None:
        """Refuse a second event loop: the connections belong to the first."""
        loop = anyio.lowlevel.current_token()
        if self._loop is None:
            self._loop = loop
        if self._loop != loop:
            raise RuntimeError(
                "this client was used in another event loop; make one client per event loop"
            )

    async def close(self) -> None:
        await self._client.aclose()


def _client_options() -> dict[str, Any]:
    # The environment names proxies and .netrc files; a key must not go their way unasked.
    # And cookies are for browsers.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    plain = {"trust_env": False, "follow_redirects": False, "timeout": None}
    return plain | {"cookies": no_cookies}


def _in_one_piece(request: httpx2.Request) -> httpx2.Request:
    """A form as one small body: the library would send each line of it on its own."""
    if int(request.headers.get("Content-Length", "0")) < SMALL_BODY:
        request.read()
    return request


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    if ca_bundle is None:
        return _system_tls_context()
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ValueError) as error:
        raise InputError(f"ca_bundle {shown(ca_bundle)}: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@cache
def _system_tls_context() -> ssl.SSLContext:
    """Reading all certificates of the system takes 40 ms: once is enough for all clients."""
    context = httpx2.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _proxy(address: Secret | None) -> httpx2.Proxy | None:
    if address is None:
        return None
    with suppress(ValueError, httpx2.InvalidURL):
        proxy = httpx2.Proxy(address.reveal())
        if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
            raise MissingDependencyError.of("socksio", "http", "a SOCKS proxy")
        return proxy
    raise InputError("proxy: not an address such as 'http://proxy.example.org:3128'")


_TIMEOUTS = (httpcore2.TimeoutException, TimeoutError)
_NO_CONNECTION = (httpcore2.ConnectTimeout, httpcore2.PoolTimeout)
_UNASKABLE = (
    *(httpx2.InvalidURL, httpx2.UnsupportedProtocol),
    *(httpcore2.UnsupportedProtocol, httpcore2.LocalProtocolError),
)


class _Pieces(io.BytesIO):
    """Read a megabyte at a time: the time limit for silence is one for each piece.

    The library would read less, and each piece costs a turn of the event loop.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(-1 if size is None or size < 0 else max(size, SMALL_BODY))


class _TooLargeError(Exception):
    pass


_FAULTS = (httpx2.HTTPError, httpx2.InvalidURL, *network.FAULTS, OSError, _TooLargeError)


class _Exchange:
    """One request on its way: what has been sent, what came, and what went wrong."""

    def __init__(self, request: Request, settings: Settings, call: Call) -> None:
        self._request = request
        self._settings = settings
        self._call = call
        self._body_began = False
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = 0
        self._fault: Exception | None = None

    def arguments(self, trace: Any) -> dict[str, Any]:
        """Of ``build_request``."""
        request, settings, left = self._request, self._settings, max(0.0, self._call.left())
        connect, read = min(settings.connect_timeout, left), min(settings.read_timeout, left)
        files = [
            (name, (filename, _Pieces(content), media_type))
            for name, (filename, content, media_type) in request.files
        ]
        return {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "content": request.content,
            "data": dict(request.fields) or None,
            "files": files or None,
            "timeout": httpx2.Timeout(connect=connect, read=read, write=read, pool=left),
            "extensions": {"trace": trace},
        }

    def trace(self, event: str, info: object) -> None:
        self._body_began |= event.endswith("send_request_body.started")

    async def async_trace(self, event: str, info: object) -> None:
        self.trace(event, info)

    def began(self, response: httpx2.Response) -> None:
        network.check_heard(response)
        self._status = response.status_code
        self._headers = dict(response.headers)
        length = self._headers.get("content-length", "")
        if length.isdecimal() and len(length) < 19 and not self._refused():
            self._check_size(int(length))

    def take(self, chunk: bytes) -> None:
        room = self._limit() - self._size
        self._size += len(chunk)
        self._chunks.append(chunk[:room])
        self._check_size(self._size)

    def _check_size(self, size: int) -> None:
        if size > self._limit():
            raise _TooLargeError

    def _limit(self) -> int:
        most = self._settings.max_response_bytes
        large = (self._request.billed or self._request.large) and not self._refused()
        return most if large else min(most, MAX_SMALL_ANSWER)

    def _refused(self) -> bool:
        return self._status is not None and self._status >= 300

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep what goes wrong within, as an error of ours that has no context."""
        try:
            yield
        except _FAULTS as error:
            self._fault = self._explained(error)

    def outcome(self) -> Reply | Exception:
        if self._fault is not None and not self._refused():
            return self._fault
        # A refusal is one by its status alone, even if its body broke off or is cut.
        status, body = self._status or 0, b"".join(self._chunks)
        return Reply(status=status, headers=self._headers, body=body)

    def _explained(self, error: Exception) -> Exception:
        host = host_of(self._request.url)
        known: dict[str, Any] = {
            "status": self._status,
            "billed": "unknown" if self._request.billed and self._body_began else "no",
            # What was paid for is kept; half an answer to a login may hold a token.
            "body": b"".join(self._chunks) if self._request.billed else b"",
        }
        if isinstance(error, _TooLargeError):
            return LimitError(
                f"the answer of {host} is larger than {self._limit()} bytes"
                + (" (max_response_bytes)" if self._request.billed else "")
                + ("; it may have been billed" if known["billed"] != "no" else ""),
                code="response_bytes",
            )
        if isinstance(error, _TIMEOUTS):
            return self._timeout(error, host, known)
        cause = _tls_cause(error)
        if cause is not None:
            return APIConnectionError(f"TLS with {host}: {_told(cause)}", code="tls", **known)
        if isinstance(error, httpx2.DecodingError):
            message = f"the answer of {host} is not in its Content-Encoding: {_told(error)}"
            return APIResponseError(message, code="encoding", retryable=True, **known)
        if self._status is not None:
            message = f"the answer of {host} broke off after {self._size} bytes: {_told(error)}"
            return APIConnectionError(message, code="truncated", retryable=True, **known)
        if isinstance(error, _UNASKABLE):
            return APIConnectionError(f"cannot ask {host}: {_told(error)}", **known)
        phase = "no answer from" if self._body_began else "no connection to"
        return APIConnectionError(f"{phase} {host}: {_told(error)}", retryable=True, **known)

    def _timeout(self, error: Exception, host: str, known: dict[str, Any]) -> APIError:
        settings = self._settings
        if self._call.left() <= 0:
            reason = "the time limit of the call ran out"
        elif isinstance(error, _NO_CONNECTION):
            reason = f"no connection within {settings.connect_timeout:g} s"
        elif isinstance(error, httpcore2.WriteTimeout):
            reason = f"it took nothing of the request for {settings.read_timeout:g} s"
        else:
            reason = f"it sent nothing for {settings.read_timeout:g} s"
        return APITimeoutError(f"{host}: {reason}", retryable=True, **known)


def _tls_cause(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _told(error: Exception) -> str:
    """The library's words, escaped."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"the certificate is refused: {error.verify_message}"
        if "expired" in text or "not yet valid" in text:
            text += " (or the clock of this machine is wrong)"
    else:
        text = str(error) or type(error).__name__
    return repr(text[:200])[1:-1]
