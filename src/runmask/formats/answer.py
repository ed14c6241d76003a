"""The wire forms of masks: for now, the JSON answer of Copyleaks.

::

    {"result":    {"starts": [int, ...], "lengths": [int, ...]},
     "imageInfo": {"shape": {"height": int, "width": int}}, ...}

The two arrays are nearly all of a large answer. The core reads them from the bytes; the ordinary
reader gets the text without them, and alone decides what is refused, and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from ..errors import ResponseFormatError, shown
from .strict_json import MAX_BYTES, Body, Cut, Reader, bytes_of, kind_of, load_object, object_only


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
    text = bytes_of(body, max_bytes)
    if text is None:
        return load_object(body, max_bytes=max_bytes)
    found = dict(zip(("starts", "lengths"), _core.read_answer(text), strict=True))
    cuts = sorted(
        Cut(first, last, name, len(items)) for name, (items, first, last) in found.items() if items
    )
    if not cuts:
        return object_only(Reader().read(body if isinstance(body, str) else text))
    rest = _without(text, cuts)
    answer = object_only(Reader(cuts).read(rest.decode() if isinstance(body, str) else rest))
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


def _without(text: bytes | bytearray | memoryview, cuts: Sequence[Cut]) -> bytes:
    view = memoryview(text)
    edges = [0, *(edge for cut in cuts for edge in cut[:2]), len(view)]
    return b"".join(view[at:to] for at, to in zip(edges[::2], edges[1::2], strict=True))


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
        f"{path} is a {kind_of(value)}, not {wanted}: {shown(value)}", code="wrong_type", path=path
    )
