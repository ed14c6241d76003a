"""The wire forms of masks: for now, the JSON answer of Copyleaks.

::

    {"result":    {"starts": [int, ...], "lengths": [int, ...]},
     "imageInfo": {"shape": {"height": int, "width": int}}, ...}

Bytes from the network are not trusted: they are read with a limit on size and on nesting, numbers
that JSON does not know and repeated keys are refused, and every error says where.

The two arrays are nearly all of a large answer. The core reads them from the bytes; the ordinary
reader gets the text without them, and alone decides what is refused, and why.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .. import _core
from ..errors import LimitError, ResponseFormatError, shown

MAX_BYTES = 256 * 2**20
"""The default limit for an answer; a 27-megapixel checkerboard is 143 MB."""

MAX_DEPTH = 64

Body = bytes | bytearray | memoryview | str

_SPACE = " \t\r\n"
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_NUMBER = re.compile(
    r'"(?:[^"\\]++|\\.)*+(?:"|\Z)'
    r"|(?P<number>NaN|-?Infinity|-?\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+)",
    re.DOTALL,
)
_NUMBER_TAIL = re.compile(r"\.|[eE][+-]?")


def response_runs(
    body: Body | Mapping[str, Any],
) -> tuple[Any, Any, tuple[Any, Any]]:
    """``(starts, lengths, (height, width))`` of a Copyleaks answer or webhook. O(bytes).

    The values come as they are, runs of an unread body as :func:`load_answer` has them: whether
    they are numbers that mean a mask is for ``Mask`` to judge.
    Raises ResponseFormatError, with ``path``, if something is missing or no list or object.
    """
    answer = body if isinstance(body, Mapping) else load_answer(body)
    if "result" not in answer and "error" in answer:
        raise ResponseFormatError(
            f"the service reports an error and no result: {answer['error']!r:.200}",
            code="error_report",
            path="error",
        )
    result = _object(answer, "result", "")
    starts = _list(result, "starts", "result.")
    lengths = _list(result, "lengths", "result.")
    shape = _object(_object(answer, "imageInfo", ""), "shape", "imageInfo.")
    height = _present(shape, "height", "imageInfo.shape.")
    width = _present(shape, "width", "imageInfo.shape.")
    return starts, lengths, (height, width)


def load_answer(body: Body, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """As :func:`load_object`, but runs are read by the core: no Python integer is made of them.

    ``result.starts`` and ``result.lengths`` come as read-only buffers of int32 or int64 (a
    ``_core.Block``) if they are lists of nothing but integers of 64 bits, and not empty; else as
    the lists they are. All that :func:`load_json` refuses is refused with the same error.
    """
    text = _bytes_of(body, max_bytes)
    if text is None:
        return load_object(body, max_bytes=max_bytes)
    found = dict(zip(("starts", "lengths"), _core.read_answer(text), strict=True))
    cuts = sorted(
        _Cut(first, last, name, len(items)) for name, (items, first, last) in found.items() if items
    )
    if not cuts:
        return _object_only(_Reader().read(body if isinstance(body, str) else text))
    rest = _without(text, cuts)
    answer = _object_only(_Reader(cuts).read(rest.decode() if isinstance(body, str) else rest))
    for cut in cuts:
        items, left = found[cut.name][0], answer["result"][cut.name]
        answer["result"][cut.name] = [*memoryview(items), *left] if left else items
    return answer


def plain_answer(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What :func:`load_object` would have read, of what :func:`load_answer` has. O(runs)."""
    result = answer.get("result")
    if not isinstance(result, dict):
        return answer
    lists = {
        name: [*memoryview(items)]
        for name, items in result.items()
        if isinstance(items, _core.Block)
    }
    return {**answer, "result": {**result, **lists}} if lists else answer


