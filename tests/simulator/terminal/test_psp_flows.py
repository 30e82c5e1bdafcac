"""Payment flows over PSP, in real bytes (psp.md 6)."""

import pytest

from simulator.events import (
    CardRemoved,
    CardTapped,
    HostLinkMoved,
    PspBytes,
    PspConnected,
    PspDisconnected,
    TerminalButtonPressed,
    TerminalPower,
)
from simulator.terminal import Kind, SessionState
from tests.simulator.terminal.pair import Court, PspHost, psp
from wire.psp import (
    CARD_HASH_TAG,
    MASKED_PAN_TAG,
    Decline,
    Family,
    Name,
    Option,
    Reason,
    SetupAction,
    State,
    TransactionEvent,
    UpdateOutcome,
)

_MINUTE_MS = 60_000


def _names(host: PspHost) -> list[Name]:
    return [one.name for one in host.heard()]


# --- Set-up -------------------------------------------------------------------------


def test_published_dumps_of_the_set_up() -> None:
    """psp.md 6.0: bytes that our own encoder did not produce."""
    court = Court()
    court.tell(PspConnected())
    for sent, answered in (
        ("CC 02 3C 26 30", "AA 04 3C 26 01 00 11"),
        ("CC 02 3C 24 2E", "AA 02 3C 24 0C"),
        ("CC 07 3C 13 03 00 00 00 02 27", "AA 07 3C 13 03 00 00 00 02 05"),
        ("CC 07 3C 23 00 02 A3 00 00 D7", "AA 03 3C 00 00 E9"),
        ("CC 02 3C 12 1C", "AA 03 3C 00 00 E9"),
        ("CC 0A 3C 34 00 00 09 C4 00 00 00 0A 1D", ""),
        ("CC 02 3C 26 30", "AA 04 3C 26 10 01 21"),
        ("CC 02 3C 37 41", "AA 02 3C 33 1B"),
        ("CC 02 3C 37 41", "AA 03 3C 00 01 EA"),
    ):
        court.tell(PspBytes(data=bytes.fromhex(sent)))
        assert b"".join(court.bytes_out) == bytes.fromhex(answered), sent
        court.bytes_out.clear()


def test_set_up_leads_to_enabled_step_by_step() -> None:
    host = PspHost(Court())
    assert host.status() == (State.OFFLINE, 0)
    host.ask(Name.SYNCHRONIZE)
    assert host.status() == (State.ONLINE, 0)
    assert host.is_ok(Name.SETUP, timeout_s=60, action=SetupAction.VOID)
    assert host.status() == (State.DISABLED, 0)
    assert host.is_ok(Name.ENABLE)
    assert host.status() == (State.ENABLED, 0)
    assert host.is_ok(Name.ENABLE)
    assert host.is_ok(Name.DISABLE)
    assert host.status() == (State.DISABLED, 0)


def test_extended_blocks_hold_until_reset() -> None:
    host = PspHost(Court())
    host.set_up(Option.EXTENDED | Option.DETAILED)
    session = host.approve()
    assert host.commit(session, 1)
    assert host.is_ok(Name.RESET)
    court = host.court
    court.tell(PspBytes(data=bytes.fromhex("CC 02 3C 26 30")))
    assert court.bytes_out == [bytes.fromhex("AA 04 3C 26 01 00 11")]


def test_p6x_ignores_options_it_does_not_have() -> None:
    host = PspHost(psp(Family.P6X).court)
    host.ask(Name.SYNCHRONIZE)
    echo = host.ask(Name.PROTOCOL, version=3, options=0x1F)
    assert echo.number("options") == 0x1F
    assert host.ask(Name.START_SESSION, amount_minor=1, reference=1).fields == {
        "result": 1
    }


def test_ids_of_both_families() -> None:
    for family in Family:
        ids = psp(family).ask(Name.REQUEST_IDS)
        assert ids.text("serial_number") == "APO20240000001"


@pytest.mark.parametrize(
    ("name", "family"),
    [(Name.UPDATE_SESSION, Family.P6X), (Name.LIST_SESSIONS, Family.APOLLO)],
)
def test_a_command_of_the_other_family_is_refused(name: Name, family: Family) -> None:
    other = PspHost(psp(family).court)
    blocks = {
        Name.UPDATE_SESSION: "CC 0A 3C 42 00 00 00 42 00 00 1F 40 F5",
        Name.LIST_SESSIONS: "CC 03 3C 30 00 3B",
    }
    other.court.tell(PspBytes(data=bytes.fromhex(blocks[name])))
    sent = b"".join(other.court.bytes_out)
    expected = "AA 03 3C 00 01 EA" if family is Family.P6X else "AA 04 3C 00 01 02 ED"
    assert sent == bytes.fromhex(expected)


