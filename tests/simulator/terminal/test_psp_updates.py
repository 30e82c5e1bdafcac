"""Increments, lists of sessions and screens over PSP."""

from simulator.events import (
    HostLinkMoved,
    TerminalButtonPressed,
)
from tests.simulator.terminal.pair import PspHost, psp
from wire.psp import (
    Decline,
    Family,
    Name,
    Reason,
    UpdateOutcome,
)

_MINUTE_MS = 60_000


def _names(host: PspHost) -> list[Name]:
    return [one.name for one in host.heard()]


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
