"""Clients of the detection services. Needs the extra ``http``.

>>> from runmask.http import Copyleaks
>>> with Copyleaks() as service:                       # COPYLEAKS_EMAIL, COPYLEAKS_API_KEY
...     detection = service.check("photo.jpg")         # doctest: +SKIP
"""

from .copyleaks import AsyncCopyleaks, Copyleaks

__all__ = ["AsyncCopyleaks", "Copyleaks"]
