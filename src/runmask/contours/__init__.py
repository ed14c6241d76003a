"""``Contours``: rings straight from runs, and all that they can become.

``tracing`` has the way from runs to rings and ``value`` the rings; ``cv2_form``, ``pieces`` (valid
polygons), ``geojson``, ``ogc``, ``coco`` and ``svg`` are the forms of other libraries.
"""

from .simplification import Method, checked_simplification, simplify_together
from .value import Contours

__all__ = ["Contours", "Method", "checked_simplification", "simplify_together"]