def test_a_damaged_block_is_answered_and_changes_nothing() -> None:
    host = psp()
    host.court.tell(PspBytes(data=bytes.fromhex("CC 02 3C 55 5E")))
    (answer,) = host.heard()
    assert answer.number("reason") == Reason.INCORRECT_CHECKSUM
    assert host.status() == (State.ENABLED, 0)


def test_a_block_in_pieces_with_noise_around_it() -> None:
    host = psp()
    for byte in bytes.fromhex("00 FF CC 02 3C 26 30"):
        host.court.tell(PspBytes(data=bytes([byte])))
    assert _names(host) == [Name.GET_STATUS_RESPONSE]


# --- Payment ------------------------------------------------------------------------


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


# --- Cards --------------------------------------------------------------------------


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


# --- Time-outs ----------------------------------------------------------------------


def test_the_card_is_dropped_after_thirty_seconds() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.heard()
    for _ in range(2):
        host.court.run(14_999)
        assert host.status() == (State.WAIT_AUTH, 0)
    host.court.run(2)
    assert _names(host) == [Name.SESSION_CANCELLED]
    assert host.status() == (State.ENABLED, 0)


@pytest.mark.parametrize("silent", [False, True])
def test_the_card_detect_time_out_ends_the_read(silent: bool) -> None:
    reading = "silent" if silent else "session_cancelled"
    host = psp(card_detect_s=60, card_detect_expiry=reading)
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.run(59_999)
    assert host.court.hang_ups == []
    assert host.heard() == []
    host.court.run(1)
    assert _names(host) == ([] if silent else [Name.SESSION_CANCELLED])
    assert host.status() == (State.ENABLED, 0)


def test_twenty_idle_seconds_close_the_line_and_keep_the_sessions() -> None:
    host = psp()
    session = host.approve()
    host.court.run(19_999)
    assert host.court.hang_ups == []
    host.court.run(1)
    assert host.court.hang_ups == ["idle"]
    assert host.court.terminal.state is State.OFFLINE
    again = PspHost(host.court)
    again.set_up()
    assert again.commit(session, 5)


def test_endless_scanning_counts_as_idle() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.run(20_000)
    assert host.court.hang_ups == ["idle"]
    assert host.court.terminal.screen.screen == "idle"


def test_keep_alive_keeps_the_line() -> None:
    host = psp()
    for _ in range(20):
        host.court.run(15_000)
        assert host.status() == (State.ENABLED, 0)
    assert host.court.hang_ups == []


def test_a_serial_line_has_no_idle_time_and_no_notice_of_a_closed_port() -> None:
    host = psp(Family.P6X, link="serial")
    host.court.run(10 * _MINUTE_MS)
    host.court.tell(PspDisconnected())
    host.court.tell(PspConnected())
    assert host.status() == (State.ENABLED, 0)


@pytest.mark.parametrize(
    ("family", "limit_s"), [(Family.P6X, 30), (Family.APOLLO, 210)]
)
def test_the_terminal_gives_up_an_authorisation(family: Family, limit_s: int) -> None:
    host = psp(family, link="serial")
    host.court.bank.is_silent = True
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.run(limit_s * 1000 - 1)
    assert host.heard() == []
    host.court.run(1)
    (answer,) = host.heard()
    assert answer.name is Name.SESSION_DECLINED
    if family is Family.APOLLO:
        assert answer.number("reason") == Decline.HOST_TIMEOUT


def test_during_an_authorisation_only_get_status_is_taken() -> None:
    host = psp()
    open_session = host.approve()
    host.court.bank.delay_ms = 5_000
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("mastercard")
    host.heard()
    host.send(Name.AUTH_SESSION)
    assert host.status() == (State.WAIT_AUTH, 1)
    reason = host.reason(Name.VOID_SESSION, session_id=open_session.psp_session_id)
    assert reason == Reason.INCORRECT_STATE
    host.court.run(5_000)
    assert _names(host) == [Name.SESSION_APPROVED]


