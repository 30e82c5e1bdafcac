"""Whoever listens to the bench as it happens: one bounded queue each.

The bench's thread puts lines in, the web server's takes them out. A listener that does
not keep up is dropped: its queue is emptied, and the last thing it hears is why. So
memory has a bound however many listen and however slowly.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import Final, Literal

#: Lines and characters that may wait for one listener.
MAX_WAITING: Final = 5_000
MAX_CHARACTERS: Final = 2 << 20
#: A sign of life for whoever hears nothing else, seconds.
SILENCE_S: Final = 15.0


class Listener:
    """One queue. ``put`` and ``close`` are called by the bench's thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, backlog: Sequence[str] = ()
    ) -> None:
        self._loop = loop
        self._bell = asyncio.Event()
        self._backlog = tuple(backlog)
        self._lock = Lock()
        self._lines: deque[str] = deque()
        self._characters = 0
        #: The web server has been told that there is something, and has not looked.
        self._is_told = False
        #: How it ended, and why; empty while it goes on.
        self.ended: Literal["", "dropped", "closed"] = ""
        self.why = ""

    def put(self, line: str) -> None:
        """One more line, unless the listener is too slow for it."""
        with self._lock:
            if self.ended:
                return
            self._lines.append(line)
            self._characters += len(line)
            if len(self._lines) > MAX_WAITING or self._characters > MAX_CHARACTERS:
                self._lines.clear()
                self.ended, self.why = "dropped", "this listener was too slow"
            self._ring()

    def close(self, why: str) -> None:
        """There will be no more."""
        with self._lock:
            if not self.ended:
                self.ended, self.why = "closed", why
                self._ring()

    def _ring(self) -> None:
        # One call at a time waits for the web server, however many lines there are.
        if not self._is_told:
            self._is_told = True
            with suppress(RuntimeError):  # the web server is gone
                self._loop.call_soon_threadsafe(self._bell.set)

    async def lines(self) -> AsyncIterator[str | None]:
        """Lines as they come; None when there was none for a while."""
        for line in self._backlog:
            yield line
        self._backlog = ()
        while True:
            for line in self._take():
                yield line
            if self.ended and not self._lines:
                return
            try:
                await asyncio.wait_for(self._bell.wait(), SILENCE_S)
            except TimeoutError:
                yield None

    def _take(self) -> Sequence[str]:
        with self._lock:
            taken = tuple(self._lines)
            self._lines.clear()
            self._characters = 0
            self._is_told = False
            self._bell.clear()
            return taken
