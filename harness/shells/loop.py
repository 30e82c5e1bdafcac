"""One loop for all ports: the wall clock waits here, and nowhere else.

Ports register a socket or a pseudo-terminal and what to do when it can be read, or
written. Threads (the web server, HTTP callbacks) never touch a machine: they hand over
a call, which runs here. So every core is touched by one thread, and order is decided in
one place.

Nothing here costs more when there are a thousand ports: a port that was forgotten
carries a mark, so an event that came with its last one is not looked up.
"""

import heapq
import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from simulator.clock import wall_time_s

#: The longest nap: a clock that is set or a signal is noticed after it.
LONGEST_NAP_S: Final = 0.2
#: Calls from threads that may wait; beyond it the oldest are the peer's problem.
MAX_WAITING: Final = 10_000

Call = Callable[[], object]


class HasFileno(Protocol):
    """Something that a selector can watch."""

    def fileno(self) -> int:
        """Its file descriptor."""


@dataclass(slots=True)
class _Watch:
    """What to do when a port is ready, until it is forgotten."""

    readable: Call
    writable: Call | None
    is_on: bool = True


class Loop:
    """Waits for ports, for timers and for calls from threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._calls: deque[Call] = deque(maxlen=MAX_WAITING)
        self._timers: list[tuple[float, int, Call]] = []
        self._tickets = count()
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.settimeout(0)
        self.watch(self._bell, self._answer_bell)

    def watch(
        self, port: HasFileno, readable: Call, *, writable: Call | None = None
    ) -> None:
        """Call ``readable`` whenever ``port`` has something.

        ``writable`` is called whenever it can take something. What was asked for an
        already watched port before is replaced.
        """
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writable else 0)
        watch = _Watch(readable, writable)
        if port in self._selector.get_map():
            self._end_watch(port)
            self._selector.modify(port, events, watch)
        else:
            self._selector.register(port, events, watch)

    def forget(self, port: HasFileno) -> None:
        """Stop watching; no call follows."""
        self._end_watch(port)
        self._selector.unregister(port)

    def _end_watch(self, port: HasFileno) -> None:
        self._selector.get_key(port).data.is_on = False

    def call_in(self, seconds: float, what: Call) -> None:
        """Run ``what`` after so many seconds of real time; 0 is as soon as possible."""
        at_s = wall_time_s() + seconds
        heapq.heappush(self._timers, (at_s, next(self._tickets), what))

    def wait(self, timeout_s: float) -> None:
        """Serve what is ready, or what becomes so within ``timeout_s``."""
        nap_s = min(timeout_s, LONGEST_NAP_S)
        if self._timers:
            nap_s = max(0.0, min(nap_s, self._timers[0][0] - wall_time_s()))
        for key, events in self._selector.select(nap_s):
            watch = key.data
            # A call may have closed the port of a later one.
            if events & selectors.EVENT_READ and watch.is_on:
                watch.readable()
            if events & selectors.EVENT_WRITE and watch.is_on and watch.writable:
                watch.writable()
        while self._timers and self._timers[0][0] <= wall_time_s():
            heapq.heappop(self._timers)[2]()

    def call(self, what: Call) -> None:
        """From any thread: run ``what`` in the loop."""
        self._calls.append(what)
        with suppress(BlockingIOError):  # it rings already
            self._ringer.send(b"!")

    def _answer_bell(self) -> None:
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        while self._calls:
            self._calls.popleft()()

    def close(self) -> None:
        """Give the loop's own sockets back."""
        self._timers.clear()
        self._selector.close()
        self._bell.close()
        self._ringer.close()
