"""Callbacks on a real network: one POST each, from a thread of its own.

A listener that is slow, silent or endless costs a thread for a while and delays nobody:
threads are bounded in number, each post in time, and of the answer only status and
headers are read. Redirects are not followed. Whether a callback may go to its address
at all has been decided before (``harness.callbacks``).
"""

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from harness.shells.loop import Loop
from wire.machine import CallbackReceived

#: A listener that has not answered by then is not going to; milliseconds of life.
ANSWER_WITHIN_MS: Final = 10_000
#: Real time that it gets on top, however fast the run's time passes.
SLACK_S: Final = 1.0
#: Callbacks under way; one more is lost, as in a cloud that sheds load.
MAX_UNDER_WAY: Final = 32
#: What stays as it is in a request line; the rest is written as %XX.
_KEPT: Final = "/?#[]@!$&'()*+,;=:%-._~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who is told of a callback, in the loop: did it reach anybody, what was said."""

    heard: Callable[[bool], None]
    answered: Callable[[int], None]


class Callbacks:
    """Posts callbacks; ``time_scale`` is how much faster than life the run is."""

    def __init__(self, loop: Loop, *, time_scale: int = 1) -> None:
        self._loop = loop
        self._limit_s = ANSWER_WITHIN_MS / 1000 / time_scale + SLACK_S
        self._lock = threading.Lock()
        self._is_closed = False
        self._under_way: dict[threading.Thread, http.client.HTTPConnection] = {}

    @property
    def under_way(self) -> int:
        """How many callbacks wait for a connection or an answer."""
        return len(self._under_way)

    def post(self, callback: CallbackReceived, told: Told) -> None:
        """Send one; called in the loop, returns at once."""
        parts = urlsplit(callback.url)
        assert parts.hostname is not None, "the line posts to known hosts only"
        with self._lock:
            if self._is_closed or len(self._under_way) >= MAX_UNDER_WAY:
                told.heard(False)  # noqa: FBT003 - all it says
                return
            connection = http.client.HTTPConnection(
                parts.hostname, parts.port, timeout=self._limit_s
            )
            thread = threading.Thread(
                target=self._work, args=(connection, callback, told), daemon=True
            )
            self._under_way[thread] = connection
        thread.start()

    def _work(
        self,
        connection: http.client.HTTPConnection,
        callback: CallbackReceived,
        told: Told,
    ) -> None:
        # Socket time-outs run between two pieces; a listener that drips needs an end.
        ending = threading.Timer(self._limit_s, _cut, [connection])
        ending.daemon = True
        ending.start()
        try:
            self._send(connection, callback, told)
        finally:
            ending.cancel()
            connection.close()
            with self._lock:
                del self._under_way[threading.current_thread()]

    def _send(
        self,
        connection: http.client.HTTPConnection,
        callback: CallbackReceived,
        told: Told,
    ) -> None:
        try:
            connection.connect()
        except OSError:
            self._tell(lambda: told.heard(False))  # noqa: FBT003 - all it says
            return
        # Said before the first byte: whatever the listener does about it comes later.
        self._tell(lambda: told.heard(True))  # noqa: FBT003 - all it says
        headers = {"Content-Type": "application/json"}
        target = quote(callback.target or "/", safe=_KEPT)
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", target, callback.body, headers)
            status = connection.getresponse().status
            self._tell(lambda: told.answered(status))

    def _tell(self, what: Callable[[], None]) -> None:
        with self._lock:
            if not self._is_closed:
                self._loop.call(what)

    def close(self) -> None:
        """Give up on what is under way; nobody is told any more."""
        with self._lock:
            self._is_closed = True
            left = dict(self._under_way)
        for connection in left.values():
            _cut(connection)
        for thread in left:
            thread.join(self._limit_s)


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection from outside; whoever reads from it wakes up."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
