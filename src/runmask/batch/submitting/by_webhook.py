"""A service that fetches the images itself and sends its answers later: submit all, then receive.

Which answer is whose stands in its address, made from a secret, and in the journal. An answer is on
the disk before the service hears that it has come (:class:`..http.webhooks.Inbox`), and leaves the
inbox when it is in the journal: whenever the process dies, the next one goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from ...detection import Detection
from ...errors import InputError
from ...http import AsyncCopyleaks
from ...http.pace import Pace, Rate
from ...http.webhooks import CopyleaksWebhook, Event, Inbox, Receiver
from ...serving import Server, in_thread, listening
from ..journal import Fault, Journal, Unread, packed
from ..sources import is_web
from .asking import Question, cost_of, scan_id_of

INBOX = "inbox"
_SERVICE: Final = "copyleaks"
_MAX_CONNECTIONS, _HEADER_TIMEOUT_S = 2000, 10.0


class ByWebhook:
    """Addresses of images are sent; an answer comes back to ``webhook``, into ``inbox``."""

    service = _SERVICE

    def __init__(
        self,
        client: AsyncCopyleaks,
        webhook: CopyleaksWebhook,
        inbox: Inbox,
        rate: Rate | None = None,
    ) -> None:
        self.pace = None if rate is None else Pace(rate)
        self._client = client
        self._webhook = webhook
        self._inbox = inbox

    def prepared(self, item: Unread) -> Question:
        if not is_web(item.source):
            raise InputError(
                "by webhook the service fetches the images: each needs an http or https address",
                code="no_address",
            )
        scan_id = scan_id_of(_SERVICE, item.source)
        self._inbox.expect(_SERVICE, scan_id)
        return Question(scan_id=scan_id, digest="", filename="", content=item.source)

    async def asked(self, question: Question, send_as: str) -> Detection | None:
        if send_as != question.scan_id:  # a new id, for one that the service would not take again
            self._inbox.expect(_SERVICE, send_as)
        address = question.content
        assert isinstance(address, str)
        await self._client.submit(address, webhook=self._webhook, scan_id=send_as)
        return None


def take_in(journal: Journal, inbox: Inbox) -> int:
    """Answers from the inbox to the journal; how many came. Raises OutputError."""

    def take(event: Event) -> None:
        if event.service != _SERVICE or event.subject is None:
            return
        if event.kind == "scan.failed":
            told = event.error or {}
            code = told.get("code")
            said = told.get("message")
            fault = Fault("scan_failed", f"Copyleaks could not scan it: {said!r:.300}, code {code}")
            journal.refuse_late(event.subject, fault)
            return
        try:
            detection = event.detection
            cost = None if detection is None else cost_of(detection)
        except InputError:  # it is kept as it came; rendering tells what is wrong with it
            cost = None
        journal.answer_late(event.subject, packed(event.body), cost)

    count = 0
    while taken := inbox.process(take):
        count += taken
    return count


@contextmanager
def receiving(inbox: Inbox, webhook: CopyleaksWebhook, host: str, port: int) -> Iterator[None]:
    """Receive webhooks while the block runs. Raises InputError if the address cannot be used."""
    receiver = Receiver(inbox, copyleaks=webhook)
    make = partial(
        Server, receiver, max_connections=_MAX_CONNECTIONS, header_timeout_s=_HEADER_TIMEOUT_S
    )
    with listening(host, port) as sock, in_thread(make, sock):
        try:
            yield
        finally:
            receiver.close()


def webhook_of(address: str) -> CopyleaksWebhook:
    """The sender for a public address. Raises InputError where there is no secret for it."""
    secret = os.environ.get("COPYLEAKS_WEBHOOK_SECRET")
    if not secret:
        raise InputError(
            "COPYLEAKS_WEBHOOK_SECRET is not in the environment: from it the addresses are made"
            " that the service sends answers to",
            code="credentials",
        )
    return CopyleaksWebhook(address, secret.split())
