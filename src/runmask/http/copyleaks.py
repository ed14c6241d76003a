"""The clients of Copyleaks' image detector: one for threads, one for event loops."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict, TypeVar, Unpack
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from ..detection import Detection
from ..errors import (
    APIError,
    InputError,
    LimitError,
    ResponseFormatError,
    StatusError,
    shown,
)
from ..fetching import checked_url
from . import copyleaks_wire as wire
from .address import host_of, is_loopback
from .cache import first, remembered
from .client import Client, LoopClient, Options, ThreadClient, check_names, concealed, given
from .retry import Call, Flow, Reply, Request
from .secret import Secret
from .session import Session
from .upload import Encoding, Image, Upload, check_encoding, prepare
from .webhooks.senders import CopyleaksWebhook

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A scan that was accepted; its result comes to the webhook.

    ``developer_payload`` is what the webhook will carry, ``raw`` the body of the answer.
    """

    scan_id: str
    developer_payload: str | None = field(repr=False)
    raw: bytes


class Particulars(TypedDict, total=False):
    """Keywords of :meth:`Copyleaks.submit`; none need be given.

    filename : str
        With its ending. Default: that of the address.
    model, sandbox
        As for :meth:`Copyleaks.check`.
    mask_type : {"heatmap"}
        Ask for a heatmap as well, whose form no page describes: it comes as
        :attr:`Detection.heatmap`, unread.
    headers : mapping
        For the service to send when it fetches the image.
    developer_payload : str
        For the webhook to carry; at most 512 characters.
    """

    filename: str | None
    model: str
    mask_type: Literal["heatmap"] | None
    headers: Mapping[str, str] | None
    sandbox: bool
    developer_payload: str | None


