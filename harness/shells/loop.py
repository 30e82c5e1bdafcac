"""One loop for all ports: the wall clock waits here, and nowhere else.

Ports register a socket or a pseudo-terminal and what to do when it can be read. Threads
(the web server, HTTP callbacks) never touch a machine: they hand over a call, which runs
here. So every core is touched by one thread, and order is decided in one place.
"""

import selectors
import socket
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

#: The longest nap: a clock that is set or a signal is noticed after it.
LONGEST_NAP_S: Final = 0.2
#: Calls from threads that may wait; beyond it the oldest are the peer's problem.
MAX_WAITING: Final = 10_000


class HasFileno(Protocol):
    """Something that a selector can watch."""

    def fileno(self) -> int:
        """Its file descriptor."""


class Loop:
    """Waits for ports and for calls from threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._calls: deque[Callable[[], None]] = deque(maxlen=MAX_WAITING)
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self.watch(self._bell, self._answer_bell)

    def watch(self, port: HasFileno, readable: Callable[[], None]) -> None:
        """Call ``readable`` whenever ``port`` has something."""
        self._selector.register(port, selectors.EVENT_READ, readable)

    def forget(self, port: HasFileno) -> None:
        """Stop watching; no call follows."""
        self._selector.unregister(port)

    def wait(self, timeout_s: float) -> None:
        """Serve what is ready, or what becomes so within ``timeout_s``."""
        for key, _ in self._selector.select(min(timeout_s, LONGEST_NAP_S)):
            # A call may have closed the port of a later one.
            if key.fileobj in self._watched():
                key.data()

    def _watched(self) -> set[object]:
        return {key.fileobj for key in self._selector.get_map().values()}

    def call(self, what: Callable[[], None]) -> None:
        """From any thread: run ``what`` in the loop."""
        self._calls.append(what)
        try:
            self._ringer.send(b"!")
        except BlockingIOError:
            pass  # it rings already

    def _answer_bell(self) -> None:
        try:
            self._bell.recv(4096)
        except BlockingIOError:
            return
        while self._calls:
            self._calls.popleft()()

    def close(self) -> None:
        """Give the loop's own sockets back."""
        self._selector.close()
        self._bell.close()
        self._ringer.close()
