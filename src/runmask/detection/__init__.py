"""``Detection``: one frozen shape for every service's answer."""

from .value import Detection, Region, Summary, Verdict

__all__ = ["Detection", "Region", "Summary", "Verdict"]
