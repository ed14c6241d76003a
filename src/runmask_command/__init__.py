"""The ``runmask`` command before anything is loaded.

A package of its own: importing any part of ``runmask`` loads NumPy first, and until then Ctrl-C
would end in a traceback.
"""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line on the arguments of this process; does not return."""
    # Holds while nothing is at stake: until the work begins, and again when it is done.
    signal.signal(signal.SIGINT, leave)
    from runmask.errors import MissingDependencyError

    try:
        from runmask import cli
    except MissingDependencyError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    try:
        cli.main(prog_name="runmask")
    finally:  # the exit code stands; the interpreter, as it ends, would let Ctrl-C kill it
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(*_: object) -> None:
    """End the process on the spot, quietly."""
    os.write(2, b"stopped\n")
    os._exit(INTERRUPTED)
