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


def array_of(
    given: Any, name: str, error: type[InputError] = InputError, code: str | None = None
) -> NDArray[Any]:
    """``numpy.asarray``, but no masked arrays; ``name`` is what messages call it."""
    if isinstance(given, np.ma.MaskedArray):
        raise error(f"{name} is a masked array; fill it first", code=code)
    try:
        return np.asarray(given)
    except MemoryError:
        raise
    except Exception as failure:  # RuntimeError of tensors with gradients, and much more
        reason = (str(failure).splitlines() or [type(failure).__name__])[0]
        kind = type(given).__name__
        message = f"{name} ({kind}) makes no array of NumPy's: {reason:.200}"
        raise error(message, code=code) from failure


def pixels_of(
    given: Any,
    name: str = "the image",
    error: type[InputError] = ImageError,
    code: str | None = None,
) -> NDArray[Any]:
    """The same of what has pixels: grey or colours, in no other meaning."""
    if not isinstance(given, np.ndarray):
        if isinstance(getattr(given, "pixels", None), np.ndarray):
            kind = type(given).__name__
            raise error(f"{name} is a {kind}: its .pixels are the array", code=code)
        mode = getattr(given, "mode", None)
        if isinstance(mode, str) and mode in _OTHER_MODES:
            raise error(
                f'{name} is one of Pillow\'s of mode {mode!r}: .convert("RGB") makes it RGB',
                code=code or "mode",
            )
    return array_of(given, name, error, code)
