"""Who sent a webhook: each service's way to prove it.

==============  ===============================================================================
Copyleaks       signs nothing. Each scan gets an address and a payload of its own, made from a
                secret: whoever can name them was told them by us.
AIDetector      ``X-Signature``: HMAC-SHA256 of the raw body, hexadecimal.
Sightengine     ``Sightengine-Signature: t=<seconds>,v1=<hex>``: HMAC-SHA256 of ``<t>.<raw body>``.
==============  ===============================================================================

Every secret may be several, the newest first: what any of them has made is accepted, so that one
can be replaced without losing what is under way. All comparing takes the same time whatever the
texts are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from ...errors import InputError, SignatureError, shown
from ..secret import Secret

MIN_SECRET = 16
MAX_AGE_S = 300.0

_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_STAMP = re.compile(r"\d{1,12}", re.ASCII)
_TOKEN_SIGNS = 32
_PAYLOAD = re.compile(r"rm1\.([0-9a-f]{32})(?:\.(.*))?", re.ASCII | re.DOTALL)

Secrets = str | Iterable[str]


class Check(Protocol):
    """A verification under way: takes the body as it comes."""

    def update(self, data: bytes, /) -> None: ...

    def finish(self) -> int:
        """The place of the secret that fits, 0 for the newest. Raises SignatureError."""


def _wrapped(given: Secrets) -> tuple[Secret, ...]:
    return tuple(Secret(text) for text in ([given] if isinstance(given, str) else given))


def _refused() -> SignatureError:
    error = SignatureError("the webhook's sender did not prove who it is")
    error.add_note("the raw bytes of the body are signed: JSON that was written anew never fits")
    return error


def _place_of_match(matches: list[bool]) -> int:
    if True not in matches:
        raise _refused()
    return matches.index(True)


class _HexCheck:
    """The signature of a body by any of the secrets."""

    def __init__(self, secrets: tuple[Secret, ...], before: bytes, claimed: list[str]) -> None:
        self._sums = [hmac.new(s.reveal().encode(), before, hashlib.sha256) for s in secrets]
        self._claimed = [bytes.fromhex(text) for text in claimed if _HEX.fullmatch(text)]
        if not self._claimed:
            raise _refused()

    def update(self, data: bytes, /) -> None:
        for each in self._sums:
            each.update(data)

    def finish(self) -> int:
        return _place_of_match(
            [
                True in [hmac.compare_digest(each.digest(), claimed) for claimed in self._claimed]
                for each in self._sums
            ]
        )


class _Sender:
    _secrets: tuple[Secret, ...] = ()

    def _check_secrets(self, name: str) -> None:
        if not self._secrets:
            raise InputError(f"{name}: no secret is given", code="secret")
        for secret in self._secrets:
            secret.check(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {len(self._secrets)} secrets>"


class AIDetectorWebhook(_Sender):
    """Webhooks of aiimagedetectorapi.com.

    Parameters
    ----------
    secrets : str or iterable of str
        What was agreed upon in the dashboard, the newest first.
    """

    def __init__(self, secrets: Secrets) -> None:
        # No local variable holds a secret from here on: tracebacks may show locals.
        secrets, self._secrets = (), _wrapped(secrets)
        self._check_secrets("AIDetector's webhook secret")

    def check(self, headers: Mapping[str, str]) -> Check:
        """Begin to verify. Names of ``headers`` in lower case, several values joined by commas.

        Raises SignatureError if there is nothing that could be a signature.
        """
        text = headers.get("x-signature", "").strip()
        # No page tells of a list: two signatures are a forger's attempt to have two tries.
        return _HexCheck(self._secrets, b"", [text.removeprefix("sha256=")])

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises SignatureError unless ``X-Signature`` is that of the raw body."""
        _verify(self.check, body, headers)


