"""What heatmaps take and refuse: colour maps, alphas, and everything else that can be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from runmask import Mask, colormap, heatmap
from runmask.errors import ImageError, InputError, LimitError


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
    for limits in (*wrong, 1, "ab", (0, 1, 2), [], (0, 2**5000), (-(2**5000), 0)):
        with pytest.raises(InputError, match="range"):
            heatmap(image, good, range=limits)  # type: ignore[arg-type]
    assert heatmap(image, good, range=(0, 5e-324)).shape == image.shape
    assert heatmap(image, good.astype(np.uint8), range=(0, 5e-324)).shape == image.shape
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


def test_ranges_are_in_the_maps_own_numbers() -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for dtype, full in (np.uint8, 255), (np.uint16, 65535), (np.float32, 1), (np.bool_, 1):
        values = (rng.random((7, 9)) * (full + 1)).astype(dtype)
        want = heatmap(image, values / np.float64(full))
        assert (want != image).any()
        assert np.array_equal(heatmap(image, values), want)
        assert np.array_equal(heatmap(image, values, range=(0, full)), want)
        assert np.array_equal(heatmap(image, values, range=None), want)
    bytes_ = np.array([[100, 150, 200]], np.uint8)
    want = heatmap(image, np.array([[0, 0.5, 1]]))
    assert np.array_equal(heatmap(image, bytes_, range=(100, 200)), want)
    assert np.array_equal(heatmap(image, bytes_.astype(np.uint16), range=(100, 200)), want)


def test_maps_of_other_libraries() -> None:
    pillow = pytest.importorskip("PIL.Image")
    image = np.zeros((40, 60, 3), np.uint8)
    for dtype in np.uint8, np.uint16, np.float32, np.bool_:
        values = (np.arange(63).reshape(7, 9) % 2).astype(dtype)
        given = pillow.fromarray(values)
        assert np.array_equal(heatmap(image, given), heatmap(image, values))
    assert np.array_equal(heatmap(image, memoryview(values)), heatmap(image, values))
    grey = pillow.fromarray(np.zeros((7, 9), np.uint8))
    for mode in "P", "RGB", "CMYK":
        with pytest.raises(InputError, match="the confidence"):
            heatmap(image, grey.convert(mode))


def test_lists_of_numbers_are_no_maps() -> None:
    for rows in [[0.1, 0.2], [0.3, 0.4]], [0.5], [[1, 2, 3]]:
        with pytest.raises(InputError, match=r"list of numbers: numpy\.asarray"):
            heatmap(np.zeros((4, 8, 3), np.uint8), rows)  # type: ignore[arg-type]


def test_levels_that_cannot_be_used() -> None:
    image, mask = np.zeros((4, 8, 3), np.uint8), Mask.full((4, 8))
    for level in np.nan, "0.5", None, True, [0.5]:
        with pytest.raises(InputError, match="confidence of mask 0"):
            heatmap(image, [(mask, level)])  # type: ignore[list-item]
    for levels in [mask], [(mask,)], ["ab"], 0.5, None, {mask: 0.5}:
        with pytest.raises(InputError, match="pair"):
            heatmap(image, levels)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="the mask 4 x 8"):
        heatmap(image[:3], [(mask, 0.5)])
