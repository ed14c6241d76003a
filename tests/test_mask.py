"""The most important file here: runs mean what the service's contract says they mean."""

from __future__ import annotations

import copy
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import legal_runs, pixel_arrays

import runmask
from runmask import Box, ClippedRunsWarning, Mask
from runmask.errors import InputError, LimitError, MaskError, MaskTypeError, RunmaskError

# -- the recorded answer


def test_recorded_answer(golden: Path) -> None:
    body = (golden / "copyleaks_check_edited_1800x1350.json").read_bytes()
    mask = Mask.from_response(body)
    assert mask.shape == (1350, 1800)
    assert mask.area == 2797
    assert mask.bbox == Box(x0=1587, y0=900, x1=1650, y1=956)
    assert (mask.bbox.width, mask.bbox.height) == (63, 56)
    assert len(mask) == 56
    assert mask.fraction == pytest.approx(0.0011510288, rel=1e-7)
    assert mask.to_array().sum() == 2797
    assert mask == Mask.from_response(body.decode())


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("03_copyleaks_check_200_partial_ai.json", 64),
        ("04_copyleaks_check_200_human.json", 0),
        ("05_copyleaks_check_200_2025_full_ai.json", 640 * 640),
    ],
)
def test_golden_answers(golden: Path, name: str, area: int) -> None:
    assert Mask.from_response((golden / name).read_bytes()).area == area


# -- decode and encode against the reference, on every kernel set


@given(legal_runs())
def test_decode_is_the_reference_loop(kernels: str, runs: tuple) -> None:
    starts, lengths, shape = runs
    expected = reference.decode(starts, lengths, shape)
    mask = Mask(starts, lengths, shape)
    assert np.array_equal(mask.to_array(), expected)
    assert (mask.starts.tolist(), mask.lengths.tolist()) == reference.encode(expected)
    for dtype in (np.int64, np.int32, np.uint16):
        assert Mask(np.array(starts, dtype), np.array(lengths, dtype), shape) == mask


@given(pixel_arrays())
def test_encode_and_back(kernels: str, pixels: np.ndarray) -> None:
    mask = Mask.from_array(pixels)
    assert (mask.starts.tolist(), mask.lengths.tolist()) == reference.encode(pixels)
    assert np.array_equal(mask.to_array(), pixels != 0)
    assert mask.area == np.count_nonzero(pixels)
    assert mask.bbox == reference.box(pixels)
    assert mask.fraction == mask.area / pixels.size
    again = Mask(mask.starts, mask.lengths, mask.shape, require_canonical=True)
    assert again == mask
    assert again.report is not None
    assert again.report.canonical


@given(pixel_arrays(), st.data())
def test_bands_of_rows(kernels: str, pixels: np.ndarray, data: st.DataObject) -> None:
    mask = Mask.from_array(pixels)
    top = data.draw(st.integers(0, pixels.shape[0]))
    bottom = data.draw(st.integers(0, pixels.shape[0]))
    assert np.array_equal(mask.to_array(rows=slice(top, bottom)), pixels[top:bottom] != 0)


def test_wide_images_use_64_bits(kernels: str) -> None:
    """More than 2**31 pixels: positions need int64, and memory follows the runs."""
    shape = (100_000, 100_000)
    mask = Mask([9_999_999_990, 5], [10, 3], shape, max_pixels=None)
    assert mask.starts.dtype == np.int64
    assert mask.starts.tolist() == [5, 9_999_999_990]
    assert mask.area == 13
    assert mask.bbox == Box(5, 0, 100_000, 100_000)
    last = mask.to_array(rows=slice(99_999, None))
    assert np.flatnonzero(last).tolist() == list(range(99_990, 100_000))
    assert Mask([5], [3], (4, 4)).starts.dtype == np.int32


# -- the weird inputs, on an image of 4 x 4

SHAPE = (4, 4)