def test_requests_wait_for_the_authorisation_under_the_other_reading() -> None:
    host = psp(busy_command="queue")
    first = host.approve()
    host.court.bank.delay_ms = 1_000
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap("mastercard")
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.send(Name.VOID_SESSION, session_id=first.psp_session_id)
    host.court.run(2_000)
    assert _names(host) == [Name.SESSION_APPROVED, Name.RESULT]


# --- Late approvals -----------------------------------------------------------------


def _late(host: PspHost) -> list[Name]:
    """What is heard when the approval comes half a minute too late."""
    host.court.bank.delay_ms = 240_000
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.run(210_000)
    assert _names(host) == [Name.SESSION_DECLINED]
    for _ in range(2):
        host.court.run(10_000)
        host.status()
    host.court.run(10_000)
    return _names(host)


def test_a_late_approval_is_delivered_on_its_connection() -> None:
    host = psp(late="deliver")
    assert _late(host) == [Name.SESSION_APPROVED]
    (session,) = host.court.sessions()
    assert session.is_open
    host.court.bank.delay_ms = 100
    assert host.void(session)


def test_a_late_approval_may_be_reversed_by_the_terminal() -> None:
    host = psp(late="reverse")
    assert _late(host) == []
    host.court.run(1_000)
    assert host.court.sessions() == []
    assert len(host.court.bank.holds) == 1
    host.court.run(240_000)
    assert host.court.bank.open_holds() == set()


def test_a_late_approval_is_never_told_to_another_connection() -> None:
    host = psp(late="deliver")
    host.court.bank.delay_ms = 5_000
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.tell(PspDisconnected())
    again = PspHost(host.court)
    again.set_up()
    again.court.run(10_000)
    assert again.heard() == []
    (session,) = again.court.sessions()
    assert again.void(session, wait_ms=5_000)


def test_an_approval_after_a_reset_is_late_and_told_on_the_same_connection() -> None:
    host = psp(late="deliver")
    host.court.bank.delay_ms = 5_000
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    assert host.is_ok(Name.RESET)
    again = PspHost(host.court)
    host.court.run(5_000)
    assert [one.name for one in again.heard()] == [Name.SESSION_APPROVED]


# --- PIN ----------------------------------------------------------------------------


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


# --- The host link ------------------------------------------------------------------


def test_without_its_host_the_terminal_declines() -> None:
    host = psp()
    host.court.tell(HostLinkMoved(up=False))
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.heard()
    answer = host.ask(Name.AUTH_SESSION)
    assert answer.number("reason") == Decline.HOST_ERROR
    assert host.court.bank.holds == {}


def test_closes_are_confirmed_stored_and_forwarded() -> None:
    host = psp()
    paid, released = host.approve(), host.approve(card="mastercard")
    host.court.tell(HostLinkMoved(up=False))
    assert host.commit(paid, 700, wait_ms=0)
    assert host.void(released, wait_ms=0)
    assert host.court.bank.open_holds() == {"H1", "H2"}
    assert not host.commit(paid, 700, wait_ms=0)
    host.court.tell(HostLinkMoved(up=True))
    host.court.run(1_000)
    assert host.court.bank.holds["H1"].captured_minor == 700
    assert host.court.bank.open_holds() == set()
    assert [note["op"] for note in host.court.noted("session", event="forwarded")] == [
        "commit",
        "cancel",
    ]


def test_a_close_under_way_counts_when_the_line_breaks() -> None:
    host = psp()
    session = host.approve()
    number = session.psp_session_id
    host.send(Name.COMMIT_SESSION, session_id=number, amount_minor=10)
    host.court.tell(HostLinkMoved(up=False))
    (answer,) = host.heard()
    assert answer.number("result") == 0
    host.court.run(1_000)
    host.court.tell(HostLinkMoved(up=True))
    assert len(host.court.noted("session", event="forwarded")) == 1
    assert host.court.bank.holds["H1"].captured_minor == 10


def test_a_host_that_ignores_a_commit_does_not_keep_the_controller_waiting() -> None:
    host = psp(link="serial")
    session = host.approve()
    host.court.bank.is_silent = True
    assert host.commit(session, 10, wait_ms=55_000)
    assert host.court.sessions()[0].state is SessionState.COMMITTED


