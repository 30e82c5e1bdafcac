"""The issuer: authorisations, increments, and holds that drop."""

import pytest

from simulator.behaviour import Behaviour
from simulator.cards import CARDS, Outcome
from simulator.holds import VALIDITY
from simulator.issuer import (
    JITTER_MS,
    ROUND_TRIP_MS,
)
from tests.simulator.issuer_desk import DAY_MS, Desk, notes_of

# --- Authorise --------------------------------------------------------------------


def test_an_ordinary_card_is_approved_after_a_round_trip(desk: Desk) -> None:
    request = desk.authorise()
    due_ms = desk.issuer.deadline_ms()
    assert due_ms is not None
    assert abs(due_ms - ROUND_TRIP_MS) <= JITTER_MS
    desk.wait(1000)
    answer = desk.answer(request)
    assert (answer.outcome, answer.amount_minor, answer.reason) == ("approved", 5000, 0)
    hold = desk.issuer.holds[answer.hold]
    assert (hold.state, hold.held_minor, hold.card) == ("open", 5000, "visa")
    assert notes_of(desk.log)[0].fields == {
        "event": "hold_opened",
        "card": "visa",
        "hold": answer.hold,
        "amount_minor": 5000,
    }


def test_round_trips_vary_within_the_jitter() -> None:
    dues = [Desk(seed=seed) for seed in range(40)]
    for desk in dues:
        desk.authorise()
    delays = {desk.issuer.deadline_ms() or 0 for desk in dues}
    assert len(delays) > 10
    assert min(delays) >= ROUND_TRIP_MS - JITTER_MS
    assert max(delays) <= ROUND_TRIP_MS + JITTER_MS


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("insufficient_funds", 0x09),
        ("declined", 0x05),
        ("host_timeout", 0x08),
        ("host_error", 0x03),
        ("rfid", 0x06),
    ],
)
def test_declines_hold_nothing_and_say_why(desk: Desk, card: str, reason: int) -> None:
    request = desk.authorise(card)
    desk.wait(20_000)
    answer = desk.answer(request)
    assert (answer.outcome, answer.reason, answer.hold) == ("declined", reason, "")
    assert not desk.issuer.holds
    assert notes_of(desk.log)[0].fields == {
        "event": "declined",
        "card": card,
        "reason": f"0x{reason:02X}",
    }


@pytest.mark.parametrize(
    ("asked", "held", "outcome"),
    [(5000, 1000, "partial"), (1000, 1000, "approved"), (400, 400, "approved")],
)
def test_a_part_is_held_when_more_was_asked(
    desk: Desk, asked: int, held: int, outcome: str
) -> None:
    request = desk.authorise("partial", asked)
    desk.wait(1000)
    answer = desk.answer(request)
    assert (answer.outcome, answer.amount_minor) == (outcome, held)
    assert desk.issuer.holds[answer.hold].held_minor == held


def test_a_part_of_nothing_is_a_decline(desk: Desk) -> None:
    desk.issuer.set_behaviour(
        "visa", Behaviour(outcome=Outcome.PARTIAL, partial_minor=0)
    )
    request = desk.authorise()
    desk.wait(1000)
    assert desk.answer(request).outcome == "declined"
    assert desk.answer(request).reason == 0xFF


def test_silence_holds_nothing(desk: Desk) -> None:
    request = desk.authorise("silent")
    desk.wait(DAY_MS)
    assert desk.answers(request) == []
    assert desk.notes() == ["silent"]
    assert not desk.issuer.holds


def test_a_lost_answer_holds_the_money_all_the_same(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(outcome=Outcome.LOST))
    request = desk.authorise()
    desk.wait(1000)
    assert desk.answers(request) == []
    assert [hold.state for hold in desk.issuer.holds.values()] == ["open"]
    desk.wait(31 * DAY_MS)
    assert desk.notes() == ["hold_opened", "dropped"]


@pytest.mark.parametrize(
    ("card", "family", "delay_ms"),
    [("slow", "p6x", 29_000), ("slow", "apollo", 200_000), ("late", "p6x", 240_000)],
)
def test_slow_and_late_cards_take_their_time(
    card: str, family: str, delay_ms: int
) -> None:
    desk = Desk(family)
    request = desk.authorise(card)
    desk.wait(delay_ms - 1)
    assert desk.answers(request) == []
    assert not desk.issuer.holds
    desk.wait(1)
    assert desk.answer(request).outcome == "approved"


