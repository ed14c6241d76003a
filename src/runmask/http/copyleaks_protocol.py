"""What is said between a client of Copyleaks and the service, without any waiting."""

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
from .client import Client, Options, check_names, concealed, given
from .retry import Call, Flow, Reply, Request
from .secret import Secret
from .session import Session
from .upload import Encoding, Upload, check_encoding
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


class CopyleaksProtocol(Client):
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
