"""What an asynchronous submission is given: an address to fetch, and one to tell the result to."""

from dataclasses import dataclass, field
from typing import Any

from ..deliveries import checked_webhook
from ..refusals import Reason, Refusal
from .upload import check_model, flag

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".tiff", ".bmp", ".heic", ".heif")
MAX_PAYLOAD = 512


@dataclass(frozen=True)
class Submission:
    """A submission, judged."""

    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)  # to fetch it with
    webhook: str = field(repr=False)
    payload: str | None = field(repr=False)
    sandbox: bool
    heatmap: bool


def judge_submission(fields: dict[str, Any]) -> Submission:
    """Return what is needed of the fields of the body; anything amiss is a Refusal."""
    for name, called in (("url", "url"), ("filename", "fileName"), ("model", "model")):
        if not isinstance(fields.get(name), str):
            raise Refusal(Reason.FIELD, called, "a text is needed")
    if not fields["url"].startswith(("http://", "https://")):
        raise Refusal(Reason.FIELD, "url", "an http or https address is needed")
    if not fields["filename"].lower().endswith(EXTENSIONS):
        raise Refusal(Reason.FILE_TYPE, "fileName", f"one of {', '.join(EXTENSIONS)} is needed")
    check_model(fields["model"])
    if fields.get("masktype") not in (None, "heatmap"):
        raise Refusal(Reason.FIELD, "maskType", "heatmap is needed, or nothing")
    webhooks = fields.get("webhooks")
    url = webhooks.get("url") if isinstance(webhooks, dict) else None
    payload = fields.get("developerpayload")
    if payload is not None and (not isinstance(payload, str) or len(payload) > MAX_PAYLOAD):
        raise Refusal(Reason.FIELD, "developerPayload", f"a text of {MAX_PAYLOAD} is the most")
    return Submission(
        fields["url"],
        headers_of(fields.get("headers")),
        checked_webhook(url, "webhooks.url"),
        payload,
        sandbox=flag(fields.get("sandbox", False)),
        heatmap=fields.get("masktype") == "heatmap",
    )


def headers_of(value: object) -> dict[str, str]:
    """Pairs of a name and a value."""
    found: dict[str, str] = {}
    for pair in value if isinstance(value, list) else () if value is None else (value,):
        if not isinstance(pair, list) or [type(each) for each in pair] != [str, str]:
            raise Refusal(Reason.FIELD, "headers", "a list of [name, value] is needed")
        found[pair[0]] = pair[1]
    return found
