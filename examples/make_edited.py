"""Make mountains_edited.jpg from mountains.jpg: the boulder in the meadow is covered with grass.

A plain edit for demonstration, by OpenCV's seamless cloning and not by a generative model. The
grass comes from another place of the photo and is softened, as retouching tends to do, and
the whole picture is compressed once more.
"""

from pathlib import Path

import cv2
import numpy as np

from runmask import images

FOLDER = Path(__file__).parent
BOULDER = (2556, 2258)  # centre, (x, y) in pixels
GRASS = (2910, 2240)
SIZE = (240, 230)  # of the covered ellipse

photo = images.read(FOLDER / "mountains.jpg", orient=False)
width, height = SIZE
left, top = GRASS[0] - width // 2, GRASS[1] - height // 2
grass = cv2.GaussianBlur(photo[top : top + height, left : left + width], (0, 0), sigmaX=1.3)
hole = np.zeros((height, width), np.uint8)
cv2.ellipse(hole, ((width / 2, height / 2), (width - 4, height - 4), 0), 255, thickness=-1)
edited = cv2.seamlessClone(grass, photo, hole, BOULDER, cv2.NORMAL_CLONE)
images.write(FOLDER / "mountains_edited.jpg", edited, quality=90)