ERRORS = {
    "past the end": ([14], [5], "run_past_end", "start 14 + length 5 = 19"),
    "start at the end": ([16], [1], "run_past_end", "= 17"),
    "start far out": ([99], [1], "run_past_end", "99"),
    "start -3, length 2": ([-3], [2], "negative_start", "-3"),
    "start -3, length 5": ([-3], [5], "negative_start", "-3"),
    "start -17, length 1": ([-17], [1], "negative_start", "-17"),
    "start -17, length 0": ([-17], [0], "negative_start", "-17"),
    "negative length": ([2], [-2], "negative_length", "-2"),
    "start 2**70": ([2**70], [1], "run_past_end", str(2**70)),
    "length 2**31": ([0], [2**31], "run_past_end", str(2**31)),
    "length 2**63": ([0], [2**63], "run_past_end", str(2**63)),
    "start + length wraps": ([2**63 - 2], [5], "run_past_end", str(2**63 + 3)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_strict_refuses(kernels: str, name: str) -> None:
    starts, lengths, code, text = ERRORS[name]
    with pytest.raises(MaskError) as caught:
        Mask([0, *starts], [1, *lengths], SHAPE)
    assert caught.value.code == code
    assert caught.value.index == 1
    assert text in str(caught.value)
    assert len(str(caught.value)) <= 500


CLIPPED = {
    "past the end": ([14], [5], [14, 15], (0, 1, 3)),
    "start at the end": ([16], [1], [], (1, 0, 1)),
    "start far out": ([99], [4], [], (1, 0, 4)),
    "start -3, length 2": ([-3], [2], [], (1, 0, 2)),
    "start -3, length 5": ([-3], [5], [0, 1], (0, 1, 3)),
    "start -17, length 1": ([-17], [1], [], (1, 0, 1)),
    "negative length": ([2], [-2], [], (1, 0, 0)),
    "start 2**70": ([2**70], [1], [], (1, 0, 1)),
    "length 2**31": ([0], [2**31], list(range(16)), (0, 1, 2**31 - 16)),
    "length 2**63": ([0], [2**63], list(range(16)), (0, 1, 2**63 - 1 - 16)),
    "start + length wraps": ([2**63 - 2], [5], [], (1, 0, 5)),
}


@pytest.mark.parametrize("name", CLIPPED)
def test_clip_keeps_what_lies_inside(kernels: str, name: str) -> None:
    starts, lengths, inside, counts = CLIPPED[name]
    with pytest.warns(ClippedRunsWarning) as warned:
        mask = Mask(starts, lengths, SHAPE, policy="clip")
    assert len(warned) == 1
    assert Path(warned[0].filename) == Path(__file__)
    assert np.flatnonzero(mask.to_array()).tolist() == inside
    assert mask.report is not None
    assert mask.report[4:] == counts


def test_clip_takes_an_empty_run_anywhere() -> None:
    assert not Mask([-17, 99], [0, 0], SHAPE, policy="clip")


def test_union_semantics() -> None:
    overlapping = Mask([2, 3], [4, 4], SHAPE)
    assert overlapping.starts.tolist() == [2]
    assert overlapping.lengths.tolist() == [5]
    assert overlapping.report is not None
    assert not overlapping.report.disjoint
    assert overlapping.report.sorted

    unsorted = Mask([9, 1], [2, 2], SHAPE)
    assert unsorted == Mask([1, 9], [2, 2], SHAPE)
    assert unsorted.report is not None
    assert not unsorted.report.sorted

    empty = Mask([3, 5], [0, 1], SHAPE)
    assert empty.starts.tolist() == [5]
    assert empty.report is not None
    assert empty.report.empty_runs == 1

    touching = Mask([3, 5], [2, 1], SHAPE)
    assert touching.starts.tolist() == [3]
    for starts, lengths in ([2, 3], [4, 4]), ([9, 1], [2, 2]), ([3], [0]), ([3, 5], [2, 1]):
        with pytest.raises(MaskError, match="not canonical") as caught:
            Mask(starts, lengths, SHAPE, require_canonical=True)
        assert caught.value.code == "not_canonical"


def test_no_runs() -> None:
    for nothing in ([], (), np.array([]), np.array([], np.int32)):
        mask = Mask(nothing, nothing, SHAPE)
        assert not mask
        assert mask.area == 0
        assert mask.bbox is None
        assert not mask.to_array().any()


@pytest.mark.parametrize("policy", ["strict", "clip"])
@pytest.mark.parametrize(("starts", "lengths"), [([1, 2], [1]), ([1], [1, 2])])
def test_lengths_must_match(policy: str, starts: list, lengths: list) -> None:
    with pytest.raises(
        MaskError, match=f"{len(starts)} starts but {len(lengths)} lengths"
    ) as caught:
        Mask(starts, lengths, SHAPE, policy)  # type: ignore[arg-type]
    assert caught.value.code == "length_mismatch"


@pytest.mark.parametrize("policy", ["strict", "clip"])
@pytest.mark.parametrize(
    "value", [1.0, 1.5, True, "1", None, [1], float("nan"), np.float32(1), np.True_, b"1"]
)
def test_only_integers(policy: str, value: object) -> None:
    for starts, lengths in ([0, value], [1, 1]), ([0, 1], [1, value]):
        with pytest.raises(MaskTypeError) as caught:
            Mask(starts, lengths, SHAPE, policy)  # type: ignore[arg-type]
        assert caught.value.index == 1
        assert "[1]" in str(caught.value)
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "runs",
    [np.array([1.0, 2.0]), np.array([True, False]), np.array(["1", "2"]), "12", b"12", 5, None,
     np.array([[1, 2], [3, 4]]), np.array([1, "x"], object), [[1, 2], [3, 4]], {1: 2, 3: 4}],
)  # fmt: skip
def test_arrays_that_are_no_runs(runs: object) -> None:
    with pytest.raises(MaskTypeError):
        Mask(runs, [1, 1], SHAPE)  # type: ignore[arg-type]


def test_arrays_of_any_integer_type() -> None:
    expected = Mask([1, 5], [2, 3], SHAPE)
    for dtype in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">i4", ">u2", ">i8", "O"]:
        starts, lengths = np.array([1, 5], dtype), np.array([2, 3], dtype)
        assert Mask(starts, lengths, SHAPE) == expected
        assert Mask(starts[::-1], lengths[::-1], SHAPE) == expected
    assert Mask(memoryview(np.array([1, 5])), memoryview(np.array([2, 3])), SHAPE) == expected
    assert Mask([np.int64(1), 5], (2, np.uint8(3)), SHAPE) == expected
    assert Mask(range(1, 9, 4), [2, 3], SHAPE) == expected


