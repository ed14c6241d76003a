"""Pictures for people: a line of text below, a legend for a heatmap, pictures side by side.

Simple functions from arrays to arrays. Images are uint8, grey (H, W), RGB (H, W, 3) or RGBA
(H, W, 4); results are new RGB arrays (H, W, 3), with transparency shown on the background.
Text is set in the font that comes with Pillow, which has the letters of western languages. Needs
the extra ``images``. All cost O(pixels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .blend import heatmap
from .blend.heatmaps import checked_range
from .colours import Colour, rgba
from .errors import ImageError, InputError, shown
from .images.extra import extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blend.heatmaps import Alpha
    from .detection import Detection

    Pixels = NDArray[np.uint8]

__all__ = ["before_after", "caption", "legend", "side_by_side", "verdict_line"]

_WHITE, _BLACK, _DARK = (255, 255, 255), (0, 0, 0), (30, 32, 36)
_LONGEST = 2000  # characters
_STEPS = 256


def caption(
    image: Pixels,
    text: str,
    *,
    size: int | None = None,
    colour: Colour = _WHITE,
    background: Colour = _DARK,
    at: Literal["bottom", "top"] = "bottom",
) -> Pixels:
    """The image with a bar of text below or above it; the picture itself stays as it is.

    Parameters
    ----------
    text : str
        Lines that are too long for the picture are broken between words, words within.
    size : int, optional
        Of the letters, in pixels; None takes what suits the picture.
    colour, background : (R, G, B), "#rrggbb" or a name of CSS
        Of the letters and of the bar.

    Raises
    ------
    ImageError
        It is no image of the kinds above.
    InputError
        An argument cannot be used, or the text is longer than 2,000 characters.
    """
    pixels = _rgb(image, _colour(background, "background"))
    if at not in ("bottom", "top"):
        raise InputError(f"at {shown(at)}: not 'bottom' or 'top'")
    bar = _bar(text, pixels.shape[1], _size(size, pixels), colour, background)
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
    range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 - as heatmap has it
    title: str = "confidence",
    size: int | None = None,
) -> Pixels:
    """The image with a colour bar below it, for what :func:`runmask.heatmap` drew.

    ``colormap``, ``alpha`` and ``range`` are those of the heatmap: the bar is a heatmap of all
    confidences over white, with the values at its ends and in its middle below.

    Raises
    ------
    ImageError, InputError
        As :func:`caption` and :func:`runmask.heatmap`.
    """
    pixels = _rgb(image, _WHITE)
    low, span = checked_range(range)
    letters = _size(size, pixels)
    margin = letters // 2
    width = max(1, pixels.shape[1] - 2 * margin)
    steps = np.linspace(0, 1, _STEPS, dtype=np.float32)[None]
    paper = np.full((letters, width, 3), 255, np.uint8)
    bar = heatmap(paper, steps, colormap, alpha, paper)
    labels = [f"{value:.4g}" for value in (low, low + span / 2, low + span)]
    strip = (
        _bar(title, pixels.shape[1], letters, _BLACK, _WHITE) if title else _room(pixels, margin)
    )
    ends = _labels(labels, pixels.shape[1], letters, margin)
    framed = np.full((letters, pixels.shape[1], 3), 255, np.uint8)
    framed[:, margin : margin + width] = bar[:, : max(0, framed.shape[1] - margin)]
    return np.concatenate((pixels, strip, framed, ends))


def side_by_side(
    images: Sequence[Pixels],
    *,
    titles: Sequence[str] | None = None,
    gap: int = 8,
    background: Colour = _WHITE,
    size: int | None = None,
) -> Pixels:
    """The images beside each other, a gap between, each with its title above.

    Those of less height than the highest stand in the middle of the background.

    Raises
    ------
    ImageError, InputError
        There is none, one cannot be used, or the titles are not as many.
    """
    paper = _colour(background, "background")
    every = [_rgb(image, paper) for image in images]
    if not every:
        raise InputError("no images")
    if isinstance(gap, bool) or not isinstance(gap, int | np.integer) or not 0 <= gap <= 10_000:
        raise InputError(f"gap {shown(gap)}: not an integer of 0 to 10000")
    if titles is not None:
        if isinstance(titles, str) or len(titles) != len(every):
            raise InputError(f"titles {shown(titles)}: not one for each of {len(every)} images")
        letters = _size(size, every[0])
        ink = _BLACK if sum(paper) > 382 else _WHITE
        bars = [
            _bar(title, image.shape[1], letters, ink, paper)
            for title, image in zip(titles, every, strict=True)
        ]
        most = max(map(len, bars))
        bars = [_padded(bar, most, paper) for bar in bars]
    highest = max(map(len, every))
    columns = [_padded(image, highest, paper) for image in every]
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
    pixels = np.asarray(image)
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


def _size(size: object, pixels: Pixels) -> int:
    if size is None:
        side: int = min(pixels.shape[:2])
        return min(max(12, side // 28), 96)
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 6 <= size <= 500:
        raise InputError(f"size {shown(size)}: not an integer of 6 to 500")
    return int(size)


def _font(size: int) -> Any:
    with extra("images"):
        from PIL import ImageFont
    return ImageFont.load_default(size)


def _bar(text: object, width: int, size: int, colour: Colour, background: Colour) -> Pixels:
    """Text on a strip as wide as that, and as high as it needs."""
    if not isinstance(text, str):
        raise InputError(f"text {shown(text)}: not a str")
    if len(text) > _LONGEST:
        raise InputError(f"a text of {len(text)} characters: {_LONGEST} at most")
    ink, paper = _colour(colour, "colour"), _colour(background, "background")
    font = _font(size)
    margin = size // 2
    room = width - 2 * margin
    lines = [line for part in text.splitlines() or [""] for line in _broken(part, font, room)]
    step = size * 5 // 4
    return _drawn(
        [(margin, margin + at * step, line) for at, line in enumerate(lines)],
        (2 * margin + len(lines) * step, width),
        font,
        ink,
        paper,
    )


def _broken(text: str, font: Any, room: int) -> list[str]:
    """The text in lines that fit, of a letter at least."""
    lines: list[str] = []
    rest = text
    while rest:
        fits = len(rest)
        if font.getlength(rest) > room:
            low, high = 1, len(rest)  # the longest head that fits, by halves
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (
                    (middle, high) if font.getlength(rest[:middle]) <= room else (low, middle)
                )
            space = rest.rfind(" ", 1, low + 1)
            fits = space if space > 0 else low
        lines.append(rest[:fits].rstrip())
        rest = rest[fits:].lstrip()
    return lines or [""]


def _labels(labels: Sequence[str], width: int, size: int, margin: int) -> Pixels:
    """Texts at the left, in the middle and at the right; the middle one only if there is room."""
    font = _font(size)
    low, middle, high = (font.getlength(label) for label in labels)
    places = [(margin, 0, labels[0]), (int(width - margin - high), 0, labels[2])]
    half = (width - middle) / 2
    if margin + low + size < half and half + middle + size < width - margin - high:
        places.insert(1, (int(half), 0, labels[1]))
    return _drawn(places, (size * 3 // 2, width), font, _BLACK, _WHITE)


def _room(pixels: Pixels, height: int) -> Pixels:
    return np.full((height, pixels.shape[1], 3), 255, np.uint8)


def _drawn(
    texts: Sequence[tuple[int, int, str]],
    shape: tuple[int, int],
    font: Any,
    ink: tuple[int, int, int],
    paper: tuple[int, int, int],
) -> Pixels:
    with extra("images"):
        from PIL import Image, ImageDraw
    strip = Image.new("RGB", shape[::-1], paper)
    draw = ImageDraw.Draw(strip)
    for x, y, text in texts:
        draw.text((x, y), text, ink, font)
    return np.array(strip, np.uint8)


def _padded(image: Pixels, height: int, paper: tuple[int, int, int]) -> Pixels:
    if len(image) == height:
        return image
    whole = np.empty((height, image.shape[1], 3), np.uint8)
    whole[:] = paper
    top = (height - len(image)) // 2
    whole[top : top + len(image)] = image
    return whole