def load_object(body: Body, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """As :func:`load_json`, for a body that must be a JSON object."""
    return _object_only(load_json(body, max_bytes=max_bytes))


def _object_only(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResponseFormatError(
            f"the body is a JSON {_kind(value)}, not an object: {shown(value)}",
            code="not_an_object",
        )
    return value


def load_json(body: Body, *, max_bytes: int = MAX_BYTES) -> object:
    """Read JSON strictly; O(bytes).

    Refused beyond what the JSON standard refuses: NaN, infinities and floats too large for 64 bits,
    a key twice in one object, nesting deeper than 64, integers of more than 4300 digits.

    Raises
    ------
    ResponseFormatError
        ``offset`` is the byte and ``path`` the field, where known. ``code`` is ``json_truncated``
        if the text only lacks its end, else ``json_syntax``, ``html``, ``encoding``,
        ``not_finite``, ``duplicate_key``, ``too_deep`` or ``number_too_long``.
    LimitError
        The body is longer than ``max_bytes``.
    """
    text = _bytes_of(body, max_bytes)
    return _Reader().read(body if isinstance(body, str) or text is None else text)


def _bytes_of(body: Body, max_bytes: int) -> bytes | bytearray | memoryview | None:
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


class _Cut(NamedTuple):
    """Bytes left out of a text: the first items of the array ``result.<name>``."""

    first: int
    last: int
    name: str
    items: int


def _without(text: bytes | bytearray | memoryview, cuts: Sequence[_Cut]) -> bytes:
    view = memoryview(text)
    edges = [0, *(edge for cut in cuts for edge in cut[:2]), len(view)]
    return b"".join(view[at:to] for at, to in zip(edges[::2], edges[1::2], strict=True))


class _NotFinite:
    def __init__(self, token: str) -> None:
        self.token = token


class _Reader:
    """Reads one JSON text, of which parts may have been left out; places are those of the whole."""

    def __init__(self, cuts: Sequence[_Cut] = ()) -> None:
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
        self._check_depth(text)
        strange: list[_NotFinite] = []

        def not_finite(token: str) -> _NotFinite:
            strange.append(_NotFinite(token))
            return strange[-1]

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

    def _check_depth(self, text: str) -> None:
        # An answer has a dozen brackets: counting them settles nearly every case at memory speed.
        if text.count("[") + text.count("{") <= MAX_DEPTH:
            return
        depth = 0
        for token in _TOKEN.finditer(text):
            if token[0] in "[{":
                depth += 1
                if depth > MAX_DEPTH:
                    message = f"the JSON is nested deeper than {MAX_DEPTH}"
                    raise self._error(text, token.start(), message, "too_deep")
            elif token[0] in "]}":
                depth -= 1

    def _syntax_error(self, text: str, error: json.JSONDecodeError) -> ResponseFormatError:
        if _is_cut_off(text, error):
            message = "the JSON ends too early: it was cut off"
            return self._error(text, len(text), message, "json_truncated")
        message = f"not JSON: {error.msg}, before {text[error.pos : error.pos + 12]!r}"
        return self._error(text, error.pos, message, "json_syntax")

    def _long_integer_error(self, text: str) -> ResponseFormatError:
        limit = sys.get_int_max_str_digits()
        long = re.compile(rf"-?\d{{{limit + 1},}}")
        match = next(found for found in _NUMBER.finditer(text) if long.fullmatch(found[0]))
        message = f"an integer of {len(match[0].lstrip('-'))} digits: more than {limit}"
        return self._error(text, match.start(), message, "number_too_long")

    def _not_finite_error(self, text: str, value: object) -> ResponseFormatError:
        place, bad = next(_not_finite_members(value, ()))
        offset = next(
            match.start()
            for match in _NUMBER.finditer(text)
            if match["number"] is not None and not math.isfinite(float(match["number"]))
        )
        path = self._path(place)
        message = f"{path or 'the body'} is {shown(bad.token)}: not a finite number"
        return self._error(text, offset, message, "not_finite", path)

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


def _not_finite_members(value: object, place: _Place) -> Iterator[tuple[_Place, _NotFinite]]:
    """In the order of the text; the depth is limited already."""
    if isinstance(value, _NotFinite):
        yield place, value
    elif isinstance(value, (dict, list)):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            yield from _not_finite_members(member, (*place, name))


def _present(parent: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in parent:
        raise ResponseFormatError(
            f"{where}{key} is missing; there is {sorted(map(str, parent))!r:.120}",
            code="missing_key",
            path=f"{where}{key}",
        )
    return parent[key]


def _object(parent: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = _present(parent, key, where)
    if not isinstance(value, Mapping):
        raise _wrong_kind(f"{where}{key}", value, "an object")
    return value


def _list(parent: Mapping[str, Any], key: str, where: str) -> Any:
    """A list, or in a dict made by hand a tuple or an array."""
    value = _present(parent, key, where)
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__len__"):
        raise _wrong_kind(f"{where}{key}", value, "a list")
    return value


def _wrong_kind(path: str, value: object, wanted: str) -> ResponseFormatError:
    return ResponseFormatError(
        f"{path} is a {_kind(value)}, not {wanted}: {shown(value)}", code="wrong_type", path=path
    )


def _kind(value: object) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number" if isinstance(value, (int, float)) else "value")