def test_uint64_is_never_read_as_negative() -> None:
    huge = np.array([0, 2**63 + 1], np.uint64)
    with pytest.raises(MaskError, match=str(2**63 + 1)) as caught:
        Mask(huge, np.array([1, 1]), SHAPE)
    assert caught.value.index == 1
    with pytest.warns(ClippedRunsWarning):
        assert Mask(huge, np.array([1, 1]), SHAPE, policy="clip").area == 1


def test_masked_arrays_are_refused() -> None:
    with pytest.raises(MaskTypeError, match="masked"):
        Mask(np.ma.masked_array([1, 2], [False, True]), [1, 1], SHAPE)
    with pytest.raises(InputError, match="masked"):
        Mask.from_array(np.ma.masked_array([[1, 2]], [[False, True]]))


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        ((-4, -4), LimitError), ((-4, 4), LimitError), ((0, 4), LimitError), ((4, 0), LimitError),
        ((2**32 + 4, 4), LimitError), ((65536, 65536), LimitError), ((4.0, 4.0), MaskTypeError),
        ((True, 4), MaskTypeError), (("4", 4), MaskTypeError), ((4,), InputError), (4, InputError),
        ((4, 4, 4), InputError), (None, InputError),
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["strict", "clip"])
def test_shapes_that_are_none(shape: object, error: type, policy: str) -> None:
    with pytest.raises(error):
        Mask([0], [1], shape, policy)  # type: ignore[arg-type]


def test_limits_are_named() -> None:
    with pytest.raises(LimitError, match="4294967296 px > max_pixels 67108864"):
        Mask([], [], (65536, 65536))
    assert Mask([], [], (65536, 65536), max_pixels=None).area == 0
    assert Mask([], [], (0, 4), allow_empty=True).to_array().shape == (0, 4)
    with pytest.raises(LimitError, match="3 runs > max_runs 2"):
        Mask([1, 2, 3], [1, 1, 1], SHAPE, max_runs=2)
    endless = np.lib.stride_tricks.as_strided(np.array([1]), (2**31,), (0,))
    with pytest.raises(LimitError, match="max_runs"):
        Mask(endless, endless, SHAPE)
    with pytest.raises(InputError, match="policy 'lenient'"):
        Mask([], [], SHAPE, policy="lenient")  # type: ignore[arg-type]


