"""Arrays as other libraries hand them over: whatever goes wrong with one is an error of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ImageError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["array_of", "pixels_of"]

# Modes of Pillow's images whose samples are not grey or R, G, B with or without alpha.
_OTHER_MODES = {"P", "PA", "La", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}


def array_of(given: Any, name: str, error: type[InputError] = InputError) -> NDArray[Any]:
    """``numpy.asarray``, but no masked arrays; ``name`` is what messages call it."""
    if isinstance(given, np.ma.MaskedArray):
        raise error(f"{name} is a masked array; fill it first")
    try:
        return np.asarray(given)
    except MemoryError:
        raise
    except Exception as failure:  # RuntimeError of tensors with gradients, and much more
        reason = (str(failure).splitlines() or [type(failure).__name__])[0]
        kind = type(given).__name__
        raise error(f"{name} is no array of NumPy's ({kind}): {reason:.200}") from failure


def pixels_of(
    given: Any, name: str = "the image", error: type[InputError] = ImageError
) -> NDArray[Any]:
    """The same of what has pixels: grey or colours, in no other meaning."""
    if not isinstance(given, np.ndarray):
        if isinstance(getattr(given, "pixels", None), np.ndarray):
            raise error(f"{name} is a {type(given).__name__}: its .pixels are the array")
        mode = getattr(given, "mode", None)
        if isinstance(mode, str) and mode in _OTHER_MODES:
            raise error(
                f'{name} is one of Pillow\'s of mode {mode!r}: .convert("RGB") makes it RGB',
                code="mode",
            )
    return array_of(given, name, error)
