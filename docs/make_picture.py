"""Makes overlay.jpg, the README's picture, with the sandbox's own analysis.

python docs/make_picture.py
"""

from pathlib import Path

import cv2
import numpy as np

import runmask as rm
from runmask import images
from runmask.sandbox.analysis import analyse

HERE = Path(__file__).parent
WIDTH = 640  # of each half

photo = images.read(HERE.parent / "examples" / "mountains_edited.jpg")
mask = rm.Mask.from_array(analyse(photo).mask)
halves = [photo[1100:], rm.overlay(photo, mask)[1100:]]
size = (WIDTH, round(WIDTH * halves[0].shape[0] / halves[0].shape[1]))
small = [cv2.resize(half, size, interpolation=cv2.INTER_AREA) for half in halves]
images.write(HERE / "overlay.jpg", np.hstack(small), quality=88)
