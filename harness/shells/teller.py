"""Lines for whoever watches the program, written so that nobody can hold it up.

A pipe that nobody reads would stop the loop at its next line. So a thread of its own
writes, what waits has a bound, and what had to be left out is counted and said. The
thread writes to the descriptor itself: a buffered stream that is being written to
cannot be closed at the end of the program.
"""

import os
from queue import Full, Queue
from threading import Thread
from typing import Final

MAX_WAITING: Final = 10_000
#: What a reader gets to take the last lines, seconds.
CLOSES_WITHIN_S: Final = 1.0


class Teller:
    """Writes lines to file descriptor ``fd``."""

    def __init__(self, fd: int, *, max_waiting: int = MAX_WAITING) -> None:
        self._fd = fd
        self._waiting: Queue[str | None] = Queue(max_waiting)
        self._left_out = 0
        self._thread = Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Write one line soon; never waits."""
        try:
            if self._left_out:
                self._waiting.put_nowait(f"... {self._left_out} lines left out")
                self._left_out = 0
            self._waiting.put_nowait(line)
        except Full:
            self._left_out += 1

    def close(self) -> None:
        """Write what waits, as far as somebody reads it in time."""
        try:
            self._waiting.put(None, timeout=CLOSES_WITHIN_S)
        except Full:
            return
        self._thread.join(timeout=CLOSES_WITHIN_S)

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            data = f"{line}\n".encode("utf-8", "replace")
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                return  # the reader is gone; lines that follow are left out
