"""The clients of Copyleaks' image detector: one for threads, one for event loops."""

from __future__ import annotations

from typing import Unpack

from ..detection import Detection
from . import copyleaks_wire as wire
from .client import LoopClient, ThreadClient, check_names
from .copyleaks_protocol import CopyleaksProtocol, Particulars, Submission
from .upload import Encoding, Image, prepare
from .webhooks.senders import CopyleaksWebhook


class Copyleaks(CopyleaksProtocol, ThreadClient):
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


class AsyncCopyleaks(CopyleaksProtocol, LoopClient):
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
