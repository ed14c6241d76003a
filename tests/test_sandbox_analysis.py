"""The sandbox's analysis of pixels: what it marks, and that it marks it again."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runmask.sandbox import analyse
from runmask.sandbox.analysis import tile_side


def photo(height, width, seed=7):
    """A picture with a photograph's ingredients: shapes of all sizes, grain, one compression."""
    random = np.random.default_rng(seed)
    scene = np.zeros((height, width), np.float32)
    for octave in range(1, 8):
        coarse = random.normal(size=(4 << octave, 4 << octave)).astype(np.float32)
        scene += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / octave**2
    scene = 128 + 45 * (scene - scene.mean()) / scene.std()
    colour = scene[..., None] * np.float32([1.0, 0.9, 0.8])
    grain = random.normal(scale=4, size=(height, width, 3))
    image = np.clip(colour + grain, 0, 255).astype(np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)


def spot(height, width):
    """A round region off the centre, an eighth or so of the image."""
    y, x = np.mgrid[:height, :width]
    return ((y - 0.6 * height) / height) ** 2 + ((x - 0.35 * width) / width) ** 2 < 0.2**2


def smoothed(image):
    return cv2.bilateralFilter(image, 9, 40, 5)


def foreign(image):
    """Another picture's pixels: other shapes, a third of the grain, never compressed."""
    other = photo(*image.shape[:2], seed=99)
    return cv2.addWeighted(cv2.GaussianBlur(other, (0, 0), 1.2), 0.9, other, 0.1, 0)


@pytest.mark.parametrize("edit", [smoothed, foreign])
@pytest.mark.parametrize("shape", [(700, 900), (1100, 1500)])
def test_an_edited_region_is_what_is_marked(edit, shape):
    image, region = photo(*shape), spot(*shape)
    edited = np.where(region[..., None], edit(image), image)

    mask = analyse(edited).mask

    assert (mask & region).sum() > 0.75 * region.sum()
    assert (mask & region).sum() > 0.75 * mask.sum()
    parts = cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
    assert parts <= 8


def test_the_score_tells_an_edited_image_from_its_original():
    image, region = photo(700, 900), spot(700, 900)
    edited = np.where(region[..., None], smoothed(image), image)
    assert analyse(edited).score > 0.6
    assert analyse(image).score < 0.3


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_flat_image_has_nothing_to_mark(value):
    found = analyse(np.full((512, 640, 3), value, np.uint8))
    assert not found.mask.any()
    assert found.score == 0
    assert (found.confidence < 0.5).all()


def test_same_pixels_same_answer_also_side_by_side():
    image = photo(640, 1300)
    image[100:300, 200:500] = smoothed(image)[100:300, 200:500]
    first = analyse(image.copy())
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(analyse, [image] * 8))
    for other in again:
        assert other.confidence.tobytes() == first.confidence.tobytes()
        assert other.mask.tobytes() == first.mask.tobytes()
        assert other.score == first.score
    assert first.mask.any()


def test_the_image_is_left_alone_and_may_be_read_only():
    image = photo(512, 512)
    before = image.copy()
    image.setflags(write=False)
    analyse(image)
    assert np.array_equal(image, before)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(64, 700), width=st.integers(64, 700), seed=st.integers(0, 3))
def test_any_shape_and_content(height, width, seed):
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    if seed == 3:
        image[: height // 2] = 0  # half of the tiles without any texture
    tile = tile_side(height, width)

    found = analyse(image)

    assert found.mask.shape == (height, width)
    assert found.mask.dtype == bool
    assert found.confidence.shape == (-(-height // tile), -(-width // tile))
    assert found.confidence.dtype == np.float32
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert 0 <= found.score <= 1
    assert (found.score > 0) == bool(found.mask.any())


@pytest.mark.parametrize(
    ("side", "tile"), [(512, 8), (1280, 8), (1281, 16), (3200, 16), (6000, 32)]
)
def test_tiles_grow_with_the_image(side, tile):
    assert tile_side(side, 512) == tile
    assert tile_side(512, side) == tile
