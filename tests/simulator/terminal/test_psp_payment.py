"""Payment flows over PSP, in real bytes (psp.md 6)."""

import pytest

from simulator.events import (
    CardRemoved,
    CardTapped,
    TerminalButtonPressed,
)
from simulator.terminal import SessionState
from tests.simulator.terminal.pair import Court, PspHost, psp
from wire.psp import (
    CARD_HASH_TAG,
    MASKED_PAN_TAG,
    Decline,
    Family,
    Name,
    Option,
    Reason,
    State,
    TransactionEvent,
)

_MINUTE_MS = 60_000


def _names(host: PspHost) -> list[Name]:
    return [one.name for one in host.heard()]


# --- Payment ----------------------------------------------------------------------


def test_a_payment_from_start_to_commit() -> None:
    host = psp()
    session = host.approve(5000)
    assert host.status() == (State.ENABLED, 0)
    assert host.commit(session, 1234)
    (done,) = host.court.sessions()
    assert done.state is SessionState.COMMITTED
    assert done.final_minor == 1234
    (hold,) = host.court.bank.holds.values()
    assert hold.captured_minor == 1234
    events = [note["event"] for note in host.court.noted("session")]
    assert events == ["opened", "committed"]


def test_events_and_tags_come_when_they_are_asked_for() -> None:
    host = PspHost(Court())
    host.set_up(Option.EVENTS | Option.AUTHORIZATION_DOL | Option.DETAILED)
    host.send(Name.START_SESSION, amount_minor=100, reference=7)
    host.court.tap()
    started, reading, complete, card = host.heard()
    assert [one.number("event") for one in (started, reading, complete)] == [
        TransactionEvent.STARTED,
        TransactionEvent.READING_CARD,
        TransactionEvent.CARD_READ_COMPLETE,
    ]
    assert len(card.tags()[CARD_HASH_TAG]) == 40
    assert card.tags()[MASKED_PAN_TAG] == b"411111******1111"
    host.send(Name.AUTH_SESSION)
    host.court.run(100)
    approved, done = host.heard()
    assert approved.tags()[CARD_HASH_TAG] == card.tags()[CARD_HASH_TAG]
    assert done.number("event") == TransactionEvent.COMPLETE


def test_only_the_tags_asked_for_are_answered() -> None:
    host = psp()
    host.send(
        Name.START_SESSION, amount_minor=1, reference=1, dol=(MASKED_PAN_TAG, 0xDFAA70)
    )
    host.court.tap()
    (card,) = host.heard()
    assert set(card.tags()) == {MASKED_PAN_TAG}


def test_a_card_without_a_hash_has_no_hash_tag() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("no_hash")
    (card,) = host.heard()
    assert CARD_HASH_TAG not in card.tags()


def test_decline_leaves_no_session() -> None:
    host = psp()
    host.court.bank.outcome = "declined"
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.heard()
    answer = host.ask(Name.AUTH_SESSION, wait_ms=100)
    assert answer.name is Name.SESSION_DECLINED
    assert answer.number("reason") == Decline.INSUFFICIENT_FUNDS
    assert host.court.sessions() == []
    assert host.court.terminal.screen.text == "Declined"


def test_partial_approval_names_what_is_held() -> None:
    host = psp()
    host.court.bank.outcome = "partial"
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    answer = host.ask(Name.AUTH_SESSION, wait_ms=100)
    assert answer.name is Name.SESSION_PARTIALLY_APPROVED
    assert answer.number("amount_minor") == 1000
    (session,) = host.court.sessions()
    assert not host.commit(session, 1001)
    assert host.commit(session, 1000)


def test_p6x_reverses_a_partial_approval_and_declines() -> None:
    host = psp(Family.P6X, link="serial")
    host.court.bank.outcome = "partial"
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    assert host.ask(Name.AUTH_SESSION, wait_ms=300).name is Name.SESSION_DECLINED
    assert host.court.bank.open_holds() == set()


def test_void_releases_the_hold() -> None:
    host = psp()
    session = host.approve()
    assert host.void(session)
    assert host.court.sessions()[0].state is SessionState.CANCELLED
    assert host.court.bank.open_holds() == set()


def test_cancel_session_never_touches_a_session() -> None:
    host = psp()
    host.approve()
    assert host.reason(Name.CANCEL_SESSION) == Reason.INCORRECT_STATE
    host.send(Name.START_SESSION, amount_minor=1, reference=2)
    assert host.ask(Name.CANCEL_SESSION).name is Name.SESSION_CANCELLED
    assert host.court.sessions()[0].is_open


def test_commit_and_void_work_while_the_next_card_is_read() -> None:
    host = psp()
    first, second = host.approve(), host.approve(card="mastercard")
    host.send(Name.START_SESSION, amount_minor=1, reference=3)
    assert host.status() == (State.WAIT_CARD, 1)
    assert host.commit(first, 10)
    assert host.void(second)
    assert host.status() == (State.WAIT_CARD, 1)