def test_a_million_overlapping_runs(kernels: str) -> None:
    """The cost follows the number of runs, not the sum of their lengths (10**13 here)."""
    total = 4096 * 4096
    count = 10**6
    starts = np.zeros(count, np.int64)
    lengths = np.full(count, total)
    assert Mask(starts, lengths, (4096, 4096)).area == total
    with pytest.warns(ClippedRunsWarning):
        assert Mask(starts, lengths + 5, (4096, 4096), policy="clip").area == total


def test_callers_arrays_stay_as_they_are() -> None:
    starts, lengths = np.array([9, 1, 1]), np.array([2, 2, 30])
    before = starts.copy(), lengths.copy()
    with pytest.warns(ClippedRunsWarning):
        Mask(starts, lengths, SHAPE, policy="clip")
    assert np.array_equal(starts, before[0])
    assert np.array_equal(lengths, before[1])


def test_runs_that_change_while_they_are_read() -> None:
    """Another thread writes into the arrays: some mask or an error, never a wild write."""
    starts, lengths = np.arange(0, 60_000, 3), np.full(20_000, 2)
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            starts[::7] = 2**40
            starts[:] = np.arange(0, 60_000, 3)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(300):
            try:
                mask = Mask(starts, lengths, (200, 300))
            except MaskError:
                continue
            assert mask.to_array().sum() == mask.area <= 60_000
    finally:
        stop.set()
        thread.join()


# -- arrays in


def test_from_array_of_any_layout(kernels: str) -> None:
    rng = np.random.default_rng(3)
    pixels = (rng.random((70, 130)) < 0.4).astype(np.uint8)
    expected = Mask.from_array(pixels)
    assert Mask.from_array(np.asfortranarray(pixels)) == expected
    big = np.repeat(np.repeat(pixels, 2, axis=0), 3, axis=1)
    assert Mask.from_array(big[::2, ::3]) == expected
    assert Mask.from_array(pixels[::-1, ::-1][::-1, ::-1]) == expected
    assert Mask.from_array(pixels[::-1]).to_array()[::-1].tolist() == pixels.tolist()
    for dtype in (bool, np.int8, np.uint16, ">i4", np.int64, np.float16, np.float64):
        assert Mask.from_array(pixels.astype(dtype)) == expected
    assert Mask.from_array(pixels * 255) == expected
    assert Mask.from_array(pixels.tolist()) == expected
    readonly = pixels.copy()
    readonly.flags.writeable = False
    assert Mask.from_array(readonly) == expected


def test_threshold() -> None:
    confidence = np.array([[0.1, 0.5, 0.9]])
    assert Mask.from_array(confidence, threshold=0.5).to_array().tolist() == [[0, 0, 1]]
    assert Mask.from_array(np.array([[0, 2, 255]], np.uint8), threshold=2).area == 1
    assert Mask.from_array(np.array([[0, 2, 255]], np.uint8)).area == 2


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (1, 1), (1, 200), (200, 1)])
def test_thin_and_empty_arrays(kernels: str, shape: tuple[int, int]) -> None:
    for pixels in np.zeros(shape, np.uint8), np.ones(shape, np.uint8):
        mask = Mask.from_array(pixels)
        assert np.array_equal(mask.to_array(), pixels)
        assert mask.shape == shape
        assert pickle.loads(pickle.dumps(mask)) == mask


@pytest.mark.parametrize(
    "array",
    [np.zeros(4), np.zeros((2, 2, 2)), np.array([["a"]]), np.zeros((2, 2), complex), None,
     [[1, 2], [3]], np.zeros((2, 2), "M8[s]"), np.array([[None]])],
)  # fmt: skip
def test_arrays_that_are_no_masks(array: object) -> None:
    with pytest.raises(InputError):
        Mask.from_array(array)  # type: ignore[arg-type]