def test_requests_behind_a_commit_are_answered_in_order() -> None:
    host = psp()
    first, second = host.approve(), host.approve(card="mastercard")
    for session in (first, second):
        host.send(
            Name.COMMIT_SESSION, session_id=session.psp_session_id, amount_minor=1
        )
    host.send(Name.GET_STATUS)
    host.court.run(1_000)
    assert _names(host) == [Name.GET_STATUS_RESPONSE, Name.RESULT, Name.RESULT]


def test_a_queue_that_is_full_refuses() -> None:
    host = psp()
    session = host.approve()
    for _ in range(34):
        host.send(
            Name.COMMIT_SESSION, session_id=session.psp_session_id, amount_minor=1
        )
    (answer,) = host.heard()
    assert answer.number("reason") == Reason.OVERFLOW


# --- Power and connections ----------------------------------------------------------


def test_sessions_survive_power_loss_and_a_commit_under_way_is_done_once() -> None:
    host = psp()
    session = host.approve()
    number = session.psp_session_id
    host.send(Name.COMMIT_SESSION, session_id=number, amount_minor=10)
    host.court.tell(TerminalPower(on=False))
    host.court.run(1_000)
    assert host.court.hang_ups == ["power"]
    host.court.tell(TerminalPower(on=True))
    host.court.tell(PspConnected())
    assert host.court.hang_ups == ["power", "reboot"]
    host.court.run(15_000)
    host.court.bytes_out.clear()
    again = PspHost(host.court)
    assert again.status() == (State.OFFLINE, 0)
    again.set_up()
    reason = again.reason(Name.COMMIT_SESSION, session_id=number, amount_minor=10)
    assert reason == Reason.SESSION_ID_NOT_FOUND
    assert host.court.bank.holds["H1"].captured_minor == 10


def test_an_approval_that_comes_while_the_power_is_off_waits_for_the_start() -> None:
    host = psp(late="deliver")
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.send(Name.AUTH_SESSION)
    host.court.tell(TerminalPower(on=False))
    host.court.run(1_000)
    assert host.court.sessions() == []
    host.court.tell(TerminalPower(on=True))
    host.court.run(15_000)
    (session,) = host.court.sessions()
    again = PspHost(host.court)
    again.court.bytes_out.clear()
    again.set_up()
    assert again.void(session)


def test_control_restarts_the_terminal() -> None:
    host = psp()
    session = host.approve()
    assert host.is_ok(Name.CONTROL, action=0)
    assert host.court.hang_ups == ["reboot"]
    assert host.court.terminal.screen.screen == "starting"
    host.court.run(15_000)
    again = PspHost(host.court)
    again.set_up()
    assert again.void(session)


def test_closing_the_connection_ends_the_read_and_the_options() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tell(PspDisconnected())
    assert host.court.terminal.state is State.OFFLINE
    host.court.tap()
    again = PspHost(host.court)
    assert again.heard() == []
    assert again.ask(Name.SYNCHRONIZE).name is Name.SYNCHRONIZE


def test_a_second_client_is_turned_away_or_takes_over() -> None:
    host = psp()
    host.court.tell(PspConnected())
    assert host.court.hang_ups == ["second_client"]
    assert host.status() == (State.ENABLED, 0)
    other = psp(second_client="take_over")
    newcomer = PspHost(other.court)
    assert other.court.hang_ups == ["second_client"]
    assert newcomer.status() == (State.OFFLINE, 0)


def test_synchronize_cancels_the_read_and_keeps_sessions() -> None:
    host = psp()
    session = host.approve()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    assert host.ask(Name.SYNCHRONIZE).name is Name.SYNCHRONIZE
    assert host.status() == (State.ONLINE, 0)
    number = session.psp_session_id
    assert host.reason(Name.VOID_SESSION, session_id=number) == Reason.INCORRECT_STATE


# --- Session timeout ----------------------------------------------------------------


@pytest.mark.parametrize("action", SetupAction)
def test_setup_ends_sessions_by_itself(action: SetupAction) -> None:
    host = PspHost(Court(psp(link="serial").court.settings))
    host.set_up(timeout_s=60, action=action)
    session = host.approve(5000)
    host.court.run(60_000)
    (expired,) = host.court.sessions()
    assert expired.state is SessionState.EXPIRED
    is_commit = action is SetupAction.COMMIT
    host.court.run(100)
    assert host.court.bank.holds["H1"].captured_minor == (5000 if is_commit else None)
    assert host.court.bank.open_holds() == set()
    reason = host.reason(
        Name.COMMIT_SESSION, session_id=session.psp_session_id, amount_minor=1
    )
    assert reason == Reason.SESSION_ID_NOT_FOUND
    assert len(host.court.noted("session", event="expired")) == 1


