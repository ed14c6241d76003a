"""From masks to their contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ..contours import Contours
from ..contours.tracing import within, without_small
from ..errors import InputError, MaskTypeError, shown
from .algebra import checked_threads
from .components import check_pieces, checked_area, checked_connectivity
from .geometry import checked_window
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..contours import Method
    from .components import Connectivity
    from .geometry import Slices


class Outlines(Value):
    __slots__ = ()

    def contours(
        self,
        outline: Literal["edge", "center"] = "edge",
        connectivity: Connectivity = 8,
        *,
        min_area: int = 0,
        min_hole_area: int = 0,
        holes: bool = True,
        window: Slices | Sequence[int] | None = None,
        simplify: float = 0.0,
        method: Method = "douglas-peucker",
        max_corners: int | None = None,
        threads: int = 1,
    ) -> Contours:
        """The rings around the parts of the mask and around their holes.

        Parameters
        ----------
        outline : {"edge", "center"}
            ``"edge"``: rings on the edges of pixels, without loss; pixel ``(y, x)`` covers
            ``[x, x + 1] x [y, y + 1]``. Each has its corners as points. Outer rings go round
            clockwise on the screen and holes the other way, the mask always on the right; they
            begin with the topmost point, of several the leftmost.

            ``"center"``: the rings of ``cv2.findContours`` through the centres of the outermost
            pixels, point for point as its CHAIN_APPROX_SIMPLE has them.
        connectivity : {8, 4}
            Whether pixels that share a corner only are neighbours (8, as for OpenCV) or not (4);
            for the background it is the other way round.
        min_area : int
            Connected parts of fewer pixels are left out, as :meth:`remove_small` does it.
        min_hole_area : int
            Then holes of fewer pixels are filled, as :meth:`fill_holes` does it.
        holes : bool
            False fills all holes; what lies in them has no ring of its own then.
        window : (slice, slice) or Box, optional
            Only what lies in ``mask[y0:y1, x0:x1]``, given as ``np.s_[y0:y1, x0:x1]`` or as
            ``(x0, y0, x1, y1)`` as :attr:`bbox` has it: rings close along its border. It is cut
            out before parts and holes are measured. Points stay those of the whole image.
        simplify, method
            As for :meth:`Contours.simplify`; 0 leaves the rings as they are.
        max_corners : int or None
            More corners than this on the edges of pixels are refused before memory is taken for
            them; None is no limit. A chessboard has four for each pixel that is set.
        threads : int
            At most this many; the result is the same.

        Returns
        -------
        Contours
            In raster order of where the rings begin, so that parents stand before their children.

        Raises
        ------
        InputError
            One of the arguments cannot be used.
        LimitError
            There are more corners than ``max_corners``, or the image has 2**31 - 1 columns.

        Notes
        -----
        No pixel is looked at: O(runs + rows + points of the result).
        """
        if not isinstance(outline, str) or outline not in ("edge", "center"):
            raise InputError(f"outline {shown(outline)}: not 'edge' or 'center'")
        checked_connectivity(connectivity)
        if not isinstance(holes, (bool, np.bool_)):
            raise InputError(f"holes {shown(holes)}: not True or False")
        least = _least(min_area, "min_area")
        least_hole = _least(min_hole_area, "min_hole_area") if holes else None
        most = checked_area(max_corners, "max_corners")
        threads = checked_threads(threads)
        runs = self._runs
        if window is not None:
            runs = within(runs, *checked_window(window, self.shape))
        if least > 1:
            check_pieces(runs)
        if least_hole is None or least_hole > 1:
            check_pieces(runs, of_background=True)
        runs = without_small(runs, connectivity, least, least_hole)
        found = Contours.of_runs(runs, outline, connectivity, most, threads)
        return found.simplify(simplify, method)


def _least(value: object, name: str) -> int:
    if value is None:
        raise MaskTypeError(f"{name} None: not an integer", code="area")
    return checked_area(value, name)
