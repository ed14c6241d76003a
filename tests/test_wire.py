"""Runs read by the core give what Python's own reader gives: the same mask or the same error."""

from __future__ import annotations

import json
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runmask import Detection, Mask, _core, formats
from runmask.errors import LimitError, ResponseFormatError, RunmaskError


def outcome(call: Any) -> tuple[Any, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mask = call()
        except RunmaskError as error:
            places = (getattr(error, name, None) for name in ("path", "offset", "index"))
            return type(error), error.code, str(error), *places
    return mask, mask.report, mask.starts.dtype, mask.lengths.dtype


def by_python(body: Any, **options: Any) -> Mask:
    """The slow road: every number a Python integer."""
    return Mask.from_response(formats.load_object(body), **options)


def check(body: bytes | str, **options: Any) -> tuple[Any, ...]:
    fast = outcome(lambda: Mask.from_response(body, **options))
    assert fast == outcome(lambda: by_python(body, **options))
    return fast


def answer(starts: str, lengths: str, shape: str = '{"height":900,"width":1000}') -> str:
    return (
        f'{{"model":"é","result":{{"starts":[{starts}],"lengths":[{lengths}]}},'
        f'"imageInfo":{{"shape":{shape}}}}}'
    )


def numbers(count: int, comma: str = ",", first: int = 0, step: int = 3) -> str:
    return comma.join(str(first + step * i) for i in range(count))


# -- made by hand


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("comma", [",", ", ", ",\n        ", "\t,\r\n"])
def test_sizes(kernels: str, count: int, comma: str) -> None:
    body = answer(numbers(count, comma), numbers(count, comma, 1, 0)).encode()
    mask = check(body)[0]
    assert (len(mask), mask.area) == (count, count)
    assert mask.starts.tolist() == list(range(0, 3 * count, 3))


@pytest.mark.parametrize(
    "name", ["03_copyleaks_check_200_partial_ai", "copyleaks_check_edited_1800x1350"]
)
def test_every_cut_of_an_answer(kernels: str, golden: Path, name: str) -> None:
    body = (golden / f"{name}.json").read_bytes().rstrip()
    assert isinstance(check(body)[0], Mask)
    for length in range(len(body)):
        assert check(body[:length])[1] == "json_truncated"


def test_every_cut_of_a_long_answer(kernels: str) -> None:
    body = answer(numbers(90, ", "), numbers(90, ",", 1, 0)).encode()
    for length in range(len(body)):
        if body[length - 1] != 0xC3:  # the first half of a character
            assert check(body[:length])[4] == length


@pytest.mark.parametrize(
    "odd",
    [
        *(
            "-1",
            "-0",
            "00",
            "01",
            "1.5",
            "1e3",
            "1e999",
            "",
            "true",
            '"1"',
            "null",
            "NaN",
            "-Infinity",
        ),
        *(
            "[1]",
            "{}",
            '{"a":NaN}',
            "1 2",
            ",",
            "-",
            "+1",
            "0x1",
            "]",
            "}",
            "x",
            "\x00",
            "\x0b",
            "é",
        ),
        *("123456789", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808"),
        *("-9223372036854775808", "-9223372036854775809", "9" * 5000, "[" * 70),
    ],
)
@pytest.mark.parametrize("policy", ["strict", "clip"])
def test_odd_elements(kernels: str, odd: str, policy: str) -> None:
    for before in (0, 1, 2, 40):
        for after in (0, 1, 40):
            parts = [numbers(before), odd, numbers(after, ",", 300)]
            runs = ",".join(part for part in parts if part or part is odd)
            ones = numbers(before + 1 + after, ", ", 1, 0)
            check(answer(runs, ones), policy=policy)
            check(answer(ones, runs), policy=policy)


@pytest.mark.parametrize(
    "body",
    [
        '{"result":{"starts":[1,2,3],"lengths":[1,1,1],"starts":[4,5,6]}}',
        '{"result":{"starts":[1,2,3]},"result":{"starts":[1],"lengths":[1]}}',
        '{"result":{"\\u0073tarts":[1,3],"lengths":[1,1]},"imageInfo":{"shape":{"height":2,"width":2}}}',
        '{"result":{"starts":[1,3],"\\u0073tarts":[1,3],"lengths":[1,1]}}',
        '{"imageInfo":{"shape":{"width":9,"height":2}},"result":{"lengths":[1,1],"starts":[1,3]}}',
        '{"result":{"x":{"starts":[9]},"starts":[1,3],"lengths":[1,1]},'
        '"imageInfo":{"shape":{"height":2,"width":2}}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,1]},"imageInfo":{"shape":{"height":2,"width":2}}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,1,1]},"imageInfo":{"shape":{"height":2,"width":"2"}}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,1,1]},"imageInfo":{"shape":{"height":2.0,"width":2}}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,1,1]},"imageInfo":{"shape":{"height":0,"width":2}}}',
        '{"result":{"starts":[1,2,3],"lengths":7},"imageInfo":{"shape":{"height":2,"width":2}}}',
        '{"result":{"starts":[1,2,3]},"imageInfo":{"shape":{"height":2,"width":2}}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,2,3]}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,2,3]},"n":1e999}',
        '{"result":{"starts":[1,2,3,NaN],"lengths":[1,2,3]},"n":1e999}',
        '{"result":{"starts":[1,2,3],"lengths":[4,5,6,{"x":[0,NaN]}]}}',
        '{"result":{"starts":[1,2,3],"lengths":[1,2,3]},"n":"\ud800"}',
        '{"result":{"starts":[1,2,3],"lengths":[1,2,3]},"n":"\\ud800"} x',
        '{"result":{"starts":[1,2,3],"lengths":[1,2,3]},"n":"\x1b"}',
        '\ufeff{"result":{"starts":[1,2,3],"lengths":[1,2,3]}} x',
        '{"result":{"starts":[1,2,3],"lengths":[1,2,3]},"n":%s}' % ("[" * 65),
        '{"error":1,"starts":[1,2,3]}',
        '[{"result":{"starts":[1,2,3]}}]',
        '{"result":{"starts":[[1],2],"lengths":[1,2]}}',
        "<html>",
        "",
    ],
)
def test_shapes(kernels: str, body: str) -> None:
    check(body)
    check(body.encode(errors="surrogatepass"))


def test_bad_bytes(kernels: str) -> None:
    body = answer(numbers(50), numbers(50, ",", 1, 0)).encode()
    for at in (5, 40, 100, len(body) - 3):
        found = check(body[:at] + b"\xff" + body[at:])
        assert found[1] == "encoding"
        assert found[4] == at
    assert check(body.decode().encode("utf-16"))[1] == "encoding"
    assert check(body.decode().encode("utf-32-le"))[1] == "encoding"


# -- made by Hypothesis

_COMMAS = st.sampled_from([",", ", ", ",\n    ", " ,", "\t,\r\n"])
_INTEGERS = st.one_of(
    st.integers(0, 9),
    st.integers(0, 99_999_999),
    st.integers(-(2**65), 2**65),
    st.sampled_from([2**31 - 1, 2**31, 2**63 - 1, 2**63, -1, 10**8 - 1, 10**8]),
).map(str)
_ODD = st.sampled_from(
    ["", "1.0", "NaN", "null", '"a\\"]"', "[]", '{"starts":[1]}', "01", "-", "1e9"]
)


@st.composite
def arrays(draw: st.DrawFn) -> str:
    count = draw(st.sampled_from([0, 1, 2, 7, 8, 9, 30, 70, 300]))
    size = draw(st.sampled_from([10, 10**7, 10**8, 10**9, 10**17]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    items = list(map(str, rng.integers(0, size, count)))
    for element in draw(st.lists(_INTEGERS | _ODD, max_size=2)):
        items.insert(draw(st.integers(0, len(items))), element)
    return (
        draw(st.sampled_from(["", " ", "\n"]))
        + draw(_COMMAS).join(items)
        + draw(st.sampled_from(["", " "]))
    )


@st.composite
def documents(draw: st.DrawFn) -> str:
    starts, lengths = draw(arrays()), draw(arrays())
    if draw(st.booleans()):  # runs that mean a mask
        count = draw(st.sampled_from([1, 9, 65, 500]))
        step, comma = draw(st.integers(1, 9)), draw(_COMMAS)
        starts, lengths = numbers(count, comma, 0, step), numbers(count, comma, 1, 0)
    members = [f'"starts":[{starts}]', f'"lengths" : [{lengths}]']
    extra = st.sampled_from(
        ['"starts":[1,2]', '"x":{"lengths":[1,2]}', '"\\u0073":"\\n"', '"é":-1.5E+3']
    )
    members += draw(st.lists(extra, max_size=1))
    side = st.sampled_from(["1", "60", "70000", "0", "-1", "2147483647", "1.0", '"4"', "null"])
    tops = [
        '"result":{' + ",".join(draw(st.permutations(members))) + "}",
        f'"imageInfo":{{"shape":{{"height":{draw(side)},"width":{draw(side)}}}}}',
    ]
    tops += draw(st.lists(extra | st.just('"result":[]'), max_size=1))
    return "{" + ", ".join(draw(st.permutations(tops))) + "}"


@settings(max_examples=150)
@given(documents(), st.sampled_from(["strict", "clip"]), st.sampled_from([None, 2**26]))
def test_documents(kernels: str, text: str, policy: str, max_pixels: int | None) -> None:
    check(text, policy=policy, max_pixels=max_pixels)
    check(text.encode(), policy=policy, max_pixels=max_pixels)


@settings(max_examples=150)
@given(documents(), st.data())
def test_mutated_documents(kernels: str, text: str, data: st.DataObject) -> None:
    body = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(body)))
        change = data.draw(st.sampled_from(["cut", "put", "drop"]))
        if change == "cut":
            del body[at:]
        elif change == "drop":
            del body[at : at + data.draw(st.integers(1, 9))]
        else:
            body[at:at] = data.draw(
                st.sampled_from(
                    [b",", b"]", b'"', b"0", b" ", b"-", b"x", b"\xff", b"\x00", b"[", b"}"]
                )
            )
    check(bytes(body))


# -- what may be passed, and what comes of it


def test_buffers_of_any_kind() -> None:
    body = answer("3,9", "2,1").encode()
    want = Mask([3, 9], [2, 1], (900, 1000))
    padded = b"".join(bytes([byte, 0]) for byte in body)
    for given_ in (body, bytearray(body), memoryview(body), memoryview(padded)[::2], body.decode()):
        assert Mask.from_response(given_) == want
        assert Detection.from_copyleaks(given_).mask == want
    words = memoryview(body + b" " * (-len(body) % 4)).cast("I")
    assert Mask.from_response(words) == want
    with pytest.raises(LimitError):
        formats.load_answer(words, max_bytes=len(words))
    for wrong in (None, 5, [1]):
        with pytest.raises(ResponseFormatError, match="not bytes or str"):
            Mask.from_response(wrong)  # type: ignore[arg-type]


def test_the_caller_keeps_its_bytes() -> None:
    body = bytearray(answer("3,9", "2,1").encode())
    before = bytes(body)
    mask = Mask.from_response(body)
    assert body == before
    body[:] = bytes(len(body))
    body.clear()
    assert mask == Mask([3, 9], [2, 1], (900, 1000))


def test_canonical_runs_are_not_copied() -> None:
    starts, lengths, _ = formats.response_runs(answer("3,9", "2,1"))
    mask = Mask(starts, lengths, (4, 5))
    assert np.shares_memory(mask.starts, np.asarray(starts))
    assert np.shares_memory(mask.lengths, np.asarray(lengths))
    assert not mask.starts.flags.writeable
    assert mask.report == Mask([3, 9], [2, 1], (4, 5)).report


@pytest.mark.parametrize("shape", [(70_000, 70_000), (2**31 - 1, 2**31 - 1)])
def test_large_images(kernels: str, shape: tuple[int, int]) -> None:
    total = shape[0] * shape[1]
    side = f'{{"height":{shape[0]},"width":{shape[1]}}}'
    starts = [0, 10**7, 10**8, 2**31 - 1, 2**31 + 1, *range(total - 300, total, 3)]
    lengths = [1] * len(starts)
    for first in (starts, starts[:3]):
        text = answer(",".join(map(str, first)), ",".join(map(str, lengths[: len(first)])), side)
        mask = check(text, max_pixels=None)[0]
        assert mask.starts.tolist() == first
        assert mask.starts.dtype == np.int64
    assert check(answer(str(total), "1", side), max_pixels=None)[1] == "run_past_end"


def test_a_small_image_may_have_wide_numbers(kernels: str) -> None:
    text = answer("5,999999999", "1,1")
    assert check(text)[1] == "run_past_end"
    assert check(text, policy="clip")[2] == np.int32


def test_limits() -> None:
    text = answer(numbers(50), numbers(50, ",", 1, 0))
    assert check(text, max_runs=49)[1] == "max_runs"
    assert check(text, max_pixels=899_999)[1] == "max_pixels"
    with pytest.raises(LimitError) as caught:
        formats.load_answer(text, max_bytes=len(text) - 1)
    assert caught.value.code == "response_bytes"


def test_the_limit_of_digits_is_the_interpreters() -> None:
    text = answer("1,2," + "7" * 700, "1,1,1")
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert check(text)[1] == "number_too_long"
    finally:
        sys.set_int_max_str_digits(limit)
    assert check(text)[1] == "run_past_end"


def test_no_python_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ordinary reader never sees the arrays."""
    seen: list[str] = []
    loads = json.loads

    def spy(text: str, **hooks: Any) -> Any:
        seen.append(text)
        return loads(text, **hooks)

    monkeypatch.setattr(formats.strict_json.json, "loads", spy)
    body = answer(numbers(100_000), numbers(100_000, ", ", 1, 0)).encode()
    Mask.from_response(body)
    found = Detection.from_copyleaks(body)
    assert found.mask is not None
    assert [len(text) < 200 for text in seen] == [True, True]
    assert found.answer == loads(body)
    assert found.answer is found.answer
    assert len(seen) == 2


def test_changed_meanwhile() -> None:
    """Some mask or an error of ours; memory is safe (the sanitizers' tests see to that)."""
    text = answer(numbers(3000), numbers(3000, ",", 1, 0)).encode()
    body, stop = bytearray(text), threading.Event()
    commas = [at for at, byte in enumerate(text) if byte == ord(",")]

    def change() -> None:
        while not stop.is_set():
            for at in commas[::7]:
                body[at] ^= 1
                body[at] ^= 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(60):
            _core.read_answer(body)
    finally:
        stop.set()
        thread.join()
    assert Mask.from_response(body) == Mask.from_response(text)


def test_detection_answer_is_plain(golden: Path) -> None:
    for path in golden.glob("0*.json"):
        body = path.read_bytes()
        found = Detection.from_copyleaks(body)
        assert found.answer == json.loads(body)
        json.dumps(found.answer)
    partly = answer("1,2,null,3", "1,2").encode()
    assert Detection.from_copyleaks(partly).answer == json.loads(partly)
