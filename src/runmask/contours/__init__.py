"""``Contours``: rings straight from runs, and all that they can become.

``tracing`` has the way from runs to rings and ``value`` the rings; ``cv2_form``, ``pieces`` (valid
polygons), ``geojson``, ``ogc``, ``coco`` and ``svg`` are the forms of other libraries.
"""

from .contours import Contours, simplify_together
from .simplify import Method

__all__ = ["Contours", "Method", "simplify_together"]