def test_closes_of_a_slow_card_are_not_slow(desk: Desk) -> None:
    request = desk.authorise("slow")
    desk.wait(200_000)
    close = desk.release(desk.answer(request).hold)
    desk.wait(ROUND_TRIP_MS + JITTER_MS)
    assert desk.answer(close).outcome == "released"


# --- Increments -------------------------------------------------------------------


def test_an_increment_raises_and_lowers_the_total(desk: Desk) -> None:
    hold = desk.opened()
    for total in (8000, 2000):
        request = desk.increment(hold.hold, total)
        desk.wait(1000)
        answer = desk.answer(request)
        assert (answer.outcome, answer.amount_minor) == ("approved", total)
        assert desk.held(hold).held_minor == total
    assert desk.notes() == ["hold_opened", "hold_raised", "hold_raised"]


@pytest.mark.parametrize(
    ("outcome", "answers", "held"),
    [
        (Outcome.PARTIAL, ["partial"], 6500),
        (Outcome.DECLINE, ["declined"], 5000),
        (Outcome.SILENT, [], 5000),
        (Outcome.LOST, [], 8000),
    ],
)
def test_an_increment_that_is_not_simply_approved(
    desk: Desk, outcome: Outcome, answers: list[str], held: int
) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(increment=outcome))
    hold = desk.opened()
    request = desk.increment(hold.hold, 8000)
    desk.wait(1000)
    assert [row.outcome for row in desk.answers(request)] == answers
    assert (desk.held(hold).state, desk.held(hold).held_minor) == ("open", held)


def test_an_increment_makes_a_mastercard_last_longer() -> None:
    desk = Desk()
    hold = desk.opened("mastercard")
    desk.increment(hold.hold, 8000)
    desk.wait(1000)
    moved = desk.held(hold)
    assert moved.drops_ms == hold.drops_ms + 30 * DAY_MS
    desk.wait(hold.drops_ms - desk.now_ms)
    assert desk.held(hold).state == "open"
    desk.wait(30 * DAY_MS)
    assert desk.held(hold).state == "dropped"


# --- Dropping ---------------------------------------------------------------------


@pytest.mark.parametrize("card", ["visa", "amex", "mastercard"])
def test_an_unclosed_hold_drops_within_the_range_of_its_scheme(card: str) -> None:
    low, high = VALIDITY[CARDS[card].scheme].span_ms
    spans = set()
    for seed in range(30):
        desk = Desk(seed=seed)
        hold = desk.opened(card)
        spans.add(hold.drops_ms - hold.opened_ms)
        desk.wait(high + DAY_MS)
        dropped = desk.held(hold)
        assert (dropped.state, dropped.closed_ms) == ("dropped", hold.drops_ms)
        assert desk.issuer.deadline_ms() is None
    assert low <= min(spans) < max(spans) <= high
    assert len(spans) > 20


def test_a_dropped_hold_says_so_once_and_cannot_be_captured(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(valid_ms=DAY_MS))
    hold = desk.opened()
    desk.wait(DAY_MS)
    request = desk.capture(hold.hold, 100)
    desk.wait(DAY_MS)
    assert desk.answer(request).outcome == "refused"
    assert desk.notes() == ["hold_opened", "dropped", "declined"]


def test_nobody_waits_for_the_drop_of_a_closed_hold(desk: Desk) -> None:
    hold = desk.opened()
    other = desk.opened("amex")
    desk.release(hold.hold)
    desk.wait(1000)
    assert desk.issuer.deadline_ms() == other.drops_ms
    desk.release(other.hold)
    desk.wait(1000)
    assert desk.issuer.deadline_ms() is None


def test_a_drop_behind_another_is_skipped_when_its_hold_has_closed(desk: Desk) -> None:
    desk.issuer.set_behaviour("visa", Behaviour(valid_ms=DAY_MS))
    desk.issuer.set_behaviour("amex", Behaviour(valid_ms=DAY_MS + 5000))
    first, second = desk.opened("visa"), desk.opened("amex")
    desk.release(second.hold)
    desk.wait(1000)
    desk.log += desk.issuer.on_deadline(3 * DAY_MS)
    assert desk.held(first).state == "dropped"
    assert desk.held(second).state == "released"
