"""Calls to the payment cloud: one thread and one connection for each, sent once.

A call is never repeated here, not even when the connection breaks before a byte of the
answer: whether it has had its effect is for the controller to find out. So a connection
serves one call, and nothing is kept alive that could be stale.

Each call is answered exactly once, in the loop's thread, by whichever comes first: the
answer, the failure, or the end of its time. What comes after that is dropped.

``refused`` means that nothing was sent: no connection, or too many calls under way.
``reset`` means that something may have arrived: the connection broke, or what came back
is no answer (not HTTP, or over 1 MiB).
"""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Final, Literal
from urllib.parse import urlsplit

from controller_ref.shells.loop import Loop
from wire.machine import MAX_BODY_BYTES, CallHttp, HttpAnswered, HttpFailed

MAX_CALLS: Final = 32

Outcome = HttpAnswered | HttpFailed
Reason = Literal["refused", "reset", "timeout"]


class HttpCaller:
    """Meets ``loop.Caller``. ``url`` is the cloud's, ``http`` or ``https``."""

    def __init__(self, url: str, *, loop: Loop) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path.rstrip("/")
        self._connect = _connector(parts.scheme, parts.hostname or "", parts.port)
        self._loop = loop
        self._under_way: dict[int, _Attempt] = {}

    def call(self, call: CallHttp) -> None:
        if len(self._under_way) >= MAX_CALLS:
            self._loop.tell(HttpFailed(call_id=call.call_id, reason="refused"))
            return
        limit_s = self._loop.clock.real_s(call.timeout_ms)
        attempt = _Attempt(call, self._connect(limit_s), self._prefix + call.target)
        self._under_way[call.call_id] = attempt
        self._loop.after(limit_s, partial(self._time_is_up, call.call_id))
        Thread(target=self._work, args=(attempt,), daemon=True).start()

    def _work(self, attempt: "_Attempt") -> None:
        """In a thread of its own; only its outcome goes back to the loop."""
        self._loop.post(partial(self._ended, attempt.make()))

    def _ended(self, outcome: Outcome) -> None:
        if self._under_way.pop(outcome.call_id, None) is not None:
            self._loop.tell(outcome)

    def _time_is_up(self, call_id: int) -> None:
        if (attempt := self._under_way.pop(call_id, None)) is not None:
            attempt.cut()
            self._loop.tell(HttpFailed(call_id=call_id, reason="timeout"))


class _Attempt:
    """One call on a connection of its own."""

    def __init__(
        self, call: CallHttp, connection: http.client.HTTPConnection, target: str
    ) -> None:
        self._call = call
        self._connection = connection
        self._target = target
        self._socket: socket.socket | None = None

    def make(self) -> Outcome:
        reason: Reason = "refused"
        try:
            self._connection.connect()
            self._socket = self._connection.sock
            reason = "reset"
            answer = self._answer()
        except TimeoutError:
            answer, reason = None, "timeout"
        except (OSError, http.client.HTTPException):
            answer = None
        self._connection.close()
        return answer or HttpFailed(call_id=self._call.call_id, reason=reason)

    def cut(self) -> None:
        """End an attempt whose server keeps it busy; from another thread."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> HttpAnswered | None:
        """None when the body is longer than it may be, or shorter than it says."""
        call = self._call
        headers = {**dict(call.headers), "Connection": "close"}
        self._connection.request(call.method, self._target, call.body or None, headers)
        with self._connection.getresponse() as answer:
            body = answer.read(MAX_BODY_BYTES + 1)
            if len(body) > MAX_BODY_BYTES or answer.length:
                return None
            return HttpAnswered(call_id=call.call_id, status=answer.status, body=body)


def _connector(
    scheme: str, host: str, port: int | None
) -> Callable[[float], http.client.HTTPConnection]:
    if scheme != "https":
        return lambda limit_s: http.client.HTTPConnection(host, port, timeout=limit_s)
    trust = ssl.create_default_context()
    return lambda limit_s: http.client.HTTPSConnection(
        host, port, timeout=limit_s, context=trust
    )
