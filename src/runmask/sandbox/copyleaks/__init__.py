"""Copyleaks: login, credits, and the check of an image, at once or by webhook.

::

    POST /v3/account/login/api                      any e-mail, the development key
    GET  /v3/scans/credits
    POST /v1/ai-image-detector/{scanId}/check       JSON with base64, or multipart
    PUT, POST /v1/ai-image-detector-async/{scanId}/submit       JSON with an address

The limits are the service's: sides from 512 pixels, up to 27,000,000 pixels, files under
33,554,432 bytes, PNG, JPEG, BMP, WebP and, where ``runmask[heif]`` is installed, HEIC. Every
check costs one credit, or none with ``sandbox: true``; a refused one costs none.

A submission is answered 201, and its result goes to ``webhooks.url``, which has to be on this
machine. The image is fetched only where ``Settings.fetch`` allows its address; else, without a scan
id of those below, the result is that the download failed. A heatmap that it asks for comes only if
``heatmap_levels`` is set, since nobody knows the service's form: ``result.heatmap``, a list of
``{"level", "starts", "lengths"}``.

Scan ids that begin in a certain way get a certain answer, whatever the image shows. The image
is still needed, and judged:

=======================  ==================================================================
``sbx-ai-…``             every pixel is marked
``sbx-human-…``          no pixel is marked
``sbx-partial-…``        a box is marked: rows H//4 to H//2, columns W//4 to W//2, ends out
``sbx-err-6-…``          the service's error of that code: 1 to 17, 19 to 22 and 24
``sbx-err-http429-…``    that status: 401, 402, 409, 413, 415, 429, 500, 502 or 503
=======================  ==================================================================
"""

from .service import DEVELOPMENT_KEY, MAGIC_SCAN_IDS, routes

__all__ = ["DEVELOPMENT_KEY", "MAGIC_SCAN_IDS", "routes"]
