"""A hold ends once, and the schemes' validities are those of the sources."""

import pytest

from simulator.cards import CARDS
from simulator.holds import VALIDITY, Hold, Holds, State

DAY_MS = 86_400_000


def opened(holds: Holds) -> Hold:
    return holds.open(CARDS["visa"], amount_minor=5000, now_ms=10, valid_ms=1000)


def test_every_payment_card_has_a_validity() -> None:
    for card in CARDS.values():
        assert card.kind == "rfid" or card.scheme in VALIDITY


def test_validities_begin_at_the_scheme_and_end_at_the_issuer() -> None:
    assert {name: row.min_days for name, row in VALIDITY.items()} == {
        "visa": 5,
        "amex": 7,
        "mastercard": 30,
    }
    assert all(row.max_days >= 30 for row in VALIDITY.values())
    assert VALIDITY["mastercard"].increment_ms == 30 * DAY_MS
    assert VALIDITY["visa"].increment_ms == 0
    assert VALIDITY["visa"].span_ms == (5 * DAY_MS, 30 * DAY_MS)


@pytest.mark.parametrize(
    ("state", "captured", "released"),
    [("captured", 1200, 3800), ("released", 0, 5000), ("dropped", 0, 5000)],
)
def test_what_is_not_taken_goes_back(
    state: State, captured: int, released: int
) -> None:
    holds = Holds()
    hold = opened(holds)
    assert hold.released_minor == 0
    ended = holds.end(hold, state, now_ms=99, captured_minor=captured)
    assert (ended.state, ended.closed_ms) == (state, 99)
    assert (ended.captured_minor, ended.released_minor) == (captured, released)
    assert holds.all[hold.hold] is ended


def test_an_accepted_over_capture_gives_nothing_back() -> None:
    holds = Holds()
    ended = holds.end(opened(holds), "captured", now_ms=1, captured_minor=6000)
    assert ended.released_minor == 0


def test_an_ended_hold_never_moves_again() -> None:
    holds = Holds()
    hold = opened(holds)
    holds.end(hold, "released", now_ms=20)
    with pytest.raises(AssertionError, match="found released"):
        holds.end(hold, "captured", now_ms=30, captured_minor=1)
    with pytest.raises(AssertionError, match="found released"):
        holds.move(hold, total_minor=1, longer_ms=0)


def test_holds_are_found_by_name_and_by_being_open() -> None:
    holds = Holds()
    hold = opened(holds)
    assert holds.find(hold.hold) is holds.find_open(hold.hold) is hold
    holds.end(hold, "released", now_ms=20)
    assert holds.find_open(hold.hold) is None
    assert holds.find(hold.hold) is not None
    assert holds.find("H999999") is holds.find_open("H999999") is None


def test_the_view_cannot_be_written() -> None:
    holds = Holds()
    hold = opened(holds)
    with pytest.raises(TypeError):
        holds.all["x"] = hold  # type: ignore[index]  # refused at run time too


def test_an_increment_moves_amount_and_end() -> None:
    holds = Holds()
    moved = holds.move(opened(holds), total_minor=7000, longer_ms=500)
    assert (moved.held_minor, moved.drops_ms, moved.state) == (7000, 1510, "open")


def test_ended_holds_are_forgotten_and_open_ones_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.holds.MAX_HOLDS", 3)
    holds = Holds()
    first, second, third = (opened(holds) for _ in range(3))
    holds.end(second, "released", now_ms=20)
    fourth = opened(holds)
    assert list(holds.all) == [first.hold, third.hold, fourth.hold]
    fifth = opened(holds)
    assert list(holds.all) == [first.hold, third.hold, fourth.hold, fifth.hold]
    assert len({first.hold, second.hold, third.hold, fourth.hold, fifth.hold}) == 5
