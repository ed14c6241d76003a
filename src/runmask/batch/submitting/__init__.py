"""The half of a job that pays: images to a service, each content once, and answers to the journal.

::

    asking       what is asked about an item, and what the service's errors mean for a job
    by_webhook   the same where the service fetches the images and answers later
    circuit      waiting while the service is away
    submitter    many requests at a time, each in the journal before and after
"""

from .asking import QUESTIONS, ByUpload
from .by_webhook import INBOX, ByWebhook, receiving, take_in, webhook_of
from .submitter import Manner, Submitter

__all__ = [
    "INBOX",
    "QUESTIONS",
    "ByUpload",
    "ByWebhook",
    "Manner",
    "Submitter",
    "receiving",
    "take_in",
    "webhook_of",
]
