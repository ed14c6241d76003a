"""``Contours``: rings as flat arrays, and what they can become."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, SupportsIndex

import numpy as np

from .. import _core
from ..errors import InputError, shown
from . import coco, geojson, measures, ogc, svg
from . import simplify as simplification
from .cv2_form import checked_method, checked_mode, cv2_form, every_pixel
from .pieces import Pieces, closed, pieces_of
from .tracing import MAX_CORNERS, Rings, traced

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .simplify import Method

    _Flat = tuple[NDArray[np.int32], NDArray[np.int64]]

Outline = Literal["edge", "center"]


class _Simplified(NamedTuple):
    """How rings were simplified: together with those of which masks, and which of them it is."""

    tolerance: float
    method: Method
    together: tuple[_core.Runs, ...]
    which: int


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
        "_measures",
        "_runs",
        "_simplified",
        "areas",
        "connectivity",
        "is_hole",
        "offsets",
        "outline",
        "parents",
        "points",
        "shape",
    )

    points: NDArray[np.int32]
    offsets: NDArray[np.int64]
    parents: NDArray[np.int32]
    is_hole: NDArray[np.bool_]
    areas: NDArray[np.float64]
    shape: tuple[int, int]
    outline: Outline
    connectivity: Literal[4, 8]
    _runs: _core.Runs  # what was traced
    _simplified: _Simplified | None
    _measures: measures.RingMeasures | None

    def __new__(cls, *_: object, **__: object) -> NoReturn:  # type: ignore[misc]  # by design
        raise TypeError("Contours are made by Mask.contours")

    @classmethod
    def of_runs(
        cls,
        runs: _core.Runs,
        outline: Outline,
        connectivity: Literal[4, 8],
        max_corners: int = MAX_CORNERS,
        threads: int = 1,
    ) -> Contours:
        """The rings of canonical runs. Arguments are checked by those who call."""
        rings = traced(runs, outline, connectivity, max_corners, threads)
        return cls._of(rings, runs, outline, connectivity)

    @classmethod
    def _of(
        cls,
        rings: Rings,
        runs: _core.Runs,
        outline: Outline,
        connectivity: Literal[4, 8],
        simplified: _Simplified | None = None,
    ) -> Contours:
        self: Contours = object.__new__(cls)
        values = {
            **rings._asdict(),
            "shape": (runs.height, runs.width),
            "outline": outline,
            "connectivity": connectivity,
            "_runs": runs,
            "_simplified": simplified,
            "_measures": None,
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
        for first, last in itertools.pairwise(bounds):
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

    def __reduce__(self) -> tuple[Any, ...]:
        rings = tuple(getattr(self, name) for name in Rings._fields)
        simplified = self._simplified
        if simplified is not None:
            together = tuple(map(_pair, simplified.together))
            simplified = (simplified.tolerance, simplified.method, together, simplified.which)
        return _restored, (rings, _pair(self._runs), self.outline, self.connectivity, simplified)

    # -- measures

    @property
    def perimeters(self) -> NDArray[np.float64]:
        """The length of each ring, ``(R,)``. O(points), once."""
        return self._measured().perimeters

    @property
    def boxes(self) -> NDArray[np.int32]:
        """The box of each ring's points, ``(R, 4)``: x0, y0, x1, y1. O(points), once."""
        return self._measured().boxes

    @property
    def centroids(self) -> NDArray[np.float64]:
        """The ``(x, y)`` of the middle of what each ring encloses, ``(R, 2)``. O(points), once.

        Where that has no area, the middle of the line.
        """
        return self._measured().centroids

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """For points ``(N, 2)``, whether an odd number of rings is around each.

        On pixels' edges, that it lies in the mask; a left or an upper edge is inside, a right or a
        lower one is not.
        """
        return measures.contains_points(self.points, self.offsets, points)

    def convex_hulls(self) -> list[NDArray[np.int32]]:
        """The convex hull of each ring, from its topmost, then leftmost point, clockwise."""
        points, offsets = measures.convex_hulls(self.points, self.offsets)
        bounds = offsets.tolist()
        return [points[a:b] for a, b in itertools.pairwise(bounds)]

    def min_area_rects(self) -> measures.RingRects:
        """The smallest rectangle, turned as need be, around each ring, as ``cv2.minAreaRect``.

        Arrays: ``corners (R, 4, 2)`` as cv2.boxPoints has them, ``centers (R, 2)``, ``sizes
        (R, 2)`` (width and height), ``angles (R,)`` in degrees.
        """
        return measures.min_area_rects(self.points, self.offsets)

    def _measured(self) -> measures.RingMeasures:
        if self._measures is None:
            found = measures.measure_rings(self.points, self.offsets)
            object.__setattr__(self, "_measures", found)
        assert self._measures is not None
        return self._measures

    # -- other contours

    def simplify(self, tolerance: float, method: Method = "douglas-peucker") -> Contours:
        """Rings with fewer points, all of them points of the traced ones, that do not cross.

        Parameters
        ----------
        tolerance : float
            In pixels. ``"douglas-peucker"``: what is left out lies no further from what stays.
            ``"visvalingam"``: triangles of an area up to ``tolerance ** 2`` go, as in
            ``shapely.coverage_simplify``. 0 leaves all as it is.
        method : {"douglas-peucker", "visvalingam"}

        Notes
        -----
        Number, order and nesting of the rings stay. Rings that are simplified already are traced
        anew: the result depends on the last tolerance alone. :func:`simplify_together` does it for
        masks that share borders.
        """
        return simplify_together([self], tolerance, method)[0]

    def _traced_anew(self) -> Contours:
        return Contours.of_runs(self._runs, self.outline, self.connectivity)

    def _with_points(
        self, points: NDArray[np.int32], offsets: NDArray[np.int64], simplified: _Simplified
    ) -> Contours:
        twice_areas = measures.measure_rings(points, offsets).twice_areas
        areas = twice_areas / (2 if self.outline == "edge" else -2)  # cv2's go the other way round
        areas.flags.writeable = False
        rings = Rings(points, offsets, self.parents, self.is_hole, areas)
        return self._of(rings, self._runs, self.outline, self.connectivity, simplified)

    # -- lists

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
            if self._simplified is not None:
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
        if self._simplified is None:
            return closed(_pieces(self._runs, self.connectivity))
        tolerance, method, together, which = self._simplified
        every = [_pieces(runs, self.connectivity) for runs in together]
        found = _simpler([(pieces.points, pieces.rings) for pieces in every], tolerance, method)
        points, rings = found[which]
        return closed(every[which]._replace(points=points, rings=rings))


