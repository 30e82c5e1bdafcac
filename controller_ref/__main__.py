"""``python -m controller_ref``: the reference controller as a program of its own.

Exit status: 0 when it was told to stop (SIGTERM, SIGINT), 2 for wrong use, with one
line that says what is wrong, 89 when asked for something that it does not implement.
What happens is told on standard output, one line for each event.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from controller_ref.shells.loop import Loop
from controller_ref.shells.options import NotImplementedHere, UsageError, parse
from controller_ref.shells.program import CannotStart, serve

WRONG_USE: Final = 2
NOT_IMPLEMENTED: Final = 89


def main(arguments: Sequence[str]) -> int:
    try:
        options = parse(arguments, os.environ)
        serve(options, say=_say, on_loop=_stop_when_told)
    except NotImplementedHere as wish:
        return _refuse(NOT_IMPLEMENTED, f"not implemented: {wish}")
    except (UsageError, CannotStart) as wrong:
        return _refuse(WRONG_USE, str(wrong))
    return 0


def _say(line: str) -> None:
    # Nobody reads it? That must not stop a charge.
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _refuse(status: int, line: str) -> int:
    sys.stderr.write(f"controller_ref: {' '.join(line.split())}\n")
    return status


def _stop_when_told(loop: Loop) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: loop.stop())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
