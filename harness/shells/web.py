"""The payment cloud as an HTTP server, and the client that posts its callbacks.

The web server runs in a thread of its own and decides nothing: each request becomes a
call in the loop, its answer a future. Requests that the line loses stay unanswered
until the caller gives up, then the connection ends; callbacks are posted by a worker
thread that only reports the status. Request and answer bodies are bounded.
"""

import asyncio
import concurrent.futures
import http.client
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from harness.cloud_line import CloudLine
from harness.shells.loop import Loop
from harness.shells.tcp import listen
from wire.machine import (
    MAX_BODY_BYTES,
    AnswerCallback,
    CallbackReceived,
    CallHttp,
    Fact,
    HttpAnswered,
    HttpFailed,
)

#: No controller waits longer than this for an authorisation (psp.md 4.1: 210 s).
LONGEST_CALL_MS: Final = 300_000
#: A listener that has not answered by then is not going to, seconds of real time.
CALLBACK_TIMEOUT_S: Final = 5.0
STARTS_WITHIN_S: Final = 10.0
CALLBACK_WORKERS: Final = 4

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = concurrent.futures.Future[HttpAnswered | None]


class CloudPort:
    """Serves CPS on ``url``; ``port`` 0 takes a free one."""

    def __init__(
        self, loop: Loop, line: CloudLine, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._loop = loop
        self._line = line
        self._numbers = count(1)
        self._waiting: dict[int, Answer] = {}
        self._posts = concurrent.futures.ThreadPoolExecutor(CALLBACK_WORKERS)
        self._socket = listen(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self.url = f"http://{self.host}:{self.port}"
        line.deliver = self._deliver
        line.listening = True
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # --- the web server's thread ------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await _body(request)
        if body is None:
            await Response("body too large", 413)(scope, receive, send)
            return
        answer: Answer = concurrent.futures.Future()
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        headers = tuple(request.headers.items())
        self._loop.call(
            lambda: self._called(answer, request.method, target, headers, body)
        )
        found = await asyncio.wrap_future(answer)
        if found is None:
            # The line lost it: end the connection without a word.
            raise ConnectionAbortedError
        response = Response(found.body, found.status, media_type="application/json")
        await response(scope, receive, send)

    # --- the loop ---------------------------------------------------------------

    def _called(
        self,
        answer: Answer,
        method: str,
        target: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
    ) -> None:
        call_id = next(self._numbers)
        self._waiting[call_id] = answer
        self._line.call(
            CallHttp(
                call_id=call_id,
                method=method,
                target=target,
                headers=headers,
                body=body,
                timeout_ms=LONGEST_CALL_MS,
            )
        )

    def _deliver(self, fact: Fact) -> None:
        match fact:
            case HttpAnswered():
                self._finish(fact.call_id, fact)
            case HttpFailed():
                self._finish(fact.call_id, None)
            case CallbackReceived():
                self._posts.submit(self._post, fact)
            case _:
                raise AssertionError(f"nothing else comes from the cloud: {fact}")

    def _finish(self, call_id: int, found: HttpAnswered | None) -> None:
        answer = self._waiting.pop(call_id, None)
        if answer is not None and not answer.done():
            answer.set_result(found)

    # --- the workers ------------------------------------------------------------

    def _post(self, callback: CallbackReceived) -> None:
        status = post(callback.url, callback.body)
        if status is not None:
            answered = AnswerCallback(callback_id=callback.callback_id, status=status)
            self._loop.call(lambda: self._line.answer_callback(answered))

    def close(self) -> None:
        """Stop serving; whoever still waits hears nothing more."""
        for call_id in list(self._waiting):
            self._finish(call_id, None)
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=STARTS_WITHIN_S)
        self._posts.shutdown(wait=False, cancel_futures=True)
        self._socket.close()


def post(url: str, body: bytes) -> int | None:
    """POST JSON to ``url``; the status, or None when nobody answered."""
    parts = urlsplit(url)
    if parts.hostname is None:
        return None
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port or 80, timeout=CALLBACK_TIMEOUT_S
    )
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(
            "POST", target or "/", body, {"Content-Type": "application/json"}
        )
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


async def _body(request: Request) -> bytes | None:
    """The request's body, or None when it is longer than allowed."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return body
