"""The callback listener: answered by the controller, bounded, never stuck."""

import http.client
import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from controller_ref.shells import callbacks
from controller_ref.shells.callbacks import MAX_WAITING, CallbackListener
from tests.controller_ref.shells.ear import LIMIT_S, Listening
from wire.machine import MAX_BODY_BYTES, AnswerCallback, CallbackReceived


@pytest.fixture
def listener(listening: Listening) -> Iterator[CallbackListener]:
    made = CallbackListener(listening.loop)
    listening.loop.listener = made
    made.start()
    yield made
    made.close()


class Post:
    """A POST on a thread of its own."""

    def __init__(self, url: str, body: bytes, **headers: str) -> None:
        self.status = 0
        self._thread = Thread(target=self._run, args=(url, body, headers))
        self._thread.start()

    def _run(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        host, _, path = url.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=LIMIT_S)
        connection.request("POST", f"/{path}", body, headers)
        self.status = connection.getresponse().status
        connection.close()

    def result(self) -> int:
        self._thread.join(LIMIT_S)
        return self.status


def raw(url: str, request: bytes) -> bytes:
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT_S) as peer:
        peer.sendall(request)
        return peer.recv(100)


def test_a_callback_gets_the_controllers_answer(
    listening: Listening, listener: CallbackListener
) -> None:
    listening.ear.answers = {
        CallbackReceived: (AnswerCallback(callback_id=1, status=204),)
    }
    post = Post(f"{listener.url}/token?x=1", b'{"cardId":"a"}')
    fact = CallbackReceived(
        callback_id=1, target="/callbacks/token?x=1", body=b'{"cardId":"a"}'
    )
    assert listening.hear(1) == [fact]
    assert post.result() == 204


def test_a_body_may_have_a_mebibyte_and_no_more(
    listening: Listening, listener: CallbackListener
) -> None:
    listening.ear.answers = {
        CallbackReceived: (AnswerCallback(callback_id=1, status=200),)
    }
    post = Post(listener.url, bytes(MAX_BODY_BYTES))
    (fact,) = listening.hear(1)
    assert isinstance(fact, CallbackReceived)
    assert len(fact.body) == MAX_BODY_BYTES
    assert post.result() == 200
    for length in (MAX_BODY_BYTES + 1, 10**30):
        head = f"POST /callbacks HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
        assert b" 413 " in raw(listener.url, head.encode("ascii"))
    assert len(listening.ear.facts) == 1


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"POST /callbacks HTTP/1.1\r\n\r\n", b" 411 "),
        (b"POST /callbacks HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b" 411 "),
        (b"GET /callbacks HTTP/1.1\r\n\r\n", b" 501 "),
        (b"what?\r\n\r\n", b"Error"),
    ],
)
def test_anything_else_is_turned_away(
    listening: Listening, listener: CallbackListener, request_line: bytes, status: bytes
) -> None:
    assert status in raw(listener.url, request_line)
    listening.loop.tell(CallbackReceived(callback_id=0, target="last", body=b""))
    assert len(listening.hear(1)) == 1


def test_a_callback_that_nobody_answers_is_to_come_again(
    listening: Listening, listener: CallbackListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "ANSWER_S", 0.05)
    post = Post(listener.url, b"")
    listening.hear(1)
    assert post.result() == 503
    # It has stopped waiting: a late answer finds nobody.
    listener.answer(AnswerCallback(callback_id=1, status=200))


def test_only_so_many_may_wait(
    listening: Listening, listener: CallbackListener
) -> None:
    posts = [Post(listener.url, b"") for _ in range(MAX_WAITING)]
    facts = listening.hear(MAX_WAITING)
    assert Post(listener.url, b"").result() == 503
    for fact in facts:
        assert isinstance(fact, CallbackReceived)
        listener.answer(AnswerCallback(callback_id=fact.callback_id, status=200))
    assert [post.result() for post in posts] == [200] * MAX_WAITING


def test_a_sender_that_hangs_up_is_not_heard(
    listening: Listening, listener: CallbackListener
) -> None:
    host, _, port = (
        listener.url.removeprefix("http://").partition("/")[0].partition(":")
    )
    with socket.create_connection((host, int(port))) as peer:
        peer.sendall(b"POST /callbacks HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
    listening.ear.answers = {
        CallbackReceived: (AnswerCallback(callback_id=1, status=200),)
    }
    post = Post(listener.url, b"whole")
    (fact,) = listening.hear(1)
    assert isinstance(fact, CallbackReceived)
    assert fact.body == b"whole"
    assert post.result() == 200


def test_a_port_of_ones_own_choice_may_be_taken(listening: Listening) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(OSError, match="in use"),
    ):
        CallbackListener(listening.loop, port=other.getsockname()[1])
