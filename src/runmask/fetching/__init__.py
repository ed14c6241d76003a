"""Addresses that others name: which may be asked, and asking them without being led elsewhere."""

from .addresses import checked_url
from .download import fetch

__all__ = ["checked_url", "fetch"]
