"""One queue, one thread, and what had arrived before what is due."""

import socket
import time
from collections.abc import Iterator
from functools import partial
from selectors import EVENT_READ
from threading import Thread, get_ident

import pytest

from controller_ref.shells.loop import Clock, Loop
from tests.controller_ref.shells.ear import Listening
from wire.machine import (
    AnswerCallback,
    BytesReceived,
    CallHttp,
    Link,
    LinkClosed,
    OpenLink,
    SendBytes,
    Started,
)

STARTED = Started(boot=1, wall_ms=0)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def test_a_fast_clock_runs_so_many_times_faster() -> None:
    slow, fast = Clock(1), Clock(20)
    assert fast.real_s(20_000) == 1
    assert slow.real_s(20_000) == 20
    began = time.monotonic()
    while time.monotonic() < began + 0.02:
        pass
    assert 400 <= fast.now_ms() < 20 * (slow.now_ms() + 100)
    assert slow.now_ms() >= 20


def test_a_deadline_is_kept_on_the_controllers_clock() -> None:
    listening = Listening(scale=20)
    listening.ear.deadlines = [1_000, 2_000]
    began = time.monotonic()
    listening.until(lambda: len(listening.ear.woken) == 2)
    assert time.monotonic() - began >= 0.09
    assert listening.ear.woken[0] >= 1_000
    assert listening.ear.woken[1] >= 2_000
    listening.loop.close()


def test_what_has_arrived_is_heard_before_what_is_due(
    listening: Listening, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    loop, ear = listening.loop, listening.ear

    def read(_events: int) -> None:
        loop.tell(BytesReceived(link=Link.BAY, data=near.recv(100)))

    loop.watch(near.fileno(), EVENT_READ, read)
    far.send(b"in time")
    ear.deadlines = [0]
    heard_first: list[int] = []
    loop.turned = lambda: heard_first.append(len(ear.facts)) if ear.woken else None
    listening.until(lambda: ear.woken)
    assert heard_first[0] == 1


def test_another_thread_has_its_part_done_in_the_loops_own(
    listening: Listening,
) -> None:
    threads: list[int] = []
    loop = listening.loop

    def hand_over() -> None:
        loop.post(lambda: threads.append(get_ident()))
        loop.post(partial(loop.tell, STARTED))

    Thread(target=hand_over).start()
    assert listening.hear(1) == [STARTED]
    assert threads == [get_ident()]


def test_a_stop_ends_the_loop_wherever_it_comes_from(listening: Listening) -> None:
    Thread(target=listening.loop.stop).start()
    listening.loop.run(listening.ear)
    listening.loop.run(listening.ear)


def test_a_flood_of_wake_ups_is_one(listening: Listening) -> None:
    calls: list[int] = []
    for number in range(5_000):
        listening.loop.post(partial(calls.append, number))
    listening.until(lambda: len(calls) == 5_000)
    assert calls == list(range(5_000))


def test_calls_for_later_come_in_their_order(listening: Listening) -> None:
    calls: list[str] = []
    listening.loop.after(0.03, lambda: calls.append("second"))
    listening.loop.after(0.01, lambda: calls.append("first"))
    listening.until(lambda: len(calls) == 2)
    assert calls == ["first", "second"]


class Recorder:
    """A port, a caller and a listener that write down what they are asked for."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.seen: list[object] = []

    def open(self) -> None:
        self.seen.append("open")
        self.loop.tell(LinkClosed(link=Link.PSP, reason="refused"))

    def close(self) -> None:
        self.seen.append("close")
        self.loop.forget(Link.PSP)

    def send(self, data: bytes) -> None:
        self.seen.append(data)

    def call(self, call: CallHttp) -> None:
        self.seen.append(call)

    def answer(self, answer: AnswerCallback) -> None:
        self.seen.append(answer)


def test_every_action_goes_to_whom_it_concerns(listening: Listening) -> None:
    loop = listening.loop
    recorder = Recorder(loop)
    loop.links, loop.caller, loop.listener = {Link.PSP: recorder}, recorder, recorder
    call = CallHttp(call_id=1, method="GET", target="/", headers=())
    answer = AnswerCallback(callback_id=1, status=200)
    sent: list[object] = []
    loop.sent = sent.append
    listening.ear.answers = {
        Started: (
            OpenLink(link=Link.PSP),
            SendBytes(link=Link.PSP, data=b"x"),
            call,
            answer,
        )
    }
    loop.tell(STARTED)
    assert listening.hear(2) == [STARTED, LinkClosed(link=Link.PSP, reason="refused")]
    assert recorder.seen == ["open", b"x", call, answer]
    assert len(sent) == 4


def test_what_a_link_brought_dies_with_it(listening: Listening) -> None:
    loop = listening.loop
    loop.tell(BytesReceived(link=Link.PSP, data=b"old"))
    loop.tell(STARTED)
    loop.tell(BytesReceived(link=Link.BAY, data=b"other"))
    loop.forget(Link.PSP)
    assert listening.hear(2) == [STARTED, BytesReceived(link=Link.BAY, data=b"other")]
    assert len(listening.ear.facts) == 2


def test_a_call_that_nobody_can_carry_is_our_own_mistake(listening: Listening) -> None:
    listening.ear.answers = {
        Started: (CallHttp(call_id=1, method="GET", target="/", headers=()),)
    }
    listening.loop.tell(STARTED)
    with pytest.raises(AssertionError, match="nobody carries"):
        listening.loop.turn(listening.ear)
