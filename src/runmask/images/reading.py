"""From an image file to an array of pixels."""

from dataclasses import replace
from typing import Any

import numpy.typing as npt

from ..errors import InputError, shown
from ..mask import Mask
from .arguments import check_whole, checked_shape
from .decoding import Mode, Picture, Wanted, decode, grey_of
from .metadata import Kept
from .orientation import Pixels, Shape, turn_to_fit, upright, upright_shape
from .reducing import reduced, reduced_shape
from .source import Source, read_bytes, shown_name, sniff, warn_of_wrong_suffix

MAX_PIXELS = 2**26


def read(
    source: Source,
    *,
    mode: Mode | None = "RGB",
    orient: bool = True,
    shape: Shape | None = None,
    max_pixels: int = MAX_PIXELS,
    max_side: int | None = None,
) -> Pixels:
    """The pixels of an image file; see :func:`load` for the arguments and errors.

    Returns
    -------
    ndarray of uint8, (H, W, 3) or (H, W, 4), C-contiguous and writable
    """
    return load(
        source, mode=mode, orient=orient, shape=shape, max_pixels=max_pixels, max_side=max_side
    ).pixels


def load(
    source: Source,
    *,
    mode: Mode | None = "RGB",
    orient: bool = True,
    shape: Shape | None = None,
    max_pixels: int = MAX_PIXELS,
    max_side: int | None = None,
    metadata: Kept = "strip",
    name: str | None = None,
) -> Picture:
    """Read an image file with what is known about it.

    Parameters
    ----------
    source : path, the file's bytes, or a file opened in binary mode
        Only regular files are opened. A file object is read to its end, and left open.
    mode : "RGB", "RGBA" or None
        None gives 4 channels if the file has transparency, else 3. "RGB" leaves the alpha
        out and the colours under it as they are stored.
    orient : bool
        True turns the pixels upright, False leaves them as they are stored.
    shape : (height, width), optional
        Instead of ``orient``: choose the one of the two that has this size. Warns where
        both have it though they differ (the stored one is taken).
    max_pixels : int
        Checked against the header before memory is taken for pixels.
    max_side : int, optional
        Reduce the picture so that its longer side has so many pixels at most, each the mean of what
        it covers. Of a JPEG fewer pixels are decoded then. ``shape`` is that of the whole
        picture all the same; :func:`load_pair` reduces a mask alike.
    metadata : "strip", "keep" or "none"
        What to read for :func:`write` to store in another file: "strip" the colour profile, without
        which the pixels would mean other colours, "keep" EXIF as well, which may tell the place and
        the camera, "none" neither.
    name : str, optional
        What messages call the image; the path if there is one.

    Raises
    ------
    ImageError
        ``code`` is ``"unreadable"``, ``"empty"``, ``"format"``, ``"truncated"``,
        ``"corrupt"``, ``"mode"`` (32-bit samples) or ``"shape_mismatch"``.
    LimitError
        More than ``max_pixels``, or a file of more than 1 GiB.
    MissingDependencyError
        The extra ``images`` (for HEIC ``heif``) is not installed.
    """
    if mode is not None and (not isinstance(mode, str) or mode not in ("RGB", "RGBA")):
        raise InputError(f"mode {shown(mode)} is none of 'RGB', 'RGBA' and None")
    wanted = None if shape is None else checked_shape(shape)
    check_whole(max_pixels, "max_pixels", 1)
    if max_side is not None:
        check_whole(max_side, "max_side", 1)
    if not isinstance(metadata, str) or metadata not in ("strip", "keep", "none"):
        raise InputError(f"metadata {shown(metadata)}: not 'strip', 'keep' or 'none'")
    name = name or shown_name(source)
    data = read_bytes(source, name)
    fmt = sniff(data, name)
    warn_of_wrong_suffix(source, fmt, name)
    picture = decode(data, fmt, Wanted(mode, name, max_pixels, max_side, metadata))
    if max_side is not None:
        shape_of_small = reduced_shape(picture.full_shape, max_side)
        picture = replace(picture, pixels=reduced(picture.pixels, shape_of_small))
    if wanted is not None:
        return fit(picture, wanted, name)
    return _turned(picture) if orient else picture


def read_grey(
    source: Source, *, max_pixels: int = MAX_PIXELS, name: str | None = None
) -> npt.NDArray[Any]:
    """The samples of a grey picture, such as a map of confidences, as they are stored.

    Returns
    -------
    ndarray (H, W) of uint8, or of uint16 of what is stored with 16 bits

    Raises
    ------
    ImageError, LimitError, MissingDependencyError
        As :func:`load`; ``code`` is ``"mode"`` for a picture with colours.
    """
    name = name or shown_name(source)
    data = read_bytes(source, name)
    picture = load(data, orient=False, max_pixels=max_pixels, name=name)
    return grey_of(data, picture, name)


def load_pair(
    source: Source,
    mask: Mask,
    *,
    mode: Mode | None = None,
    max_pixels: int = MAX_PIXELS,
    max_side: int | None = None,
    metadata: Kept = "strip",
    name: str | None = None,
) -> tuple[Picture, Mask]:
    """A picture and its mask at one size, ready for :func:`runmask.overlay`.

    The picture is the reading that fits the mask, as ``load(shape=mask.shape)`` finds it. If
    ``max_side`` reduces it, the mask is reduced on its runs by :meth:`Mask.resize`: by nearest
    neighbour, so that parts thinner than a new pixel may go.

    Raises
    ------
    ImageError, LimitError, MissingDependencyError
        As :func:`load`.
    """
    picture = load(
        source,
        mode=mode,
        shape=mask.shape,
        max_pixels=max_pixels,
        max_side=max_side,
        metadata=metadata,
        name=name,
    )
    height, width = picture.pixels.shape[:2]
    return picture, mask if mask.shape == (height, width) else mask.resize((height, width))


def fit(picture: Picture, shape: Shape, name: str = "image") -> Picture:
    """Of a picture as stored and the same turned upright, the one that has this size.

    Raises
    ------
    ImageError
        Neither has it (``code`` is ``"shape_mismatch"``); both sizes are named.
    """
    turn = turn_to_fit(picture.full_shape, picture.orientation, checked_shape(shape), name)
    return _turned(picture) if turn else picture


def _turned(picture: Picture) -> Picture:
    return replace(
        picture,
        pixels=upright(picture.pixels, picture.orientation),
        orientation=1,
        full_shape=upright_shape(picture.full_shape, picture.orientation),
    )
