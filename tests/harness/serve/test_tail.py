"""A trace without an end keeps its end."""

from harness.serve.tail import Tail


def filled(count: int, **bounds: int) -> Tail:
    tail = Tail(**bounds)
    for number in range(count):
        tail.keep(f"{number:04}")
    return tail


def test_all_is_there_while_there_is_room() -> None:
    found = filled(3).since(0)
    assert (found.lines, found.dropped) == (("0000", "0001", "0002"), 0)


def test_numbers_go_on_when_the_oldest_are_gone() -> None:
    tail = filled(10, max_records=4)
    assert tail.next_seq == 10
    found = tail.since(0)
    assert (found.lines, found.dropped) == (("0006", "0007", "0008", "0009"), 6)
    assert tail.since(8).lines == ("0008", "0009")
    assert tail.since(8).dropped == 0


def test_long_records_count_by_their_length() -> None:
    tail = filled(10, max_characters=12)
    assert tail.since(0).lines == ("0007", "0008", "0009")


def test_the_latest_is_kept_however_long_it_is() -> None:
    tail = Tail(max_characters=3)
    tail.keep("a")
    tail.keep("very long")
    assert tail.since(0).lines == ("very long",)


def test_what_is_to_come_is_not_there_and_not_dropped() -> None:
    found = filled(10, max_records=4).since(99)
    assert (found.lines, found.dropped) == ((), 0)
