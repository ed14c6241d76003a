"""``Mask``: an immutable run-length mask.

A mask is a height, a width and runs over the flattened, row-major image: pixel ``(y, x)`` has the
index ``y * width + x``. Runs are kept canonical (sorted, disjoint, not touching, not empty), so
that two masks of the same pixels have the same runs. A run may cross row ends.

``starts`` and ``lengths`` are int32 for images below 2**31 pixels and int64 from there on: at
4096 x 4096 pixels of noise, int64 makes encoding 1.7 times slower for no use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from .. import formats
from ..errors import InputError, MaskError, counted, shown
from .algebra import Algebra
from .arrays import Arrays
from .components import Parts
from .conversion import Conversion
from .geometry import Geometry
from .measures import Measures
from .morphology import Morphology
from .outlines import Outlines
from .shapes import Shapes
from .transposition import Transposition
from .untrusted import (
    MAX_PIXELS,
    MAX_RUNS,
    Policy,
    checked_shape,
    read_runs,
    warn_of_clipping,
    why_not_canonical,
)

if TYPE_CHECKING:
    from .untrusted import Numbers


class Mask(
    Algebra,
    Arrays,
    Conversion,
    Geometry,
    Measures,
    Morphology,
    Outlines,
    Parts,
    Shapes,
    Transposition,
):
    """A binary mask of ``shape == (height, width)``, held as runs.

    Parameters
    ----------
    starts, lengths : sequence of int, or integer array
        The runs: flat indices and numbers of pixels. Any order; runs may overlap, touch and be
        empty: the mask is their union. Bools, floats and strings are no integers here.
    shape : (int, int)
        Height and width.
    policy : {"strict", "clip"}
        What happens to runs that leave the image (and to negative lengths): an error, or the part
        inside is kept, :attr:`report` counts the rest and one warning is given. Nothing wraps.
    max_pixels, max_runs : int or None
        Limits, checked before memory is taken. None: no limit.
    allow_empty : bool
        Accept a height or width of zero.
    require_canonical : bool
        Refuse runs that are not sorted, disjoint, apart and not empty.

    Raises
    ------
    MaskError
        A run leaves the image, or the arrays differ in length. Says which run, and the arithmetic.
    MaskTypeError
        Something is not an integer.
    LimitError
        The shape is not positive, or a limit is passed.

    Notes
    -----
    O(runs), and O(runs log runs) if they are not sorted.
    """

    __slots__ = ()

    def __new__(
        cls,
        starts: Numbers,
        lengths: Numbers,
        shape: tuple[SupportsIndex, SupportsIndex],
        policy: Policy = "strict",
        *,
        max_pixels: int | None = MAX_PIXELS,
        max_runs: int | None = MAX_RUNS,
        allow_empty: bool = False,
        require_canonical: bool = False,
    ) -> Self:
        if policy not in ("strict", "clip"):
            raise InputError(f"policy {shown(policy)}: not 'strict' or 'clip'")
        height, width = checked_shape(shape, max_pixels=max_pixels, allow_empty=allow_empty)
        clip = policy == "clip"
        runs, report = read_runs(starts, lengths, height, width, clip=clip, max_runs=max_runs)
        if require_canonical and not report.canonical:
            raise MaskError(
                f"the runs are not canonical: {why_not_canonical(report)}", code="not_canonical"
            )
        warn_of_clipping(report, height, width, stacklevel=2)
        return cls._of(runs, report)

    @classmethod
    def from_response(
        cls, body: formats.Body | dict[str, Any], policy: Policy = "strict", **limits: Any
    ) -> Self:
        """The mask in a Copyleaks answer or webhook: its JSON, or the dict read from it.

        ``limits`` are ``max_pixels`` and ``max_runs``. Raises ResponseFormatError if the body is no
        such answer (``path`` and ``offset`` say where), LimitError if it is longer than
        ``formats.MAX_BYTES``, and what :class:`Mask` raises.

        O(bytes). Of JSON text the core reads the runs, straight into the mask's arrays; only what
        stands around them meets Python's own reader, which judges the whole.
        """
        starts, lengths, shape = formats.response_runs(body)
        return cls(starts, lengths, shape, policy, **limits)

    @classmethod
    def empty(cls, shape: tuple[SupportsIndex, SupportsIndex]) -> Self:
        """No pixel set."""
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        return cls((), (), (height, width), max_pixels=None, allow_empty=True)

    @classmethod
    def full(cls, shape: tuple[SupportsIndex, SupportsIndex]) -> Self:
        """All pixels set."""
        height, width = checked_shape(shape, max_pixels=None, allow_empty=True)
        return cls((0,), (height * width,), (height, width), max_pixels=None, allow_empty=True)

    def __repr__(self) -> str:
        return (
            f"Mask({self.height} x {self.width}, {counted(len(self), 'run')}, "
            f"{self.area} px, {self.fraction:.2%})"
        )
