"""Maps of confidences over images, against real numbers and Pillow."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from runmask import Mask, _core, heatmap, overlay
from runmask.errors import InputError

pytest.importorskip("PIL", reason="Pillow is the oracle of blending")

# Colours that tell every place in the map from its neighbours, with alphas of all kinds.
RNG = np.random.default_rng(1)
TABLE = RNG.integers(0, 256, (256, 4), dtype=np.uint8)
TABLE[::7, 3] = 0
TABLE[3::7, 3] = 255
NEAR = 0.52  # places apart by less than this are the same, or neighbours


def places_used(image: np.ndarray, confidence: np.ndarray, **options: object) -> np.ndarray:
    """The place in the colour map that each pixel got, by a map that paints its own place."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    black = np.zeros((*image.shape[:2], 3), np.uint8)
    return heatmap(black, confidence, ramp, 255, **options)[..., 1]  # type: ignore[call-overload]


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 300)),
    st.tuples(st.integers(1, 60), st.integers(1, 400)),
    st.sampled_from([np.float16, np.float32, np.float64, np.uint8, np.uint16]),
    st.sampled_from([(0.0, 1.0), (-2.0, 3.0), (0.25, 0.5)]),
    st.sampled_from([(), (1,), (2,), (3,), (4,)]),
    st.integers(0, 2**32 - 1),
)
def test_any_map_over_any_image(
    kernels: str,
    size: tuple[int, int],
    shape: tuple[int, int],
    dtype: type,
    limits: tuple[float, float],
    channels: tuple[int, ...],
    seed: int,
) -> None:
    """Places within one of real numbers, and Pillow's colours for those places."""
    rng = np.random.default_rng(seed)
    if issubclass(dtype, np.integer):
        full = np.iinfo(dtype).max
        confidence = rng.integers(0, full, size, dtype=dtype, endpoint=True)
        limits = limits[0] * full, limits[1] * full
    else:
        confidence = rng.uniform(-3, 4, size).astype(dtype)
    image = rng.integers(0, 256, (*shape, *channels), dtype=np.uint8)
    used = places_used(image, confidence, range=limits)
    assert np.abs(used - reference.heat_places(confidence, shape, limits)).max() < NEAR
    got = heatmap(image, confidence, TABLE, range=limits)
    want = reference.composite(image, TABLE[used])
    assert np.array_equal(got, want)
    out = image.copy()
    assert heatmap(out, confidence, TABLE, out=out, range=limits, threads=3) is out
    assert np.array_equal(out, want)


def test_all_colours_and_alphas_over_all_bytes(kernels: str) -> None:
    """Each place of maps with every alpha over every byte: 256**3 blends by Pillow's rule."""
    confidence = np.arange(256, dtype=np.uint8)[None, :]
    image = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 256, axis=1)[..., None]
    image = np.repeat(image, 3, axis=2)
    for turn in range(256):
        table = np.empty((256, 4), np.uint8)
        table[:, 0] = np.arange(256)
        table[:, 1] = np.arange(256)[::-1]
        table[:, 2] = turn
        table[:, 3] = (np.arange(256) * 3 + turn) % 256
        want = reference.composite(image, np.repeat(table[None], 256, axis=0))
        assert np.array_equal(heatmap(image, confidence, table), want), turn


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits(kernels: str, channels: int) -> None:
    """As an overlay has them, whose own test is against fractions."""
    rng = np.random.default_rng(3)
    image = rng.integers(0, 65536, (31, 256, channels), dtype=np.uint16)
    if channels in (2, 4):
        image[:9, :, -1] = 65535
    got = heatmap(image, np.arange(256, dtype=np.uint8)[None, :], TABLE)
    for place in range(256):
        pixels = image[:, place : place + 1]
        want = overlay(pixels, Mask.full((31, 1)), TABLE[place].tolist(), None)
        assert np.array_equal(got[:, place : place + 1], want)


