"""The issuer is told what became of a hold."""

import pytest

from simulator.behaviour import Behaviour
from simulator.events import (
    Capture,
)
from simulator.holds import Hold
from tests.simulator.issuer_desk import DAY_MS, Desk, notes_of


@pytest.mark.parametrize("amount", [0, 1, 4999, 5000])
def test_a_capture_takes_its_amount_and_frees_the_rest(desk: Desk, amount: int) -> None:
    hold = desk.opened()
    request = desk.capture(hold.hold, amount)
    desk.wait(1000)
    answer, closed = desk.answer(request), desk.held(hold)
    assert (answer.outcome, answer.amount_minor) == ("captured", amount)
    assert (closed.state, closed.captured_minor) == ("captured", amount)
    assert closed.released_minor == 5000 - amount
    assert closed.closed_ms is not None
    assert desk.notes() == ["hold_opened", "captured"]


def test_a_release_gives_everything_back(desk: Desk) -> None:
    hold = desk.opened()
    request = desk.release(hold.hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "released"
    assert desk.answer(request).amount_minor == 5000
    assert desk.held(hold).released_minor == 5000


def test_the_drops_of_closed_holds_are_not_kept_behind_an_open_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.agenda.TIDY_FROM", 20)
    desk = Desk()
    desk.issuer.set_behaviour(None, Behaviour(valid_ms=DAY_MS))
    desk.opened()
    desk.issuer.set_behaviour(None, Behaviour(valid_ms=2 * DAY_MS))
    for _ in range(100):
        desk.release(desk.opened().hold)
        desk.wait(1000)
    assert len(desk.issuer._agenda) < 30
    desk.wait(DAY_MS)
    assert desk.notes().count("dropped") == 1


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release", "increment"])
def test_a_closed_hold_is_refused(desk: Desk, first: str, second: str) -> None:
    hold = desk.opened()
    close(desk, first, hold)
    desk.wait(1000)
    before = desk.held(hold)
    request = close(desk, second, hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "refused"
    assert desk.held(hold) == before
    assert "not open" in str(notes_of(desk.log)[-1].fields["reason"])


def close(desk: Desk, how: str, hold: Hold) -> int:
    if how == "capture":
        return desk.capture(hold.hold, 100)
    if how == "release":
        return desk.release(hold.hold)
    return desk.increment(hold.hold, 9000)


@pytest.mark.parametrize("how", ["capture", "release", "increment"])
def test_an_unknown_hold_is_refused(desk: Desk, how: str) -> None:
    hold = Hold(
        hold="H000099", card="visa", account="", held_minor=1, opened_ms=0, drops_ms=1
    )
    request = close(desk, how, hold)
    desk.wait(1000)
    assert desk.answer(request).outcome == "refused"


def test_more_than_is_held_is_refused_and_the_hold_stays_open(desk: Desk) -> None:
    hold = desk.opened()
    request = desk.capture(hold.hold, 5001)
    desk.wait(1000)
    again = desk.capture(hold.hold, 5000)
    desk.wait(1000)
    assert desk.answer(request).outcome == "refused"
    assert desk.answer(again).outcome == "captured"


def test_an_issuer_may_accept_more_than_is_held(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(over_capture="accept"))
    hold = desk.opened()
    request = desk.capture(hold.hold, 6000)
    desk.wait(1000)
    assert desk.answer(request).amount_minor == 6000
    assert (desk.held(hold).captured_minor, desk.held(hold).released_minor) == (6000, 0)


def test_captures_over_a_limit_are_refused_until_healed(desk: Desk) -> None:
    desk.issuer.refuse_captures_over(1000)
    hold = desk.opened()
    over, under = desk.capture(hold.hold, 1001), desk.number()
    desk.wait(1000)
    desk.issuer.refuse_captures_over(None)
    desk.send(Capture(request=under, hold=hold.hold, amount_minor=1001))
    desk.wait(1000)
    assert desk.answer(over).outcome == "refused"
    assert desk.answer(under).outcome == "captured"


def test_the_next_captures_are_refused_as_often_as_told(desk: Desk) -> None:
    desk.issuer.refuse_next_capture(2)
    hold = desk.opened()
    outcomes = []
    for _ in range(3):
        request = desk.capture(hold.hold, 1000)
        desk.wait(1000)
        outcomes.append(desk.answer(request).outcome)
    assert outcomes == ["refused", "refused", "captured"]


def test_the_next_release_is_refused_and_the_one_after_is_not(desk: Desk) -> None:
    desk.issuer.refuse_next_release()
    hold = desk.opened()
    first = desk.release(hold.hold)
    desk.wait(1000)
    second = desk.release(hold.hold)
    desk.wait(1000)
    assert desk.answer(first).outcome == "refused"
    assert desk.answer(second).outcome == "released"


def test_two_closes_under_way_have_one_effect(desk: Desk) -> None:
    hold = desk.opened()
    requests = [desk.capture(hold.hold, 900), desk.release(hold.hold)]
    desk.wait(1000)
    outcomes = [desk.answer(request).outcome for request in requests]
    assert outcomes.count("refused") == 1
    assert desk.held(hold).state in ("captured", "released")
