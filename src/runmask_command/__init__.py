"""The ``runmask`` command before anything is loaded.

A package of its own: importing any part of ``runmask`` loads NumPy first, and until then Ctrl-C
would end in a traceback, and a library that cannot be loaded as well. A ``runmask`` that loads its
parts on first use would do without, and would tell what is wrong with it on first use alone.
"""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line on the arguments of this process; does not return."""
    # Holds while nothing is at stake: until the work begins, and again when it is done.
    signal.signal(signal.SIGINT, leave)
    open_closed_streams()
    try:
        from runmask import cli
    except (ImportError, ValueError) as error:
        if type(error).__module__ != "runmask.errors":  # which may be out of reach by now
            raise
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    try:
        cli.main(prog_name="runmask")
    finally:  # the exit code stands; the interpreter, as it ends, would let Ctrl-C kill it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Ctrl-C within an exec(), of which importing has many, leaves a mark by which the
        # interpreter would kill itself at its end. The next exec() takes it away.
        exec("")


def open_closed_streams() -> None:
    """Give streams that the caller closed somewhere to go, before files get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  for as long as we run


def leave(*_: object) -> None:
    """End the process on the spot, quietly."""
    os.write(2, b"stopped\n")
    os._exit(INTERRUPTED)
