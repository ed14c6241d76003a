"""The sockets under the clients.

httpx2's transport has no argument for the network, but the seam for transports is public, and so
are httpcore2's pools beneath it and their seam for network backends: :class:`PoolTransport` and
:class:`AsyncPoolTransport` join the two. The streams they open do two things:

- Every operation ends with the call. httpx2 limits the time of each read, and a peer that drips a
  byte a second passes any such limit. (In event loops a cancelled scope ends whatever is awaited.)
- They notice an answer that was there before its question: bytes that came after the end of one
  answer stay in the connection, and would be taken for the answer to the next request.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, cast

import httpcore2
import httpx2

_WRITE_SIZE = 64 * 1024
KEEP_ALIVE_S = 5.0

deadline: ContextVar[float] = ContextVar("deadline")
"""On the monotonic clock; to be set around each request."""

FAULTS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


class PoolTransport(httpx2.BaseTransport):
    """A transport of httpx2 over a pool with its own network. Raises what is in FAULTS."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        proxy: httpx2.Proxy | None,
        network: httpcore2.NetworkBackend,
    ) -> None:
        # As many connections as callers: one that waited for another's would run out of its time.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            proxy=None if proxy is None else _core_proxy(proxy),
            max_connections=None,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=network,
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._pool.handle_request(_core_request(request))
        return _response(answer, _Stream(answer))

    def close(self) -> None:
        self._pool.close()


class AsyncPoolTransport(httpx2.AsyncBaseTransport):
    """:class:`PoolTransport` for an event loop."""

    def __init__(self, tls: ssl.SSLContext, proxy: httpx2.Proxy | None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            proxy=None if proxy is None else _core_proxy(proxy),
            max_connections=None,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=_WatchedNetwork(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._pool.handle_async_request(_core_request(request))
        return _response(answer, _AsyncStream(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _AsyncStream(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


def _core_request(request: httpx2.Request) -> httpcore2.Request:
    return httpcore2.Request(
        method=request.method,
        url=_core_url(request.url),
        headers=request.headers.raw,
        content=cast(Any, request.stream),
        extensions=request.extensions,
    )


def _response(answer: httpcore2.Response, stream: _Stream | _AsyncStream) -> httpx2.Response:
    return httpx2.Response(
        status_code=answer.status,
        headers=answer.headers,
        stream=stream,
        extensions=answer.extensions,
    )


def _core_url(url: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _core_proxy(proxy: httpx2.Proxy) -> httpcore2.Proxy:
    return httpcore2.Proxy(
        url=_core_url(proxy.url),
        auth=proxy.raw_auth,
        headers=proxy.headers.raw,
        ssl_context=proxy.ssl_context,
    )


def seconds_left(timeout: float | None, expired: type[Exception]) -> float:
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise expired("deadline")
    return left if timeout is None else min(left, timeout)


class DeadlineNetwork(httpcore2.SyncBackend):
    """Opens streams whose every operation ends with the call."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        timeout = seconds_left(timeout, httpcore2.ConnectTimeout)
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _DeadlineStream(stream)


class _DeadlineStream(httpcore2.NetworkStream):
    """``heard``: whether anything was read since the last write."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream
        self.heard = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.heard = True
        return self._stream.read(max_bytes, seconds_left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.heard = False
        for at in range(0, len(buffer), _WRITE_SIZE):
            left = seconds_left(timeout, httpcore2.WriteTimeout)
            self._stream.write(buffer[at : at + _WRITE_SIZE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = seconds_left(timeout, httpcore2.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _WatchedNetwork(httpcore2.AnyIOBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _WatchedStream(stream)


class _WatchedStream(httpcore2.AsyncNetworkStream):
    """``heard``: as above."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self.heard = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.heard = True
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.heard = False
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return _WatchedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def check_heard(response: httpx2.Response) -> None:
    """Raises RemoteProtocolError for a response that was there before its request was sent."""
    stream = response.extensions["network_stream"]
    if not stream.heard:
        raise httpcore2.RemoteProtocolError("it answered before it was asked")
