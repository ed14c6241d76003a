"""Makes the pictures of gallery.md from the example photographs, with the sandbox's own analysis.

python docs/make_gallery.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import runmask as rm
from runmask import captions, images
from runmask.sandbox.analysis import Analysis, analyse

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
SIDE = 900  # of a whole picture


def load(name: str, side: int = SIDE) -> tuple[np.ndarray, rm.Mask, Analysis]:
    """A photograph reduced, its mask at that size, and what the sandbox found in the whole."""
    path = EXAMPLES / name
    found = analyse(images.read(path))
    picture, mask = images.load_pair(path, rm.Mask.from_array(found.mask), max_side=side)
    return picture.pixels, mask, found


def save(name: str, picture: np.ndarray) -> None:
    images.write(HERE / "gallery" / f"{name}.jpg", picture, quality=80)


photo, mask, found = load("mountains_edited.jpg")
split = captions.before_after(photo, rm.overlay(photo, mask))
line = f"score {found.score:.2f}  ·  {100 * mask.fraction:.2g} % of the pixels marked  ·  sandbox"
save("overlay", captions.caption(split, line))

heat = rm.heatmap(photo, found.confidence, "turbo", alpha=(0, 190))
save("heatmap", captions.legend(heat, "turbo", alpha=(0, 190), title="confidence of the sandbox"))

photo, mask, _ = load("fig.jpg")
rings = mask.remove_small(60).contours(simplify=1.0)
dark = rm.overlay(photo, mask, None, (0, 0, 0, 110))
save("outlines", rm.outline(dark, rings, (255, 220, 0, 255), 2.5, antialias=True))

photo, mask, found = load("dogs.jpg", 640)
drawn = [
    photo,
    rm.overlay(photo, mask, (255, 0, 0, 140), None),
    rm.heatmap(photo, found.confidence, "inferno", alpha=(0, 220)),
]
save("side_by_side", captions.side_by_side(drawn, titles=["photo", "overlay", "heatmap"]))