def test_a_second_close_finds_no_session() -> None:
    host = psp()
    session = host.approve()
    assert host.commit(session, 10)
    number = session.psp_session_id
    for name in (Name.COMMIT_SESSION, Name.VOID_SESSION):
        fields = {"amount_minor": 10} if name is Name.COMMIT_SESSION else {}
        reason = host.reason(name, session_id=number, **fields)
        assert reason == Reason.SESSION_ID_NOT_FOUND
    assert host.court.bank.holds["H1"].captured_minor == 10


def test_a_repeated_close_may_be_ok_under_the_other_reading() -> None:
    host = psp(repeated_close="ok")
    session = host.approve()
    assert host.commit(session, 10)
    assert host.commit(session, 10, wait_ms=0)
    assert len(host.court.noted("session", event="committed")) == 1


@pytest.mark.parametrize(
    ("reading", "amount", "is_taken"),
    [
        ({}, 0, True),
        ({"commit_zero": "refuse"}, 0, False),
        ({}, 5001, False),
        ({"over_commit": "accept"}, 5001, True),
        ({}, 5000, True),
    ],
)
def test_unusual_amounts_follow_the_profile(
    reading: dict[str, object], amount: int, is_taken: bool
) -> None:
    host = psp(readings=reading)
    session = host.approve(5000)
    assert host.commit(session, amount) == is_taken
    assert host.court.sessions()[0].is_open != is_taken


def test_a_commit_that_the_issuer_refuses_leaves_the_session_open() -> None:
    host = psp(over_commit="accept")
    session = host.approve(5000)
    host.court.bank.refuses_closes = True
    assert not host.commit(session, 6000)
    assert host.court.sessions()[0].state is SessionState.OPEN
    host.court.bank.refuses_closes = False
    assert host.commit(session, 5000)


# --- Cards ------------------------------------------------------------------------


def test_a_card_removed_early_is_not_read_and_scanning_goes_on() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("removed_early")
    host.court.tell(CardTapped(card="visa"))
    host.court.tell(CardRemoved())
    host.court.run(1_000)
    assert host.heard() == []
    assert host.status() == (State.WAIT_CARD, 1)
    host.court.tap()
    assert _names(host) == [Name.CARD_READ]


def test_a_tap_while_nobody_reads_is_lost() -> None:
    host = psp()
    host.court.tap()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.run(1_000)
    assert host.heard() == []


def test_a_proprietary_card_is_never_authorised() -> None:
    host = psp()
    host.send(Name.READ_CARD, reference=1)
    host.court.tap("rfid")
    (card,) = host.heard()
    assert card.name is Name.PROPRIETARY_CARD_READ
    assert card.tags()[CARD_HASH_TAG] == b"04A2B3C4D5E680"
    assert host.reason(Name.AUTH_SESSION) == Reason.UNKNOWN_CARD
    assert host.ask(Name.CANCEL_SESSION).name is Name.SESSION_CANCELLED
    assert host.status() == (State.ENABLED, 0)


def test_p6x_shows_a_proprietary_card_as_a_card_without_a_number() -> None:
    host = psp(Family.P6X, link="serial")
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("rfid")
    (card,) = host.heard()
    assert card.name is Name.CARD_READ
    assert MASKED_PAN_TAG not in card.tags()


def test_a_read_without_an_amount_cannot_be_authorised() -> None:
    host = psp()
    host.send(Name.READ_CARD, reference=1)
    host.court.tap()
    assert _names(host) == [Name.CARD_READ]
    assert host.reason(Name.AUTH_SESSION) == Reason.INVALID_APPLICATION_STATE


def test_payment_methods_without_emv_turn_payment_cards_away() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1, payment_methods=0x04)
    host.court.tap()
    assert host.heard() == []
    assert host.court.terminal.screen.text == "Not accepted"


# --- PIN --------------------------------------------------------------------------


def test_pin_entry_takes_its_time_and_is_asked_for_on_apollo_only() -> None:
    host = psp(link="serial")
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("pin_slow")
    host.heard()
    host.send(Name.AUTH_SESSION)
    assert host.court.terminal.screen.screen == "pin"
    host.court.run(180_000)
    assert host.heard() == []
    host.court.run(100)
    assert _names(host) == [Name.SESSION_APPROVED]
    other = psp(Family.P6X, link="serial")
    other.approve(card="pin_slow")


def test_a_driver_who_walks_away_from_the_pin_is_declined() -> None:
    host = psp(link="serial")
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("pin_walk_off")
    host.heard()
    answer = host.ask(Name.AUTH_SESSION, wait_ms=210_000)
    assert answer.number("reason") == Decline.PIN_FAILURE
    assert host.court.bank.holds == {}


def test_the_driver_may_cancel_at_the_pin() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("pin_slow")
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.tell(TerminalButtonPressed(button="cancel"))
    assert _names(host) == [Name.SESSION_CANCELLED]
    assert host.status() == (State.ENABLED, 0)
