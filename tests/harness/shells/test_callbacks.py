"""Callbacks over a real network: one post each, bounded in time, number and trust."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from harness.shells import callbacks
from tests.harness.shells.served import PATIENCE_S, Served

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Reply = Callable[[socket.socket], None]


class Listener:
    """A controller's listener that does with each connection what it is told."""

    def __init__(self, reply: Reply) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._reply = reply
        self.requests: list[bytes] = []
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/cb?x=1"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self._peers.append(peer)
            peer.settimeout(PATIENCE_S)
            thread = threading.Thread(target=self._serve, args=[peer])
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            self.requests.append(_request_from(peer))
            self._reply(peer)
        except OSError:
            pass  # the cloud has hung up

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for peer in self._peers:
            peer.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)


def _request_from(peer: socket.socket) -> bytes:
    """A whole request: head and body need not come in one piece."""
    heard = b""
    while (more := peer.recv(65_536)) != b"":
        heard += more
        head, _, body = heard.partition(b"\r\n\r\n")
        (size,) = re.findall(rb"(?i)content-length: (\d+)", head) or [b"0"]
        if b"\r\n\r\n" in heard and len(body) >= int(size):
            break
    return heard


def says(answer: bytes) -> Reply:
    def reply(peer: socket.socket) -> None:
        peer.sendall(answer)
        peer.close()

    return reply


def says_nothing(peer: socket.socket) -> None:
    """Keeps the connection and its thoughts to itself."""


def drips(peer: socket.socket) -> None:
    """A byte now and then, for ever."""
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.sendall(b"X")
        time.sleep(0.05)


def never_ends(peer: socket.socket) -> None:
    """A body without an end, as fast as it goes."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while True:
        peer.sendall(b"x" * 65_536)


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


@pytest.fixture
def listening() -> Iterator[Callable[[Reply], Listener]]:
    made: list[Listener] = []

    def make(reply: Reply) -> Listener:
        made.append(Listener(reply))
        return made[-1]

    yield make
    for listener in made:
        listener.close()


def post(served: Served, url: str, body: bytes = b'{"cardId":"X"}') -> None:
    served.in_loop(lambda: served.line.callback("card", url, body))


def fates(served: Served) -> list[object]:
    return [record["fate"] for record in served.records("callback")]


def statuses(served: Served) -> list[object]:
    return [record["status"] for record in served.records("callback_answer")]


def test_a_callback_is_a_post_of_json(
    served: Served, listening: Callable[[Reply], Listener]
) -> None:
    listener = listening(says(OK))
    post(served, listener.url)
    served.wait_for(lambda: statuses(served) == [204])
    (request,) = listener.requests
    assert request.startswith(b"POST /cb?x=1 HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in request
    assert fates(served) == ["delivered"]


def test_an_address_may_have_any_characters(
    served: Served, listening: Callable[[Reply], Listener]
) -> None:
    listener = listening(says(OK))
    post(served, listener.url + "&name=Müller'%20<x>")
    served.wait_for(lambda: statuses(served) == [204])
    assert listener.requests[0].startswith(b"POST /cb?x=1&name=M%C3%BCller'%20%3Cx%3E ")


def test_what_nobody_listens_to_is_lost(served: Served) -> None:
    """The judge must not think that the controller was told."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/cb"
    post(served, url)
    served.wait_for(lambda: fates(served) == ["lost"])
    assert statuses(served) == []


def test_redirects_are_not_followed(
    served: Served, listening: Callable[[Reply], Listener]
) -> None:
    trap = listening(says(OK))
    head = f"HTTP/1.1 307 Over there\r\nLocation: {trap.url}\r\n\r\n"
    post(served, listening(says(head.encode())).url)
    served.wait_for(lambda: statuses(served) == [307])
    assert trap.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1/cb",
        "http://127.0.0.1@collector.example/cb",
        "http://127.0.0.1.collector.example/cb",
        "https://127.0.0.1/cb",
    ],
)
def test_only_declared_hosts_over_plain_http_are_called(
    served: Served, url: str
) -> None:
    for _ in range(3):
        post(served, url)
    served.wait_for(lambda: fates(served) == ["lost"] * 3)
    (found,) = served.records("finding")
    assert found["expected"] == "an http callback to 127.0.0.1"
    assert "not posted" in found["seen"]


@pytest.mark.parametrize("reply", [says_nothing, drips, never_ends])
def test_a_bad_listener_delays_nobody_and_is_given_up(
    served: Served,
    listening: Callable[[Reply], Listener],
    reply: Reply,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posts = served.port._callbacks
    monkeypatch.setattr(posts, "_limit_s", 1.0)
    bad, good = listening(reply), listening(says(OK))
    for _ in range(3):
        post(served, bad.url)
    served.wait_for(lambda: len(bad.requests) == 3)
    began = time.monotonic()
    post(served, good.url)
    served.wait_for(lambda: 204 in statuses(served))
    assert served.is_well()
    if reply is not never_ends:
        assert time.monotonic() - began < 1.0 or posts.under_way == 0
    served.wait_for(lambda: posts.under_way == 0)
    assert fates(served) == ["delivered"] * 4


def test_there_is_an_end_to_how_many_wait(
    served: Served, listening: Callable[[Reply], Listener]
) -> None:
    silent = listening(says_nothing)
    for _ in range(callbacks.MAX_UNDER_WAY + 5):
        post(served, silent.url)
    served.wait_for(lambda: len(fates(served)) == callbacks.MAX_UNDER_WAY + 5)
    assert fates(served).count("lost") == 5
    assert served.port._callbacks.under_way <= callbacks.MAX_UNDER_WAY
    assert served.is_well()


def test_the_time_to_answer_follows_the_scale_and_keeps_a_second(
    served: Served,
) -> None:
    life = callbacks.Callbacks(served.loop)
    fast = callbacks.Callbacks(served.loop, time_scale=20)
    assert life._limit_s == callbacks.ANSWER_WITHIN_MS / 1000 + 1
    assert fast._limit_s == callbacks.ANSWER_WITHIN_MS / 20_000 + 1


def test_a_card_that_is_read_reaches_the_controller(
    listening: Callable[[Reply], Listener],
) -> None:
    served = Served(taps=True)
    try:
        listener = listening(says(OK))
        start = "/terminals/{serial}/start?authorizedAmount=5000&callbackUrl="
        assert served.ask("POST", start + listener.url).status == 204
        served.wait_for(lambda: statuses(served) == [204])
    finally:
        served.close()
    assert b'"maskedPan"' in listener.requests[0]
