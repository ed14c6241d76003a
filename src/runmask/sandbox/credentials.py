"""Content Credentials (C2PA) in a file, verified by ``c2pa-python`` where that is installed.

Nothing is fetched: a manifest that a file only points to is not there for the sandbox. The
signature, and that the file is what was signed, are verified for real; whom to trust is for each
to say, and the library's own list is what ``trusted`` means.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ImageError
from ..images.source import sniff

MIME = {
    "JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff",
    "GIF": "image/gif", "HEIF": "image/heif",
}  # fmt: skip
MAX_PROBLEMS = 20
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}


@dataclass(frozen=True)
class Credentials:
    """What a file says of its own making.

    ``valid`` is None where it was not verified, ``trusted`` too; ``problems`` are the codes of
    what the verification objected to.
    """

    present: bool
    valid: bool | None = None
    trusted: bool | None = None
    claim_generator: str | None = None
    issuer: str | None = None
    signed: str | None = None
    actions: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    note: str = field(default="")

    def told(self) -> dict[str, object]:
        """As an answer has it."""
        return {
            "valid": self.valid,
            "trusted": self.trusted,
            "claim_generator": self.claim_generator,
            "issuer": self.issuer,
            "signed": self.signed,
            "actions": list(self.actions),
            "problems": list(self.problems),
        }


def credentials_of(data: bytes) -> Credentials:
    """Verify the manifest in a file; O(bytes). Never raises for what is in the file."""
    marked = b"jumb" in data and b"c2pa" in data
    if not marked:
        return Credentials(False)
    try:
        import c2pa
    except ImportError:
        return Credentials(True, note="not verified: 'runmask[c2pa]' is not installed here")
    try:
        kind = MIME[sniff(data[:16], "the image")]
    except (ImageError, KeyError):
        return Credentials(True, note="not verified: no manifests are read in files of this format")
    try:
        context = c2pa.Context.from_dict(_OFFLINE)
        with c2pa.Reader(kind, io.BytesIO(data), context=context) as reader:
            store = json.loads(reader.json())
    except c2pa.C2paError as error:
        if "ManifestNotFound" in type(error).__name__ + str(error):
            return Credentials(False)
        if "remote" in f"{type(error).__name__} {error}".lower():
            return Credentials(
                True, note="not verified: the manifest is elsewhere, and not fetched"
            )
        return Credentials(True, valid=False, trusted=False, problems=(str(error)[:200],))
    return read_store(store)


def read_store(store: Mapping[str, Any]) -> Credentials:
    """What the library tells of the active manifest and of the verification."""
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signature = manifest.get("signature_info") or {}
    state = store.get("validation_state")
    problems = [str(each.get("code")) for each in store.get("validation_status") or ()]
    return Credentials(
        True,
        valid=None if state is None else state in ("Valid", "Trusted"),
        trusted=None if state is None else state == "Trusted",
        claim_generator=generator_of(manifest),
        issuer=signature.get("issuer"),
        signed=signature.get("time"),
        actions=actions_of(manifest),
        problems=tuple(problems[:MAX_PROBLEMS]),
    )


def generator_of(manifest: Mapping[str, Any]) -> str | None:
    listed = manifest.get("claim_generator_info") or [{}]
    name = listed[0].get("name") or manifest.get("claim_generator")
    return None if name is None else str(name)


def actions_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(action.get("action"))
        for assertion in manifest.get("assertions") or ()
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion.get("data", {}).get("actions", ())
    )