def test_nan_is_named() -> None:
    with pytest.raises(InputError, match="row 1, column 2 is NaN"):
        Mask.from_array(np.array([[0, 1, 0], [0, 0, np.nan]]))


# -- arrays out


def test_to_array_types_and_values(kernels: str) -> None:
    mask = Mask([1, 6], [2, 3], (3, 4))
    pixels = reference.decode([1, 6], [2, 3], (3, 4))
    assert mask.to_array().dtype == np.uint8
    assert np.array_equal(mask.to_array(dtype=bool), pixels.astype(bool))
    assert np.array_equal(mask.to_array(values=(0, 255)), pixels * 255)
    assert np.array_equal(mask.to_array(dtype=np.int8, values=(-1, 7)), np.where(pixels, 7, -1))
    assert np.array_equal(
        mask.to_array(dtype=np.float32, values=(0.5, 2)), np.where(pixels, 2, 0.5)
    )
    assert np.array_equal(mask.to_array(dtype=">u2", values=(3, 500)), np.where(pixels, 500, 3))
    assert np.array_equal(np.asarray(mask), pixels)
    assert np.asarray(mask).dtype == bool


def test_to_array_out(kernels: str) -> None:
    mask = Mask.from_array(np.random.default_rng(5).random((90, 77)) < 0.5)
    pixels = mask.to_array()
    out = np.full((90, 77), 9, np.uint8)
    assert mask.to_array(out=out) is out
    assert np.array_equal(out, pixels)
    big = np.full((90, 154), 9, np.int32)
    strided = big[:, ::2]
    assert mask.to_array(out=strided) is strided
    assert np.array_equal(strided, pixels)
    assert (big[:, 1::2] == 9).all()
    flipped = out[::-1, ::-1]
    mask.to_array(out=flipped)
    assert np.array_equal(flipped, pixels)


def test_to_array_refuses() -> None:
    mask = Mask([0], [1], SHAPE)
    readonly = np.zeros(SHAPE, np.uint8)
    readonly.flags.writeable = False
    for out, text in [
        (np.zeros((4, 5), np.uint8), "shape"),
        (readonly, "read-only"),
        (bytearray(16), "bytearray"),
        (np.zeros(SHAPE, complex), "complex"),
    ]:
        with pytest.raises(InputError, match=text):
            mask.to_array(out=out)  # type: ignore[arg-type]
    for values in (0, 256), (0, -1), (0, "x"), (0,), 5:
        with pytest.raises(InputError, match="values"):
            mask.to_array(values=values)  # type: ignore[arg-type]
    for rows in slice(0, 4, 2), slice(0, 4, 0), slice("a", None), slice(4, 0, -1):
        with pytest.raises(InputError, match="step 1"):
            mask.to_array(rows=rows)
    with pytest.raises(InputError, match="dtype is"):
        mask.to_array(out=np.zeros(SHAPE, np.uint8), dtype=np.int16)


# -- the value


def test_threads_give_the_same_bytes(kernels: str) -> None:
    shape = 1031, 2111  # each thread's rows begin anywhere in a word
    rng = np.random.default_rng(3)
    tiles = np.kron(rng.random((65, 132)) < 0.3, np.ones((16, 16), bool))[: shape[0], : shape[1]]
    for pixels in (np.ones(shape, bool), np.zeros(shape, bool), tiles, rng.random(shape) < 0.5):
        one = Mask.from_array(pixels)
        for threads in (2, 3, 7):
            assert Mask.from_array(pixels, threads=threads) == one
            assert np.array_equal(one.to_array(threads=threads), pixels)
            band = one.to_array(rows=slice(3, 900), values=(5, 9), threads=threads)
            assert np.array_equal(band, np.where(pixels, 9, 5)[3:900])


def test_threads_must_be_a_number() -> None:
    for threads in 0, -1, 1.0, True, None:
        with pytest.raises(InputError, match="threads"):
            Mask.from_array(np.zeros((2, 2)), threads=threads)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="threads"):
            Mask.empty((2, 2)).to_array(threads=threads)  # type: ignore[arg-type]


