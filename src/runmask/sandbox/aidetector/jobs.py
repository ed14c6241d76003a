"""Jobs: batches that are answered later, and the webhooks that tell so."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

WEBHOOK_SECRET = "whsec_sandbox_only"


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


def webhook_of(job: Job, request_id: str) -> tuple[bytes, dict[str, str]]:
    """The body that tells of a job's end, and its signature."""
    told = {"event": "batch.completed", "data": job.told(), "request_id": request_id}
    body = json.dumps(told).encode()
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Signature": signature}
