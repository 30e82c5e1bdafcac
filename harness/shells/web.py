"""The payment cloud as an HTTP server, with its OpenAPI document.

The web server runs in a thread of its own and decides nothing: each request becomes a
call in the loop, its answer a future. A call that the line refuses ends in a reset; one
that it loses stays unanswered until the caller hangs up, which the line is told at
once, or until ``LONGEST_CALL_MS`` have passed, and then its connection ends. How much a
caller may cost is bounded in ``guest``; callbacks are posted by ``callbacks``.
"""

import asyncio
import concurrent.futures
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from itertools import count
from typing import Any, Final

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from harness.callbacks import Heard
from harness.cloud_line import CloudLine
from harness.shells.callbacks import Callbacks, Told
from harness.shells.guest import KEEP_ALIVE_S, MAX_HEAD_BYTES, RESET, Guest
from harness.shells.loop import Loop
from harness.shells.tcp import listen
from wire.cps import DOCUMENT_PATH, openapi
from wire.machine import (
    MAX_BODY_BYTES,
    AnswerCallback,
    CallbackReceived,
    CallHttp,
    Fact,
    HttpAnswered,
    HttpFailed,
)

#: No controller waits longer than this for an authorisation (psp.md 4.1: 210 s);
#: milliseconds of the run.
LONGEST_CALL_MS: Final = 300_000
#: A caller that has not taken its answer by then gets none, seconds of real time.
TAKEN_WITHIN_S: Final = 10.0
#: Connections accepted in one turn of the web server: well below the number of places,
#: so that what they send is read before any of them has to give way.
BACKLOG: Final = 64
#: What is still under way when the port closes gets this long, then it is cut.
SHUTS_WITHIN_S: Final = 2
ENDS_WITHIN_S: Final = 10.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = concurrent.futures.Future[HttpAnswered | HttpFailed]


class CloudPort:
    """Serves CPS on ``url``; ``port`` 0 takes a free one. Raises SetupError.

    ``time_scale`` is how many times faster than life the run's time passes.
    """

    def __init__(
        self,
        loop: Loop,
        line: CloudLine,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        time_scale: int = 1,
    ) -> None:
        self._loop = loop
        self._line = line
        self._document = openapi(line.policy)
        self._numbers = count(1)
        self._waiting: dict[int, Answer] = {}
        self._is_closed = False
        self._callbacks = Callbacks(loop, time_scale=time_scale)
        self._socket = listen(host, port)
        # Connections inherit it: head and body of an answer leave at once.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.port = self._socket.getsockname()[:2]
        self.url = f"http://{self.host}:{self.port}"
        line.deliver = self._deliver
        line.callbacks.carry = self._carry
        line.listening = True
        self._server = uvicorn.Server(_config(self._serve))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # --- the web server's thread ------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        if response is None:
            await _break(scope, receive)
            return
        try:
            async with asyncio.timeout(TAKEN_WITHIN_S):
                await response(scope, receive, send)
        except TimeoutError:
            await _break(scope, receive)

    async def _respond(self, request: Request) -> Response | None:
        """The answer to a request; None: there is none, the connection is to break."""
        if request.scope["raw_path"] == DOCUMENT_PATH.encode():
            return self._show_document(request.method)
        body = await _body(request)
        if body is None:
            words = f"body: allowed are {MAX_BODY_BYTES} bytes\n"
            return Response(words, 413, {"Connection": "close"})
        found = await self._ask(_call(request, body, next(self._numbers)), request)
        return _response(found) if isinstance(found, HttpAnswered) else None

    def _show_document(self, method: str) -> Response:
        if method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        return JSONResponse(self._document)

    async def _ask(self, call: CallHttp, request: Request) -> HttpAnswered | HttpFailed:
        """Wait for the answer, or until the caller hangs up (ClientDisconnect)."""
        answer: Answer = concurrent.futures.Future()
        self._waiting[call.call_id] = answer
        if self._is_closed:
            return HttpFailed(call_id=call.call_id, reason="reset")
        self._loop.call(lambda: self._line.call(call))
        waiting: asyncio.Future[Any] = asyncio.wrap_future(answer)
        leaving: asyncio.Future[Any] = asyncio.ensure_future(_hang_up(request.receive))
        both = (waiting, leaving)
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
        if waiting.done():
            return answer.result()
        if not self._is_closed:
            self._loop.call(lambda: self._hung_up(call.call_id))
        raise ClientDisconnect

    # --- the loop ---------------------------------------------------------------

    def _hung_up(self, call_id: int) -> None:
        if self._waiting.pop(call_id, None) is not None:
            self._line.hang_up(call_id)

    def _deliver(self, fact: Fact) -> None:
        match fact:
            case HttpAnswered() | HttpFailed():
                answer = self._waiting.pop(fact.call_id, None)
                if answer is not None:
                    with suppress(concurrent.futures.InvalidStateError):
                        answer.set_result(fact)
            case _:
                raise AssertionError(f"nothing else comes from the cloud: {fact}")

    def _carry(self, callback: CallbackReceived, heard: Heard) -> None:
        self._callbacks.post(
            callback,
            Told(
                heard=heard,
                answered=lambda status: self._line.answer_callback(
                    AnswerCallback(callback_id=callback.callback_id, status=status)
                ),
            ),
        )

    def close(self) -> None:
        """Stop serving; whoever still waits hears nothing more."""
        self._is_closed = True
        for call_id in list(self._waiting):
            self._deliver(HttpFailed(call_id=call_id, reason="reset"))
        self._server.should_exit = True
        self._thread.join(timeout=ENDS_WITHIN_S)
        self._callbacks.close()
        self._socket.close()


def _config(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=Guest,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTS_WITHIN_S,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        log_config=None,
        log_level="error",
        access_log=False,
    )


def _call(request: Request, body: bytes, call_id: int) -> CallHttp:
    target: str = request.scope["raw_path"].decode("latin-1")
    if request.scope["query_string"]:
        target += "?" + request.scope["query_string"].decode("latin-1")
    return CallHttp(
        call_id=call_id,
        method=request.method,
        target=target,
        headers=tuple(request.headers.items()),
        body=body,
        timeout_ms=LONGEST_CALL_MS,
    )


def _response(found: HttpAnswered) -> Response:
    response = Response(found.body, found.status)
    for name, value in found.headers:
        response.headers[name] = value
    if found.body and "Content-Type" not in response.headers:
        response.headers["Content-Type"] = "application/json"
    return response


async def _body(request: Request) -> bytes | None:
    """The request's body, or None when it is longer than allowed.

    A request without a body has arrived, even when its sender is gone already.
    """
    if not {"content-length", "transfer-encoding"} & set(request.headers.keys()):
        return b""
    if request.headers.get("content-length") == "0":
        return b""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


async def _hang_up(receive: Receive) -> None:
    """Returns when the caller has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break(scope: Scope, receive: Receive) -> None:
    """Reset the connection, and wait until it is gone."""
    scope["extensions"][RESET]["now"]()
    await _hang_up(receive)
