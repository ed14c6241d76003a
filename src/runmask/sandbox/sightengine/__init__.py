"""Sightengine: the check of images by its model ``genai``.

::

    GET, POST /1.0/check.json

with the fields ``models``, ``api_user`` ("0000"), ``api_secret`` ("sandbox"), and ``url``, or the
file ``media``, or up to six files ``media[]`` of 24 MB together. Credentials are judged first, then
the models, then the images. A check costs five operations of ``Settings.credits`` an image; a
refused one none. Statuses of refusals are ours: no page tells them. The answers to ``media[]`` come
in reverse order, because the service promises none.

An address is fetched only where ``Settings.fetch`` allows it, else it is a ``media_error``. But if
its last part, or the name of an uploaded file, begins with ``sbx-ai-``, ``sbx-human-`` or
``sbx-partial-``, that is the answer; with ``sbx-err-`` and a type of error,
``sbx-err-usage_limit-1.jpg``, that error; with ``sbx-fault-``, a fault (:mod:`..faults`).
"""

from .service import DEVELOPMENT, routes, unrouted

__all__ = ["DEVELOPMENT", "routes", "unrouted"]
