"""A local server that stands in for the services: real HTTP, real limits, real errors.

Its answers are an analysis for development, not a trained detector: see :mod:`.analysis`.
All services have one origin and the vendors' own paths, so that any client works by
changing its base address. :mod:`.copyleaks`, :mod:`.aidetector` and :mod:`.sightengine` list the
paths, the development keys and what causes each answer and each error; so does ``GET /v1/health``.

>>> from runmask.sandbox import Settings, running
>>> with running(Settings(credits=5)) as origin:
...     print(origin)                                        # doctest: +SKIP
http://127.0.0.1:40123

Needs the extra ``sandbox``.
"""

from ..errors import MissingDependencyError

try:
    import anyio  # noqa: F401
    import cv2  # noqa: F401
    import PIL  # noqa: F401
    import python_multipart  # noqa: F401
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise MissingDependencyError.of(error.name, "sandbox", "the sandbox") from error

from .analysis import Analysis, Detector, analyse
from .app import create_app
from .detectors import detector_of
from .server import running, serve
from .settings import CHECK_LIMIT, LOGIN_LIMIT, NOTICE, OTHER_LIMIT, Limit, Settings

__all__ = [
    "CHECK_LIMIT",
    "LOGIN_LIMIT",
    "NOTICE",
    "OTHER_LIMIT",
    "Analysis",
    "Detector",
    "Limit",
    "Settings",
    "analyse",
    "create_app",
    "detector_of",
    "running",
    "serve",
]
