"""Jobs over any number of images: nothing lost, nothing paid for twice."""

from .values import Answered, Outcome, Rendered

__all__ = ["Answered", "Outcome", "Rendered"]
