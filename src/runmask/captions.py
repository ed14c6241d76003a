"""Pictures for people: a line of text below, a legend for a heatmap, pictures side by side.

Simple functions from arrays to arrays. Images are uint8, grey (H, W), RGB (H, W, 3) or RGBA
(H, W, 4); results are new RGB arrays (H, W, 3), with transparency shown on the background. Needs
the extra ``images``. All cost O(pixels).

Text is set in ``font``: the path of a TrueType or OpenType font, or what Pillow's
``ImageFont.truetype`` gives. Without one it is Pillow's own, which has the letters of English and
little more. A letter that the font lacks is written without its marks (``é`` as ``e``), a dash
as ``-``, and what is like nothing the font has as ``?``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from .blend import heatmap
from .blend.heatmaps import checked_range
from .colours import Colour, rgba
from .errors import ImageError, InputError, shown
from .foreign import pixels_of
from .lettering import Lettering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blend.heatmaps import Alpha
    from .detection import Detection
    from .lettering import Font

    Pixels = NDArray[np.uint8]

__all__ = ["before_after", "caption", "legend", "side_by_side", "verdict_line"]

_WHITE, _BLACK, _DARK = (255, 255, 255), (0, 0, 0), (30, 32, 36)
_STEPS = 256


def caption(
    image: Pixels,
    text: str,
    *,
    size: int | None = None,
    colour: Colour = _WHITE,
    background: Colour = _DARK,
    at: Literal["bottom", "top"] = "bottom",
    font: Font | None = None,
) -> Pixels:
    """The image with a bar of text below or above it; the picture itself stays as it is.

    Parameters
    ----------
    text : str
        Lines that are too long for the picture are broken between words, words within.
    size : int, optional
        Of the letters, in pixels; None takes that of a font of Pillow's, or what suits the picture.
    colour, background : (R, G, B), "#rrggbb" or a name of CSS
        Of the letters and of the bar.
    font : path or font of Pillow's, optional
        See above.

    Raises
    ------
    ImageError
        It is no image of the kinds above.
    InputError
        An argument cannot be used, or the text has more than 2,000 characters or, broken, more
        than 200 lines.
    """
    pixels = _rgb(image, _colour(background, "background"))
    if at not in ("bottom", "top"):
        raise InputError(f"at {shown(at)}: not 'bottom' or 'top'")
    letters = Lettering(font, size, _usual_size(pixels))
    ink, paper = _colour(colour, "colour"), _colour(background, "background")
    bar = letters.bar(text, pixels.shape[1], ink, paper)
    return np.concatenate((pixels, bar) if at == "bottom" else (bar, pixels))


def verdict_line(detection: Detection) -> str:
    """What to write below a detection's picture: verdict, score, share, and who said it."""
    facts = [str(detection.verdict or "no verdict")]
    if detection.score is not None:
        facts.append(f"score {detection.score:.3g}")
    mask = detection.mask
    if mask is not None:
        facts.append(f"{100 * mask.fraction:.3g} % of the pixels marked")
    facts.append("sandbox" if detection.notice is not None else detection.service)
    return "  \N{MIDDLE DOT}  ".join(facts)


def legend(
    image: Pixels,
    colormap: str | Pixels = "turbo",
    alpha: Alpha | None = None,
    *,
    range: tuple[float, float] | None = None,  # noqa: A002 - as heatmap has it
    title: str = "confidence",
    size: int | None = None,
    font: Font | None = None,
) -> Pixels:
    """The image with a colour bar below it, for what :func:`runmask.heatmap` drew.

    ``colormap``, ``alpha`` and ``range`` are those of the heatmap: the bar is a heatmap of all
    confidences over white, with the values at its ends and in its middle below. Without a range
    they are confidences, 0 to 1, whatever the numbers of the map.

    Raises
    ------
    ImageError, InputError
        As :func:`caption` and :func:`runmask.heatmap`.
    """
    pixels = _rgb(image, _WHITE)
    low, span = (0.0, 1.0) if range is None else checked_range(range)
    letters = Lettering(font, size, _usual_size(pixels))
    margin = letters.size // 2
    width = max(1, pixels.shape[1] - 2 * margin)
    steps = np.linspace(0, 1, _STEPS, dtype=np.float32)[None]
    paper = np.full((letters.size, width, 3), 255, np.uint8)
    bar = heatmap(paper, steps, colormap, alpha, paper)
    values = [f"{value:.4g}" for value in (low, low + span / 2, low + span)]
    above = (
        letters.bar(title, pixels.shape[1], _BLACK, _WHITE)
        if title
        else np.full((margin, pixels.shape[1], 3), 255, np.uint8)
    )
    framed = np.full((letters.size, pixels.shape[1], 3), 255, np.uint8)
    framed[:, margin : margin + width] = bar[:, : max(0, framed.shape[1] - margin)]
    below = letters.labels(values, pixels.shape[1], margin, _BLACK, _WHITE)
    return np.concatenate((pixels, above, framed, below))


