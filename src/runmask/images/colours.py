"""Colours as people write them."""

from ..errors import InputError, shown
from .extra import extra


def colour(text: str, alpha: int = 255) -> tuple[int, int, int, int]:
    """(R, G, B, A) of ``"R,G,B"``, ``"R,G,B,A"``, ``"#rrggbb"``, ``"#rrggbbaa"`` or a CSS name.

    ``alpha`` is that of colours that say none. Raises InputError for what is no colour.
    """
    parts = [part.strip() for part in str(text).split(",")]
    numbers: tuple[int, ...] = ()
    if len(parts) in (3, 4) and all(p.isascii() and p.isdecimal() for p in parts):
        numbers = tuple(int(part) if len(part) < 4 else 256 for part in parts)
    elif str(text).replace("#", "", 1).isalnum():
        with extra("images"):
            from PIL import ImageColor
        try:
            numbers = ImageColor.getrgb(str(text))
        except ValueError:
            numbers = ()
    if len(numbers) not in (3, 4) or max(numbers) > 255:
        raise InputError(
            f"colour {shown(text)}: not R,G,B or R,G,B,A of numbers 0..255, #rrggbb, #rrggbbaa or "
            "a name of CSS",
            code="colour",
        )
    red, green, blue, own = (*numbers, alpha)[:4]
    return red, green, blue, own
