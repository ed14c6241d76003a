"""``Contours``: rings as flat arrays, and what they can become."""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, SupportsIndex

import numpy as np

from .. import _core
from ..errors import InputError, shown
from . import coco, geojson, ogc, svg
from .cv2_form import checked_method, checked_mode, cv2_form, every_pixel
from .pieces import Pieces, grouped
from .tracing import Rings, traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .simplification import Method

Outline = Literal["edge", "center"]


class Contours:
    """The rings of a mask, as :meth:`Mask.contours` gives them: an immutable value.

    ``len(contours)`` is the number of rings, ``contours[i]`` the points of one as an array
    ``(n, 2)`` and iteration goes through them. Rings are closed; the first point does not come
    again at the end. All arrays are read-only views.

    Attributes
    ----------
    points : int32 (P, 2)
        The points ``(x, y)`` of all rings, one ring after the other.
    offsets : int64 (R + 1,)
        Ring ``i`` has the points ``offsets[i]`` to ``offsets[i + 1]``, end exclusive.
    parents : int32 (R,)
        The ring next around each, or -1: of a hole the outer ring of its part, of an outer ring the
        hole that the part lies in. Parents stand before their children.
    is_hole : bool (R,)
        Whether a ring goes round a hole.
    areas : float64 (R,)
        What each ring encloses, by the shoelace formula: holes count below zero. On pixels' edges
        they add up to the area of the mask.
    shape : (int, int)
        Height and width of the image.
    outline, connectivity
        As they were given to :meth:`Mask.contours`.
    """

    __slots__ = (
        "__weakref__",
        "_runs",
        "areas",
        "connectivity",
        "is_hole",
        "offsets",
        "outline",
        "parents",
        "points",
        "shape",
    )
    _tolerance = 0

    points: NDArray[np.int32]
    offsets: NDArray[np.int64]
    parents: NDArray[np.int32]
    is_hole: NDArray[np.bool_]
    areas: NDArray[np.float64]
    shape: tuple[int, int]
    outline: Outline
    connectivity: Literal[4, 8]
    _runs: _core.Runs  # what was traced

    def __new__(cls, *_: object, **__: object) -> NoReturn:
        raise TypeError("Contours are made by Mask.contours")

    @classmethod
    def of_runs(cls, runs: _core.Runs, outline: str, connectivity: int, threads: int = 1) -> Self:
        """The rings of canonical runs; arguments are checked by who calls."""
        return cls._of(traced(runs, outline, connectivity, threads), runs, outline, connectivity)

    @classmethod
    def _of(cls, rings: Rings, runs: _core.Runs, outline: str, connectivity: int) -> Self:
        self = object.__new__(cls)
        values = {
            **rings._asdict(),
            "shape": (runs.height, runs.width),
            "outline": outline,
            "connectivity": connectivity,
            "_runs": runs,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Contours are immutable: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Contours are immutable: {name!r} cannot be deleted")

    def __len__(self) -> int:
        return len(self.parents)

    def __getitem__(self, which: SupportsIndex) -> NDArray[np.int32]:
        try:
            ring = index(which)
        except TypeError:
            raise InputError(f"ring {shown(which)}: not an integer") from None
        if not -len(self) <= ring < len(self):
            raise IndexError(f"ring {ring} of {len(self)}")
        ring %= len(self)
        return self.points[self.offsets[ring] : self.offsets[ring + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        bounds = self.offsets.tolist()
        for first, last in zip(bounds, bounds[1:], strict=False):
            yield self.points[first:last]

    def __repr__(self) -> str:
        holes = int(np.count_nonzero(self.is_hole))
        height, width = self.shape
        return (
            f"Contours({self.outline}, {len(self) - holes} parts with {holes} holes of "
            f"{height} x {width}, {len(self.points)} points)"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contours):
            return NotImplemented
        return self._kind() == other._kind() and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("offsets", "parents", "is_hole", "points")
        )

    def __hash__(self) -> int:
        return hash((self._kind(), self.offsets.tobytes(), self.points.tobytes()))

    def _kind(self) -> tuple[object, ...]:
        return self.shape, self.outline, self.connectivity

    def polygons(self) -> list[list[NDArray[np.int32]]]:
        """The rings of each part: its outer ring, then its holes. O(rings)."""
        rings = list(self)
        found = {ring: [rings[ring]] for ring in np.flatnonzero(~self.is_hole).tolist()}
        holes = np.flatnonzero(self.is_hole)
        for hole, part in zip(holes.tolist(), self.parents[holes].tolist(), strict=True):
            found[part].append(rings[hole])
        return list(found.values())

    # -- as other libraries have them

    def to_cv2(
        self, mode: str | int = "tree", method: str | int = "simple"
    ) -> tuple[tuple[NDArray[np.int32], ...], NDArray[np.int32] | None]:
        """``(contours, hierarchy)`` as ``cv2.findContours(mask, mode, method)`` returns them.

        For rings through the centres of pixels with 8-connectivity, equal to the last number and in
        the same order. Other rings take the same form.

        Parameters
        ----------
        mode : {"tree", "external", "list", "ccomp"} or int
            Which rings, and what is said of their nesting; cv2's constants and their names, as
            ``"RETR_TREE"``, do too.
        method : {"simple", "none"} or int
            Corners only, or all points on the way, one step apart.

        Returns
        -------
        contours : tuple of int32 (n, 1, 2)
            Writable views of one array that is their own.
        hierarchy : int32 (1, R, 4), or None if there are no rings
            Next and previous ring on the level, first child, parent.

        Raises
        ------
        InputError
            There is no such mode or method, or it is ``"none"`` for simplified rings.
        """
        mode, method = checked_mode(mode), checked_method(method)
        points, offsets = self.points, self.offsets
        if method == "none":
            if self._tolerance:
                raise InputError("simplified rings have no steps to show: method 'none'")
            points, offsets = every_pixel(points, offsets, self.is_hole)
        return cv2_form(points, offsets, self.parents, self.is_hole, mode)

    def to_geojson(self) -> dict[str, Any]:
        """A FeatureCollection with a feature for each part, in pixels.

        A feature is a Polygon with its holes, or a MultiPolygon of what hangs together by corners
        alone; its ``id`` is the number of the part, ``bbox`` its box, and its properties are
        ``area`` in pixels and the number of ``holes``. Polygons are valid and cover exactly the
        mask, if it is not simplified. Coordinates are whole numbers, y pointing down; by their
        signs, outer rings are counterclockwise as RFC 7946 has them.

        Raises InputError for rings through the centres of pixels, as such rings can pass the same
        pixels twice. :meth:`to_geojson_text` needs less memory.
        """
        return {
            "type": "FeatureCollection",
            "features": list(geojson.features(self._pieces("to_geojson"))),
        }

    def to_geojson_text(self) -> str:
        """:meth:`to_geojson` as JSON, a line for each feature."""
        return b"".join(geojson.text(self._pieces("to_geojson_text"))).decode("ascii")

    def to_wkb(self) -> bytes:
        """One MultiPolygon of all parts as well-known binary; polygons as in :meth:`to_geojson`."""
        return ogc.wkb(self._pieces("to_wkb"))

    def to_shapely(self, parts: bool = False) -> Any:
        """All parts as one ``shapely.MultiPolygon``, or as an array of one for each part.

        Polygons as in :meth:`to_geojson`. Raises MissingDependencyError without shapely.
        """
        return ogc.shapely_polygons(self._pieces("to_shapely"), parts)

    def to_coco(self, holes: Literal["bridge", "fill", "refuse"] = "bridge") -> list[list[int]]:
        """The ``segmentation`` of a COCO annotation: ``[x, y, x, y, ...]`` for each part.

        COCO's polygons have no holes. ``"bridge"`` joins each with its part by a way that is gone
        there and back, which encloses nothing: COCO's own reader gives back exactly the mask.
        ``"fill"`` leaves holes out, which fills them; ``"refuse"`` raises InputError if there are
        any. So do rings through the centres of pixels, from which COCO would make another mask.
        """
        if holes not in ("bridge", "fill", "refuse"):
            raise InputError(f"holes {shown(holes)}: not 'bridge', 'fill' or 'refuse'")
        self._check_edges("to_coco")
        if holes == "refuse" and self.is_hole.any():
            raise InputError(f"{np.count_nonzero(self.is_hole)} holes: COCO's polygons have none")
        return coco.polygons(
            self.points, self.offsets, self.parents, self.is_hole, holes == "bridge"
        )

    def to_svg_path(self) -> str:
        """All rings as the ``d`` of an SVG path, to be filled by ``fill-rule="evenodd"``."""
        return svg.path(self.points, self.offsets)

    def to_svg(self, fill: str = "#f00", title: str = "Contours") -> str:
        """An SVG document as large as the image, in which a pixel is a unit.

        Rings through the centres of pixels are moved by half a pixel, to where the centres are.
        """
        for name, value in (("fill", fill), ("title", title)):
            if not isinstance(value, str):
                raise InputError(f"{name} {shown(value)}: not a string")
        return svg.document(self.to_svg_path(), self.shape, self.outline == "center", fill, title)

    def _check_edges(self, name: str) -> None:
        if self.outline != "edge":
            raise InputError(
                f"{name} is for rings on pixels' edges: those through the centres of pixels can "
                "pass the same pixels twice, and enclose less than the mask; outline='edge' has it"
            )

    def _pieces(self, name: str) -> Pieces:
        """The rings as valid polygons."""
        self._check_edges(name)
        rings = traced(self._runs, "edge", 4)
        outers = np.flatnonzero(~rings.is_hole)
        part = np.zeros(len(rings.parents), np.int64)
        if self.connectivity == 4:
            part[outers] = np.arange(len(outers))
        else:
            part[outers] = self._parts_at(rings.points[rings.offsets[outers]])
        count = int(np.count_nonzero(~self.is_hole))
        return grouped(*rings[:4], part, count, self.shape[1])

    def _parts_at(self, pixels: NDArray[np.int32]) -> NDArray[np.int64]:
        """The part that pixels (x, y) belong to, each the first of a run."""
        labels = np.asarray(_core.components(self._runs, self.connectivity)[0])
        y, x0, x1 = np.empty((3, len(labels)), np.int32)
        _core.row_pieces(self._runs, y, x0, x1)
        width = self.shape[1]
        starts = y * np.int64(width) + x0
        return labels[np.searchsorted(starts, pixels[:, 1] * np.int64(width) + pixels[:, 0])]
