"""JSON from the network: read strictly, in time and memory that follow its size.

Bytes from the network are not trusted: there is a limit on the size, on the nesting and on the
number of objects, arrays and keys; numbers that JSON does not know and repeated keys are refused;
and every error says where.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import LimitError, ResponseFormatError, shown

MAX_BYTES = 256 * 2**20
"""The default limit for an answer; a 27-megapixel checkerboard is 143 MB."""

MAX_DEPTH = 64

MAX_CONTAINERS = 100_000
"""Objects and arrays in one text. An answer has about a dozen; each takes dozens of bytes."""

MAX_MEMBERS = 200_000
"""Keys of all objects together. Each takes microseconds, and dozens of bytes."""

Body = bytes | bytearray | memoryview | str

_SPACE = " \t\r\n"

# Each finds the first of its kind from the place where it is asked to match. What comes before it
# is passed over within one match: a turn of a loop for each string or number takes far longer.
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\Z)'
_FLOAT = r"-?\d++(?:\.\d++(?:[eE][+-]?\d++)?+|[eE][+-]?\d++)"
_FINITE = r"-?\d{1,99}+(?:\.\d++)?+(?:[eE][+-]?\d{1,2}+)?+(?![\d.eE])"
_INTEGER = r"-?\d++(?![\d.eE])"
_MARK = re.compile(rf'(?:[^"\[\]{{}}:]++|{_STRING})*+([\[\]{{}}:])', re.DOTALL)
_PERHAPS_NOT_FINITE = re.compile(
    rf'(?:[^"\dNI-]++|{_STRING}|{_INTEGER}|{_FINITE})*+(NaN|-?Infinity|{_FLOAT})', re.DOTALL
)
_NUMBER_TAIL = re.compile(r"\.|[eE][+-]?")


def load_object(body: Body, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """As :func:`load_json`, for a body that must be a JSON object."""
    return object_only(load_json(body, max_bytes=max_bytes))


def object_only(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResponseFormatError(
            f"the body is a JSON {kind_of(value)}, not an object: {shown(value)}",
            code="not_an_object",
        )
    return value


def load_json(body: Body, *, max_bytes: int = MAX_BYTES) -> object:
    """Read JSON strictly; O(bytes).

    Refused beyond what the JSON standard refuses: NaN, infinities and floats too large for 64 bits,
    a key twice in one object, nesting deeper than 64, more than 100,000 objects and arrays or
    200,000 keys, integers of more than 4300 digits.

    Raises
    ------
    ResponseFormatError
        ``offset`` is the byte and ``path`` the field, where known. ``code`` is ``json_truncated``
        if the text only lacks its end, else ``json_syntax``, ``html``, ``encoding``,
        ``not_finite``, ``duplicate_key``, ``too_deep``, ``too_many_containers``,
        ``too_many_keys`` or ``number_too_long``.
    LimitError
        The body is longer than ``max_bytes``.
    """
    text = bytes_of(body, max_bytes)
    return Reader().read(body if isinstance(body, str) or text is None else text)


def bytes_of(body: Body, max_bytes: int) -> bytes | bytearray | memoryview | None:
    """The body as single bytes, copied only if it must be; None for text that UTF-8 cannot say."""
    if isinstance(body, memoryview):
        body = body.cast("B") if body.c_contiguous else bytes(body)
    elif not isinstance(body, (bytes, bytearray, str)):
        raise ResponseFormatError(f"the body is {type(body).__name__}: not bytes or str")
    if len(body) > max_bytes:
        raise LimitError(
            f"the answer has {len(body)} bytes > max_bytes {max_bytes}", code="response_bytes"
        )
    if isinstance(body, str):
        try:
            return body.encode()
        except UnicodeEncodeError:
            return None
    return body


class Cut(NamedTuple):
    """Bytes left out of a text: the first items of the array ``result.<name>``."""

    first: int
    last: int
    name: str
    items: int


class _NotFinite:
    def __init__(self, token: str) -> None:
        self.token = token


class Reader:
    """Reads one JSON text, of which parts may have been left out; places are those of the whole."""

    def __init__(self, cuts: Sequence[Cut] = ()) -> None:
        self._cuts = cuts

    def read(self, body: Body) -> object:
        return self._parse(body if isinstance(body, str) else self._decode(bytes(body)))

    def _offset(self, at: int) -> int:
        """Of the byte ``at`` in the whole."""
        for cut in self._cuts:
            if at >= cut.first:
                at += cut.last - cut.first
        return at

    def _error(
        self, text: str, at: int, message: str, code: str, path: str | None = None
    ) -> ResponseFormatError:
        """For the character ``at``; what the error tells is the byte."""
        offset = self._offset(len(text[:at].encode("utf-8", "surrogatepass")))
        return ResponseFormatError(
            f"{message} (byte {offset})", code=code, path=path, offset=offset
        )

    def _decode(self, body: bytes) -> str:
        encoding = json.detect_encoding(body)
        if not encoding.startswith("utf-8"):
            raise ResponseFormatError(
                f"the body is {encoding.upper()}, and JSON travels as UTF-8: look for a wrong "
                "charset on the way",
                code="encoding",
                offset=0,
            )
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as error:
            offset = self._offset(error.start)
            if error.reason == "unexpected end of data":
                text = "the JSON ends in the middle of a character: it was cut off"
                code = "json_truncated"
            else:
                text = f"byte {body[error.start]:#04x} at {offset} is not UTF-8"
                code = "encoding"
            raise ResponseFormatError(text, code=code, offset=offset) from None

    def _parse(self, text: str) -> object:
        if text.startswith("\ufeff"):
            text = "   " + text[1:]  # as many bytes: offsets stay true
        if not text.strip(_SPACE):
            raise self._error(text, len(text), "the body is empty", "json_truncated")
        if text.lstrip()[:1] == "<":
            raise ResponseFormatError(
                f"the body is HTML or XML, from a proxy or captive portal? {shown(text.strip())}",
                code="html",
                offset=0,
            )
        self._check_structure(text)
        strange: list[_NotFinite] = []

        def not_finite(token: str) -> _NotFinite:
            if not strange:  # the first is told of; there may be millions
                strange.append(_NotFinite(token))
            return strange[0]

        def number(token: str) -> float | _NotFinite:
            value = float(token)
            return value if math.isfinite(value) else not_finite(token)

        hooks: dict[str, Any] = {
            "parse_constant": not_finite,
            "parse_float": number,
            "object_pairs_hook": _object_of,
        }
        try:
            value: object = json.loads(text, **hooks)
        except json.JSONDecodeError as error:
            raise self._syntax_error(text, error) from None
        except ResponseFormatError:
            raise
        except ValueError:  # the interpreter's own limit for integers, against quadratic time
            raise self._long_integer_error(text) from None
        if strange:
            raise self._not_finite_error(text, value)
        return value

    def _check_structure(self, text: str) -> None:
        # An answer has a dozen brackets: counting them settles nearly every case at memory speed.
        brackets, colons = text.count("[") + text.count("{"), text.count(":")
        if brackets <= MAX_DEPTH and colons <= MAX_MEMBERS:
            return
        depth = containers = members = 0
        at = 0
        while found := _MARK.match(text, at):
            at = found.end()
            if found[1] in "]}":
                depth -= 1
                continue
            if found[1] == ":":
                members += 1
            else:
                depth += 1
                containers += 1
            if depth > MAX_DEPTH:
                message, code = f"the JSON is nested deeper than {MAX_DEPTH}", "too_deep"
            elif containers > MAX_CONTAINERS:
                message = f"the JSON has more than {MAX_CONTAINERS} objects and arrays"
                code = "too_many_containers"
            elif members > MAX_MEMBERS:
                message = f"the JSON has more than {MAX_MEMBERS} keys"
                code = "too_many_keys"
            else:
                continue
            raise self._error(text, at - 1, message, code)

    def _syntax_error(self, text: str, error: json.JSONDecodeError) -> ResponseFormatError:
        if _is_cut_off(text, error):
            message = "the JSON ends too early: it was cut off"
            return self._error(text, len(text), message, "json_truncated")
        message = f"not JSON: {error.msg}, before {text[error.pos : error.pos + 12]!r}"
        return self._error(text, error.pos, message, "json_syntax")

    def _long_integer_error(self, text: str) -> ResponseFormatError:
        limit = sys.get_int_max_str_digits()
        short = rf"-?\d{{1,{limit}}}+(?!\d)|-(?!\d)"
        long = rf"-?(\d{{{limit + 1},}}+)"
        found = re.match(rf'(?:[^"\d-]++|{_STRING}|{_FLOAT}|{short})*+{long}', text, re.DOTALL)
        assert found is not None  # the interpreter has met it
        message = f"an integer of {len(found[1])} digits: more than {limit}"
        at = found.start(1) - (text[found.start(1) - 1 : found.start(1)] == "-")
        return self._error(text, at, message, "number_too_long")

    def _not_finite_error(self, text: str, value: object) -> ResponseFormatError:
        place, bad = next(_not_finite_members([value], ()))
        found = _PERHAPS_NOT_FINITE.match(text)
        while found and math.isfinite(float(found[1])):
            found = _PERHAPS_NOT_FINITE.match(text, found.end())
        assert found is not None  # the parser has met it
        path = self._path(place[1:])
        message = f"{path or 'the body'} is {shown(bad.token)}: not a finite number"
        return self._error(text, found.start(1), message, "not_finite", path)

    def _path(self, place: _Place) -> str:
        for cut in self._cuts:
            if place[:2] == ("result", cut.name):
                place = (*place[:2], int(place[2]) + cut.items, *place[3:])
        path = ""
        for part in place:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
        return path


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ResponseFormatError(
                    f"the key {shown(key)} stands twice in one object",
                    code="duplicate_key",
                    path=key,
                )
            seen.add(key)
    return result


def _is_cut_off(text: str, error: json.JSONDecodeError) -> bool:
    """Whether more text could have mended it: what stands from the error on is only a beginning."""
    if error.msg.startswith("Unterminated string"):
        return True
    if len(text) - error.pos > 12 and not text[error.pos :].isspace():
        return False
    rest = text[error.pos :].rstrip(_SPACE)
    if error.msg.startswith("Invalid \\u"):
        return len(rest) < 6
    literals = ("true", "false", "null", "NaN", "-Infinity")  # the empty rest begins each of them
    return (
        any(word.startswith(rest) for word in literals) or _NUMBER_TAIL.fullmatch(rest) is not None
    )


_Place = tuple[str | int, ...]


def _not_finite_members(value: Any, place: _Place) -> Iterator[tuple[_Place, _NotFinite]]:
    """Of a list or an object, in the order of the text; the depth is limited already."""
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(member, _NotFinite):
            yield (*place, name), member
        elif isinstance(member, (dict, list)):
            yield from _not_finite_members(member, (*place, name))


def kind_of(value: object) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number" if isinstance(value, (int, float)) else "value")
