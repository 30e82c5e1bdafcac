"""Lines for a reader who may be slow, absent or gone."""

import os
from collections.abc import Iterator

import pytest

from harness.shells.teller import Teller

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue  # the test has closed it


def read_all(pipe: Pipe, teller: Teller) -> str:
    """Close the teller, then take all that it has written."""
    teller.close()
    os.close(pipe[1])
    with open(pipe[0], encoding="utf-8", closefd=False) as stream:
        return stream.read()


def test_lines_come_in_their_order(pipe: Pipe) -> None:
    teller = Teller(pipe[1])
    for number in range(100):
        teller.say(f"line {number} \N{SNOWMAN}")
    assert read_all(pipe, teller).splitlines() == [
        f"line {number} \N{SNOWMAN}" for number in range(100)
    ]


def test_a_reader_who_does_not_read_holds_nobody_up(pipe: Pipe) -> None:
    teller = Teller(pipe[1], max_waiting=10)
    for _ in range(5_000):
        teller.say("x" * 1_000)
    # The pipe is full, the queue is full, and we are here all the same.
    teller.close()


def test_what_was_left_out_is_counted(pipe: Pipe) -> None:
    teller = Teller(pipe[1], max_waiting=10)
    for _ in range(1_000):
        teller.say("x" * 1_000)
    taken = b""
    for _ in range(10_000):
        taken += os.read(pipe[0], 65_536)
        teller.say("and on")
        if b"lines left out" in taken:
            break
    teller.close()
    assert b" lines left out\n" in taken


def test_a_reader_who_is_gone_is_no_error(pipe: Pipe) -> None:
    os.close(pipe[0])
    teller = Teller(pipe[1])
    for _ in range(10):
        teller.say("anybody?")
    teller.close()
