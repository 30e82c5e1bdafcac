"""The loop: ready ports, timers and calls from threads, in one place."""

import socket
import threading
from collections.abc import Iterator
from time import perf_counter

import pytest

from harness.shells.loop import LONGEST_NAP_S, Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_port_that_a_call_has_closed_is_not_called_any_more(loop: Loop) -> None:
    """Both were ready in the same wake-up, and the numbers of ports come again."""
    called: list[str] = []
    pairs = [socket.socketpair() for _ in range(2)]

    def first_of(name: str, other: socket.socket) -> None:
        called.append(name)
        loop.forget(other)
        other.close()
        again = socket.socketpair()
        pairs.append(again)
        loop.watch(again[0], lambda: called.append("a stranger"))

    (a, to_a), (b, to_b) = pairs
    loop.watch(a, lambda: first_of("a", b))
    loop.watch(b, lambda: first_of("b", a))
    to_a.send(b"!")
    to_b.send(b"!")
    loop.wait(1)
    assert len(called) == 1
    for one, other in pairs:
        one.close()
        other.close()


def test_it_waits_for_room_only_as_long_as_asked(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    found: list[str] = []
    loop.watch(
        ours, lambda: found.append("read"), writable=lambda: found.append("write")
    )
    loop.wait(1)
    assert found == ["write"]
    loop.watch(ours, lambda: found.append("read"))
    loop.wait(0)
    assert found == ["write"]
    theirs.send(b"!")
    loop.wait(1)
    assert found == ["write", "read"]


def test_timers_come_in_their_order_and_not_before(loop: Loop) -> None:
    found: list[str] = []
    began = perf_counter()
    loop.call_in(0.05, lambda: found.append("later"))
    loop.call_in(0.0, lambda: found.append("soon"))
    loop.wait(5)
    assert found == ["soon"]
    while len(found) < 2:
        loop.wait(5)
    assert found == ["soon", "later"]
    assert 0.05 <= perf_counter() - began < LONGEST_NAP_S


def test_a_thread_hands_over_a_call(loop: Loop) -> None:
    where: list[int] = []
    thread = threading.Thread(
        target=lambda: loop.call(lambda: where.append(threading.get_ident()))
    )
    thread.start()
    while not where:
        loop.wait(1)
    thread.join()
    assert where == [threading.get_ident()]


def test_a_thousand_silent_ports_cost_nothing(loop: Loop) -> None:
    """What is asked of the loop at each event does not grow with its ports."""
    silent = [socket.socketpair() for _ in range(500)]

    def time_of_events() -> float:
        ours, theirs = socket.socketpair()
        loop.watch(ours, lambda: ours.recv(1))
        best = float("inf")
        for _ in range(5):
            began = perf_counter()
            for _ in range(300):
                theirs.send(b"!")
                loop.wait(1)
            best = min(best, perf_counter() - began)
        loop.forget(ours)
        ours.close()
        theirs.close()
        return best

    alone = time_of_events()
    for ours, _ in silent:
        loop.watch(ours, lambda: None)
    assert time_of_events() < 5 * alone
    for ours, theirs in silent:
        ours.close()
        theirs.close()
