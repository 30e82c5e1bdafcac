"""Calls over real HTTP: answered once, sent once, whatever the server does."""

import re
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from controller_ref.shells.http import MAX_CALLS, HttpCaller
from tests.controller_ref.shells.ear import LIMIT_S, Listening
from wire.machine import MAX_BODY_BYTES, CallHttp, HttpAnswered, HttpFailed

Serve = Callable[[socket.socket], None]


def is_whole(request: bytes) -> bool:
    """Whether nothing of a POST is still to come; anything else is taken as it is."""
    head, end, body = request.partition(b"\r\n\r\n")
    found = re.search(rb"Content-Length: (\d+)", head)
    is_post = request.startswith(b"POST ")
    return not is_post or bool(end and found and len(body) == int(found[1]))


class Server:
    """Accepts and lets ``serve`` do what it likes with each connection."""

    def __init__(self, serve: Serve) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._serve = serve
        self.requests: list[bytes] = []
        self.port = self._socket.getsockname()[1]
        self._peers: list[socket.socket] = []
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            peer, _ = self._socket.accept()
            peer.settimeout(LIMIT_S)
            self._peers.append(peer)
            request = peer.recv(65_536)
            while not is_whole(request):
                request += peer.recv(65_536)
            if request == b"end":
                return
            self.requests.append(request)
            self._serve(peer)

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"end")
            self._thread.join(LIMIT_S)
        for peer in self._peers:
            peer.close()
        self._socket.close()


@pytest.fixture
def serving() -> Iterator[Callable[[Serve], Server]]:
    made: list[Server] = []

    def make(serve: Serve) -> Server:
        made.append(Server(serve))
        return made[-1]

    yield make
    for server in made:
        server.close()


def caller(listening: Listening, port: int, path: str = "") -> HttpCaller:
    return HttpCaller(f"http://127.0.0.1:{port}{path}", loop=listening.loop)


def call(number: int = 1, *, body: bytes = b"", timeout_ms: int = 10_000) -> CallHttp:
    return CallHttp(
        call_id=number,
        method="POST",
        target="/terminals/P68/start?authorizedAmount=5000",
        headers=(("Authorization", "CPS apikey=x"),),
        body=body,
        timeout_ms=timeout_ms,
    )


def reply(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Any\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


def test_an_answer_comes_back_as_it_was_given(
    listening: Listening, serving: Callable[[Serve], Server]
) -> None:
    server = serving(lambda peer: peer.sendall(reply(409, b'{"a":1}')))
    caller(listening, server.port, "/api/").call(call(body=b"{}"))
    assert listening.hear(1) == [HttpAnswered(call_id=1, status=409, body=b'{"a":1}')]
    request = server.requests[0]
    assert request.startswith(
        b"POST /api/terminals/P68/start?authorizedAmount=5000 HTTP/1.1\r\n"
    )
    assert b"\r\nAuthorization: CPS apikey=x\r\n" in request
    assert b"\r\nContent-Length: 2\r\n" in request
    assert request.endswith(b"\r\n\r\n{}")


def test_nobody_there_is_refused(listening: Listening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    caller(listening, port).call(call())
    assert listening.hear(1) == [HttpFailed(call_id=1, reason="refused")]


def test_a_server_that_says_nothing_is_a_timeout_on_our_clock(
    serving: Callable[[Serve], Server],
) -> None:
    listening = Listening(scale=20)
    server = serving(lambda peer: None)
    began = time.monotonic()
    caller(listening, server.port).call(call(timeout_ms=6_000))
    assert listening.hear(1) == [HttpFailed(call_id=1, reason="timeout")]
    assert 0.29 <= time.monotonic() - began < LIMIT_S
    listening.loop.close()


def test_an_answer_that_drips_ends_in_time_and_is_hung_up_on(
    listening: Listening, serving: Callable[[Serve], Server]
) -> None:
    hung_up: list[bool] = []

    def drip(peer: socket.socket) -> None:
        """One byte each 100 ms: never silent for as long as the limit."""
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        for _ in range(100):
            peer.sendall(b"x")
            if select.select([peer], [], [], 0.1)[0]:
                hung_up.append(True)
                return

    server = serving(drip)
    caller(listening, server.port).call(call(timeout_ms=300))
    assert listening.hear(1) == [HttpFailed(call_id=1, reason="timeout")]
    listening.until(lambda: hung_up)
    assert len(listening.ear.facts) == 1


def cut(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def cut_in_the_middle(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    peer.close()


def babble(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-whatever\r\n")
    peer.close()


def flood(peer: socket.socket) -> None:
    peer.sendall(reply(200, bytes(MAX_BODY_BYTES + 1)))


@pytest.mark.parametrize("serve", [cut, cut_in_the_middle, babble, flood])
def test_a_broken_answer_is_a_reset_and_the_call_is_not_repeated(
    listening: Listening, serving: Callable[[Serve], Server], serve: Serve
) -> None:
    server = serving(serve)
    caller(listening, server.port).call(call())
    assert listening.hear(1) == [HttpFailed(call_id=1, reason="reset")]
    assert len(server.requests) == 1


def test_the_largest_answer_is_taken(
    listening: Listening, serving: Callable[[Serve], Server]
) -> None:
    server = serving(lambda peer: peer.sendall(reply(200, bytes(MAX_BODY_BYTES))))
    caller(listening, server.port).call(call())
    assert isinstance(listening.hear(1)[0], HttpAnswered)


def test_calls_have_a_maximum_and_each_its_own_answer(
    listening: Listening, serving: Callable[[Serve], Server]
) -> None:
    server = serving(lambda peer: None)
    calls = caller(listening, server.port)
    for number in range(MAX_CALLS + 1):
        calls.call(call(number, timeout_ms=500))
    facts = listening.hear(MAX_CALLS + 1)
    assert facts[0] == HttpFailed(call_id=MAX_CALLS, reason="refused")
    timeouts = {HttpFailed(call_id=n, reason="timeout") for n in range(MAX_CALLS)}
    assert set(facts[1:]) == timeouts
    calls.call(call(99, timeout_ms=100))
    assert listening.hear(MAX_CALLS + 2)[-1] == HttpFailed(call_id=99, reason="timeout")
    assert len(listening.ear.facts) == MAX_CALLS + 2


def test_https_does_not_speak_to_a_stranger(
    listening: Listening, serving: Callable[[Serve], Server]
) -> None:
    server = serving(babble)
    HttpCaller(f"https://127.0.0.1:{server.port}", loop=listening.loop).call(call())
    assert listening.hear(1) == [HttpFailed(call_id=1, reason="refused")]
    assert b"POST" not in server.requests[0]
