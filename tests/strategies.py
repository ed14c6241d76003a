"""Hypothesis strategies: masks and runs at the sizes where mistakes live."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

# Around words of 64 pixels and the core's blocks of 2048 and 16384.
_SIDES = st.one_of(
    st.integers(1, 70),
    st.sampled_from([1, 63, 64, 65, 127, 128, 129, 2047, 2048, 2049]),
)


@st.composite
def pixel_arrays(draw: st.DrawFn, max_pixels: int = 40_000) -> np.ndarray:
    """uint8 arrays (H, W) of zeros and other values: empty, full, noise, stripes, blocks."""
    height = draw(_SIDES)
    width = min(draw(_SIDES), max(1, max_pixels // height))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0]))
    grain = draw(st.sampled_from([1, 1, 3, 16, 90]))
    coarse = rng.random((height // grain + 1, width // grain + 1)) < share
    pixels = np.repeat(np.repeat(coarse, grain, axis=0), grain, axis=1)[:height, :width]
    return pixels * rng.integers(1, 256, pixels.shape, dtype=np.uint8)


@st.composite
def legal_runs(draw: st.DrawFn) -> tuple[list[int], list[int], tuple[int, int]]:
    """Runs inside an image, in any order, overlapping, touching and empty as they fall."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 70))
    total = height * width
    count = draw(st.integers(0, 30))
    longest = draw(st.sampled_from([3, total]))
    runs = []
    for _ in range(count):
        start = draw(st.integers(0, total))
        runs.append((start, draw(st.integers(0, min(total - start, longest)))))
    if draw(st.booleans()):
        runs.sort()
    return [start for start, _ in runs], [length for _, length in runs], (height, width)