def test_masks_are_values() -> None:
    mask = Mask([1, 6], [2, 3], (3, 4))
    same = Mask.from_array(mask.to_array())
    assert mask == same
    assert hash(mask) == hash(same)
    assert mask != Mask([1, 6], [2, 2], (3, 4))
    assert mask != Mask([1, 6], [2, 3], (4, 3))
    assert mask != "mask"
    assert len({mask, same}) == 1
    for again in pickle.loads(pickle.dumps(mask)), copy.copy(mask), copy.deepcopy(mask):
        assert again == mask
    assert repr(mask) == "Mask(3 x 4, 2 runs, 5 px, 41.67%)"


def test_masks_do_not_change() -> None:
    mask = Mask([1], [2], SHAPE)
    for array in (mask.starts, mask.lengths):
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    with pytest.raises(AttributeError, match="immutable"):
        mask.area = 5  # type: ignore[misc]
    with pytest.raises(AttributeError, match="immutable"):
        del mask._runs


def test_views_outlive_the_mask() -> None:
    starts = Mask.from_array(np.eye(300, dtype=bool)).starts
    assert starts.tolist() == [i * 301 for i in range(300)]


def test_empty_and_full() -> None:
    assert Mask.empty((3, 5)).area == 0
    assert Mask.full((3, 5)).area == 15
    assert Mask.full((3, 5)).starts.tolist() == [0]
    assert Mask.full((0, 5)) == Mask.empty((0, 5))
    assert Mask.full((100_000, 100_000)).area == 10**10


def test_every_error_has_the_root() -> None:
    with pytest.raises(RunmaskError):
        Mask([5], [99], SHAPE)
    assert issubclass(runmask.RunmaskError, Exception)


# -- what an attacker found


class Liar(list):  # type: ignore[type-arg]
    """Says that it has more items than it has."""

    def __len__(self) -> int:
        return 50_000


def test_lists_that_lie_about_their_length() -> None:
    with pytest.raises(MaskError, match="1 starts but 2 lengths"):
        Mask(Liar([np.int64(3)]), [1, 1], (200, 300))
    assert Mask(Liar([np.int64(3)]), [1], (200, 300)).area == 1


def test_lists_that_shrink_while_they_are_read() -> None:
    starts = [np.int64(i) for i in range(0, 60_000, 3)]
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            taken = [starts.pop() for _ in range(5000)]
            starts.extend(reversed(taken))

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(100):
            try:
                mask = Mask(starts, [2] * 20_000, (200, 300))  # type: ignore[arg-type]
            except MaskError:
                continue
            assert mask.area == 40_000
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "shape", [(10**5000, 4), (int, int), b"44", {4, 5}, "44", (4, 10**5000), ([], [])]
)
def test_odd_shapes_get_short_errors(shape: object) -> None:
    with pytest.raises(InputError) as caught:
        Mask([0], [1], shape)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 500


def test_released_memory_is_no_sequence() -> None:
    view = memoryview(np.array([1]))
    view.release()
    with pytest.raises(MaskTypeError):
        Mask(view, [1], SHAPE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values",
    [(np.int64(-1), np.int64(300)), (0.5, 1.7), (0, 256), np.array([0, 256]), ([0], [1]), "01"],
)
def test_values_that_a_byte_cannot_hold(values: object) -> None:
    with pytest.raises(InputError, match="values"):
        Mask.full((2, 2)).to_array(values=values)  # type: ignore[arg-type]


def test_values_as_an_array() -> None:
    assert Mask.full((1, 2)).to_array(values=np.array([7, 255])).tolist() == [[255, 255]]  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", [float("nan"), "1", [1], True, np.zeros(3)])
def test_thresholds_that_are_no_numbers(threshold: object) -> None:
    with pytest.raises(InputError, match="threshold"):
        Mask.from_array(np.zeros((2, 2)), threshold=threshold)  # type: ignore[arg-type]


def test_the_runs_of_a_mask_cannot_be_replaced() -> None:
    from runmask import _core

    runs = Mask.full((2, 2))._runs
    assert not hasattr(runs, "__setstate_cython__")
    with pytest.raises(TypeError):
        pickle.dumps(runs)
    with pytest.raises(TypeError, match="core alone"):
        _core.area(_core.Runs())