class SightengineWebhook(_Sender):
    """Callbacks of Sightengine, which sends them for videos.

    Parameters
    ----------
    secrets : str or iterable of str
        They begin with ``casec_``, and the newest is first.
    max_age : float
        Seconds: an older signature, or one from the future, is refused.
    clock : callable
        Seconds since 1970.
    """

    def __init__(
        self,
        secrets: Secrets,
        *,
        max_age: float = MAX_AGE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # No local variable holds a secret from here on: tracebacks may show locals.
        secrets, self._secrets = (), _wrapped(secrets)
        self._check_secrets("Sightengine's webhook secret")
        self._max_age = max_age
        self._clock = clock

    def check(self, headers: Mapping[str, str]) -> Check:
        """As :meth:`AIDetectorWebhook.check`. Raises SignatureError for one that is too old."""
        fields = [
            part.strip().partition("=")[::2]
            for part in headers.get("sightengine-signature", "")[:1000].split(",")
        ]
        stamps = [value for name, value in fields if name == "t"]
        if len(stamps) != 1 or not _STAMP.fullmatch(stamps[0]):
            raise _refused()
        if abs(self._clock() - int(stamps[0])) > self._max_age:
            raise SignatureError("the webhook's signature is too old", code="signature_age")
        claimed = [value for name, value in fields if name == "v1"]
        return _HexCheck(self._secrets, f"{stamps[0]}.".encode(), claimed)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises SignatureError unless the header is that of the raw body, and fresh."""
        _verify(self.check, body, headers)


def _path_of(url: str) -> str:
    """Of an address to which more parts of a path are added; without a slash at its end."""
    if url == "":
        return "/copyleaks"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"url: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise InputError(
            f"url {shown(url)}: not an address such as 'https://hooks.example.org/copyleaks'"
        )
    return unquote(parts.path)


def _verify(
    check: Callable[[Mapping[str, str]], Check], body: bytes, headers: Mapping[str, str]
) -> None:
    checking = check({name.lower(): value for name, value in headers.items()})
    checking.update(body)
    checking.finish()


class CopyleaksWebhook(_Sender):
    """Webhooks of Copyleaks: the address and the payload of each scan, and whether they are ours.

    Nothing has to be remembered between submitting a scan and receiving its result: both are made
    from the scan's id and a secret.

    Parameters
    ----------
    url : str
        Where the receiver listens for Copyleaks, such as ``https://hooks.example.org/copyleaks``;
        its path is the receiver's for them. For one that only receives, ``""``: any host, and
        the path ``/copyleaks``.
    secrets : str or iterable of str
        Of at least 16 characters, yours alone, the newest first. ``secrets.token_urlsafe()``
        makes a good one.

    Raises InputError for a secret or an address that cannot be used.
    """

    def __init__(self, url: str, secrets: Secrets) -> None:
        # No local variable holds a secret from here on: tracebacks may show locals.
        secrets, self._secrets = (), _wrapped(secrets)
        self._check_secrets("Copyleaks' webhook secret")
        if any(len(secret.reveal()) < MIN_SECRET for secret in self._secrets):
            raise InputError(
                f"Copyleaks' webhook secret has fewer than {MIN_SECRET} characters", code="secret"
            )
        self.url = url.rstrip("/")
        self._path = _path_of(self.url)

    @property
    def pattern(self) -> str:
        """The path of all its addresses."""
        return f"{self._path}/{{scan id}}/{{token}}"

    def named_by(self, *paths: str) -> tuple[str, str] | None:
        """The scan's id and the token in the path of a request, if it is such an address.

        ``paths``: it may be told in several ways, as a server or a proxy has taken the first
        folders of it off. So all of ``url`` need not be there, but the last of its folders.
        """
        folders = self._path.split("/")[1:]
        heads = [f"/{'/'.join(folders[at:])}/" for at in range(len(folders))] or ["/"]
        for path in paths:
            for head in heads:
                if path.startswith(head) and path != head:
                    scan_id, _, token = path.removeprefix(head).rpartition("/")
                    return scan_id, token
        return None

    def address(self, scan_id: str) -> str:
        """Where to send the result of a scan."""
        return (
            f"{self.url}/{quote(scan_id, safe='')}/{self._token(self._secrets[0], 'at', scan_id)}"
        )

    def payload(self, scan_id: str, own: str | None = None) -> str:
        """The ``developerPayload`` of a scan, with yours in it."""
        token = self._token(self._secrets[0], "payload", scan_id)
        return f"rm1.{token}" if own is None else f"rm1.{token}.{own}"

    def verify_address(self, scan_id: str, token: str) -> int:
        """The place of the secret that made an address with these last two parts, 0 for the newest.

        Raises SignatureError if none has.
        """
        return self._compare("at", scan_id, token)

    def verify_payload(self, scan_id: str, payload: object) -> str | None:
        """Your own part of the payload. Raises SignatureError unless it was made here."""
        found = _PAYLOAD.fullmatch(payload) if isinstance(payload, str) else None
        if found is None:
            raise _refused()
        self._compare("payload", scan_id, found[1])
        return found[2] and found[2].encode("utf-8", "replace").decode()

    def _compare(self, purpose: str, scan_id: str, token: str) -> int:
        claimed = token.encode("utf-8", "replace")
        return _place_of_match(
            [
                hmac.compare_digest(self._token(secret, purpose, scan_id).encode(), claimed)
                for secret in self._secrets
            ]
        )

    @staticmethod
    def _token(secret: Secret, purpose: str, scan_id: str) -> str:
        text = f"runmask/{purpose}/{scan_id}".encode("utf-8", "replace")
        return hmac.new(secret.reveal().encode(), text, hashlib.sha256).hexdigest()[:_TOKEN_SIGNS]