class _Client(Client):
    _service = "Copyleaks"
    _official_hosts = wire.OFFICIAL_HOSTS

    def __init__(
        self,
        email: str | None = None,
        api_key: str | None = None,
        *,
        base_url: str = wire.BASE_URL,
        login_url: str | None = None,
        strict_scan_id: bool = True,
        **options: Unpack[Options],
    ) -> None:
        # From here on no local variable holds a secret: tracebacks may show locals.
        api_key, key = None, Secret(given(api_key, "api_key", "COPYLEAKS_API_KEY"))
        check_names(type(self).__name__, options, Options)
        settings, options = concealed(options), {}
        key.check("api_key")
        email = given(email, "email", "COPYLEAKS_EMAIL")
        if not isinstance(email, str):
            raise InputError(f"email is {type(email).__name__}: not text")
        if not email.isprintable() or " " in email or "@" not in email:
            raise InputError(f"email ({len(email)} characters): not an e-mail address")
        if login_url is None:
            official = str(base_url).rstrip("/") == wire.BASE_URL
            login_url = wire.LOGIN_URL if official else base_url
        self._open(
            (key,),
            {"base_url": base_url, "login_url": login_url},
            real=key != Secret(wire.DEVELOPMENT_KEY),
            **settings,
        )
        base_url, login_url = self._origins
        logins = self._pace(wire.LOGIN_RATE)
        self._session = Session(email, key, base_url, login_url, self._policy, logins)
        self._strict_scan_id = strict_scan_id
        self._checks, self._others = self._pace(wire.CHECK_RATE), self._pace(wire.OTHER_RATE)
        self._submit_method = "PUT"

    def _checked_scan_id(self, scan_id: str | None) -> str:
        if scan_id is None:
            return uuid4().hex
        wire.check_scan_id(scan_id, strict=self._strict_scan_id)
        return scan_id

    def _credits_flow(self, call: Call) -> Flow[int]:
        def build(token: Secret) -> Request:
            return wire.credits_request(self._origin, token)

        return self._session.authorised(build, wire.read_credits, call, self._others)

    def _check_flow(
        self,
        upload: Upload,
        given_id: str | None,
        model: str,
        sandbox: bool,
        encoding: Encoding,
        call: Call,
    ) -> Flow[Detection]:
        check_encoding(encoding)
        scan_id = self._checked_scan_id(given_id)

        def read(body: bytes) -> Detection:
            """What the cache holds. Who names a scan wants that one, and no other's answer."""
            found = Detection.from_copyleaks(body, max_bytes=self._max_response_bytes)
            if given_id is not None and found.ids.get("scan_id") != given_id:
                raise ResponseFormatError("the answer of another scan", path="scannedDocument")
            return found

        def build(token: Secret) -> Request:
            return wire.check_request(
                self._origin,
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

        def ask(_: Sequence[int]) -> Flow[list[Detection]]:
            return [(yield from self._session.authorised(build, judge, call, self._checks))]

        asked = {"model": model, "sandbox": sandbox}
        keys = self._keys("copyleaks", asked, [upload])
        flow = _about(scan_id, remembered(self._cache, keys, call, ask, read))
        return first((yield from flow))

    def _submit_flow(self, build: Callable[[str, Secret], Request], call: Call) -> Flow[bytes]:
        """PUT, says one half of the pages, and POST the other: 405 means that nothing ran."""

        def attempt() -> Flow[bytes]:
            method = self._submit_method
            return self._session.authorised(
                lambda token: build(method, token), wire.read_submit, call, self._others
            )

        try:
            return (yield from attempt())
        except StatusError as error:
            if error.status != 405 or self._submit_method == "POST":
                raise
        self._submit_method = "POST"
        return (yield from attempt())

    def _submission_flow(
        self,
        call: Call,
        scan_id: str,
        url: str,
        webhook: str | CopyleaksWebhook,
        filename: str | None = None,
        model: str = wire.MODEL,
        mask_type: Literal["heatmap"] | None = None,
        headers: Mapping[str, str] | None = None,
        sandbox: bool = False,
        developer_payload: str | None = None,
    ) -> Flow[Submission]:
        local = is_loopback(host_of(self._origin))
        checked_url(url, "url", loopback=local)
        if isinstance(webhook, CopyleaksWebhook):
            developer_payload = webhook.payload(scan_id, developer_payload)
            webhook = webhook.address(scan_id)
        checked_url(webhook, "webhook", loopback=local)
        if developer_payload is not None and len(developer_payload) > wire.MAX_PAYLOAD:
            raise InputError(
                f"developer_payload has {len(developer_payload)} characters > {wire.MAX_PAYLOAD}"
            )
        _check_headers(headers or {})
        name = _submitted_name(url) if filename is None else filename

        def build(method: str, token: Secret) -> Request:
            return wire.submit_request(
                self._origin,
                token,
                method=method,
                scan_id=scan_id,
                url=url,
                webhook_url=webhook,
                filename=name,
                model=model,
                mask_type=mask_type,
                headers=headers or {},
                sandbox=sandbox,
                developer_payload=developer_payload,
            )

        raw = yield from _about(scan_id, self._submit_flow(build, call))
        return Submission(scan_id=scan_id, developer_payload=developer_payload, raw=raw)


class Copyleaks(_Client, ThreadClient):
    """A client of Copyleaks' AI image detector, for any number of threads.

    Parameters
    ----------
    email, api_key : str, optional
        The account. Default: the environment's ``COPYLEAKS_EMAIL`` and ``COPYLEAKS_API_KEY``.
    base_url, login_url : str
        Where the service is, and where one logs in: at the service's own, or at a ``base_url`` that
        is given. Plain http is for this machine only.
    strict_scan_id : bool
        Allow in scan ids only what all pages of the service allow.
    options
        Time limits, retries, rate limit, cache and more: see :class:`Options`. What is resent
        because of ``resend_ambiguous`` has the same scan id.

    Raises
    ------
    InputError
        Something of this cannot be used. The message never tells a key.

    Notes
    -----
    The token of a login is kept for its 48 hours, renewed 5 minutes before they end or when the
    service refuses it, by one thread at a time, and 12 times in 15 minutes at most, as its pages
    ask. Nothing is sent before the first call. Use it as a context manager, or call :meth:`close`.
    After a fork make a new client.
    """

    def login(self) -> None:
        """Log in now, if there is no good token yet. (Every call does so where needed.)

        Raises AuthError if the service refuses the account, or another APIError.
        """
        call = self._begin()
        self._run(self._session.token(), call)

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
        encoding: Encoding = "multipart",
        preflight: bool = True,
    ) -> Detection:
        """Send an image and return what the service found. One credit, unless ``sandbox``.

        Parameters
        ----------
        image : path, bytes, or binary file
        scan_id : str, optional
            3 to 36 lower-case letters, digits and signs. Default: 32 random
            hexadecimal digits. Attempts of one call share it; after an error that leaves open
            whether the service charged, pass the error's ``scan_id`` to ask for the same scan. A
            cache gives the answer of a scan that is named to that one only.
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
        self._checked_scan_id(scan_id)
        upload = prepare(image, filename, wire.LIMITS, preflight=preflight)
        return self._run(self._check_flow(upload, scan_id, model, sandbox, encoding, call), call)

    def submit(
        self,
        url: str,
        *,
        webhook: str | CopyleaksWebhook,
        scan_id: str | None = None,
        **more: Unpack[Particulars],
    ) -> Submission:
        """Have the service fetch an image and send what it found to a webhook. One credit.

        Parameters
        ----------
        url : str
            Where the image is, on the public internet.
        webhook : str or CopyleaksWebhook
            Where to send the result. The service signs nothing: a
            :class:`~runmask.http.webhooks.CopyleaksWebhook` makes an address and a payload for
            each scan that nobody else can make, and its receiver checks them.
        scan_id : str, optional
            As for :meth:`check`.
        filename : str, optional
            With its ending. Default: that of the address.
        model, sandbox
            As for :meth:`check`.
        mask_type : {"heatmap"}, optional
            Ask for a heatmap as well, whose form no page describes: it comes as
            :attr:`Detection.heatmap`, unread.
        headers : mapping, optional
            For the service to send when it fetches the image.
        developer_payload : str, optional
            For the webhook to carry; at most 512 characters. (All from ``filename`` on:
            :class:`Particulars`.)

        Raises
        ------
        InputError, UnsafeURLError
            An argument cannot be used; nothing was sent.
        APIError
            The service did not accept the scan; as for :meth:`check`.
        """
        call = self._begin()
        check_names(f"{type(self).__name__}.submit", more, Particulars)
        scan_id = self._checked_scan_id(scan_id)
        flow = self._submission_flow(call, scan_id, url, webhook, **more)
        return self._run(flow, call)


class AsyncCopyleaks(_Client, LoopClient):
    """:class:`Copyleaks` for the tasks of one event loop: same arguments, and awaited methods."""

    async def login(self) -> None:
        """As :meth:`Copyleaks.login`."""
        call = self._begin()
        await self._run(self._session.token(), call)

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
        encoding: Encoding = "multipart",
        preflight: bool = True,
    ) -> Detection:
        """As :meth:`Copyleaks.check`; the file is read in a thread."""
        call = self._begin()
        self._checked_scan_id(scan_id)
        upload = await self._transport.in_thread(
            lambda: prepare(image, filename, wire.LIMITS, preflight=preflight)
        )
        flow = self._check_flow(upload, scan_id, model, sandbox, encoding, call)
        return await self._run(flow, call)

    async def submit(
        self,
        url: str,
        *,
        webhook: str | CopyleaksWebhook,
        scan_id: str | None = None,
        **more: Unpack[Particulars],
    ) -> Submission:
        """As :meth:`Copyleaks.submit`."""
        call = self._begin()
        check_names(f"{type(self).__name__}.submit", more, Particulars)
        scan_id = self._checked_scan_id(scan_id)
        flow = self._submission_flow(call, scan_id, url, webhook, **more)
        return await self._run(flow, call)


def _about(scan_id: str, flow: Flow[T]) -> Flow[T]:
    """Errors tell which scan they are about."""
    try:
        return (yield from flow)
    except APIError as error:
        error.scan_id = scan_id
        raise
    except LimitError as error:
        error.add_note(f"scan_id: {scan_id}")
        raise


def _submitted_name(url: str) -> str:
    name = os.path.basename(unquote(urlsplit(url).path))
    if not name.isprintable() or not name.lower().endswith(wire.SUBMIT_SUFFIXES):
        raise InputError(
            f"filename: not given, and the address does not end in one of"
            f" {' '.join(wire.SUBMIT_SUFFIXES)}"
        )
    return name[-255:]


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InputError("headers: names and values have to be text")
        if not name.isascii() or not name.isprintable() or not value.isprintable() or ":" in name:
            raise InputError(f"headers: {shown(name)} or its value is not allowed in a header")
