"""The commands that serve until they are stopped: sandbox and webhooks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .. import terminal
from .options import Output, detector_option, json_option

if TYPE_CHECKING:
    from ..http.webhooks import Inbox


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    default=8787,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@detector_option
@click.option(
    "--credits",
    "amount",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(0),
    help="What each account has: credits, scans or operations.",
)
@click.option(
    "--plan",
    type=click.Choice(["free", "pro"]),
    help="AIDetector's plan, with its rates; free has 500 scans. Default: no limits.",
)
@click.option(
    "--fetch",
    default="none",
    show_default=True,
    type=click.Choice(["none", "loopback", "public"]),
    help="Fetch images by their address: from this machine, or from the public internet.",
)
@click.option(
    "--duplicates",
    default="replay",
    show_default=True,
    type=click.Choice(["replay", "conflict", "ignore"]),
    help="A scan id that comes again: its answer, an error 409, or a new scan.",
)
@click.option(
    "--limits",
    default="27mp",
    show_default=True,
    type=click.Choice(["27mp", "16mp"]),
    help="Copyleaks' largest image, as its newer or its older pages say.",
)
@click.option(
    "--shape",
    default="2026",
    show_default=True,
    type=click.Choice(["2026", "2025"]),
    help="Copyleaks' answers as they are, or as of 2025, without isAiDetected.",
)
@click.option("--no-retry-after", is_flag=True, help="Answer 429 and 503 without Retry-After.")
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="How many images are analysed at a time.",
)
@click.option(
    "--rate-limits",
    is_flag=True,
    help="Copyleaks' rates: 12 logins and 900 checks in 15 minutes, 10 other requests a second.",
)
@click.option(
    "--heatmap-levels",
    is_flag=True,
    help="Give submissions to Copyleaks the heatmap they ask for, in a form of our own.",
)
@click.option(
    "--token-life",
    default=48 * 3600.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="How long a login to Copyleaks is good for.",
)
@click.option(
    "--webhook-unit",
    default=0.2,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="Refused webhooks come again after 1, 2, 4, 8 and 16 times that.",
)
def sandbox(
    host: str,
    port: int,
    detector: str | None,
    amount: int,
    plan: Literal["free", "pro"] | None,
    fetch: Literal["none", "loopback", "public"],
    duplicates: Literal["replay", "conflict", "ignore"],
    limits: Literal["27mp", "16mp"],
    shape: Literal["2026", "2025"],
    no_retry_after: bool,
    workers: int,
    rate_limits: bool,
    heatmap_levels: bool,
    token_life: float,
    webhook_unit: float,
) -> None:
    """Serve the services' interfaces on this machine, for development.

    Its answers are computed from the pixels; it is no trained detector. It prints its address and
    its key, and a line for each request to stderr. Packages offer detectors by entry points of the
    group runmask.detectors.
    """
    from ..sandbox import (
        CHECK_LIMIT,
        LOGIN_LIMIT,
        OTHER_LIMIT,
        Settings,
        analyse,
        detector_of,
        serve,
    )

    settings = Settings(
        detector=analyse if detector is None else detector_of(detector),
        credits=amount,
        aidetector_plan=plan,
        fetch=fetch,
        duplicate_policy=duplicates,
        limits=limits,
        shape=shape,
        retry_after=not no_retry_after,
        workers=workers,
        heatmap_levels=heatmap_levels,
        login_limit=LOGIN_LIMIT if rate_limits else None,
        check_limit=CHECK_LIMIT if rate_limits else None,
        other_limit=OTHER_LIMIT if rate_limits else None,
        token_life_s=token_life,
        webhook_unit_s=webhook_unit,
    )
    serve(host, port, settings)


@click.command()
@click.option(
    "--inbox",
    "folder",
    required=True,
    type=Output(file_okay=False, path_type=Path),
    help="Folder to keep webhooks in; made if need be.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    default=8788,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 picks a free one.",
)
@click.option("--list", "listed", is_flag=True, help="Tell what is in the inbox, and end.")
@json_option
def webhooks(folder: Path, host: str, port: int, listed: bool, as_json: bool) -> None:
    """Receive what services send, verify it, and keep it in a folder.

    A service gets its answer when the event is on the disk. The addresses to give to the services
    are printed; behind another server they begin as that one's do. The secrets to verify with come
    from COPYLEAKS_WEBHOOK_SECRET, AIDETECTOR_WEBHOOK_SECRET and SIGHTENGINE_WEBHOOK_SECRET: one or
    more each, the newest first, with spaces between. Put a server with TLS in front. A program
    reads the events with runmask.http.webhooks.Inbox.
    """
    from ..http.webhooks import Inbox, Receiver

    inbox = Inbox(folder, create=not listed)
    if listed:
        _list_inbox(inbox, as_json)
        return
    from ..http.webhooks.server import senders_from, serve

    receiver = Receiver(inbox, **senders_from(os.environ))

    def say(origin: str) -> None:
        terminal.say(f"runmask webhooks on {origin}")
        for service, path in receiver.paths.items():
            terminal.say(f"  {service}: {origin}{path}")

    serve(receiver, host, port, say)


def _list_inbox(inbox: Inbox, as_json: bool) -> None:
    rows: list[list[object]] = []
    for delivery in inbox.deliveries():
        event = delivery.event
        told = {
            "id": delivery.id,
            "received": datetime.fromtimestamp(delivery.received, UTC).isoformat(),
            "service": event.service,
            "event": event.kind,
            "subject": event.subject,
            "state": delivery.state,
            "repeats": delivery.repeats,
        }
        if as_json:
            terminal.say_json(told | {"body": event.answer, "fault": delivery.fault})
        rows.append(list(told.values()))
    if not as_json:
        names = ["id", "received", "service", "event", "subject", "state", "repeats"]
        terminal.say_table(names, rows)
