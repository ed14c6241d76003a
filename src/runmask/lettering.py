"""Text on strips of pixels: fonts, lines that fit, and letters that a font has not got."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import InputError, shown
from .images.extra import extra

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

    Pixels = NDArray[np.uint8]
    RGB = tuple[int, int, int]
    Font: TypeAlias = str | os.PathLike[str] | FreeTypeFont

__all__ = ["Lettering"]

_SMALLEST, _LARGEST = 6, 500
_LONGEST = 2000  # characters
_MOST_LINES = 200
_NO_CHARACTER = "\uffff"  # for which a font shows what it shows for all that it has not got
# What Unicode does not take apart.
_NEAR = {
    "\u2212": "-", "\u00d7": "x", "\u00f7": "/", "\u2044": "/", "\u2022": "*", "\u00df": "ss",
    "\u00c6": "AE", "\u00e6": "ae", "\u0152": "OE", "\u0153": "oe", "\u00d8": "O", "\u00f8": "o",
    "\u0110": "D", "\u0111": "d", "\u0141": "L", "\u0142": "l", "\u0131": "i",
    "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY",
}  # fmt: skip


class Lettering:
    """A font at a size, and what is written with it.

    ``size`` is that of the letters in pixels; None is a font object's own, or else ``usual``.
    Raises InputError for sizes and fonts that cannot be used.
    """

    def __init__(self, font: Font | None, size: object, usual: int) -> None:
        if size is None:
            wanted: int | None = None
        elif (
            isinstance(size, bool)
            or not isinstance(size, int | np.integer)
            or not _SMALLEST <= size <= _LARGEST
        ):
            raise InputError(f"size {shown(size)}: not an integer of {_SMALLEST} to {_LARGEST}")
        else:
            wanted = int(size)
        self._font = _loaded(font, wanted, usual)
        self.size = round(self._font.size)
        if not _SMALLEST <= self.size <= _LARGEST:
            raise InputError(f"a font of size {self.size}: {_SMALLEST} to {_LARGEST} are allowed")
        self._step = max(self.size * 5 // 4, sum(self._font.getmetrics()))

    def bar(self, text: object, width: int, ink: RGB, paper: RGB) -> Pixels:
        """Text on a strip as wide as that, and as high as it needs."""
        if not isinstance(text, str):
            raise InputError(f"text {shown(text)}: not a str")
        if len(text) > _LONGEST:
            raise InputError(f"a text of {len(text)} characters: {_LONGEST} at most")
        margin = self.size // 2
        lines: list[str] = []
        for part in text.splitlines() or [""]:
            for line in self.broken(self.written(part), width - 2 * margin):
                lines.append(line)
                if len(lines) > _MOST_LINES:
                    raise InputError(
                        f"a text of more than {_MOST_LINES} lines, {width} pixels wide"
                    )
        places = [(margin, margin + at * self._step, line) for at, line in enumerate(lines)]
        return self._drawn(places, (2 * margin + len(lines) * self._step, width), ink, paper)

    def labels(
        self, labels: Sequence[str], width: int, margin: int, ink: RGB, paper: RGB
    ) -> Pixels:
        """Texts at the left, in the middle and at the right; the middle one if there is room."""
        low, middle, high = (self._font.getlength(label) for label in labels)
        places = [(margin, 0, labels[0]), (int(width - margin - high), 0, labels[2])]
        half = (width - middle) / 2
        if margin + low + self.size < half and half + middle + self.size < width - margin - high:
            places.insert(1, (int(half), 0, labels[1]))
        height = max(self.size * 3 // 2, self._step)
        return self._drawn(places, (height, width), ink, paper)

    def written(self, text: str) -> str:
        """The text in letters that the font has: others without their marks, or as "?"."""
        if text.isascii() and text.isprintable():
            return text
        lacking = self._look(_NO_CHARACTER)

        @cache
        def has(letter: str) -> bool:
            plain = letter.isascii() and letter.isprintable()
            return plain or (letter.isprintable() and self._look(letter) != lacking)

        @cache
        def instead(letter: str) -> str:
            return letter if has(letter) else "".join(_substitutes(letter, has))

        return "".join(map(instead, unicodedata.normalize("NFC", text)))

    def broken(self, text: str, room: int) -> Iterator[str]:
        """The text in lines that fit, of a letter at least."""
        rest = text
        while True:
            fits = len(rest)
            if self._font.getlength(rest) > room:
                low, high = 1, len(rest)  # the longest head that fits, by halves
                while high - low > 1:
                    middle = (low + high) // 2
                    fit = self._font.getlength(rest[:middle]) <= room
                    low, high = (middle, high) if fit else (low, middle)
                space = rest.rfind(" ", 1, low + 1)
                fits = space if space > 0 else low
            yield rest[:fits].rstrip()
            rest = rest[fits:].lstrip()
            if not rest:
                return

    def _look(self, letter: str) -> tuple[Any, bytes]:
        mask = self._font.getmask(letter)
        return mask.size, bytes(mask)

    def _drawn(
        self, texts: Sequence[tuple[int, int, str]], shape: tuple[int, int], ink: RGB, paper: RGB
    ) -> Pixels:
        with extra("images"):
            from PIL import Image, ImageDraw
        strip = Image.new("RGB", shape[::-1], paper)
        draw = ImageDraw.Draw(strip)
        for x, y, text in texts:
            draw.text((x, y), text, ink, self._font)
        return np.array(strip, np.uint8)


def _loaded(font: Any, size: int | None, usual: int) -> FreeTypeFont:
    with extra("images"):
        from PIL import ImageFont
    found: Any
    try:
        if font is None:
            found = ImageFont.load_default(size or usual)
        elif isinstance(font, ImageFont.FreeTypeFont):
            found = font if size is None else font.font_variant(size=size)
        elif isinstance(font, str | os.PathLike):
            found = ImageFont.truetype(os.fspath(font), size or usual)
        else:
            raise InputError(f"font {shown(font)}: not a path, nor what ImageFont.truetype gives")
    except (OSError, TypeError, UnicodeError, SyntaxError) as error:
        raise InputError(f"font {shown(font)} cannot be used: {error}") from error
    return found  # type: ignore[no-any-return]


def _substitutes(letter: str, has: Any) -> Iterator[str]:
    """What is written for a letter that the font lacks."""
    if letter in _NEAR:
        yield _NEAR[letter]
        return
    for part in unicodedata.normalize("NFKD", letter):
        kind = unicodedata.category(part)
        if kind in ("Mn", "Cf"):  # marks, and what has no width
            continue
        if part.isspace():
            yield " "
        elif kind == "Pd":
            yield "-"
        else:
            yield part if has(part) else _NEAR.get(part, "?")
