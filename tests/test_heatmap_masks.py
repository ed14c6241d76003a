"""Heatmaps of masks: of one, which is a map of two values, and of several levels."""

from __future__ import annotations

import numpy as np
import pytest
import reference

from runmask import Mask, heatmap
from runmask.errors import ImageError, InputError

pytest.importorskip("PIL", reason="Pillow is the oracle of blending")

# Colours that tell every place in the map from its neighbours, with alphas of all kinds.
TABLE = np.random.default_rng(1).integers(0, 256, (256, 4), dtype=np.uint8)
TABLE[::7, 3] = 0
TABLE[3::7, 3] = 255


@pytest.mark.parametrize("limits", [(0.0, 1.0), (-2.0, 3.0), (0.25, 0.5)])
def test_a_mask_is_the_map_of_its_pixels(kernels: str, limits: tuple[float, float]) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.random((60, 71)) < 0.4
    mask = Mask.from_array(pixels)
    for channels in (1, 2, 3, 4):
        image = rng.integers(0, 256, (60, 71, channels), dtype=np.uint8)
        want = heatmap(image, pixels.astype(np.float32), TABLE, range=limits)
        assert np.array_equal(heatmap(image, pixels, TABLE, range=limits), want)
        assert np.array_equal(heatmap(image, mask, TABLE, range=limits), want)
        out = image.copy()
        assert heatmap(out, mask, TABLE, out=out, range=limits, threads=2) is out
        assert np.array_equal(out, want)
        band = heatmap(image[20:33], mask, TABLE, range=limits, rows=slice(20, 33))
        assert np.array_equal(band, want[20:33])
    with pytest.raises(ImageError, match="the mask 60 x 71"):
        heatmap(image[1:], mask)
    with pytest.raises(InputError, match="height 61: the masks have 60"):
        heatmap(image, mask, height=61)


def test_maps_of_bools_are_enlarged_as_others(kernels: str) -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (90, 133, 3), dtype=np.uint8)
    for size in (7, 11), (90, 133), (200, 300):
        yes = rng.random(size) < 0.5
        for view in yes, yes[::-1, ::-1], np.asfortranarray(yes):
            want = heatmap(image, view.astype(np.float64), TABLE)
            assert np.array_equal(heatmap(image, view, TABLE), want)


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
