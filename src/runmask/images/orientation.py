"""EXIF orientation: the eight ways a picture may be stored, and turning it upright.

====  ==========================================
tag   what makes the stored pixels upright
====  ==========================================
1     nothing
2     mirror left-right
3     turn by 180 degrees
4     mirror top-bottom
5     transpose
6     turn right by 90 degrees
7     transpose across the other diagonal
8     turn left by 90 degrees
====  ==========================================
"""

import warnings

import numpy as np
import numpy.typing as npt

from ..errors import ImageError, shown
from .arguments import check_orientation
from .extra import opencv

Pixels = npt.NDArray[np.uint8]
Shape = tuple[int, int]


def upright(image: Pixels, orientation: int) -> Pixels:
    """The stored pixels turned as the tag (1..8) says; a new array, except for tag 1.

    Raises
    ------
    ImageError
        The tag is none of 1..8.
    """
    check_orientation(orientation)
    if orientation == 1:
        return image
    cv2 = opencv()  # NumPy's strided copies of 3-byte pixels take five times as long
    turns = {
        2: lambda: cv2.flip(image, 1),
        3: lambda: cv2.rotate(image, cv2.ROTATE_180),
        4: lambda: cv2.flip(image, 0),
        5: lambda: cv2.transpose(image),
        6: lambda: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
        7: lambda: cv2.flip(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE), 0),
        8: lambda: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
    }
    turned: Pixels = np.asarray(turns[orientation]())
    return turned


def as_stored(image: Pixels, orientation: int) -> Pixels:
    """The reverse of :func:`upright`."""
    return upright(image, {6: 8, 8: 6}.get(orientation, orientation))


def upright_shape(stored: Shape, orientation: int) -> Shape:
    return stored if orientation < 5 else (stored[1], stored[0])


def turn_to_fit(stored: Shape, orientation: int, wanted: Shape, name: str) -> bool:
    """Whether to turn the picture upright so that its size is ``wanted``."""
    turned = upright_shape(stored, orientation)
    if stored == wanted:
        if orientation != 1 and turned == wanted:
            warnings.warn(
                f"{name}: EXIF orientation {orientation} does not change its size, so the mask"
                " may mean the stored or the upright picture; taken as stored",
                stacklevel=4,
            )
        return False
    if turned == wanted:
        return True
    message = f"{name} is {stored[0]} x {stored[1]} (height x width)"
    if turned != stored:
        message += f", upright {turned[0]} x {turned[1]}"
    message += f", the mask {shown(wanted[0])} x {shown(wanted[1])}"
    if (stored[1], stored[0]) == wanted:
        message += "; turned by 90 degrees they agree: was the EXIF orientation lost?"
    raise ImageError(message, code="shape_mismatch")
