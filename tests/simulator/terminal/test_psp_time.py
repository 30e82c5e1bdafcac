"""What time does over PSP: limits, and approvals that come late."""

import pytest

from simulator.events import (
    PspConnected,
    PspDisconnected,
)
from simulator.terminal import SessionState
from tests.simulator.terminal.pair import Court, PspHost, psp
from wire.psp import (
    Decline,
    Family,
    Name,
    Reason,
    SetupAction,
    State,
)

_MINUTE_MS = 60_000


def _names(host: PspHost) -> list[Name]:
    return [one.name for one in host.heard()]


# --- Time-outs --------------------------------------------------------------------


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


# --- Late approvals ---------------------------------------------------------------


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
    host = psp(late_approval="deliver")
    assert _late(host) == [Name.SESSION_APPROVED]
    (session,) = host.court.sessions()
    assert session.is_open
    host.court.bank.delay_ms = 100
    assert host.void(session)


def test_a_late_approval_may_be_reversed_by_the_terminal() -> None:
    host = psp(late_approval="reverse")
    assert _late(host) == []
    host.court.run(1_000)
    assert host.court.sessions() == []
    assert len(host.court.bank.holds) == 1
    host.court.run(240_000)
    assert host.court.bank.open_holds() == set()


def test_a_late_approval_is_never_told_to_another_connection() -> None:
    host = psp(late_approval="deliver")
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
    host = psp(late_approval="deliver")
    host.court.bank.delay_ms = 5_000
    host.send(Name.START_SESSION, amount_minor=5000, reference=1)
    host.court.tap()
    host.heard()
    host.send(Name.AUTH_SESSION)
    assert host.is_ok(Name.RESET)
    again = PspHost(host.court)
    host.court.run(5_000)
    assert [one.name for one in again.heard()] == [Name.SESSION_APPROVED]


# --- Session timeout --------------------------------------------------------------


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
