"""Webhooks for tests: their secrets, their signatures, their bodies."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

SECRET = "whsec_fixture_only"
OLD = "whsec_the_one_before"
BATCH = "8569225e0d773878cbdb9f565f9657e446e22aed6a8173ee04fccefad974177e"
"""The signature of the golden batch."""
SCAN = "img-4411"

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_BATCH = (GOLDEN / "aidetector" / "16_aiid_webhook_batch_completed.json").read_bytes()
GOLDEN_SCAN = (GOLDEN / "copyleaks" / "10_copyleaks_webhook_success.json").read_bytes()
GOLDEN_FAILURE = (GOLDEN / "copyleaks" / "11_copyleaks_webhook_error.json").read_bytes()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(name: str, job: str, **more: Any) -> bytes:
    return json.dumps({"event": name, "data": {"job_id": job, "status": "x"} | more}).encode()
