"""An issuer that is slow, silent or told what to answer; and its bounds."""

import pytest

from simulator.behaviour import Behaviour
from simulator.cards import ORDINARY_CARDS, Outcome
from simulator.events import (
    Authorise,
    IssuerAnswered,
)
from simulator.issuer import (
    EVERY_ASK,
    MAX_PENDING,
    MAX_REMEMBERED,
)
from tests.simulator.issuer_desk import DAY_MS, Desk, notes_of


def test_behaviour_of_a_card_goes_before_that_of_all(desk: Desk) -> None:
    desk.issuer.set_behaviour(None, Behaviour(outcome=Outcome.DECLINE))
    desk.issuer.set_behaviour("amex", Behaviour(delay_ms=50))
    requests = [desk.authorise("visa"), desk.authorise("amex")]
    desk.wait(1000)
    outcomes = [desk.answer(request).outcome for request in requests]
    assert outcomes == ["declined", "approved"]


def test_a_behaviour_can_be_healed(desk: Desk) -> None:
    desk.issuer.set_behaviour(
        None, Behaviour(outcome=Outcome.DECLINE, decline_reason=7)
    )
    first = desk.authorise()
    desk.wait(1000)
    desk.issuer.set_behaviour(None, None)
    desk.issuer.set_behaviour(None, None)
    second = desk.authorise()
    desk.wait(1000)
    assert (desk.answer(first).outcome, desk.answer(first).reason) == ("declined", 7)
    assert desk.answer(second).outcome == "approved"


def test_a_behaviour_of_a_card_that_does_not_exist_is_an_error(desk: Desk) -> None:
    with pytest.raises(LookupError, match="found 'gold', allowed visa"):
        desk.issuer.set_behaviour("gold", None)


def test_delays_can_be_set_for_requests_and_closes(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(delay_ms=7, close_delay_ms=5))
    request = desk.authorise()
    assert desk.issuer.deadline_ms() == 7
    desk.wait(7)
    desk.release(desk.answer(request).hold)
    assert desk.issuer.deadline_ms() == 12


@pytest.mark.parametrize("after_effect", [False, True])
def test_silence_before_and_after_the_effect(desk: Desk, after_effect: bool) -> None:
    hold = desk.opened()
    desk.issuer.answer_silence(frozenset({"capture"}), after_effect=after_effect)
    request = desk.capture(hold.hold, 100)
    other = desk.authorise("amex")
    desk.wait(1000)
    assert desk.answers(request) == []
    assert desk.answer(other).outcome == "approved"
    assert desk.held(hold).state == ("captured" if after_effect else "open")
    assert ("captured" in desk.notes()) is after_effect
    assert ("silent" in desk.notes()) is not after_effect


def test_silence_covers_everything_and_ends(desk: Desk) -> None:
    hold = desk.opened()
    desk.issuer.answer_silence()
    mute = [desk.authorise(), desk.increment(hold.hold, 1), desk.release(hold.hold)]
    mute.append(desk.capture("H000099", 5))
    desk.wait(1000)
    assert all(desk.answers(request) == [] for request in mute)
    assert desk.notes().count("silent") == len(mute) == len(EVERY_ASK)
    desk.issuer.answer_silence(frozenset())
    request = desk.release(hold.hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "released"


def test_a_request_number_is_answered_once(desk: Desk) -> None:
    event = Authorise(request=1, card="visa", amount_minor=100)
    desk.send(event)
    desk.send(event)
    desk.wait(1000)
    desk.send(event)
    desk.wait(1000)
    assert len(desk.answers(1)) == 1
    assert len(desk.issuer.holds) == 1


def test_the_memory_of_request_numbers_is_bounded(desk: Desk) -> None:
    for _ in range(MAX_REMEMBERED + 1):
        desk.authorise("declined")
        desk.wait(1000)
    desk.log.clear()
    desk.send(Authorise(request=2, card="visa", amount_minor=100))
    desk.send(Authorise(request=1, card="visa", amount_minor=100))
    desk.wait(1000)
    assert len(desk.answers(2)) == 0
    assert len(desk.answers(1)) == 1


def test_requests_under_way_are_bounded(desk: Desk) -> None:
    for _ in range(MAX_PENDING):
        desk.authorise("declined")
    lost = desk.authorise()
    gone = desk.release("H000099")
    assert [note.fields["reason"] for note in notes_of(desk.log)] == ["overload"] * 2
    desk.wait(1000)
    assert desk.answers(lost) == desk.answers(gone) == []
    after = desk.authorise()
    desk.wait(1000)
    assert desk.answer(after).outcome == "approved"


def test_an_unknown_card_is_an_error_of_the_bench(desk: Desk) -> None:
    with pytest.raises(LookupError, match="found 'gold'"):
        desk.authorise("gold")


def test_references_are_twelve_digits_and_never_the_same(desk: Desk) -> None:
    for card in ("visa", "amex", "declined", "partial"):
        desk.authorise(card)
    desk.wait(1000)
    found = [row.host_reference for row in desk.log if isinstance(row, IssuerAnswered)]
    assert len(set(found)) == 4
    assert all(len(text) == 12 and text.isdigit() for text in found)


def test_the_holds_cannot_be_written(desk: Desk) -> None:
    hold = desk.opened()
    with pytest.raises(TypeError):
        desk.issuer.holds["x"] = hold  # type: ignore[index]  # refused at run time too


def test_the_same_seed_gives_the_same_story() -> None:
    stories = []
    for _ in range(2):
        desk = Desk(seed=9)
        for card in ORDINARY_CARDS:
            desk.authorise(card)
        desk.wait(90 * DAY_MS)
        stories.append(desk.log)
    assert stories[0] == stories[1]
    assert len(stories[0]) == 3 * len(ORDINARY_CARDS)