def side_by_side(
    images: Sequence[Pixels],
    *,
    titles: Sequence[str] | None = None,
    gap: int = 8,
    background: Colour = _WHITE,
    size: int | None = None,
    align: Literal["top", "middle", "bottom"] = "top",
    font: Font | None = None,
) -> Pixels:
    """The images beside each other, a gap between, each with its title above.

    ``align`` says where those stand that have less height than the highest.

    Raises
    ------
    ImageError, InputError
        There is none, one cannot be used, or the titles are not as many.
    """
    paper = _colour(background, "background")
    if isinstance(images, np.ndarray) or hasattr(type(images), "__array_interface__"):
        raise InputError("images is one array: give a list of them")
    every = [_rgb(image, paper) for image in images]
    if not every:
        raise InputError("no images")
    if not isinstance(align, str) or align not in ("top", "middle", "bottom"):
        raise InputError(f"align {shown(align)}: not 'top', 'middle' or 'bottom'")
    if isinstance(gap, bool) or not isinstance(gap, int | np.integer) or not 0 <= gap <= 10_000:
        raise InputError(f"gap {shown(gap)}: not an integer of 0 to 10000")
    if titles is not None:
        if isinstance(titles, str) or len(titles) != len(every):
            raise InputError(f"titles {shown(titles)}: not one for each of {len(every)} images")
        letters = Lettering(font, size, _usual_size(every[0]))
        ink = _BLACK if sum(paper) > 382 else _WHITE
        bars = [
            letters.bar(title, image.shape[1], ink, paper)
            for title, image in zip(titles, every, strict=True)
        ]
        most = max(map(len, bars))
        bars = [_padded(bar, most, paper, "bottom") for bar in bars]
    highest = max(map(len, every))
    columns = [_padded(image, highest, paper, align) for image in every]
    if titles is not None:
        columns = [np.concatenate(pair) for pair in zip(bars, columns, strict=True)]
    between = np.empty((len(columns[0]), gap, 3), np.uint8)
    between[:] = paper
    parts = [part for column in columns for part in (between, column)]
    return np.concatenate(parts[1:], axis=1)


def before_after(
    before: Pixels, after: Pixels, *, at: float = 0.5, line: int = 3, colour: Colour = _WHITE
) -> Pixels:
    """One picture, on the left of a line as it was and on the right as it became.

    Parameters
    ----------
    before, after : ndarray
        Of the same height and width.
    at : float
        Where the line is, 0 at the left edge to 1 at the right.
    line : int
        Its width in pixels; 0 draws none.

    Raises
    ------
    ImageError, InputError
        An image or another argument cannot be used.
    """
    left, right = _rgb(before, _WHITE), _rgb(after, _WHITE)
    if left.shape != right.shape:
        raise ImageError(
            f"before is {left.shape[0]} x {left.shape[1]} and after {right.shape[0]} x "
            f"{right.shape[1]} (height x width)",
            code="shape_mismatch",
        )
    if isinstance(at, bool) or not isinstance(at, int | float | np.number) or not 0 <= at <= 1:
        raise InputError(f"at {shown(at)}: not a number of 0 to 1")
    if isinstance(line, bool) or not isinstance(line, int | np.integer) or line < 0:
        raise InputError(f"line {shown(line)}: not an integer of 0 or more")
    ink = _colour(colour, "colour")
    column = round(float(at) * left.shape[1])
    both = np.empty_like(left, order="C")
    both[:, :column], both[:, column:] = left[:, :column], right[:, column:]
    if line and 0 < column < both.shape[1]:
        first = max(0, column - int(line) // 2)
        both[:, first : first + int(line)] = ink
    return both


def _rgb(image: object, background: tuple[int, int, int]) -> Pixels:
    """An image as RGB: itself, if it is."""
    pixels = pixels_of(image)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ImageError(
            f"the image is {pixels.dtype} {pixels.shape}: not uint8 (H, W), (H, W, 3) or (H, W, 4)"
        )
    if not pixels.size:
        raise ImageError(f"the image has shape {pixels.shape}: no pixels")
    if channels == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    if channels == 3:
        return pixels
    alpha = pixels[:, :, 3:].astype(np.uint16)
    over = pixels[:, :, :3] * alpha + np.array(background, np.uint16) * (255 - alpha)
    return ((over + np.uint16(127)) // 255).astype(np.uint8)


def _colour(given: Colour, name: str) -> tuple[int, int, int]:
    red, green, blue, alpha = rgba(given, name=name)
    if alpha != 255:
        raise InputError(f"{name} {shown(given)}: not opaque", code="colour")
    return red, green, blue


def _usual_size(pixels: Pixels) -> int:
    """Of letters that suit a picture."""
    side: int = min(pixels.shape[:2])
    return min(max(12, side // 28), 96)


def _padded(image: Pixels, height: int, paper: tuple[int, int, int], align: str) -> Pixels:
    if len(image) == height:
        return image
    whole = np.empty((height, image.shape[1], 3), np.uint8)
    whole[:] = paper
    room = height - len(image)
    top = {"top": 0, "middle": room // 2, "bottom": room}[align]
    whole[top : top + len(image)] = image
    return whole