def test_a_life_of_zero_never_ends() -> None:
    host = PspHost(Court(psp(link="serial").court.settings))
    host.set_up(timeout_s=0)
    host.approve()
    host.court.run(10 * 86_400_000)
    assert host.court.sessions()[0].is_open


# --- Update, list, screens ----------------------------------------------------------


def test_update_raises_and_lowers_the_hold() -> None:
    host = psp()
    session = host.approve(5000)
    number = session.psp_session_id
    for total, change in ((8000, 3000), (6000, 2000)):
        answer = host.ask(
            Name.UPDATE_SESSION, session_id=number, amount_minor=total, wait_ms=100
        )
        assert answer.number("result") == UpdateOutcome.APPROVED
        assert answer.number("amount_minor") == total
        assert answer.number("change_minor") == change
    assert host.commit(session, 6000)


def test_update_is_declined_and_the_old_amount_holds() -> None:
    host = psp()
    session = host.approve(5000)
    host.court.bank.outcome = "declined"
    fields = {"session_id": session.psp_session_id, "amount_minor": 8000}
    answer = host.ask(Name.UPDATE_SESSION, wait_ms=100, **fields)
    assert answer.number("result") == UpdateOutcome.DECLINED
    assert answer.number("amount_minor") == 5000
    assert answer.number("reason") == Decline.WITHDRAWAL_LIMIT_EXCEEDED
    host.court.tell(HostLinkMoved(up=False))
    answer = host.ask(Name.UPDATE_SESSION, **fields)
    assert answer.number("reason") == Decline.HOST_ERROR


def test_open_sessions_are_listed_page_by_page() -> None:
    host = psp(Family.P6X, link="serial")
    host.court.terminal.open_old_sessions(70)
    host.court.run(1_000)
    first = host.ask(Name.LIST_SESSIONS, offset=0)
    rest = host.ask(Name.LIST_SESSIONS, offset=63)
    assert first.number("total") == rest.number("total") == 70
    numbers = (*first.numbers("session_ids"), *rest.numbers("session_ids"))
    assert len(set(numbers)) == 70
    assert list(numbers) == [one.psp_session_id for one in host.court.sessions()]
    assert host.is_ok(Name.VOID_SESSION, session_id=numbers[0], wait_ms=200)
    assert host.ask(Name.LIST_SESSIONS, offset=0).number("total") == 69


def test_a_screen_of_the_host_waits_for_the_payment_flow() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=2500, reference=1)
    assert host.court.terminal.screen.text == "Present card EUR 25.00"
    properties = (("title", "Choose"), ("buttons.c1", ""), ("buttons.c1.label", "One"))
    assert host.is_ok(Name.UI_REQUEST, type="dialog", properties=properties)
    assert host.court.terminal.screen.screen == "present_card"
    host.ask(Name.CANCEL_SESSION)
    assert host.court.terminal.screen.text == "Choose | [One]"
    host.court.tell(TerminalButtonPressed(button="nothing"))
    host.court.tell(TerminalButtonPressed(button="c1"))
    (event,) = host.heard()
    assert event.text("button") == "c1"
    reason = host.reason(Name.UI_REQUEST, type="hologram", properties=())
    assert reason == Reason.INCORRECT_UI_SCREEN


def test_the_amount_may_be_hidden() -> None:
    host = psp()
    host.send(
        Name.START_SESSION,
        amount_minor=2500,
        reference=1,
        payment_methods=0,
        logo="",
        hide_amount=1,
    )
    assert host.court.terminal.screen.text == "Present card"


def test_requests_without_a_known_layout_are_not_supported() -> None:
    host = psp()
    assert host.reason(Name.GET_RECEIPT) == Reason.SERVICE_NOT_SUPPORTED
    assert host.reason(Name.REMOVE_SESSIONS) == Reason.SERVICE_NOT_SUPPORTED
    silent = psp(unknown_layouts="silent")
    silent.send(Name.GET_RECEIPT)
    assert silent.heard() == []


def test_removed_records_are_gone_and_no_money_moves() -> None:
    host = psp(remove_sessions="records_only")
    session = host.approve()
    assert host.is_ok(Name.REMOVE_SESSIONS)
    assert not host.void(session)
    assert host.court.bank.open_holds() == {"H1"}


