"""What every client is made of, and the two drivers: one for threads, one for event loops.

The protocol of a service is in generators that both of its clients share (:mod:`.retry`); the
drivers only send, sleep, lock, and run what blocks.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Literal, NoReturn, Self, TypedDict, TypeVar

from ..errors import InputError, advised, shown
from ..formats import MAX_BYTES
from .address import checked_origin, host_of, is_loopback
from .cache import Cache, key_of, opened
from .pace import Pace, Rate
from .retry import Blocking, Call, Flow, Policy, Request, Wait
from .secret import Secret
from .transport import AsyncTransport, Settings, Transport
from .upload import Upload

T = TypeVar("T")

RateLimit = Rate | Literal["published"] | None


class Options(TypedDict, total=False):
    """What all clients take beside their own arguments; none of it need be given.

    connect_timeout, read_timeout, total_timeout : float
        Seconds: for a connection (10), for each silence of the service (180), and for a whole call
        with all its attempts and waits (300).
    retries : int
        How often a request is sent again (3).
    backoff : float
        Seconds: the first wait is random up to this (1), each further one up to twice as long, at
        most 60. A wait that the service names is kept to, up to 120 s.
    resend_ambiguous : bool
        Send again what may have been billed already: after a lost connection, a time limit, or an
        error 5xx. Default: raise, with ``billed == "unknown"``.
    rate_limit : Rate or None or "published"
        How fast this client asks at most. Default, ``"published"``: as fast as the service's pages
        allow, and without limit where a service on this machine stands in for it.
    cache : Cache or path or None
        Where to keep answers, so that the same image is not paid for twice. Default: nowhere.
    max_response_bytes : int
        The largest answer that is read, after decompression (256 MiB).
    ca_bundle : path, optional
        Certificates to trust instead of the system's.
    proxy : str, optional
        The address of a proxy. Those that the environment names are not used.
    allow_custom_host : bool
        Send a real key to hosts that are neither the service's nor this machine.
    """

    connect_timeout: float
    read_timeout: float
    total_timeout: float
    retries: int
    backoff: float
    resend_ambiguous: bool
    rate_limit: RateLimit
    cache: Cache | str | os.PathLike[str] | None
    max_response_bytes: int
    ca_bundle: str | os.PathLike[str] | None
    proxy: str | None
    allow_custom_host: bool


class Client:
    """Settings, and the rules for using a client; without any protocol.

    A client calls :meth:`_open` once, with its keys already wrapped.
    """

    _service: str
    _official_hosts: frozenset[str]

    _closed = False
    _secrets: Sequence[Secret] = ()
    _origins: Sequence[str] = ()

    def _open(
        self,
        secrets: Sequence[Secret],
        origins: Mapping[str, str],
        *,
        real: bool,
        connect_timeout: float = 10.0,
        read_timeout: float = 180.0,
        total_timeout: float = 300.0,
        retries: int = 3,
        backoff: float = 1.0,
        resend_ambiguous: bool = False,
        rate_limit: RateLimit = "published",
        cache: Cache | str | os.PathLike[str] | None = None,
        max_response_bytes: int = MAX_BYTES,
        ca_bundle: str | os.PathLike[str] | None = None,
        proxy: Secret | None = None,
        allow_custom_host: bool = False,
    ) -> None:
        """``origins`` by the name of the argument; ``real``: the key is not one for a sandbox."""
        self._origins = [checked_origin(url, name) for name, url in origins.items()]
        if real and not allow_custom_host:
            self._check_hosts()
        self._policy = Policy(
            retries=whole(retries, "retries", 0),
            backoff_s=positive(backoff, "backoff"),
            resend_ambiguous=resend_ambiguous,
        )
        self._rate_limit = _checked_rate(rate_limit)
        self._cache = opened(cache)
        self._cache_is_ours = self._cache is not None and self._cache is not cache
        self._total_timeout = positive(total_timeout, "total_timeout")
        self._max_response_bytes = whole(max_response_bytes, "max_response_bytes", 1)
        self._secrets = secrets
        self._ca_bundle = _path(ca_bundle, "ca_bundle")
        self._process = os.getpid()
        self._connect(
            Settings(
                connect_timeout=positive(connect_timeout, "connect_timeout"),
                read_timeout=positive(read_timeout, "read_timeout"),
                max_response_bytes=self._max_response_bytes,
                ca_bundle=self._ca_bundle,
                proxy=proxy,
            )
        )

    def _connect(self, settings: Settings) -> None:
        raise NotImplementedError

    def _check_hosts(self) -> None:
        for url in self._origins:
            host = host_of(url)
            if host not in self._official_hosts and not is_loopback(host):
                message = f"a real key is not sent to {shown(host)}: it is not {self._service}'s"
                error = InputError(message, code="custom_host")
                raise advised(error, "allow_custom_host=True sends it all the same")

    @property
    def _origin(self) -> str:
        return self._origins[0]

    def _pace(self, published: Rate | None) -> Pace | None:
        """Turns for one kind of request: at the published rate, unless another was asked for."""
        rate = self._rate_limit
        if rate == "published":
            rate = None if is_loopback(host_of(self._origin)) else published
        return None if rate is None else Pace(rate)

    def _keys(self, service: str, asked: Mapping[str, Any], uploads: Sequence[Upload]) -> list[str]:
        """The names of the answers in the cache. O(bytes), if there is a cache."""
        if self._cache is None:
            return [""] * len(uploads)
        return [key_of(service, self._origin, asked, upload.data) for upload in uploads]

    def __repr__(self) -> str:
        if not self._origins or not self._secrets:  # a traceback out of __init__ shows it half made
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {host_of(self._origin)}, key {self._secrets[0]}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be copied or pickled: it holds a key and connections;"
            " make one in each process"
        )

    def _let_go(self) -> None:
        self._closed = True
        if self._cache is not None and self._cache_is_ours:
            self._cache.close()

    def _begin(self, seconds: float | None = None) -> Call:
        if self._closed:
            raise RuntimeError(f"this {type(self).__name__} is closed")
        if self._process != os.getpid():
            raise RuntimeError(
                f"this {type(self).__name__} was made in process {self._process}, and its"
                " connections are that one's: make a new client after a fork"
            )
        clock = time.monotonic
        return Call(deadline=clock() + (seconds or self._total_timeout), clock=clock)


class ThreadClient(Client):
    """For any number of threads. Nothing is sent before the first call. Use it as a context
    manager, or call :meth:`close`. After a fork make a new client."""

    _transport: Transport

    def _connect(self, settings: Settings) -> None:
        self._transport = Transport(settings)

    def _run(self, flow: Flow[T], call: Call) -> T:
        outcome: Any = None
        with closing(flow):  # which lets go of what it holds, however this ends
            while True:
                try:
                    effect = flow.send(outcome)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                if isinstance(effect, Request):
                    outcome = self._transport.send(effect, call)
                elif isinstance(effect, Wait):
                    self._transport.sleep(effect.seconds)
                    outcome = None
                elif isinstance(effect, Blocking):
                    outcome = effect.outcome()
                else:
                    with self._transport.exclusive(call):
                        outcome = self._run(effect.flow(call), call)

    def close(self) -> None:
        """Close the connections. The client cannot be used any more."""
        self._let_go()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LoopClient(Client):
    """For the tasks of one event loop. Otherwise as the client for threads."""

    _transport: AsyncTransport

    def _connect(self, settings: Settings) -> None:
        self._transport = AsyncTransport(settings)

    def _begin(self, seconds: float | None = None) -> Call:
        call = super()._begin(seconds)
        self._transport.bind()
        return call

    async def _run(self, flow: Flow[T], call: Call) -> T:
        outcome: Any = None
        with closing(flow):
            while True:
                try:
                    effect = flow.send(outcome)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                if isinstance(effect, Request):
                    outcome = await self._transport.send(effect, call)
                elif isinstance(effect, Wait):
                    await self._transport.sleep(effect.seconds)
                    outcome = None
                elif isinstance(effect, Blocking):
                    outcome = await self._transport.in_thread(effect.outcome)
                else:
                    async with self._transport.exclusive(call):
                        outcome = await self._run(effect.flow(call), call)

    async def close(self) -> None:
        """Close the connections. The client cannot be used any more."""
        self._let_go()
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def given(value: str | None, name: str, variable: str) -> str:
    """The argument, or what the environment holds."""
    if value is None:
        value = os.environ.get(variable)
        if value is None:
            raise InputError(
                f"{name}: not given, and {variable} is not in the environment", code="credentials"
            )
    return value


def check_names(call: str, given: Mapping[str, Any], known: type[Any]) -> None:
    """Raises TypeError, as Python does of a call, for what is not among the keys of a TypedDict."""
    for name in given:
        if name not in known.__annotations__:
            error = TypeError(f"{call}() got an unexpected keyword argument {name!r}")
            error.add_note(f"it takes {', '.join(known.__annotations__)}")
            raise error


def concealed(options: Options) -> dict[str, Any]:
    """The options with the proxy's address, which may hold a password, as a secret.

    To take the place of what was passed in: tracebacks may show locals.
    """
    result: dict[str, Any] = dict(options)
    if result.get("proxy") is not None:
        if not isinstance(result["proxy"], str):
            raise InputError("proxy is not text")
        result["proxy"] = Secret(result["proxy"])
    return result


def positive(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{name} {shown(value)}: not a number")
    try:
        number = float(value)
    except OverflowError:  # an int beyond all floats
        number = math.inf
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{name} {shown(value)}: not above 0 and finite")
    return number


def whole(value: int, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name} {shown(value)}: not an integer from {least}")
    return value


def _checked_rate(value: RateLimit) -> RateLimit:
    if value is None or value == "published":
        return value
    if not isinstance(value, tuple) or len(value) != 2:
        raise InputError(f"rate_limit {shown(value)}: not a Rate, 'published' or None")
    per_second = positive(value[0], "rate_limit.per_second")
    return Rate(per_second, whole(value[1], "rate_limit.burst", 1))


def _path(value: str | os.PathLike[str] | None, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{name} {shown(value)}: not a path")
    return os.fspath(value)
