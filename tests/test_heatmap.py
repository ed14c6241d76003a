from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from runmask import Mask, _core, colormap, heatmap, overlay
from runmask.errors import ImageError, InputError, LimitError

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
    st.sampled_from([np.float16, np.float32, np.float64, np.uint8]),
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
    if dtype is np.uint8:
        confidence = rng.integers(0, 256, size, dtype=np.uint8)
        real = confidence / 255
    else:
        confidence = rng.uniform(-3, 4, size).astype(dtype)
        real = confidence
    image = rng.integers(0, 256, (*shape, *channels), dtype=np.uint8)
    used = places_used(image, confidence, range=limits)
    assert np.abs(used - reference.heat_places(real, shape, limits)).max() < NEAR
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


# -- nested masks


def test_levels(kernels: str) -> None:
    """Each pixel is blended once, with the colour of its highest level."""
    rng = np.random.default_rng(11)
    noise = rng.random((120, 77))
    nested = [(Mask.from_array(noise < share), 1 - share) for share in (0.1, 0.9, 0.4)]
    apart = [(Mask.from_array(rng.random((120, 77)) < 0.3), level) for level in (0.2, 0.8, 0.8)]
    for levels in nested, apart, nested + apart:
        highest = np.full((120, 77), -1)
        for mask, level in levels:
            place = int(np.floor(255 * level + 0.5))
            highest = np.where(mask.to_array() != 0, np.maximum(highest, place), highest)
        painted = np.where((highest >= 0)[..., None], TABLE[highest], 0).astype(np.uint8)
        for channels in (), (2,), (3,), (4,):
            image = rng.integers(0, 256, (120, 77, *channels), dtype=np.uint8)
            want = reference.composite(image, painted)
            assert np.array_equal(heatmap(image, levels, TABLE), want)
            heatmap(image, iter(levels), TABLE, out=image, threads=2)
            assert np.array_equal(image, want)
    assert np.array_equal(heatmap(image, []), image)


def test_levels_beyond_all_floats() -> None:
    image, mask = np.zeros((4, 8, 3), np.uint8), Mask.full((4, 8))
    for level, same in ((2**5000, 1.0), (-(2**5000), 0.0)):
        found = heatmap(image, [(mask, level)])
        assert np.array_equal(found, heatmap(image, [(mask, same)]))


def test_sides_beyond_those_of_the_core() -> None:
    good = np.zeros((2, 2), np.float32)
    pixel = np.zeros((), np.uint8)
    for side in 2**30, 2**70, 2**20000:
        with pytest.raises(LimitError, match=r"^height .*at most 1073741823") as caught:
            heatmap(np.zeros((4, 8), np.uint8), good, rows=slice(0, 4), height=side)
        assert caught.value.code == "side"
    for name, shape in ("height", (2**30, 1)), ("width", (1, 2**30)):
        with pytest.raises(LimitError, match=f"^{name} 1073741824: "):
            heatmap(np.broadcast_to(pixel, shape), good)


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


def test_levels_that_cannot_be_used() -> None:
    image, mask = np.zeros((4, 8, 3), np.uint8), Mask.full((4, 8))
    for level in np.nan, "0.5", None, True, [0.5]:
        with pytest.raises(InputError, match="confidence of mask 0"):
            heatmap(image, [(mask, level)])  # type: ignore[list-item]
    for levels in [mask], [(mask,)], [[0.5, 0.5]], mask, 0.5, None, {mask: 0.5}:
        with pytest.raises(InputError, match="pair"):
            heatmap(image, levels)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="the mask 4 x 8"):
        heatmap(image[:3], [(mask, 0.5)])


# -- colour maps


def test_colour_maps_are_those_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    for name in "turbo", "inferno", "viridis":
        theirs = getattr(cv2, f"COLORMAP_{name.upper()}")
        ramp = np.arange(256, dtype=np.uint8)[:, None]
        assert np.array_equal(colormap(name), cv2.applyColorMap(ramp, theirs)[:, 0, ::-1])


def test_colour_map_of_traffic_lights() -> None:
    table = colormap("traffic").astype(int)
    assert table[[0, 255]].tolist() == [[26, 150, 65], [215, 25, 28]]
    assert np.abs(table[127:129] - (255, 212, 0)).max() <= 3
    assert np.abs(np.diff(table, axis=0)).max() <= 2
    table[0] = 0
    assert colormap("traffic")[0, 1] == 150


def test_alpha() -> None:
    image = np.zeros((1, 256, 3), np.uint8)
    confidence = np.arange(256, dtype=np.uint8)[None]
    white = np.full((256, 3), 255, np.uint8)

    def alphas(**options: object) -> list[int]:
        return heatmap(image, confidence, white, **options)[0, :, 0].tolist()  # type: ignore[call-overload]

    assert alphas(alpha=77) == [77] * 256
    assert alphas() == [round(180 * i / 255) for i in range(256)]
    assert alphas(alpha=(255, 0)) == list(range(255, -1, -1))
    assert alphas(alpha=np.arange(256)) == list(range(256))
    own = np.column_stack((white, np.arange(256)[::-1])).astype(np.uint8)
    assert heatmap(image, confidence, own)[0, :, 0].tolist() == list(range(255, -1, -1))
    assert heatmap(image, confidence, own, 9)[0, :, 0].tolist() == [9] * 256