def test_context_needs_an_open_session() -> None:
    host = psp()
    session = host.approve()
    number = session.psp_session_id
    assert host.is_ok(Name.ADD_TRANSACTION_CONTEXT, session_id=number, text="CDR 1")
    reason = host.reason(Name.ADD_TRANSACTION_CONTEXT, session_id=1, text="CDR 1")
    assert reason == Reason.SESSION_ID_NOT_FOUND


# --- Faults -------------------------------------------------------------------------


def test_refused_closes_are_taken_when_healed() -> None:
    host = psp()
    session = host.approve()
    host.court.impair(Kind.REFUSE_CLOSE, times=None, reason=Reason.INTERNAL_ERROR)
    for _ in range(3):
        assert not host.commit(session, 10)
    assert len(host.court.noted("fault", event="hit", fault="F1")) == 3
    assert host.court.terminal.heal("F1")
    assert not host.court.terminal.heal("F1")
    assert host.commit(session, 10)


def test_not_ready_still_answers_get_status() -> None:
    host = psp()
    host.court.impair(Kind.NOT_READY, times=2)
    for _ in range(2):
        assert host.reason(Name.DISABLE) == Reason.NOT_READY
    assert host.status() == (State.ENABLED, 0)
    assert host.is_ok(Name.DISABLE)


def test_a_swallowed_answer_leaves_the_effect_and_an_ignored_command_does_not() -> None:
    host = psp()
    first, second = host.approve(), host.approve(card="mastercard")
    host.court.impair(Kind.SWALLOW_ANSWER, message="Commit Session")
    fields = {"session_id": first.psp_session_id, "amount_minor": 10}
    host.send(Name.COMMIT_SESSION, **fields)
    host.court.run(1_000)
    assert host.heard() == []
    assert host.reason(Name.COMMIT_SESSION, **fields) == Reason.SESSION_ID_NOT_FOUND
    host.court.impair(Kind.IGNORE_COMMAND, message="Void Session")
    host.send(Name.VOID_SESSION, session_id=second.psp_session_id)
    host.court.run(1_000)
    assert host.heard() == []
    assert host.void(second)


def test_an_answer_comes_twice_or_late_but_never_after_a_reset() -> None:
    host = psp()
    host.court.impair(Kind.DUPLICATE_ANSWER, message="Session Approved")
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.run(100)
    one, two = host.heard()
    assert one == two
    host.court.impair(Kind.DELAY_ANSWER, message="Disable", delay_ms=5_000, times=2)
    host.send(Name.DISABLE)
    host.send(Name.GET_STATUS)
    assert _names(host) == [Name.GET_STATUS_RESPONSE]
    host.court.run(5_000)
    assert _names(host) == [Name.RESULT]
    host.send(Name.DISABLE)
    assert host.is_ok(Name.RESET)
    host.court.run(10_000)
    assert host.court.bytes_out == []


def test_one_tap_opens_two_sessions() -> None:
    host = psp()
    host.court.impair(Kind.SURPLUS_SESSION)
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    host.court.run(100)
    approvals = host.heard()
    numbers = [one.number("session_id") for one in approvals]
    assert len(set(numbers)) == 2
    assert host.court.bank.open_holds() == {"H1", "H2"}


def test_the_reader_stops_and_nobody_is_told() -> None:
    host = psp()
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.impair(Kind.STOP_READING)
    host.court.run(1)
    assert host.status() == (State.ENABLED, 0)
    assert host.heard() == []
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.impair(Kind.WRONG_RUNNING_FLAG)
    assert host.status() == (State.WAIT_CARD, 0)
    assert host.status() == (State.WAIT_CARD, 1)


def test_a_read_ends_early_by_a_fault() -> None:
    host = psp()
    host.court.impair(Kind.READ_TIMEOUT, delay_ms=5_000)
    host.send(Name.START_SESSION, amount_minor=1, reference=1)
    host.court.run(5_000)
    assert _names(host) == [Name.SESSION_CANCELLED]


def test_sessions_can_be_limited_from_outside() -> None:
    host = psp(link="serial")
    host.approve()
    host.court.terminal.limit_sessions(60, "commit")
    host.court.run(60_000)
    assert host.court.sessions()[0].state is SessionState.EXPIRED
    host.court.terminal.unlimit_sessions()
    host.approve(card="mastercard")
    host.court.run(600_000)
    assert host.court.sessions()[1].is_open
