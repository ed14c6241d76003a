"""How far a job is while it runs, and what it has come to in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from signal import SIGINT
from typing import TYPE_CHECKING, Self

from .values import Rendered

if TYPE_CHECKING:
    from .submitting import Submitter


@dataclass
class Progress:
    """How far a job is. It changes while the job runs, from several threads; only look at it.

    ``note`` says who answers. ``images`` are all of the job, ``to_submit`` those that were new when
    it began; ``answered_before`` waited for rendering then. ``seconds`` are those of the stages of
    rendering, of all workers together.
    """

    note: str = ""
    images: int = 0
    to_submit: int = 0
    answered_before: int = 0
    received: int = 0
    rendered: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    submitter: Submitter | None = field(default=None, repr=False)

    @property
    def submitted(self) -> int:
        """What came of so many of those that were to submit."""
        if self.submitter is None:
            return 0
        tally = self.submitter.tally
        return tally.answered + tally.shared + tally.failed + tally.held

    @property
    def to_render(self) -> int:
        if self.submitter is None:
            return self.answered_before
        tally = self.submitter.tally
        return self.answered_before + tally.answered + tally.shared

    @property
    def spent(self) -> float:
        """Credits, since the job began or went on."""
        return 0.0 if self.submitter is None else self.submitter.tally.spent

    @property
    def trouble(self) -> str:
        """Why the job waits; empty while it does not."""
        return "" if self.submitter is None else self.submitter.trouble

    def told(self, results: Sequence[Rendered]) -> None:
        self.rendered += len(results)
        for result in results:
            self.seconds.update(result.seconds)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a job has come to.

    Attributes
    ----------
    folder : str
    states : mapping of str to int
        How many items of the whole job are in each state: ``"done"``, ``"failed"``, ``"held"``,
        and those that are yet to come to one of these.
    images, added, changed : int
        How many images were given, and how many of them are new, or changed.
    answered, shared : int
        How many were answered now, and how many have the content of another.
    spent, spent_in_all : float
        Credits, of now and of the whole job, as far as answers tell them.
    report : str or None
        The page, if it was written anew.
    lacking : tuple of str
        The kinds of files that were asked for, and that no answer has what it takes for.
    incomplete : int
        How many are done but keep files of before: their errors say why.
    resent : int
        How many requests of the whole job were sent again although they may have been charged.
    error : Exception or None
        What has stopped the job.
    signal : int or None
        The number of the signal that has.
    """

    folder: str
    states: Mapping[str, int]
    images: int
    added: int
    changed: int
    answered: int
    shared: int
    spent: float
    spent_in_all: float
    report: str | None
    lacking: tuple[str, ...] = ()
    incomplete: int = 0
    resent: int = 0
    error: Exception | None
    signal: int | None

    def or_raised(self) -> Self:
        """This, unless something has stopped the job: then that is raised."""
        if self.signal == SIGINT:
            raise KeyboardInterrupt
        if self.signal is not None:
            raise SystemExit(128 + self.signal)
        if self.error is not None:
            raise self.error
        return self
