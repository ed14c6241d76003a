"""``Secret``: a key or token that shows itself to nobody who does not ask."""

from __future__ import annotations

import hmac
import re
from typing import NoReturn
from urllib.parse import quote

from ..errors import InputError

MAX_LENGTH = 16 * 1024  # a header that is longer is taken by no server

_ODD = "surrogatepass"  # a proxy's address may hold anything
_NOT_ALLOWED = re.compile(r"""[^!-~]|["'`]""")


class Secret:
    """Text that no repr, format, pickle, log or traceback tells.

    The place that sends it calls :meth:`reveal`, inside an expression: a local variable would stand
    in tracebacks that show locals.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def check(self, name: str) -> None:
        """Refuse what is no key but a slip in pasting one. Tells the length and the place only."""
        if not isinstance(self._value, str):
            raise InputError(f"{name} is not text", code="secret")
        if not self._value:
            raise InputError(f"{name} is empty", code="secret")
        if len(self._value) > MAX_LENGTH:
            raise InputError(
                f"{name} has {len(self._value)} characters > {MAX_LENGTH}", code="secret"
            )
        if bad := _NOT_ALLOWED.search(self._value):
            raise InputError(
                f"{name} ({len(self._value)} characters) has {_kind(bad[0])} at position"
                f" {bad.start()}; allowed are ASCII letters, digits and signs but quotes",
                code="secret",
            )

    def scrub(self, text: str) -> str:
        """The text without the secret in it. To be called before the text is cut."""
        return self.scrub_bytes(text.encode("utf-8", _ODD)).decode("utf-8", _ODD)

    def scrub_bytes(self, data: bytes) -> bytes:
        if len(self._value) > 3:
            for form in _forms(self._value):
                data = _replaced(data, form, repr(self).encode("utf-8", _ODD))
        return data

    def __repr__(self) -> str:
        tail = self._value[-4:] if len(self._value) >= 16 else ""
        return f"<redacted …{tail}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # no dict or set should hold it

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would lie in a file or cross a socket")


def _kind(character: str) -> str:
    if character in "\r\n":
        return "a newline"
    if character.isspace():
        return "a space"
    if character in "\"'`":
        return "a quote"
    return "a control character" if character.isascii() else "a character beyond ASCII"


def _forms(value: str) -> set[bytes]:
    """The ways to write it, in lower case: as it is, and escaped by Python, JSON or an address."""
    written = (
        value,
        value.replace("\\", r"\\"),
        value.replace("/", r"\/"),
        quote(value, "", None, _ODD),
    )
    return {form.encode("utf-8", _ODD).lower() for form in written}


def _replaced(data: bytes, form: bytes, by: bytes) -> bytes:
    """In whatever case: host names come out in lower case."""
    parts: list[bytes] = []
    lower, at = data.lower(), 0
    while (found := lower.find(form, at)) >= 0:
        parts += (data[at:found], by)
        at = found + len(form)
    return b"".join((*parts, data[at:]))
