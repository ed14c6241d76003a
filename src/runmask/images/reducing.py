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


def decoded_shape(full: Shape, least: Shape) -> Shape:
    """What a JPEG decoder is to give where so much is needed: all, a half, a quarter or an eighth.

    Those have fast transforms. The decoder rounds up to whole pixels, which shifts the picture
    against its mask: then twice as much is asked for.
    """
    for part in (8, 4, 2):
        is_whole = not (full[0] % part or full[1] % part)
        height, width = (-(-side // part) for side in full)
        enough = 1 if is_whole else 2
        if height >= enough * least[0] and width >= enough * least[1]:
            return height, width
    return full
