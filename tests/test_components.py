"""Parts and holes against OpenCV and SciPy."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from strategies import pixel_arrays

from runmask import Components, Mask
from runmask.errors import InputError, LimitError, MaskTypeError
from runmask.mask import components as room

connectivities = st.sampled_from([4, 8])


def structure(connectivity: int) -> np.ndarray:
    return ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)


@given(pixels=pixel_arrays(), connectivity=connectivities)
def test_table_as_opencv(pixels: np.ndarray, connectivity: int) -> None:
    parts = Mask.from_array(pixels).components(connectivity)
    count, labels, stats, centroids = cv2.connectedComponentsWithStatsWithAlgorithm(
        (pixels != 0).astype(np.uint8), connectivity, cv2.CV_32S, cv2.CCL_SAUF
    )
    assert len(parts) == count - 1
    assert np.array_equal(parts.to_label_array(), labels)
    assert np.array_equal(parts.areas, stats[1:, cv2.CC_STAT_AREA])
    x0, y0, x1, y1 = parts.boxes.T
    assert np.array_equal(np.column_stack((x0, y0, x1 - x0, y1 - y0)), stats[1:, :4])
    np.testing.assert_allclose(parts.centroids, centroids[1:], rtol=1e-12)
    assert parts.areas.sum() == np.count_nonzero(pixels)


@given(pixels=pixel_arrays(), connectivity=connectivities)
def test_labels_as_scipy(pixels: np.ndarray, connectivity: int) -> None:
    parts = Mask.from_array(pixels).components(connectivity)
    labels, count = ndimage.label(pixels, structure(connectivity))
    assert len(parts) == count
    assert np.array_equal(parts.to_label_array(), labels)
    runs = parts.mask.row_runs()
    painted = np.zeros(pixels.shape, np.int32)
    for y, x0, x1, label in zip(
        *(values.tolist() for values in (*runs, parts.labels)), strict=True
    ):
        assert x0 < x1
        assert not painted[y, x0:x1].any()
        painted[y, x0:x1] = label + 1
    assert np.array_equal(painted, labels)
    order = runs.y.astype(np.int64) * pixels.shape[1] + runs.x0
    assert (np.diff(order) > 0).all()


@given(pixels=pixel_arrays(max_pixels=4000), connectivity=connectivities)
def test_parts_as_masks(pixels: np.ndarray, connectivity: int) -> None:
    mask = Mask.from_array(pixels)
    parts = mask.components(connectivity)
    labels = parts.to_label_array()
    for i, part in zip(range(12), parts, strict=False):
        assert part == Mask.from_array(labels == i + 1)
        assert part == parts[i] == parts[i - len(parts)]
        assert (part.area, part.bbox) == (parts.areas[i], tuple(parts.boxes[i]))
        assert len(part.components(connectivity)) == 1
    assert sum(len(part) for part in parts) >= len(mask)
    assert parts.mask == mask


@given(pixels=pixel_arrays(max_pixels=4000), connectivity=connectivities, data=st.data())
def test_some_parts(pixels: np.ndarray, connectivity: int, data: st.DataObject) -> None:
    parts = Mask.from_array(pixels).components(connectivity)
    labels = parts.to_label_array()
    least = data.draw(st.integers(0, 30))
    most = data.draw(st.one_of(st.none(), st.integers(0, 60)))
    chosen = np.flatnonzero((parts.areas >= least) & (parts.areas <= (most or 2**40)))
    if most == 0:
        chosen = chosen[:0]
    some = parts.filter(least, most)
    assert some.mask == Mask.from_array(np.isin(labels, chosen + 1))
    check_taken(parts, some, chosen)

    count = data.draw(st.integers(0, 5))
    largest = parts.largest(count)
    chosen = np.array(sorted(range(len(parts)), key=lambda i: -parts.areas[i])[:count], int)
    check_taken(parts, largest, chosen)
    again = largest.largest(2)
    check_taken(parts, again, chosen[:2])


def check_taken(parts: Components, some: Components, chosen: np.ndarray) -> None:
    labels = parts.to_label_array()
    assert len(some) == len(chosen)
    for table in ("areas", "boxes", "centroids"):
        assert np.array_equal(getattr(some, table), getattr(parts, table)[chosen])
    number = np.zeros(len(parts) + 1, np.int32)
    number[chosen + 1] = np.arange(1, len(chosen) + 1)
    assert np.array_equal(some.to_label_array(), number[labels])
    for i, part in enumerate(chosen[:4].tolist()):
        assert some[i] == parts[part]


@given(pixels=pixel_arrays(max_pixels=10_000), connectivity=connectivities, data=st.data())
def test_holes_as_scipy(pixels: np.ndarray, connectivity: int, data: st.DataObject) -> None:
    mask = Mask.from_array(pixels)
    filled = ndimage.binary_fill_holes(pixels, structure(12 - connectivity))
    assert mask.fill_holes(connectivity) == Mask.from_array(filled)
    holes = mask.holes(connectivity)
    labels, count = ndimage.label(filled & (pixels == 0), structure(12 - connectivity))
    assert len(holes) == count
    assert np.array_equal(holes.to_label_array(), labels)

    most = data.draw(st.integers(0, 40))
    small = np.isin(labels, np.flatnonzero(holes.areas <= most) + 1)
    assert mask.fill_holes(connectivity, most) == Mask.from_array(small | (pixels != 0))
    least = data.draw(st.integers(0, 40))
    large = mask.components(connectivity).filter(least).mask
    assert mask.remove_small(least, connectivity) == large


def test_a_run_over_a_row_end_is_no_neighbour() -> None:
    mask = Mask([3], [2], (2, 4))  # one run: the end of row 0 and the start of row 1
    for connectivity in (4, 8):
        parts = mask.components(connectivity)
        assert [part.starts.tolist() for part in parts] == [[3], [4]]
        assert parts.labels.tolist() == [0, 1]
    corner = Mask([0, 10], [5, 1], (3, 4)).components(8)  # here the two lie below each other
    assert len(corner) == 2
    assert corner[0].starts.tolist() == [0]
    assert corner[0].lengths.tolist() == [5]


def test_diagonals() -> None:
    mask = Mask.from_array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    assert len(mask.components(8)) == 1
    assert len(mask.components(4)) == 5
    ring = Mask.from_array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert ring.fill_holes(8).area == 5
    assert ring.fill_holes(4).area == 4
    assert len(ring.holes()) == 1
    assert ring.holes()[0] == Mask([4], [1], (3, 3))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 9), (9, 1)])
def test_small_images(shape: tuple[int, int]) -> None:
    for mask in (Mask.empty(shape), Mask.full(shape)):
        for connectivity in (4, 8):
            parts = mask.components(connectivity)
            assert len(parts) == bool(mask)
            assert parts.boxes.shape == (len(parts), 4)
            assert parts.centroids.shape == (len(parts), 2)
            assert parts.to_label_array().shape == shape
            assert mask.fill_holes(connectivity) == mask
            assert mask.remove_small(1, connectivity) == mask
            assert not mask.remove_small(100)
            assert len(mask.holes(connectivity)) == 0
            assert not parts.filter(100).mask


def test_spiral_and_comb() -> None:
    """Shapes that join late: labels that meet again and again."""
    comb = np.zeros((65, 129), np.uint8)
    comb[:-1, ::2] = 1
    comb[-1] = 1
    assert len(Mask.from_array(comb).components(4)) == 1
    spiral = np.zeros((99, 99), np.uint8)
    top, left, bottom, right = 0, 0, 98, 98
    while top <= bottom and left <= right:
        spiral[top, left : right + 1] = 1
        spiral[top : bottom + 1, right] = 1
        spiral[bottom, left + 2 : right + 1] = 1
        spiral[top + 2 : bottom + 1, left + 2] = 1
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    for pixels in (spiral, spiral.T, 1 - spiral):
        for connectivity in (4, 8):
            count = ndimage.label(pixels, structure(connectivity))[1]
            assert len(Mask.from_array(pixels).components(connectivity)) == count


def test_dense_holes_are_flooded() -> None:
    """Noise of any density, with and without a way for the flood to give up on."""
    rng = np.random.default_rng(9)
    for share in (0.3, 0.5, 0.7, 0.9):
        pixels = rng.random((130, 257)) < share
        for connectivity in (4, 8):
            filled = ndimage.binary_fill_holes(pixels, structure(12 - connectivity))
            assert Mask.from_array(pixels).fill_holes(connectivity) == Mask.from_array(filled)


def test_giants_in_memory_of_their_runs() -> None:
    """10**10 pixels and 10**5 runs."""
    starts = np.arange(10**5, dtype=np.int64) * 100_000 + 500
    mask = Mask(starts, np.full(10**5, 7), (100_000, 100_000), max_pixels=None)
    parts = mask.components()
    assert parts.areas.tolist() == [7 * 10**5]
    assert parts.boxes.tolist() == [[500, 0, 507, 100_000]]
    assert parts.centroids.tolist() == [[503.0, 49_999.5]]
    assert parts[0] == mask
    apart = Mask(starts[::2], np.full(5 * 10**4, 7), (100_000, 100_000), max_pixels=None)
    assert len(apart.components()) == 5 * 10**4
    assert apart.components()[49_999].starts.tolist() == [starts[-2]]
    assert apart.fill_holes() == apart
    assert not apart.remove_small(8)
    assert Mask.full((100_000, 100_000)).components().areas.tolist() == [10**10]


def test_components_are_values() -> None:
    mask = Mask.from_array([[1, 0, 1], [0, 0, 0], [1, 1, 0]])
    parts = mask.components()
    assert repr(parts) == "Components(3 parts of 3 x 3)"
    for name in ("areas", "boxes", "centroids", "labels"):
        assert not getattr(parts, name).flags.writeable
    assert isinstance(parts, Components)
    again = pickle.loads(pickle.dumps(parts))
    assert again.mask == mask
    assert again.areas.tolist() == [1, 1, 2]
    assert [part.area for part in parts[::-1]] == [2, 1, 1]
    assert [part.area for part in parts[parts.areas > 1]] == [2]
    assert [part.area for part in parts[[2, 0]]] == [2, 1]
    assert parts[np.int64(2)].area == 2
    assert len(parts[[]]) == 0
    out = np.full((3, 3), 9, np.int32)
    assert parts.to_label_array(out) is out
    assert out.tolist() == [[1, 0, 2], [0, 0, 0], [3, 3, 0]]


def test_wrong_arguments() -> None:
    mask = Mask.from_array(np.eye(5))
    parts = mask.components(4)
    for connectivity in (6, True, "8", None, 4.5):
        for call in (mask.components, mask.holes, mask.fill_holes):
            with pytest.raises(InputError, match=r"connectivity .*: not 4 or 8"):
                call(connectivity)
    for area in (1.5, True, "1"):
        for filtering in (mask.remove_small, parts.filter):
            with pytest.raises(MaskTypeError, match="min_area"):
                filtering(area)
        with pytest.raises(MaskTypeError, match="max_area"):
            mask.fill_holes(max_area=area)
    with pytest.raises(InputError, match="min_area -1: below 0"):
        mask.remove_small(-1)
    for n in (-1, 1.0, True):
        with pytest.raises(InputError, match="not a number of parts"):
            parts.largest(n)
    for part in (5, -6):
        with pytest.raises(IndexError, match=f"part {part} of 5"):
            parts[part]
    with pytest.raises(InputError, match="distinct"):
        parts[[1, 1]]
    for out in (
        np.zeros((5, 5)),
        np.zeros((5, 4), np.int32),
        [[0]],
        np.zeros((5, 10), "i4")[:, ::2],
    ):
        with pytest.raises(InputError, match="int32"):
            parts.to_label_array(out)
    assert mask.remove_small(2**80) == Mask.empty((5, 5))


def test_too_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MAX_PIECES", 4)
    mask = Mask([0, 5], [1, 20], (10, 5))
    for call in (mask.components, mask.fill_holes, mask.holes, lambda: mask.remove_small(2)):
        with pytest.raises(LimitError, match="at most 4 can be labelled"):
            call()


@pytest.mark.parametrize("shift", [-1, 40, 2**31 - 9])
def test_labels_that_lie_are_refused(shift: int) -> None:
    parts = Mask.from_array(np.eye(6)).components(4)
    labels = parts.labels + np.int32(shift)
    lying = Components(parts.mask, labels, parts.areas, parts.boxes, parts.centroids)
    with pytest.raises(InputError, match="labels must be 0 to 5"):
        lying[0]
