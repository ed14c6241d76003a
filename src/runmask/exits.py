"""How a command ends: errors as one line, an exit code for each, and Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from . import terminal
from .errors import (
    AuthError,
    BatchError,
    InputError,
    MaskError,
    MissingDependencyError,
    OutputError,
    QuotaError,
    ResponseFormatError,
    RunmaskError,
)

SOME_FAILED, BAD_INPUT, REFUSED, HELD, NOT_WRITTEN, INTERRUPTED = 1, 2, 3, 4, 5, 130
CODES = (
    "Exit codes: 0 all well; 1 some photos failed, or the service could not be reached; 2 wrong"
    " usage or bad input; 3 credentials missing or refused, or no credits left; 4 photos are held:"
    " they may have been paid for, and no answer came; 5 an output could not be written, or a"
    " journal is damaged; 130 stopped by Ctrl-C, 143 by SIGTERM."
)

_ONE_PRESS_S = 1.0  # Ctrl-C within that time of another would only disturb the tidying up
_NO_MEMORY = RunmaskError("there is not enough memory", code="memory")
_OF_JOBS = {
    "journal_locked": BAD_INPUT,
    "journal_mismatch": BAD_INPUT,
    "journal_corrupt": NOT_WRITTEN,
}
_BY_THEMSELVES = ("heif", "dask", "ray")  # extras that few commands need
_ADVICE = {
    "exists": "--overwrite replaces it",
    "alpha": "let the output's name end like one of those",
}


class Failure(click.ClickException):
    """An error of the library, as the command line tells it: what it is about, and what to do."""

    def __init__(self, error: RunmaskError, subject: str | None = None):
        text = str(error)
        if isinstance(error, MissingDependencyError) and error.extra not in _BY_THEMSELVES:
            text = f"the commands need {error.name}: pip install 'runmask[all]'"
        advice = _ADVICE.get(error.code)
        told = (f"{subject}: " if subject else "") + text + (f"; {advice}" if advice else "")
        super().__init__(terminal.printable(told))
        self.error = error
        self.exit_code = exit_code(error)  # type: ignore[misc]  # a class variable in click


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Whatever goes wrong, or is warned of, is told with the file's name in front."""
    try:
        with terminal.warnings_about(subject):
            yield
    except RunmaskError as error:
        raise Failure(error, subject) from error
    except MemoryError as error:
        raise Failure(_NO_MEMORY, subject) from error


class Commands(click.Group):
    """Ends every command by one line and an exit code, whatever went wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        pressed: list[float] = []
        try:
            with _ctrl_c(pressed):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            _stop(ctx)
        except Exception as error:
            if pressed:  # within an import, a library may have made something else of it
                _stop(ctx)
            if isinstance(error, MemoryError):
                raise Failure(_NO_MEMORY) from error
            if isinstance(error, RunmaskError):
                raise Failure(error) from error
            raise


@contextmanager
def _ctrl_c(pressed: list[float]) -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, and pressed twice at once it does so once."""

    def press(*_: object) -> None:
        now = time.monotonic()
        if not pressed or now - pressed[-1] > _ONE_PRESS_S:
            pressed.append(now)
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(ctx: click.Context) -> NoReturn:
    click.echo("stopped", err=True)
    ctx.exit(INTERRUPTED)


def exit_code(error: RunmaskError) -> int:
    if isinstance(error, (AuthError, QuotaError)) or error.code == "credentials":
        return REFUSED
    if isinstance(error, OutputError):
        return BAD_INPUT if error.code == "exists" else NOT_WRITTEN
    if isinstance(error, BatchError):
        return _OF_JOBS.get(error.code, SOME_FAILED)
    return BAD_INPUT if isinstance(error, (InputError, ImportError)) else SOME_FAILED


def exit_code_of_job(states: Mapping[str, int], error: Exception | None, signal: int | None) -> int:
    """Of a job that stopped, or came to its end with images in these states."""
    if signal is not None:
        return 128 + signal
    if error is not None:
        return exit_code(error) if isinstance(error, RunmaskError) else SOME_FAILED
    if states.get("held"):
        return HELD
    return SOME_FAILED if states.keys() - {"done"} else 0


def exit_code_of_scan(error: RunmaskError) -> int:
    """As above, but an answer that cannot be used is the service's fault and not the input's."""
    is_answer = isinstance(error, (ResponseFormatError, MaskError))
    return SOME_FAILED if is_answer or error.code == "shape_mismatch" else exit_code(error)


def exit_code_of_all(done: int, codes: Sequence[int]) -> int:
    for code in (REFUSED, NOT_WRITTEN):
        if code in codes:
            return code
    if not done and set(codes) == {BAD_INPUT}:
        return BAD_INPUT
    return SOME_FAILED if codes else 0
