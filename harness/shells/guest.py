"""One HTTP connection of whoever calls a port, and what it may cost.

uvicorn bounds the size of a request's head and stops reading what nobody takes; the
rest is bounded here: how many connections there are, how long a request may take to
arrive, how long an answer may take to leave. When all places are taken, the connection
that has been idle longest gives way, so that a crowd that says nothing locks nobody
out. All times are real seconds: a faster run does not make a network faster.

An application finds ``reset`` as ``scope["extensions"][RESET]["now"]``: it breaks the
connection.
"""

import asyncio
import socket
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from harness.shells.channel import RESET as NO_LINGER

MAX_CONNECTIONS: Final = 256
#: Longest request line and headers together, bytes.
MAX_HEAD_BYTES: Final = 32 * 1024
#: From a request's first byte, or from the connection, to its last byte.
REQUEST_WITHIN_S: Final = 10.0
#: A connection that says nothing between two requests. Long: a controller that polls
#: slowly must not lose its call because the connection ends under it.
KEEP_ALIVE_S: Final = 300
#: Name of the extension.
RESET: Final = "nohold.reset"


class Guest(H11Protocol):
    """See the module's text."""

    #: When it last began or ended something: who is idle longest gives way.
    since_s: float = 0.0
    _ending: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """No request of it waits for an answer."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        others = [one for one in self.connections if isinstance(one, Guest)]
        super().connection_made(transport)
        self.since_s = self.loop.time()
        if len(others) >= MAX_CONNECTIONS:
            idle = [one for one in others if one.is_idle]
            min(idle, key=lambda one: one.since_s, default=self).reset()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def handle_events(self) -> None:
        super().handle_events()
        if self.scope is not None:
            # The application starts in the next turn of the event loop.
            self.scope["extensions"] = {RESET: {"now": self.reset}}

    def on_response_complete(self) -> None:
        self.since_s = self.loop.time()
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn would wait for a peer that does not read."""
        self.transport.abort()

    def reset(self) -> None:
        """Break the connection: the peer sees a reset, what waits is thrown away."""
        found = self.transport.get_extra_info("socket")
        if found is not None and not self.transport.is_closing():
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.transport.abort()
        self.connections.discard(self)

    # --- The time that a request may take ---------------------------------------

    def _watch(self) -> None:
        if not self._is_arriving():
            self._stop_watch()
        elif self._ending is None:
            self._ending = self.loop.call_later(REQUEST_WITHIN_S, self.transport.abort)

    def _is_arriving(self) -> bool:
        """A request has begun and is not complete; the first is due at once."""
        if self.conn.their_state is h11.IDLE:
            return self.cycle is None or bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.SEND_BODY

    def _stop_watch(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
