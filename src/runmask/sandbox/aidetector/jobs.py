"""Jobs: batches that are answered later, and the webhooks that tell so."""

import hashlib
import hmac
import http.client
import ipaddress
import json
import logging
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..refusals import Reason, Refusal

logger = logging.getLogger("runmask.sandbox")

WEBHOOK_SECRET = "whsec_sandbox_only"
ATTEMPTS = 6
PAUSE_S = 0.2  # before the second attempt; then twice as long each
TIMEOUT_S = 5


@dataclass
class Job:
    """A batch: ``done`` once all its results are there."""

    id: str
    total: int
    webhook_url: str | None
    results: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False

    def told(self) -> dict[str, Any]:
        return {
            "job_id": self.id,
            "status": "completed" if self.done else "processing",
            "total_items": self.total,
            "results": self.results if self.done else [],
        }


def checked_webhook(url: object) -> str | None:
    """The address, if it is on this machine: the sandbox sends nothing anywhere else."""
    if url is None:
        return None
    if not isinstance(url, str) or not _is_local(url):
        raise Refusal(
            Reason.FIELD,
            "webhook_url",
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


def deliver(job: Job, request_id: str) -> None:
    """POST the result, signed, until it is acknowledged or six attempts have failed. Blocks."""
    body = json.dumps(
        {"event": "batch.completed", "data": job.told(), "request_id": request_id}
    ).encode()
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    parts = urlsplit(job.webhook_url or "")
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_S * 2 ** (attempt - 1))
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", target, body, headers)
            if 200 <= connection.getresponse().status < 300:
                return
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
    logger.warning("the webhook of job %s was not acknowledged", job.id)
