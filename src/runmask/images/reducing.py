"""Pictures of fewer pixels: what a preview, a page or a notebook needs."""

import numpy as np

from .extra import extra, opencv
from .orientation import Pixels, Shape


def reduced_shape(shape: Shape, max_side: int | None) -> Shape:
    """The shape whose longer side is ``max_side`` at most; the other one rounded, halves up."""
    longest = max(shape)
    if max_side is None or longest <= max_side:
        return shape
    height, width = (max(1, (2 * side * max_side + longest) // (2 * longest)) for side in shape)
    return height, width


def reduced(pixels: Pixels, shape: Shape) -> Pixels:
    """Each new pixel the mean of the area that it covers; transparent pixels add no colour."""
    if pixels.shape[:2] == shape:
        return pixels
    height, width = shape
    if pixels.shape[2:] == (4,):  # OpenCV would weigh what nobody sees like the rest
        with extra("images"):
            from PIL import Image
        small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
        return np.array(small, np.uint8)
    cv2 = opencv()
    area = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(area, np.uint8)


def is_scaled(shape: Shape, full: Shape) -> bool:
    """Whether a JPEG decoder gives this size of a whole: so many eighths of it, rounded up."""
    eighths = ((-(-full[0] * n // 8), -(-full[1] * n // 8)) for n in range(1, 9))
    return shape in eighths
