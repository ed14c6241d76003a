"""What drawing takes beside the image: the images here are of 16 and of 64 megapixels."""

from __future__ import annotations

import subprocess
import sys

import pytest

PEAK = """
import sys
from pathlib import Path
import numpy as np
from runmask import Mask, heatmap, outline, overlay
side, job = int(sys.argv[1]), sys.argv[2]
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
mask = Mask.from_array(np.random.default_rng(0).random((64, 64)) < 0.2).resize((side, side))
image = np.full((side, side, 3), 100, np.uint8)
small = np.ones((8, 8, 3), np.uint8)  # what is loaded on the first call
overlay(small, Mask.full((8, 8)), out=small)
confidence = np.random.default_rng(1).random((256, 256)).astype(np.float32)
heatmap(small, confidence, out=small)
outline(small, Mask.full((8, 8)), out=small, antialias=True)
before = peak()
if job == "overlay":
    overlay(image, mask, out=image, threads=2)
elif job == "several":
    overlay(image, [(mask, (1, 2, 3, 90)), (mask, (9, 2, 3, 90))], out=image)
elif job == "planes":
    planes = image.reshape(3, side, side).transpose(1, 2, 0)
    overlay(planes, mask, out=planes)
elif job == "outline":
    outline(image, mask, width=9, out=image, antialias=True, threads=2)
elif job == "mirrored":
    heatmap(image[:, ::-1], confidence, out=image[:, ::-1])
else:
    heatmap(image, confidence, out=None if job == "fresh" else image, threads=2)
print((peak() - before) / image.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "job", ["overlay", "several", "planes", "outline", "heatmap", "mirrored", "fresh"]
)
@pytest.mark.parametrize("side", [4096, 8192])
def test_in_place_takes_no_memory(side: int, job: str) -> None:
    """16 and 64 megapixels: what is taken beside the image is less than 5 % of it."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(side), job],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    taken = float(done.stdout)
    assert taken < 0.05 if job != "fresh" else 0.95 < taken < 1.05