def simplify_together(
    contours: Sequence[Contours], tolerance: float, method: Method = "douglas-peucker"
) -> list[Contours]:
    """Contours of masks that touch each other, simplified so that shared borders stay shared.

    Parameters
    ----------
    contours : sequence of Contours
        Of one shape, one outline and one connectivity, such as those of the classes of an image.
    tolerance, method
        As for :meth:`Contours.simplify`.

    Raises
    ------
    InputError
        They do not fit each other, or the tolerance or method is none.
    """
    every = list(contours)
    for at, each in enumerate(every):
        if not isinstance(each, Contours):
            raise InputError(f"item {at} is {type(each).__name__}: not Contours")
        if each._kind() != every[0]._kind():
            raise InputError(f"items 0 and {at} differ in shape, outline or connectivity")
    plain = [each if each._simplified is None else each._traced_anew() for each in every]
    found = _simpler([(each.points, each.offsets) for each in plain], tolerance, method)
    together = tuple(each._runs for each in every)
    return [
        each
        if tolerance == 0
        else each._with_points(*rings, _Simplified(float(tolerance), method, together, which))
        for which, (each, rings) in enumerate(zip(plain, found, strict=True))
    ]


def _simpler(every: list[_Flat], tolerance: float, method: Method) -> list[_Flat]:
    if len(every) == 1:
        return [simplification.simplify_rings(*every[0], tolerance, method)]
    return simplification.simplify_together(every, tolerance, method)


def _pieces(runs: _core.Runs, connectivity: int) -> Pieces:
    rings = traced(runs, "edge", 4)
    outers = np.flatnonzero(~rings.is_hole)
    part = np.zeros(len(rings.parents), np.int64)
    count = len(outers)
    if connectivity == 4:
        part[outers] = np.arange(count)
    else:
        part[outers], count = _parts_at(runs, rings.points[rings.offsets[outers]])
    return pieces_of(rings, part, count, runs.width)


def _parts_at(runs: _core.Runs, pixels: NDArray[np.int32]) -> tuple[NDArray[np.int32], int]:
    """The 8-connected part of pixels (x, y), each the first of a run, and how many there are."""
    labels, areas, *_ = _core.components(runs, 8)
    label = np.asarray(labels)
    y, x0, x1 = np.empty((3, len(label)), np.int32)
    _core.row_pieces(runs, y, x0, x1)
    width = np.int64(runs.width)
    found = np.searchsorted(y * width + x0, pixels[:, 1] * width + pixels[:, 0])
    return label[found], len(areas)


def _pair(runs: _core.Runs) -> tuple[Any, ...]:
    return np.asarray(runs.starts), np.asarray(runs.lengths), runs.height, runs.width


def _runs(starts: Any, lengths: Any, height: int, width: int) -> _core.Runs:
    return _core.runs_from_pairs(
        starts.astype(np.int64), lengths.astype(np.int64), height, width, False
    )[0]


def _restored(
    rings: tuple[Any, ...],
    runs: tuple[Any, ...],
    outline: Outline,
    connectivity: Literal[4, 8],
    simplified: tuple[Any, ...] | None,
) -> Contours:
    for array in rings:
        array.flags.writeable = False
    if simplified is not None:
        tolerance, method, together, which = simplified
        every = tuple(_runs(*each) for each in together)
        simplified = _Simplified(tolerance, method, every, which)
    return Contours._of(Rings(*rings), _runs(*runs), outline, connectivity, simplified)
