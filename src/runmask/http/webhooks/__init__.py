"""Receiving what services send on their own: verified, kept on the disk, dealt with once.

::

    from runmask.http import webhooks

    ours = webhooks.CopyleaksWebhook("https://hooks.example.org/copyleaks", secret)
    service.submit(url, webhook=ours)
    app = webhooks.Receiver(webhooks.Inbox("inbox"), copyleaks=ours, handler=print)

``Receiver`` is an ASGI application: run it with any server, mount it into Starlette or FastAPI, or
use the command ``runmask webhooks``. Nothing here needs a web framework.
"""

from .events import Event, read_aidetector, read_copyleaks, read_sightengine
from .inbox import Delivery, Inbox
from .receiver import Receiver
from .senders import AIDetectorWebhook, CopyleaksWebhook, SightengineWebhook

__all__ = [
    "AIDetectorWebhook",
    "CopyleaksWebhook",
    "Delivery",
    "Event",
    "Inbox",
    "Receiver",
    "SightengineWebhook",
    "read_aidetector",
    "read_copyleaks",
    "read_sightengine",
]
