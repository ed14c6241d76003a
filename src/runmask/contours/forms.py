"""Rings in the forms that other libraries have for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import InputError, shown
from . import coco, geojson, ogc, svg
from .cv2_form import checked_method, checked_mode, cv2_form, every_pixel
from .pieces import Pieces, closed, pieces_of_runs
from .value import Value, simpler

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Forms(Value):
    __slots__ = ()

    def polygons(self) -> list[list[NDArray[np.int32]]]:
        """The rings of each part: its outer ring, then its holes. O(rings)."""
        rings = list(self)
        found = {ring: [rings[ring]] for ring in np.flatnonzero(~self.is_hole).tolist()}
        holes = np.flatnonzero(self.is_hole)
        for hole, part in zip(holes.tolist(), self.parents[holes].tolist(), strict=True):
            found[part].append(rings[hole])
        return list(found.values())

    def to_cv2(
        self, mode: str | int = "tree", method: str | int = "simple"
    ) -> tuple[tuple[NDArray[np.int32], ...], NDArray[np.int32] | None]:
        """``(contours, hierarchy)`` as ``cv2.findContours(mask, mode, method)`` returns them.

        For rings through the centres of pixels with 8-connectivity, equal to the last number and in
        cv2's order, which is not that of ``contours[i]``, :attr:`areas` and the rest: cv2 has the
        last ring of a level first. Other rings take the same form.

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
        else:
            points = points.copy()  # to be written to, as cv2's are
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
        return "".join(geojson.text(self._pieces("to_geojson_text")))

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
            return closed(pieces_of_runs(self._runs, self.connectivity))
        tolerance, method, together, which = self._simplified
        every = [pieces_of_runs(runs, self.connectivity) for runs in together]
        found = simpler([(pieces.points, pieces.rings) for pieces in every], tolerance, method)
        points, rings = found[which]
        return closed(every[which]._replace(points=points, rings=rings))
