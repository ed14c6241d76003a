"""``Secret``: a key or token that shows itself to nobody who does not ask."""

from __future__ import annotations

import hmac
from typing import NoReturn

from ..errors import InputError


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
        for at, character in enumerate(self._value):
            if not ("!" <= character <= "~") or character in "\"'`":
                raise InputError(
                    f"{name} ({len(self._value)} characters) has {_kind(character)} at position"
                    f" {at}; allowed are ASCII letters, digits and signs but quotes",
                    code="secret",
                )

    def scrub(self, text: str) -> str:
        """The text without the secret in it."""
        return text.replace(self._value, repr(self)) if len(self._value) > 3 else text

    def scrub_bytes(self, data: bytes) -> bytes:
        value = self._value.encode()
        return data.replace(value, repr(self).encode()) if len(value) > 3 else data

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
