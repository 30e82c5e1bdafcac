"""A terminal without its host or its power, and one that misbehaves, over PSP."""

from simulator.events import (
    HostLinkMoved,
    PspConnected,
    PspDisconnected,
    TerminalPower,
)
from simulator.terminal import Kind, SessionState
from tests.simulator.terminal.pair import PspHost, psp
from wire.psp import (
    Decline,
    Name,
    Reason,
    State,
)

_MINUTE_MS = 60_000


def _names(host: PspHost) -> list[Name]:
    return [one.name for one in host.heard()]


# --- The host link ----------------------------------------------------------------


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


# --- Power and connections --------------------------------------------------------


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
    host = psp(late_approval="deliver")
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


# --- Faults -----------------------------------------------------------------------


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
