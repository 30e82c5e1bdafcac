"""The listener for the cloud's callbacks, on loopback.

Each callback waits in a thread of its own until the controller has answered it, at most
``ANSWER_S``; then the cloud is told to come again (503), as it is when too many wait
already. Only POST is taken, with a length, and no body over 1 MiB is read. Whatever is
wrong with a request is answered here and never reaches the controller.
"""

from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import BoundedSemaphore, Event, Thread
from typing import Final

from controller_ref.shells.loop import Loop
from wire.machine import MAX_BODY_BYTES, AnswerCallback, CallbackReceived

ANSWER_S: Final = 5.0
MAX_WAITING: Final = 16
PATH: Final = "/callbacks"


class _Waiting:
    """A callback that the controller has not answered yet."""

    def __init__(self) -> None:
        self.status = int(HTTPStatus.SERVICE_UNAVAILABLE)
        self.is_answered = Event()


class CallbackListener:
    """Meets ``loop.Listener``. Port 0: one that is free; raises OSError when taken."""

    def __init__(self, loop: Loop, *, port: int = 0) -> None:
        self._loop = loop
        self._numbers = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._room = BoundedSemaphore(MAX_WAITING)
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, answer: AnswerCallback) -> None:
        """Unknown numbers are of callbacks that have stopped waiting."""
        if (waiting := self._waiting.pop(answer.callback_id, None)) is not None:
            waiting.status = answer.status
            waiting.is_answered.set()

    def ask(self, target: str, body: bytes) -> int:
        """From a thread of the server: the status for a callback."""
        if not self._room.acquire(blocking=False):
            return HTTPStatus.SERVICE_UNAVAILABLE
        number, waiting = next(self._numbers), _Waiting()
        fact = CallbackReceived(callback_id=number, target=target, body=body)
        self._waiting[number] = waiting
        try:
            self._loop.post(partial(self._loop.tell, fact))
            waiting.is_answered.wait(ANSWER_S)
        finally:
            self._waiting.pop(number, None)
            self._room.release()
        return waiting.status


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    #: Nobody may take longer than this over a request.
    timeout = ANSWER_S
    server_version = "nohold"
    sys_version = ""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._reply(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > 10 or int(length) > MAX_BODY_BYTES:
            self._reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._take(int(length))

    def _take(self, length: int) -> None:
        try:
            body = self.rfile.read(length)
        except OSError:
            return
        if len(body) == length:
            self._reply(self.server.listener.ask(self.path, body))

    def _reply(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What matters about a callback is what the controller makes of it."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], listener: CallbackListener) -> None:
        super().__init__(address, _Handler)
        self.listener = listener

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up too early is its own loss."""
