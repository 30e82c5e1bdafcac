"""The control interface as an HTTP server: carries calls to the desk and answers back.

The web server runs in a thread of its own and decides nothing. A request becomes a call
that waits its turn with the bench, its answer a future; records become server-sent
events through a bounded queue per listener. Bodies, headers, the number of requests at
a time and the time that a body may take are bounded.
"""

import asyncio
import concurrent.futures
import json
import socket
import threading
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any, Final

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from harness.serve.desk import Answer, Desk
from harness.serve.play import Play
from harness.shells.listeners import Listener
from harness.shells.loop import Loop
from harness.shells.tcp import listen
from wire.records import Record

#: No call of the control interface is longer.
MAX_BODY_BYTES: Final = 1 << 16
BODY_WITHIN_S: Final = 10.0
#: The bench answers between two of its turns; it is busy or broken when it does not.
ANSWERS_WITHIN_S: Final = 30.0
ENDS_WITHIN_S: Final = 3.0
MAX_REQUESTS: Final = 128
MAX_LISTENERS: Final = 32
MAX_DIGITS: Final = 16
EVENTS_PATH: Final = "/bench/events"
#: What is written at once of a long answer, characters.
PIECE: Final = 1 << 16

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, on its way to the desk."""

    method: str
    path: str
    query: str
    body: bytes
    #: The web server's loop, for a listener that may come of it.
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The desk's answer; with a listener when it goes on."""

    answer: Answer
    listener: Listener | None = None


_ENDING: Final = Answer(status=503, body={"error": "the bench ends"})


class ControlPort:
    """Serves the control interface; ``port`` 0 takes a free one. Raises SetupError."""

    def __init__(self, loop: Loop, *, host: str, port: int) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Call, concurrent.futures.Future[Reply]]] = deque()
        self._listeners: list[Listener] = []
        self._socket = listen(host, port)
        # Each connection inherits it; without, an answer waits 40 ms for its rest.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.port = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            limit_concurrency=MAX_REQUESTS,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, play: Play) -> None:
        """Begin to serve; listeners hear what ``play`` does."""
        play.followers.append(self._happened)
        self._thread.start()

    # --- the bench's thread -----------------------------------------------------

    @property
    def has_calls(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._waiting)

    def answer_calls(self, desk: Desk) -> None:
        """Let the desk carry out what waits; never inside a turn of the kernel."""
        while self._waiting:
            call, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                future.set_result(self._reply(desk, call))

    def _reply(self, desk: Desk, call: Call) -> Reply:
        answer = desk.call(call.method, call.path, query=call.query, body=call.body)
        if not answer.goes_on:
            return Reply(answer=answer)
        self._listeners = [one for one in self._listeners if not one.ended]
        if len(self._listeners) >= MAX_LISTENERS:
            why = f"{MAX_LISTENERS} listen already"
            return Reply(answer=Answer(status=503, body={"error": why}))
        listener = Listener(call.loop, answer.lines or ())
        self._listeners.append(listener)
        return Reply(answer=answer, listener=listener)

    def _happened(self, _record: Record, line: str) -> None:
        for listener in self._listeners:
            listener.put(line)

    def close(self) -> None:
        """Tell the listeners, stop serving."""
        for listener in self._listeners:
            listener.close("the bench ends")
        for _, future in self._waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(Reply(answer=_ENDING))
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=ENDS_WITHIN_S)
        self._socket.close()

    # --- the web server's thread ------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return _refusal(408, "the body did not come in time")
        if body is None:
            return _refusal(413, f"a body has at most {MAX_BODY_BYTES} bytes")
        call = Call(
            method=request.method,
            path=request.scope["path"],
            query=_query(request),
            body=body,
            loop=asyncio.get_running_loop(),
        )
        try:
            reply = await asyncio.wait_for(self._ask(call), ANSWERS_WITHIN_S)
        except TimeoutError:
            return _refusal(503, "the bench does not answer")
        return self._response(reply)

    def _ask(self, call: Call) -> "asyncio.Future[Reply]":
        future: concurrent.futures.Future[Reply] = concurrent.futures.Future()
        self._waiting.append((call, future))
        self._loop.call(lambda: None)  # wake it up
        return asyncio.wrap_future(future)

    def _response(self, reply: Reply) -> Response:
        answer, headers = reply.answer, dict(reply.answer.headers)
        if reply.listener is not None:
            events = self._events(reply.listener)
            return StreamingResponse(events, media_type=answer.media, headers=headers)
        if answer.lines is not None:
            pieces = _in_pieces(answer.lines)
            return StreamingResponse(pieces, media_type=answer.media, headers=headers)
        return _json(answer.status, answer.body, headers)

    async def _events(self, listener: Listener) -> AsyncIterator[str]:
        try:
            async for line in listener.lines():
                yield ": still there\n\n" if line is None else _event(line)
            reason = json.dumps({"reason": listener.why})
            yield f"event: {listener.ended}\ndata: {reason}\n\n"
        finally:
            listener.close("the listener is gone")


def _event(line: str) -> str:
    return f"id: {json.loads(line)['seq']}\ndata: {line}\n\n"


async def _in_pieces(lines: Sequence[str]) -> AsyncIterator[str]:
    piece: list[str] = []
    size = 0
    for line in lines:
        piece.append(f"{line}\n")
        size += len(line)
        if size >= PIECE:
            yield "".join(piece)
            piece, size = [], 0
    yield "".join(piece)


def _refusal(status: int, why: str) -> Response:
    """An answer to what is not read to its end; the connection goes with it."""
    return _json(status, {"error": why}, {"Connection": "close"})


def _json(status: int, body: object, headers: Mapping[str, str]) -> Response:
    """ASCII only: an answer may repeat half a character that somebody has sent."""
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def _query(request: Request) -> str:
    """The query; an events listener that comes back says what it has heard."""
    query: str = request.scope["query_string"].decode("latin-1")
    last = request.headers.get("last-event-id", "")
    if query or not (last.isascii() and last.isdigit() and len(last) < MAX_DIGITS):
        return query
    return f"since={int(last) + 1}" if request.scope["path"] == EVENTS_PATH else query


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is longer than allowed or says that it will be."""
    length = request.headers.get("content-length", "0")
    is_number = length.isascii() and length.isdigit() and len(length) < MAX_DIGITS
    if not is_number or int(length) > MAX_BODY_BYTES:
        return None
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return body
