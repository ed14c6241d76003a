"""Clients of the detection services. Needs the extra ``http``.

>>> from runmask.http import Copyleaks
>>> with Copyleaks() as service:                       # COPYLEAKS_EMAIL, COPYLEAKS_API_KEY
...     detection = service.check("photo.jpg")         # doctest: +SKIP

All three have ``check(image)``, which returns a :class:`runmask.Detection`, and an ``Async`` twin
for event loops. :mod:`.webhooks` receives what services send on their own.
"""

from ..errors import MissingDependencyError

try:
    import anyio  # noqa: F401
    import httpcore2  # noqa: F401
    import httpx2  # noqa: F401
except ImportError as error:
    raise MissingDependencyError.of(error.name, "http", "a service client") from error

from .aidetector import AIDetector, AsyncAIDetector
from .aidetector_protocol import Wishes
from .cache import Cache
from .client import Options
from .copyleaks import AsyncCopyleaks, Copyleaks
from .copyleaks_protocol import Particulars, Submission
from .jobs import Batch, Item, Job, Report
from .pace import Rate
from .sightengine import AsyncSightengine, Sightengine

__all__ = [
    "AIDetector",
    "AsyncAIDetector",
    "AsyncCopyleaks",
    "AsyncSightengine",
    "Batch",
    "Cache",
    "Copyleaks",
    "Item",
    "Job",
    "Options",
    "Particulars",
    "Rate",
    "Report",
    "Sightengine",
    "Submission",
    "Wishes",
]
