"""aiimagedetectorapi.com, in both dialects that its pages describe.

::

    POST /v1/detect                    JSON, or multipart with a field that only it has, such as
                                       include_heatmap: dialect "root"; else dialect "endpoints"
    POST /v1/detect/batch              up to 100 images, answered at once
    POST /v1/detect/async, /v1/batch   up to 100 images, answered by a job and a webhook
    POST /v1/forensics, /v1/forensic
    POST /v1/c2pa/verify
    GET  /v1/jobs/{id}, /v1/usage
    GET  /h/{id}.png                   heatmaps and maps of forensics, without a key

The header ``X-Sandbox-Dialect: root`` or ``endpoints`` chooses one. Keys begin with
``aidet_test_``; a live one is refused. Every image costs one scan of ``Settings.credits``. Bodies
for several images, fields of uploads, and the bodies of jobs and webhooks are ours: no page shows
them. Webhooks go to this machine only, signed with the secret ``whsec_sandbox_only``.

Forensics are measured (:mod:`..forensics`). Content Credentials are verified where
``runmask[c2pa]`` is installed, else only found.

An address is fetched only where ``Settings.fetch`` allows it, else it answers
``image_unfetchable``. But if its last part, or the name of an uploaded file, begins with
``sbx-ai-``, ``sbx-human-`` or ``sbx-partial-``, that is the answer; with ``sbx-err-`` and a code of
the service, ``sbx-err-rate_limited-1.jpg``, that error; with ``sbx-fault-``, a fault
(:mod:`..faults`).
"""

from .errors import unrouted
from .service import KEY_PREFIX, WEBHOOK_SECRET, routes

__all__ = ["KEY_PREFIX", "WEBHOOK_SECRET", "routes", "unrouted"]
