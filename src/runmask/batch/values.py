"""What goes from one half of a job to the other: an answer to be rendered, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["new", "sent", "submitted", "scored", "done", "failed", "held"]
"""Of an item; that of its scan as well, from ``sent`` to ``scored``.

::

    new ──> sent ─────────> scored ──> done       answered, then rendered
     ^       ├─> submitted ──^ │                  accepted: the answer comes by webhook
     └───────┤                 └────> failed      it cannot be rendered
             ├─> failed                           refused, or never sent: it cannot be read
             └─> held                             it may have been charged, and no answer came
"""


@dataclass(frozen=True)
class Answered:
    """An item whose answer is in the journal.

    ``item`` is its number, ``name`` the stem of its outputs, ``source`` the path or address of the
    image, ``digest`` BLAKE2b of the image's bytes as sent (hexadecimal; empty if unknown), ``body``
    the service's answer as it came.
    """

    item: int
    name: str
    source: str
    digest: str
    service: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Rendered:
    """What came of rendering an item.

    ``files`` are paths within the job's folder by kind (``"mask"``, ``"overlay"``, ...), ``error``
    a code and a message, ``seconds`` how long each stage took.
    """

    item: int
    files: Mapping[str, str]
    error: tuple[str, str] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """An item as the journal has it: what a table and a report are made of.

    ``scan_id``, ``digest``, ``service``, ``credits``, ``billed``, ``answered`` (seconds since 1970)
    and ``body`` are of its scan, and None as long as there is none. ``copy_of`` is the number of
    the first item with the same scan, which it was paid for; None for that one.
    """

    item: int
    source: str
    name: str
    state: State
    files: Mapping[str, str]
    error: tuple[str, str] | None
    seconds: Mapping[str, float]
    scan_id: str | None
    digest: str | None
    service: str | None
    credits: float | None
    billed: str | None
    answered: float | None
    copy_of: int | None = None
    body: bytes | None = field(repr=False)
