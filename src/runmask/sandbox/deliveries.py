"""Webhooks of the sandbox: to this machine only, sent again until they are acknowledged."""

import http.client
import ipaddress
import logging
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from .faults import NONE, Fault
from .refusals import Reason, Refusal

logger = logging.getLogger("runmask.sandbox")

ATTEMPTS = 6
TIMEOUT_S = 5


def checked_webhook(url: object, field: str) -> str:
    """The address, if it is on this machine: the sandbox sends nothing anywhere else."""
    if not isinstance(url, str) or not _is_local(url):
        raise Refusal(
            Reason.FIELD,
            field,
            "the sandbox sends webhooks to http://127.0.0.1:PORT/... and ::1 only",
        )
    return url


def _is_local(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "http"
            and parts.port is not None
            and ipaddress.ip_address(parts.hostname or "").is_loopback
        )
    except ValueError:
        return False


def deliver(
    url: str, body: bytes, headers: Mapping[str, str], unit_s: float, fault: Fault = NONE
) -> None:
    """POST a body in a thread of its own, one for analyses would be held up.

    The pauses before further attempts are 1, 2, 4, 8 and 16 times ``unit_s``.
    """

    def work() -> None:
        time.sleep(fault.webhook_late_s)
        for _ in range(2 if fault.webhook_twice else 1):
            _deliver(url, body, headers, unit_s)

    threading.Thread(target=work, daemon=True).start()


def _deliver(url: str, body: bytes, headers: Mapping[str, str], unit_s: float) -> None:
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(unit_s * 2 ** (attempt - 1))
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                "POST", target, body, {"Content-Type": "application/json", **headers}
            )
            if 200 <= connection.getresponse().status < 300:
                return
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
    logger.warning("a webhook was not acknowledged in %d attempts", ATTEMPTS)
