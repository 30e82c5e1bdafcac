"""How much garbage of a line is kept."""

from simulator.flood import MAX_GARBAGE, MAX_PIECES, Flood


def test_sense_is_always_kept() -> None:
    flood = Flood()
    for _ in range(2 * MAX_GARBAGE):
        assert flood.keeps(5, sense=True, garbage=False)
    assert flood.told() == ""


def test_garbage_is_kept_up_to_a_limit_and_then_counted() -> None:
    flood = Flood()
    kept = [flood.keeps(7, sense=False, garbage=True) for _ in range(MAX_GARBAGE + 3)]
    assert kept == [True] * MAX_GARBAGE + [False] * 3
    assert flood.told() == "3 more pieces, 21 bytes, not kept"
    assert flood.told() == ""


def test_sense_in_between_does_not_open_the_gate_again() -> None:
    flood = Flood()
    for _ in range(MAX_GARBAGE):
        flood.keeps(7, sense=False, garbage=True)
        flood.keeps(7, sense=True, garbage=False)
    assert not flood.keeps(7, sense=False, garbage=True)


def test_pieces_of_a_message_are_no_garbage_until_there_are_too_many() -> None:
    flood = Flood()
    for _ in range(10):
        for _ in range(MAX_PIECES):
            assert flood.keeps(1, sense=False, garbage=False)
        flood.keeps(1, sense=True, garbage=False)
    for _ in range(MAX_PIECES + MAX_GARBAGE):
        assert flood.keeps(1, sense=False, garbage=False)
    assert not flood.keeps(1, sense=False, garbage=False)