# -- arguments


def test_sizes_without_pixels() -> None:
    for shape in (0, 7), (7, 0), (0, 0):
        image = np.zeros((*shape, 3), np.uint8)
        assert heatmap(image, np.ones((2, 2))).shape == image.shape
        assert heatmap(image, [(Mask.empty(shape), 0.5)]).shape == image.shape


def test_maps_that_are_larger_than_life() -> None:
    """What no pixel takes part of is not looked at."""
    image = np.zeros((3, 5, 3), np.uint8)
    huge = np.broadcast_to(np.float32(0.5), (2**29, 2**29))
    assert np.array_equal(heatmap(image, huge), heatmap(image, huge[:1, :1]))
    with pytest.raises(InputError, match="shape"):
        heatmap(image, np.broadcast_to(np.float32(0.5), (2**31, 2)))


def test_arguments_that_cannot_be_used() -> None:
    image, good = np.zeros((4, 8, 3), np.uint8), np.zeros((2, 2), np.float32)
    for confidence in (
        good.astype(int),
        good.astype(bool),
        good.astype(object),
        good.astype(complex),
        good.astype(">f4"),
        good.astype(np.longdouble),
        np.zeros((2, 2, 1)),
        np.zeros(4),
        np.zeros(()),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.ma.masked_equal(good, 0),
    ):
        with pytest.raises(InputError, match="the confidence") as caught:
            heatmap(image, confidence)
        assert caught.value.code == "confidence"
    for table in "jet", "", np.zeros((256, 3)), np.zeros((255, 3), np.uint8), None, 5:
        with pytest.raises(InputError, match="colour map"):
            heatmap(image, good, table)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="colour map"):
        colormap(None)  # type: ignore[arg-type]
    for alpha in -1, 256, 0.5, True, "a", (1, 2, 3), np.zeros((256, 1), int), [1] * 255, (0, 1.5):
        with pytest.raises(InputError, match="alpha"):
            heatmap(image, good, alpha=alpha)  # type: ignore[arg-type]
    wrong = [(1, 0), (0, 0), (0, np.nan), (0, np.inf), (-1e308, 1e308)]
    for limits in (*wrong, 1, "ab", (0, 1, 2), None, (0, 2**5000), (-(2**5000), 0)):
        with pytest.raises(InputError, match="range"):
            heatmap(image, good, range=limits)  # type: ignore[arg-type]
    assert heatmap(image, good, range=(0, 5e-324)).shape == image.shape
    for name in "ignore", None, True, np.array(["refuse", "refuse"]):
        with pytest.raises(InputError, match="nan"):
            heatmap(image, good, nan=name)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="not uint8"):
        heatmap(image.astype(float), good)  # type: ignore[type-var]
    readonly = image.copy()
    readonly.flags.writeable = False
    for out in readonly, image[:3], image.astype(np.uint16), [0]:
        with pytest.raises(InputError, match="out is"):
            heatmap(image, good, out=out)  # type: ignore[arg-type]
    for threads in 0, 1.5, None:
        with pytest.raises(InputError, match="threads"):
            heatmap(image, good, threads=threads)  # type: ignore[arg-type]


PEAK = """
import sys
from pathlib import Path
import numpy as np
from runmask import Mask, heatmap, overlay
side, job = int(sys.argv[1]), sys.argv[2]
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
mask = Mask.from_array(np.random.default_rng(0).random((64, 64)) < 0.2).resize((side, side))
image = np.full((side, side, 3), 100, np.uint8)
small = np.ones((8, 8, 3), np.uint8)  # what is loaded on the first call
overlay(small, Mask.full((8, 8)), out=small)
confidence = np.random.default_rng(1).random((256, 256)).astype(np.float32)
heatmap(small, confidence, out=small)
before = peak()
if job == "overlay":
    overlay(image, mask, out=image, threads=2)
elif job == "several":
    overlay(image, [(mask, (1, 2, 3, 90)), (mask, (9, 2, 3, 90))], out=image)
elif job == "planes":
    planes = image.reshape(3, side, side).transpose(1, 2, 0)
    overlay(planes, mask, out=planes)
elif job == "mirrored":
    heatmap(image[:, ::-1], confidence, out=image[:, ::-1])
else:
    heatmap(image, confidence, out=None if job == "fresh" else image, threads=2)
print((peak() - before) / image.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("job", ["overlay", "several", "planes", "heatmap", "mirrored", "fresh"])
@pytest.mark.parametrize("side", [4096, 8192])
def test_in_place_takes_no_memory(side: int, job: str) -> None:
    """16 and 64 megapixels: what is taken beside the image is less than 5 % of it."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(side), job],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    taken = float(done.stdout)
    assert taken < 0.05 if job != "fresh" else 0.95 < taken < 1.05


def test_a_map_that_is_part_of_what_is_written() -> None:
    image = np.random.default_rng(5).integers(0, 256, (300, 200), dtype=np.uint8)
    confidence = image[:150, :50]
    expected = heatmap(image, confidence.copy(), alpha=200)
    for threads in (1, 4):
        own = image.copy()
        assert np.array_equal(
            heatmap(own, own[:150, :50], alpha=200, out=own, threads=threads), expected
        )
