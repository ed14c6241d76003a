"""Answers are read strictly: what is wrong is refused, with the place, and never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmask import _core, formats
from runmask.errors import LimitError, ResponseFormatError

ANSWER = {
    "result": {"starts": [3, 9], "lengths": [2, 1]},
    "imageInfo": {"shape": {"height": 4, "width": 5}},
}


def refused(body: Any, **limits: int) -> ResponseFormatError:
    with pytest.raises(ResponseFormatError) as caught:
        formats.load_json(body, **limits)
    assert len(str(caught.value)) <= 500
    assert str(caught.value).isprintable()
    return caught.value


# -- the runs of an answer


@pytest.mark.parametrize(
    ("name", "runs", "shape"),
    [
        ("03_copyleaks_check_200_partial_ai.json", 4, (512, 512)),
        ("04_copyleaks_check_200_human.json", 0, (768, 1024)),
        ("05_copyleaks_check_200_2025_full_ai.json", 1, (640, 640)),
        ("copyleaks/10_copyleaks_webhook_success.json", 1, (512, 512)),
        ("copyleaks_check_edited_1800x1350.json", 56, (1350, 1800)),
    ],
)
def test_runs_of_answers(golden: Path, name: str, runs: int, shape: tuple[int, int]) -> None:
    body = (golden / name).read_bytes()
    answer = json.loads(body)
    for form in (body, body.decode(), answer):
        starts, lengths, found = formats.response_runs(form)
        assert (len(starts), len(lengths), found) == (runs, runs, shape)
        if isinstance(starts, _core.Block):
            starts = [*memoryview(starts)]
        assert starts == answer["result"]["starts"]


def test_values_are_left_to_the_mask() -> None:
    body = (
        b'{"result":{"starts":[1.5,"x",null],"lengths":[-1]},'
        b'"imageInfo":{"shape":{"height":-4,"width":"5"}}}'
    )
    assert formats.response_runs(body) == ([1.5, "x", None], [-1], (-4, "5"))


@pytest.mark.parametrize(
    "path",
    [
        *("result", "result.starts", "result.lengths"),
        *("imageInfo", "imageInfo.shape", "imageInfo.shape.height", "imageInfo.shape.width"),
    ],
)
def test_missing_keys_are_named(path: str) -> None:
    answer = json.loads(json.dumps(ANSWER))
    *parents, last = path.split(".")
    place = answer
    for parent in parents:
        place = place[parent]
    del place[last]
    with pytest.raises(ResponseFormatError, match="missing") as caught:
        formats.response_runs(answer)
    assert (caught.value.path, caught.value.code) == (path, "missing_key")


@pytest.mark.parametrize("path", ["result", "result.starts", "imageInfo", "imageInfo.shape"])
@pytest.mark.parametrize("wrong", [None, 7, "text", True])
def test_wrong_containers_are_named(path: str, wrong: object) -> None:
    answer = json.loads(json.dumps(ANSWER))
    *parents, last = path.split(".")
    place = answer
    for parent in parents:
        place = place[parent]
    place[last] = wrong
    with pytest.raises(ResponseFormatError, match="not a") as caught:
        formats.response_runs(json.dumps(answer))
    assert (caught.value.path, caught.value.code) == (path, "wrong_type")


@pytest.mark.parametrize("name", ["02_copyleaks_login_401_bad_key", "11_copyleaks_webhook_error"])
def test_error_reports_are_no_answers(golden: Path, name: str) -> None:
    with pytest.raises(ResponseFormatError) as caught:
        formats.response_runs((golden / "copyleaks" / f"{name}.json").read_bytes())
    assert caught.value.code == "error_report"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"ok"', b"7", b"true"])
def test_top_level_must_be_an_object(body: bytes) -> None:
    with pytest.raises(ResponseFormatError) as caught:
        formats.response_runs(body)
    assert caught.value.code == "not_an_object"


# -- JSON


@pytest.mark.parametrize(
    "name",
    [
        "03_copyleaks_check_200_partial_ai.json",
        "05_copyleaks_check_200_2025_full_ai.json",
        "copyleaks/01_copyleaks_login_200.json",
        "copyleaks_check_edited_1800x1350.json",
    ],
)
def test_every_cut_of_an_answer_is_seen(golden: Path, name: str) -> None:
    body = (golden / name).read_bytes()
    for length in range(len(body.rstrip())):
        error = refused(body[:length])
        assert (error.code, error.offset) == ("json_truncated", length)


def test_every_cut_of_every_token_is_seen() -> None:
    text = '{"a": [true, false, null, -1.5e+10, 0.25E-3], "\\u00e9\\n\\"": "é\\\\", "": {}}'
    formats.load_json(text)
    for body in (text, text.encode()):
        for length in range(len(body)):
            assert refused(body[:length]).code == "json_truncated"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_reads_what_json_writes(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert formats.load_json(text) == value
        try:
            body = text.encode()
        except UnicodeEncodeError:
            continue
        assert formats.load_json(body) == value


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,\\u019eENa-+tf ', max_size=40))
def test_nothing_but_its_errors_comes_out(body: bytes | str) -> None:
    try:
        formats.load_json(body)
    except ResponseFormatError as error:
        offset = error.offset
    else:
        offset = None
    assert offset is None or 0 <= offset <= len(body)


@pytest.mark.parametrize(
    ("body", "path", "offset"),
    [
        (b'{"summary":{"ai":NaN}}', "summary.ai", 17),
        (b'{"a":"NaN 1e999","b":[1,-Infinity]}', "b[1]", 24),
        ('{"é":Infinity}'.encode(), "é", 6),
        (b"[0, 1e400]", "[1]", 4),
    ],
)
def test_numbers_must_be_finite(body: bytes, path: str, offset: int) -> None:
    error = refused(body)
    assert (error.code, error.path, error.offset) == ("not_finite", path, offset)


# Of these none is to be taken for the one that is refused.
HARMLESS = [
    *("0", "-1", "1.5", "-2.5E-7", "1e99", "1E+100", "9" * 400, "0." + "1" * 5000, "0.00001e308"),
    *('"NaN 1e999"', '"\\\\"', '"\\""', "[]", '{"-": "Infinity"}', "true", "false", "null"),
]


@given(
    before=st.lists(st.sampled_from(HARMLESS)),
    behind=st.lists(st.sampled_from(HARMLESS)),
    bad=st.sampled_from(
        ("NaN", "Infinity", "-Infinity", "1e309", "-1e400", "9" * 400 + ".5", "1" * 310 + "e0")
    )
    | st.sampled_from(["9" * 5000, "-" + "9" * 4301]),
    gap=st.sampled_from([",", " ,\n"]),
)
def test_the_bad_number_is_found_among_others(
    before: list[str], behind: list[str], bad: str, gap: str
) -> None:
    start = "[" + "".join(item + gap for item in before)
    error = refused((start + bad + "".join(gap + item for item in behind) + "]").encode())
    assert error.offset == len(start)
    if bad.lstrip("-").isdecimal():
        assert error.code == "number_too_long"
    else:
        assert (error.code, error.path) == ("not_finite", f"[{len(before)}]")


def test_a_key_twice_is_refused() -> None:
    error = refused(b'{"result":{"starts":[1],"lengths":[1],"starts":[2]}}')
    assert (error.code, error.path) == ("duplicate_key", "starts")


def test_long_integers() -> None:
    assert formats.load_json(b"[%s]" % (b"9" * 4300)) == [10**4300 - 1]
    error = refused(b'{"12": "%s", "x": -%s}' % (b"7" * 5000, b"9" * 5000))
    assert (error.code, error.offset) == ("number_too_long", 5016)


def test_depth() -> None:
    formats.load_json(b"[" * 64 + b"]" * 64)
    formats.load_json(json.dumps({"[" * 200: '"' + "{" * 200}))
    formats.load_json("[" + "[],{}," * 500 + "0]")
    assert refused(b"[" * 65 + b"]" * 65).offset == 64
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b'["]",' * 100_000):
        assert refused(deep).code == "too_deep"


def test_the_number_of_objects_and_arrays_is_limited() -> None:
    for one in ("[]", '{"]":1}'):
        full = f"[{','.join([one] * 99_999)}]"
        assert len(formats.load_json(full)) == 99_999  # type: ignore[arg-type]
        error = refused(f"[{full[1:-1]},{one}]")
        assert (error.code, error.offset) == ("too_many_containers", len(full))
    formats.load_json(json.dumps(["[" * 200_000, {"{" * 200_000: [[]] * 100}]))


def test_the_number_of_keys_is_limited() -> None:
    full = json.dumps({str(n): ":" for n in range(200_000)})
    assert len(formats.load_json(full)) == 200_000  # type: ignore[arg-type]
    error = refused(full[:-1] + ', "x": 0}')
    assert (error.code, error.offset) == ("too_many_keys", len(full) + 4)
    formats.load_json(json.dumps([":" * 300_000, {"a:b": "::"}]))


def test_of_millions_that_are_not_finite_the_first_is_told() -> None:
    error = refused(b'{"a":[1.5,' + b"NaN,1e999," * 500_000 + b"0]}")
    assert (error.code, error.path, error.offset) == ("not_finite", "a[1]", 10)


@pytest.mark.parametrize(
    ("body", "code", "offset"),
    [
        (b'{"a":tru}', "json_syntax", 5),
        (b'{"a" 1}', "json_syntax", 5),
        (b"{} {}", "json_syntax", 3),
        (b'["\\x"]', "json_syntax", 2),
        (b'{"a":"\x1b[31m"}', "json_syntax", 6),
        ("\ufeff[x]".encode(), "json_syntax", 4),
        (b'{"a":"\xff"}', "encoding", 6),
        ('{"a":1}'.encode("utf-16"), "encoding", 0),
        ('{"a":1}'.encode("utf-32-le"), "encoding", 0),
        (b"<!DOCTYPE html>\x1b[31m<p>Sign in", "html", 0),
        (b"  <?xml?>", "html", 0),
        (b"", "json_truncated", 0),
        (b" \r\n ", "json_truncated", 4),
    ],
)
def test_what_is_wrong_and_where(body: bytes, code: str, offset: int) -> None:
    error = refused(body)
    assert (error.code, error.offset) == (code, offset)


def test_hints() -> None:
    assert "UTF-16" in str(refused('{"a":1}'.encode("utf-16")))
    assert "proxy" in str(refused(b"<html>"))


def test_a_byte_order_mark_is_skipped() -> None:
    assert formats.load_json('\ufeff{"a":1}'.encode()) == {"a": 1}
    assert formats.load_json('\ufeff{"a":1}') == {"a": 1}


def test_lone_surrogates_are_kept() -> None:
    assert formats.load_json(b'{"a":"\\ud800"}') == {"a": "\ud800"}
    assert refused('"\ud800" x').offset == 6


def test_size_limit() -> None:
    assert formats.load_json(b"[1]", max_bytes=3) == [1]
    with pytest.raises(LimitError) as caught:
        formats.load_json(b"[1] ", max_bytes=3)
    assert caught.value.code == "response_bytes"


def test_not_bytes() -> None:
    assert "NoneType" in str(refused(None))
