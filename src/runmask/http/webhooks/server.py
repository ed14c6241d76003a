"""The receiver as a server of its own, for the command ``runmask webhooks``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ...errors import InputError
from ...serving import Server, lines_on_stderr, listening, origin_of
from .receiver import Receiver, logger
from .senders import AIDetectorWebhook, CopyleaksWebhook, SightengineWebhook

HEADER_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 2000
VARIABLES = {
    "copyleaks": "COPYLEAKS_WEBHOOK_SECRET",
    "aidetector": "AIDETECTOR_WEBHOOK_SECRET",
    "sightengine": "SIGHTENGINE_WEBHOOK_SECRET",
}


def senders_from(environment: Mapping[str, str]) -> dict[str, Any]:
    """The senders whose secrets the environment holds: several, the newest first, with spaces.

    Raises InputError if there is none.
    """
    found: dict[str, Any] = {}
    for service, variable in VARIABLES.items():
        if variable in environment:
            found[service] = _sender(service, variable, environment)
    if not found:
        raise InputError(
            f"no secret to verify webhooks with: set {', '.join(VARIABLES.values())} or one of"
            " them",
            code="credentials",
        )
    return found


def _sender(service: str, variable: str, environment: Mapping[str, str]) -> object:
    try:
        if service == "copyleaks":
            return CopyleaksWebhook("", environment[variable].split())
        if service == "aidetector":
            return AIDetectorWebhook(environment[variable].split())
        return SightengineWebhook(environment[variable].split())
    except InputError as error:
        raise InputError(f"{variable}: {error}", code=error.code) from None


def serve(
    receiver: Receiver, host: str, port: int, on_ready: Callable[[str], object] = print
) -> None:
    """Serve until Ctrl-C or SIGTERM. ``on_ready`` is told the address; a line each goes to stderr.

    Raises InputError if the address cannot be used.
    """
    with listening(host, port) as sock, lines_on_stderr(logger):
        server = Server(
            receiver,
            lambda: on_ready(origin_of(sock)),
            max_connections=MAX_CONNECTIONS,
            header_timeout_s=HEADER_TIMEOUT_S,
        )
        try:
            with suppress(KeyboardInterrupt):
                server.run([sock])
        finally:
            receiver.close()
