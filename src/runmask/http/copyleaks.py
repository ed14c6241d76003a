"""The clients of Copyleaks' image detector: one for threads, one for event loops.

The protocol is in generators that both share; the clients only send, sleep and lock for them.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from typing import Any, NoReturn, Self, TypeVar
from uuid import uuid4

from ..detection import Detection
from ..errors import APIError, InputError, LimitError, advised, shown
from ..formats import MAX_BYTES
from . import copyleaks_wire as wire
from .address import checked_origin, host_of, is_loopback
from .retry import Call, Policy, Reply, Request, Wait
from .secret import Secret
from .session import Flow, Session
from .transport import AsyncTransport, Settings, Transport
from .upload import Image, Upload, prepare

T = TypeVar("T")


class _Client:
    """What both clients are made of."""

    def __init__(
        self,
        email: str | None = None,
        api_key: str | None = None,
        *,
        base_url: str = wire.BASE_URL,
        login_url: str = wire.LOGIN_URL,
        connect_timeout: float = 10.0,
        read_timeout: float = 180.0,
        total_timeout: float = 300.0,
        retries: int = 3,
        backoff: float = 1.0,
        resend_ambiguous: bool = False,
        max_response_bytes: int = MAX_BYTES,
        strict_scan_id: bool = True,
        ca_bundle: str | os.PathLike[str] | None = None,
        proxy: str | None = None,
        allow_custom_host: bool = False,
    ) -> None:
        # From here on no local variable holds a secret: tracebacks may show locals.
        api_key, key = None, Secret(_given(api_key, "api_key", "COPYLEAKS_API_KEY"))
        proxy, way = None, None if proxy is None else Secret(proxy)
        key.check("api_key")
        if way is not None and not isinstance(way.reveal(), str):
            raise InputError("proxy is not text")
        email = _given(email, "email", "COPYLEAKS_EMAIL")
        if not isinstance(email, str):
            raise InputError(f"email is {type(email).__name__}: not text")
        if not email.isprintable() or " " in email or "@" not in email:
            raise InputError(f"email ({len(email)} characters): not an e-mail address")
        base_url = checked_origin(base_url, "base_url")
        login_url = checked_origin(login_url, "login_url")
        if key != Secret(wire.DEVELOPMENT_KEY) and not allow_custom_host:
            _check_hosts(base_url, login_url)
        policy = Policy(
            retries=_whole(retries, "retries", 0),
            backoff_s=_positive(backoff, "backoff"),
            resend_ambiguous=resend_ambiguous,
        )
        self._session = Session(email, key, base_url, login_url, policy)
        self._total_timeout = _positive(total_timeout, "total_timeout")
        self._max_response_bytes = _whole(max_response_bytes, "max_response_bytes", 1)
        self._strict_scan_id = strict_scan_id
        self._closed = False
        self._process = os.getpid()
        self._connect(
            Settings(
                connect_timeout=_positive(connect_timeout, "connect_timeout"),
                read_timeout=_positive(read_timeout, "read_timeout"),
                max_response_bytes=self._max_response_bytes,
                ca_bundle=_path(ca_bundle, "ca_bundle"),
                proxy=way,
            )
        )

    def _connect(self, settings: Settings) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        session = getattr(self, "_session", None)
        if session is None:  # a traceback out of __init__ shows it half made
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {host_of(session.base_url)}, key {session.key}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be copied or pickled: it holds a key and connections;"
            " make one in each process"
        )

    def _begin(self) -> Call:
        if self._closed:
            raise RuntimeError(f"this {type(self).__name__} is closed")
        if self._process != os.getpid():
            raise RuntimeError(
                f"this {type(self).__name__} was made in process {self._process}, and its"
                " connections are that one's: make a new client after a fork"
            )
        clock = time.monotonic
        return Call(deadline=clock() + self._total_timeout, clock=clock)

    def _checked_scan_id(self, scan_id: str | None) -> str:
        if scan_id is None:
            return uuid4().hex
        wire.check_scan_id(scan_id, strict=self._strict_scan_id)
        return scan_id

    def _login_flow(self) -> Flow[Secret]:
        return self._session.token()

    def _credits_flow(self, call: Call) -> Flow[int]:
        session = self._session
        return session.authorised(
            lambda token: wire.credits_request(session.base_url, token), wire.read_credits, call
        )

    def _check_flow(
        self,
        upload: Upload,
        scan_id: str,
        model: str,
        sandbox: bool,
        encoding: wire.Encoding,
        call: Call,
    ) -> Flow[Detection]:
        session = self._session

        def build(token: Secret) -> Request:
            return wire.check_request(
                session.base_url,
                token,
                scan_id=scan_id,
                image=upload.data,
                filename=upload.filename,
                media_type=upload.media_type,
                model=model,
                sandbox=sandbox,
                encoding=encoding,
            )

        def judge(reply: Reply, secrets: Sequence[Secret]) -> Detection | APIError:
            return wire.read_check(reply, secrets, self._max_response_bytes)

        try:
            return (yield from session.authorised(build, judge, call))
        except APIError as error:
            error.scan_id = scan_id
            raise
        except LimitError as error:
            error.add_note(f"scan_id: {scan_id}")
            raise


class Copyleaks(_Client):
    """A client of Copyleaks' AI image detector, for any number of threads.

    Parameters
    ----------
    email, api_key : str, optional
        The account. Default: the environment's ``COPYLEAKS_EMAIL`` and ``COPYLEAKS_API_KEY``.
    base_url, login_url : str
        Where the service is. Plain http is for this machine only.
    connect_timeout, read_timeout, total_timeout : float
        Seconds: for a connection, for each silence of the service, and for a whole call with all
        its attempts and waits.
    retries : int
        How often a request is sent again.
    backoff : float
        Seconds: the first wait is random up to this, each further one up to twice as long, at
        most 60. A wait that the service names is kept to, up to 120 s.
    resend_ambiguous : bool
        Send again, with the same scan id, what may have been billed already: after a lost
        connection, a time limit, or an error 5xx. Default: raise, with ``billed == "unknown"``.
    max_response_bytes : int
        The largest answer that is read, after decompression.
    strict_scan_id : bool
        Allow in scan ids only what all pages of the service allow.
    ca_bundle : path, optional
        Certificates to trust instead of the system's.
    proxy : str, optional
        The address of a proxy. Those that the environment names are not used.
    allow_custom_host : bool
        Send a real key to hosts that are neither the service's nor this machine.

    Raises
    ------
    InputError
        Something of this cannot be used. The message never tells a key.

    Notes
    -----
    The token of a login is kept for its 48 hours, renewed 5 minutes before they end or when the
    service refuses it, and by one thread at a time. Nothing is sent before the first call. Use it
    as a context manager, or call :meth:`close`. After a fork make a new client.
    """

    _transport: Transport

    def _connect(self, settings: Settings) -> None:
        self._transport = Transport(settings)

    def login(self) -> None:
        """Log in now, if there is no good token yet. (Every call does so where needed.)

        Raises AuthError if the service refuses the account, or another APIError.
        """
        call = self._begin()
        self._run(self._login_flow(), call)

    def credits(self) -> int:
        """The credits left. Costs none. Raises APIError."""
        call = self._begin()
        return self._run(self._credits_flow(call), call)

    def check(
        self,
        image: Image,
        *,
        scan_id: str | None = None,
        filename: str | None = None,
        model: str = wire.MODEL,
        sandbox: bool = False,
        encoding: wire.Encoding = "multipart",
        preflight: bool = True,
    ) -> Detection:
        """Send an image and return what the service found. One credit, unless ``sandbox``.

        Parameters
        ----------
        image : path, bytes, or binary file
        scan_id : str, optional
            3 to 36 lower-case letters, digits and signs. Default: 32 random
            hexadecimal digits. Attempts of one call share it; after an error that leaves open
            whether the service charged, pass the error's ``scan_id`` to ask for the same scan.
        filename : str, optional
            Default: that of the file.
        sandbox : bool
            Ask the service for a mock answer, free of charge.
        encoding : {"multipart", "base64"}
            How the image travels; base64 takes a third more.
        preflight : bool
            Refuse before sending what the service would refuse: by format, size and number of
            pixels, from the header, and files that are cut off.

        Raises
        ------
        ImageError, LimitError, InputError
            The image or an argument cannot be used; nothing was sent.
        APIError
            The service gave no answer. ``billed`` tells whether it may have charged,
            ``retryable`` whether to try later.
        LimitError
            The answer was larger than ``max_response_bytes``.
        """
        call = self._begin()
        scan_id = self._checked_scan_id(scan_id)
        _check_encoding(encoding)
        upload = prepare(image, filename, wire.LIMITS, preflight=preflight)
        return self._run(self._check_flow(upload, scan_id, model, sandbox, encoding, call), call)

    def _run(self, flow: Flow[T], call: Call) -> T:
        outcome: Any = None
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
            else:
                with self._transport.exclusive(call):
                    outcome = self._run(self._session.log_in(effect, call), call)

    def close(self) -> None:
        """Close the connections. The client cannot be used any more."""
        self._closed = True
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncCopyleaks(_Client):
    """:class:`Copyleaks` for the tasks of one event loop: same arguments, and awaited methods."""

    _transport: AsyncTransport

    def _connect(self, settings: Settings) -> None:
        self._transport = AsyncTransport(settings)

    def _begin(self) -> Call:
        call = super()._begin()
        self._transport.bind()
        return call

    async def login(self) -> None:
        """As :meth:`Copyleaks.login`."""
        call = self._begin()
        await self._run(self._login_flow(), call)

    async def credits(self) -> int:
        """As :meth:`Copyleaks.credits`."""
        call = self._begin()
        return await self._run(self._credits_flow(call), call)

    async def check(
        self,
        image: Image,
        *,
        scan_id: str | None = None,
        filename: str | None = None,
        model: str = wire.MODEL,
        sandbox: bool = False,
        encoding: wire.Encoding = "multipart",
        preflight: bool = True,
    ) -> Detection:
        """As :meth:`Copyleaks.check`; the file is read in a thread."""
        call = self._begin()
        scan_id = self._checked_scan_id(scan_id)
        _check_encoding(encoding)
        upload = await self._transport.in_thread(
            lambda: prepare(image, filename, wire.LIMITS, preflight=preflight)
        )
        flow = self._check_flow(upload, scan_id, model, sandbox, encoding, call)
        return await self._run(flow, call)

    async def _run(self, flow: Flow[T], call: Call) -> T:
        outcome: Any = None
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
            else:
                async with self._transport.exclusive(call):
                    outcome = await self._run(self._session.log_in(effect, call), call)

    async def close(self) -> None:
        """As :meth:`Copyleaks.close`."""
        self._closed = True
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _given(value: str | None, name: str, variable: str) -> str:
    if value is None:
        value = os.environ.get(variable)
        if value is None:
            raise InputError(
                f"{name}: not given, and {variable} is not in the environment", code="credentials"
            )
    return value


def _check_hosts(*urls: str) -> None:
    for url in urls:
        host = host_of(url)
        if host not in wire.OFFICIAL_HOSTS and not is_loopback(host):
            message = f"a real key is not sent to {shown(host)}: it is not Copyleaks'"
            error = InputError(message, code="custom_host")
            raise advised(error, "allow_custom_host=True sends it all the same")


def _check_encoding(encoding: str) -> None:
    if encoding not in ("multipart", "base64"):
        raise InputError(f"encoding {shown(encoding)}: not 'multipart' or 'base64'")


def _positive(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{name} {shown(value)}: not a number")
    try:
        number = float(value)
    except OverflowError:  # an int beyond all floats
        number = math.inf
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{name} {shown(value)}: not above 0 and finite")
    return number


def _whole(value: int, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name} {shown(value)}: not an integer from {least}")
    return value


def _path(value: str | os.PathLike[str] | None, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{name} {shown(value)}: not a path")
    return os.fspath(value)
