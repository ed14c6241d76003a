"""How a mask is drawn on its photo and how the picture is stored: what commands let one choose."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import images
from .blend import outline, overlay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .mask import Mask

__all__ = ["Encoding", "Look"]

Colour = tuple[int, int, int, int] | None


@dataclass(frozen=True, kw_only=True)
class Look:
    """An overlay's colours and, if it has a width, its line along the mask's outlines.

    ``opacity``, 0 to 1, replaces the alpha of both colours. The line has ``inside``'s colour,
    opaque, unless it has its own.
    """

    inside: Colour = (255, 0, 0, 120)
    outside: Colour = (0, 255, 0, 120)
    opacity: float | None = None
    outline: float | None = None
    outline_colour: Colour = None

    @property
    def line_colour(self) -> Colour:
        if self.outline_colour is not None or self.inside is None:
            return self.outline_colour
        return *self.inside[:3], 255

    def draw(self, pixels: NDArray[np.uint8], mask: Mask) -> None:
        """Draw on an image of the mask's size, in place."""
        inside, outside = (self._seen(colour) for colour in (self.inside, self.outside))
        overlay(pixels, mask, inside, outside, out=pixels)
        if self.outline is not None and self.line_colour is not None:
            outline(pixels, mask, self.line_colour, self.outline, out=pixels)

    def _seen(self, colour: Colour) -> Colour:
        if colour is None or self.opacity is None:
            return colour
        return *colour[:3], int(255 * self.opacity + 0.5)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The arguments of :func:`images.load` and :func:`images.write` that one may choose.

    Without a format the file's ending names it.
    """

    max_side: int | None = None
    format: str | None = None
    quality: int = 90
    lossless: bool = False
    metadata: Literal["strip", "keep", "none"] = "strip"

    def write(
        self, path: str | os.PathLike[str], picture: images.Picture, *, overwrite: bool
    ) -> None:
        images.write(
            path,
            picture.pixels,
            format=self.format,
            quality=self.quality,
            lossless=self.lossless,
            orientation=picture.orientation,
            metadata=picture.metadata,
            overwrite=overwrite,
        )

    def check(self, path: str | os.PathLike[str], picture: images.Picture) -> None:
        """Raise what writing such a picture would, as far as pixels do not matter."""
        images.check_writable(
            path,
            picture.full_shape if self.max_side is None else (1, 1),
            format=self.format,
            lossless=self.lossless,
            metadata=picture.metadata,
        )
