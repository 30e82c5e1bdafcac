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

import http.client
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
        self._under_way: dict[int, http.client.HTTPConnection] = {}

    def call(self, call: CallHttp) -> None:
        if len(self._under_way) >= MAX_CALLS:
            self._loop.tell(HttpFailed(call_id=call.call_id, reason="refused"))
            return
        limit_s = self._loop.clock.real_s(call.timeout_ms)
        connection = self._connect(limit_s)
        self._under_way[call.call_id] = connection
        self._loop.after(limit_s, partial(self._time_is_up, call.call_id))
        Thread(target=self._work, args=(call, connection), daemon=True).start()

    def _work(self, call: CallHttp, connection: http.client.HTTPConnection) -> None:
        """In a thread of its own; only its outcome goes back to the loop."""
        outcome = _attempt(call, connection, self._prefix + call.target)
        connection.close()
        self._loop.post(partial(self._ended, outcome))

    def _ended(self, outcome: Outcome) -> None:
        if self._under_way.pop(outcome.call_id, None) is not None:
            self._loop.tell(outcome)

    def _time_is_up(self, call_id: int) -> None:
        """The thread ends by itself: its socket has the same limit."""
        if self._under_way.pop(call_id, None) is not None:
            self._loop.tell(HttpFailed(call_id=call_id, reason="timeout"))


def _connector(
    scheme: str, host: str, port: int | None
) -> Callable[[float], http.client.HTTPConnection]:
    if scheme != "https":
        return lambda limit_s: http.client.HTTPConnection(host, port, timeout=limit_s)
    trust = ssl.create_default_context()
    return lambda limit_s: http.client.HTTPSConnection(
        host, port, timeout=limit_s, context=trust
    )


def _attempt(
    call: CallHttp, connection: http.client.HTTPConnection, target: str
) -> Outcome:
    reason: Reason = "refused"
    try:
        connection.connect()
        reason = "reset"
        headers = {**dict(call.headers), "Connection": "close"}
        connection.request(call.method, target, call.body or None, headers)
        answer = connection.getresponse()
        body = answer.read(MAX_BODY_BYTES + 1)
        if len(body) <= MAX_BODY_BYTES:
            return HttpAnswered(call_id=call.call_id, status=answer.status, body=body)
    except TimeoutError:
        reason = "timeout"
    except (OSError, http.client.HTTPException):
        pass
    return HttpFailed(call_id=call.call_id, reason=reason)
