"""What is told of a job: while it runs, and when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import terminal

if TYPE_CHECKING:
    from ..batch import Outcome, Progress, Summary

_JSON_EVERY_S = 5.0
_LISTED = 10
_ADVICE = {"no_photo": "; --photos names the folder with the images"}


@contextmanager
def watching(progress: Progress, as_json: bool) -> Iterator[None]:
    def look() -> list[terminal.Gauge]:
        if not progress.images:
            return []
        note = f"waiting: {progress.trouble}" if progress.trouble else ""
        if not note and progress.spent:
            note = f"{progress.spent:,.6g} credits"
        found = [terminal.Gauge("rendered", progress.rendered, progress.to_render)]
        if progress.to_submit:
            sent = terminal.Gauge("submitted", progress.submitted, progress.to_submit, note)
            found.insert(0, sent)
        return found

    def say() -> None:
        terminal.say_json(
            {
                "event": "progress",
                "to_submit": progress.to_submit,
                "submitted": progress.submitted,
                "to_render": progress.to_render,
                "rendered": progress.rendered,
                "credits": progress.spent,
                "waiting": progress.trouble or None,
            }
        )

    with terminal.every(_JSON_EVERY_S, say) if as_json else terminal.gauges(look):
        yield


# -- when it is over


def tell(summary: Summary, as_json: bool) -> None:
    states = summary.states
    if as_json:
        for state in ("failed", "held"):
            tell_items(outcomes_of(summary.folder, state), as_json)
        terminal.say_json(
            {
                "event": "summary",
                "states": dict(states),
                "answered": summary.answered,
                "shared": summary.shared,
                "credits": summary.spent,
                "credits_in_all": summary.spent_in_all,
                "sent_again": summary.resent,
                "incomplete": summary.incomplete,
                "lacking": list(summary.lacking),
                "report": summary.report,
                "error": None if summary.error is None else str(summary.error),
            }
        )
    total = sum(states.values())
    parts = [f"{states.get('done', 0):,} of {total:,} images done"]
    parts += [f"{states[name]:,} {name}" for name in ("failed", "held") if states.get(name)]
    if left := total - sum(states.get(name, 0) for name in ("done", "failed", "held")):
        parts.append(f"{left:,} to go")
    terminal.warn(", ".join(parts))
    if summary.incomplete:
        terminal.warn(
            f"not all that is asked for could be made of {summary.incomplete:,}: what was there is"
            " kept, and the table says why"
        )
    for kind in summary.lacking:
        terminal.warn(f"no {kind} in {states['done']:,} answers")
    if summary.answered:
        same = f", {summary.shared:,} have the content of others" if summary.shared else ""
        cost = f"; {summary.spent:,.6g} credits" if summary.spent else ""
        terminal.warn(f"{summary.answered:,} answered now{same}{cost}")
    if summary.resent:
        terminal.warn(
            f"up to {summary.resent:,} more may have been charged: of held images, sent again"
        )
    if not as_json:
        for state in ("failed", "held"):
            if states.get(state):
                tell_items(outcomes_of(summary.folder, state), as_json, _LISTED)
    if states.get("held"):
        terminal.warn(
            "held: they may have been paid for, and no answer came. --held lists them; --resolve"
            " resend sends them again, which may cost again, and --resolve skip gives them up"
        )
    if summary.report is not None:
        terminal.warn(f"to look at: {summary.report}")
    if summary.error is not None:
        terminal.warn(f"stopped: {summary.error}")
    if left:
        terminal.warn("the same command goes on from here")


def outcomes_of(folder: str | Path, state: Any) -> Iterator[Outcome]:
    from ..batch.journal import Reading

    journal = Reading(folder)
    try:
        yield from journal.held() if state == "held" else journal.outcomes(state)
    finally:
        journal.close()


def tell_items(outcomes: Iterator[Outcome], as_json: bool, most: int | None = None) -> None:
    for number, outcome in enumerate(outcomes):
        if number == most:
            terminal.warn("  ...")
            return
        code, message = outcome.error or ("", "")
        if as_json:
            terminal.say_json(
                {
                    "ok": False,
                    "image": outcome.source,
                    "state": outcome.state,
                    "scan_id": outcome.scan_id,
                    "error": code,
                    "message": message,
                }
            )
        else:
            about = outcome.source or f"answer {outcome.name}"
            advice = _ADVICE.get(code, "")
            terminal.say(terminal.printable(f"{about}: {outcome.state}: {message}{advice}"))