def test_every_set_of_kernels_and_threads_gives_the_same(kernels: str) -> None:
    from runmask import _core

    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (700, 1100, 3), dtype=np.uint8)
    for shape in (9, 17), (700, 1100), (1500, 2300), (1, 1):
        confidence = rng.random(shape).astype(np.float32)
        got = [heatmap(image, confidence, TABLE, threads=threads) for threads in (1, 2, 5)]
        _core.use_kernels("scalar")
        want = heatmap(image, confidence, TABLE)
        _core.use_kernels(kernels)
        for each in got:
            assert np.array_equal(each, want)


def test_convention_is_that_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(5)
    for size, shape in ((16, 16), (256, 200)), ((7, 5), (90, 333)), ((50, 60), (25, 13)):
        confidence = rng.random(size).astype(np.float32)
        resized = cv2.resize(confidence, shape[::-1], interpolation=cv2.INTER_LINEAR)
        used = places_used(np.zeros(shape, np.uint8), confidence)
        # OpenCV's own weights are floats of 32 bits
        assert np.abs(used - 255.0 * resized).max() < NEAR + 0.02


def test_exact_at_the_ends_and_the_middle() -> None:
    image = np.zeros((3, 5, 3), np.uint8)
    for value, place in (0, 0), (1, 255), (0.5, 128), (0.25, 64), (1 / 255, 1), (-7, 0), (7, 255):
        assert (places_used(image, np.full((2, 2), value, np.float64)) == place).all()
    for value in range(256):
        assert (places_used(image, np.full((2, 2), value, np.uint8)) == value).all()
    infinite = np.array([[np.inf, -np.inf]])
    assert places_used(np.zeros((1, 2, 3)), infinite).tolist() == [[255, 0]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
def test_strides_of_the_map(kernels: str, dtype: type) -> None:
    rng = np.random.default_rng(6)
    big = (rng.random((60, 90, 2)) * (255 if dtype is np.uint8 else 1)).astype(dtype)
    image = rng.integers(0, 256, (100, 140, 3), dtype=np.uint8)
    for view in (
        big[5:30, 7:60, 1],
        big[::-1, ::-2, 0],
        big[..., 0].T,
        np.broadcast_to(big[3, :, 0], (8, 90)),
        np.asfortranarray(big[..., 1]),
    ):
        assert np.array_equal(heatmap(image, view), heatmap(image, view.copy(order="C")))
    packed = np.zeros(60 * 90 * 8 + 1, np.uint8)[1:].view(np.float64).reshape(60, 90)
    packed[...] = big[..., 0]
    assert np.array_equal(heatmap(image, packed), heatmap(image, packed.copy()))


def test_strides_of_the_image(kernels: str) -> None:
    rng = np.random.default_rng(7)
    confidence = rng.random((11, 9)).astype(np.float32)
    planes = rng.integers(0, 256, (4, 50, 70), dtype=np.uint8)
    big = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    for view in (
        planes[:3].transpose(1, 2, 0),
        planes.transpose(1, 2, 0),
        planes[1, :, ::-1],
        big[10:60, 20:90],
        big[100:0:-2, 20:90],
        big[10:60, 150:10:-2],
        big[10:60, 20:90, ::-1],
        big.transpose(1, 0, 2)[20:70, 10:80],
    ):
        before = view.copy()
        want = heatmap(before, confidence, TABLE)
        assert np.array_equal(heatmap(view, confidence, TABLE), want)
        around = np.zeros((60, 90, *view.shape[2:]), np.uint8)
        heatmap(view, confidence, TABLE, out=around[:-10, ::-1][:, 20:])
        assert np.array_equal(around[:-10, ::-1][:, 20:], want)
        heatmap(view, confidence, TABLE, out=view)
        assert np.array_equal(view, want)
        view[...] = before
    moved = heatmap(big[:-1], confidence, TABLE)
    heatmap(big[:-1], confidence, TABLE, out=big[1:])
    assert np.array_equal(big[1:], moved)


def test_bgr_and_grey() -> None:
    rng = np.random.default_rng(8)
    confidence = rng.random((5, 6))
    image = rng.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    order = [2, 1, 0, 3]
    bgr = np.ascontiguousarray(image[..., order])
    assert np.array_equal(
        heatmap(bgr, confidence, layout="bgr")[..., order], heatmap(image, confidence)
    )


def test_bands_of_rows(kernels: str) -> None:
    rng = np.random.default_rng(9)
    confidence = rng.random((13, 17)).astype(np.float32)
    image = rng.integers(0, 256, (333, 101, 3), dtype=np.uint8)
    levels = [(Mask.from_array(rng.random((333, 101)) < share), share) for share in (0.5, 0.1)]
    for what in confidence, levels:
        whole = heatmap(image, what)
        bands = [
            heatmap(image[top : top + 50], what, rows=slice(top, top + 50), height=333)
            for top in range(0, 333, 50)
        ]
        assert np.array_equal(np.concatenate(bands), whole)
    for options in (
        {"rows": slice(0, 50)},
        {"height": 333},
        {"rows": slice(0, 51), "height": 333},
        {"rows": slice(300, 350), "height": 333},
        {"rows": slice(0, 50), "height": -1},
        {"rows": slice(0, 50), "height": 33.5},
    ):
        with pytest.raises(InputError, match=r"band|image has"):
            heatmap(image[:50], confidence, **options)
    with pytest.raises(InputError, match="the masks have 333"):
        heatmap(image[:50], levels, rows=slice(0, 50), height=334)


# -- NaN


def test_nan_is_refused_before_anything_is_written(kernels: str) -> None:
    for dtype in np.float16, np.float32, np.float64:
        image = np.zeros((500, 400, 3), np.uint8)
        confidence = np.ones((21, 33), dtype)
        confidence[17, 29] = np.nan
        with pytest.raises(InputError, match=r"confidence\[17, 29\] is NaN") as caught:
            heatmap(image, confidence, out=image)
        assert caught.value.code == "nan"
        assert not image.any()


def test_nan_that_is_transparent(kernels: str) -> None:
    """What takes part of one stays as it is; all else is as without it."""
    rng = np.random.default_rng(10)
    image = rng.integers(0, 256, (90, 333, 3), dtype=np.uint8)
    for size in (8, 30), (90, 333), (200, 700):
        for dtype in np.float32, np.float64:
            confidence = rng.random(size).astype(dtype)
            full = heatmap(image, confidence, TABLE)
            confidence[rng.random(size) < 0.1] = np.nan
            confidence[2] = np.nan
            holes = np.isnan(reference.heat_places(confidence, (90, 333)))
            assert holes.any()
            assert not holes.all()
            got = heatmap(image, confidence, TABLE, nan="transparent")
            assert np.array_equal(got[holes], image[holes])
            assert np.array_equal(got[~holes], full[~holes])
            out = image.copy()
            heatmap(out, confidence, TABLE, nan="transparent", out=out, threads=2)
            assert np.array_equal(out, got)


def test_a_nan_that_comes_and_goes() -> None:
    """Another thread may write meanwhile: what is reported is a place in the map, or nothing is."""
    width = 4_000_000  # so that looking at a row takes longer than starting a thread
    map_ = np.zeros((1, width), np.float16)
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            map_[0, -1] = np.nan
            map_[0, -1] = 0

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            assert _core.find_nan(map_, 1, width, 0, 1) in (None, (0, width - 1))
    finally:
        done.set()
        writer.join()


def test_a_map_that_is_part_of_what_is_written() -> None:
    image = np.random.default_rng(5).integers(0, 256, (300, 200), dtype=np.uint8)
    confidence = image[:150, :50]
    expected = heatmap(image, confidence.copy(), alpha=200)
    for threads in (1, 4):
        own = image.copy()
        assert np.array_equal(
            heatmap(own, own[:150, :50], alpha=200, out=own, threads=threads), expected
        )
