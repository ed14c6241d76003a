"""What a service answers beside detections: jobs, batches, and reports on itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..detection import Detection
from ..errors import StatusError

Item = Detection | StatusError
"""What became of one image among several: the error is one that is told of it alone."""

DONE = ("completed", "complete", "succeeded", "success", "done", "finished")
FAILED = ("failed", "error", "cancelled", "canceled", "expired")


@dataclass(frozen=True, kw_only=True)
class Report:
    """An answer that is no detection: ``answer`` as read from JSON, ``raw`` as it came."""

    answer: Mapping[str, Any]
    raw: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The answers to several images, in the order in which they were given.

    ``raw`` is the whole answer as it came (empty if all were known already); the ``raw`` of an item
    is that part of it, written anew.
    """

    items: tuple[Item, ...]
    raw: bytes = field(repr=False)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, at: int) -> Item:
        return self.items[at]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A batch that the service works on.

    Attributes
    ----------
    id : str
        For :meth:`AIDetector.job` and :meth:`AIDetector.wait`.
    status : str
        As the service calls it.
    total : int or None
        How many images it has.
    items : tuple
        What there is of its results, in the service's order.
    answer, raw
        The whole answer, as read from JSON and as it came.
    """

    id: str
    status: str
    total: int | None
    items: tuple[Item, ...]
    answer: Mapping[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def done(self) -> bool:
        """Whether it has come to its end, good or bad."""
        return self.status.lower() in (*DONE, *FAILED)

    @property
    def failed(self) -> bool:
        return self.status.lower() in FAILED
