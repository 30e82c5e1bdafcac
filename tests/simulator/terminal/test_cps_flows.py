"""Flows over CPS, in real requests (cps.md 8) and under other policies (4.3, 9)."""

import json

import pytest

from simulator.cards import CARDS
from simulator.events import (
    CloudCalled,
    CloudLinkMoved,
    HostLinkMoved,
    TerminalButtonPressed,
    TerminalPower,
)
from simulator.terminal import Kind, SessionState, cps_card_id
from tests.simulator.terminal.pair import PspHost, cloud, json_of
from wire import cps
from wire.psp import Family, Name, Reason, State

URL = "http://127.0.0.1:9000/cb"


def _session(response: cps.Response) -> cps.Session:
    assert response.status == 200
    return cps.Session.from_json(json_of(response))


# --- Start, card, stop --------------------------------------------------------------


def test_tap_to_start_and_tap_to_stop() -> None:
    """cps.md 8.1."""
    host = cloud()
    assert host.state() == "IDLE"
    answer = host.call(
        "E3", authorizedAmount=5000, callbackUrl=URL, uiMessage="Tap your card"
    )
    assert answer.status == 204
    assert host.state() == "IDLE"
    host.court.run(300)
    assert host.state() == "READING"
    assert host.court.terminal.screen.text == "Tap your card EUR 50.00"
    host.court.tap()
    (callback,) = host.court.callbacks
    card = cps.Card.from_json(json.loads(callback.body))
    assert (callback.what, callback.url) == ("card", URL)
    assert card.card_id == cps_card_id(CARDS["visa"])
    assert len(card.card_id) == 64
    session = _session(host.call("E6", wait_ms=100))
    assert session.state == "AUTHORIZED"
    assert session.card_id == card.card_id
    assert session.merchant_reference == session.session_id.replace("-", "")
    host.read()
    again = cps.Card.from_json(json_of(host.call("E4")))
    assert again.card_id == card.card_id
    assert [one.session_id for one in again.sessions] == [session.session_id]
    assert host.call("E5", uiMessage="Stopping").status == 204
    assert host.court.terminal.screen.text == "Stopping"
    committed = _session(
        host.call("E9", session.session_id, commitAmount=1234, wait_ms=100)
    )
    assert (committed.state, committed.final_amount) == ("COMMITED", 1234)
    assert committed.result == "APPROVED"
    assert host.court.bank.holds["H1"].captured_minor == 1234


def test_long_polls_are_answered_by_the_card_or_by_their_end() -> None:
    host = cloud()
    host.call("E3", authorizedAmount=5000, wait_ms=300)
    early = host.send("E4", waitTime=1)
    late = host.send("E4", waitTime=10)
    host.court.run(1_000)
    assert host.court.answers[early].status == 204
    host.court.tap()
    assert cps.Card.from_json(json_of(host.court.answers[late])).masked_pan
    assert host.call("E4").status == 200


def test_a_poll_without_a_wait_is_answered_at_once() -> None:
    for status in (204, 404, 408):
        assert cloud(no_card=status).call("E4").status == status


def test_a_card_is_dropped_after_thirty_seconds_without_a_word() -> None:
    host = cloud()
    host.read()
    assert host.state() == "CARD"
    host.court.run(30_000)
    assert host.state() == "IDLE"
    assert host.call("E6").status == 409
    assert host.court.callbacks == []


def test_stop_is_no_cancel() -> None:
    host = cloud()
    session = host.approve()
    assert host.call("E5").status == 204
    assert host.court.terminal.sessions[session.session_id].is_open
    assert host.court.bank.open_holds() == {"H1"}


def test_start_while_reading_is_refused_or_restarts() -> None:
    host = cloud()
    host.call("E3", authorizedAmount=1, wait_ms=300)
    assert host.call("E3", authorizedAmount=2).status == 409
    other = cloud(start_busy="restart")
    other.call("E3", authorizedAmount=1, wait_ms=300)
    assert other.call("E3", authorizedAmount=2, wait_ms=300).status == 204
    assert other.state() == "READING"


def test_other_answers_of_start_and_stop() -> None:
    host = cloud(start_success=200, stop_idle=409, stop_body="session")
    assert host.call("E5").status == 409
    assert host.call("E3", authorizedAmount=1, wait_ms=300).status == 200
    assert _session(host.call("E5")).state == "CANCELLED"


def test_a_read_may_time_out() -> None:
    host = cloud(read_timeout_s=60)
    host.call("E3", authorizedAmount=1)
    host.court.run(60_299)
    assert host.state() == "READING"
    host.court.run(1)
    assert host.state() == "IDLE"


# --- Authorize ----------------------------------------------------------------------


def test_declined_has_no_session() -> None:
    host = cloud()
    host.court.bank.outcome = "declined"
    host.read()
    answer = host.call("E6", wait_ms=100)
    assert json_of(answer) == {"state": "DECLINED", "result": "DECLINED"}
    assert host.court.sessions() == []
    assert host.state() == "IDLE"


def test_the_full_declined_body_has_no_session_id_either() -> None:
    host = cloud(declined_body="full", declined_state="FAILED")
    host.court.bank.outcome = "declined"
    host.read()
    body = json_of(host.call("E6", wait_ms=100))
    assert isinstance(body, dict)
    assert body["state"] == "FAILED"
    assert "sessionId" not in body


def test_authorize_needs_a_payment_card_that_is_not_in_use() -> None:
    host = cloud()
    assert host.call("E6").status == 409
    host.read(card="rfid")
    assert host.call("E6").status == 409
    host.call("E5")
    host.approve()
    host.read()
    assert host.call("E6").status == 409
    assert len(host.court.bank.holds) == 1
    other = cloud(same_card_open="accept")
    other.approve()
    other.approve()
    assert len(other.court.bank.open_holds()) == 2


def test_one_authorize_at_a_time() -> None:
    host = cloud()
    host.read()
    first = host.send("E6")
    assert host.state() == "AUTHORIZING"
    assert host.call("E6").status == 409
    assert host.call("E5").status == 409
    host.court.run(100)
    assert _session(host.court.answers[first]).state == "AUTHORIZED"
    assert len(host.court.bank.holds) == 1


def test_partial_approval_by_policy() -> None:
    host = cloud()
    host.court.bank.outcome = "partial"
    host.read()
    assert _session(host.call("E6", wait_ms=100)).authorized_amount == 1000
    other = cloud(partial_approval="declined")
    other.court.bank.outcome = "partial"
    other.read()
    assert _session(other.call("E6", wait_ms=200)).state == "DECLINED"
    other.court.run(100)
    assert other.court.bank.open_holds() == set()


def test_an_approval_after_the_limit_is_found_by_listing() -> None:
    host = cloud(session_notification="on")
    host.court.bank.delay_ms = 240_000
    host.call("E3", authorizedAmount=5000, callbackUrl=URL, wait_ms=300)
    host.court.tap()
    host.court.callbacks.clear()
    answer = host.call("E6", wait_ms=210_000)
    assert _session(answer).state == "DECLINED"
    host.court.run(30_000)
    (known,) = cps.parse_list(json_of(host.call("E7")), "sessions")
    session = cps.Session.from_json(known)
    assert session.state == "AUTHORIZED"
    (callback,) = host.court.callbacks
    assert callback.what == "session"
    host.court.bank.delay_ms = 100
    cancelled = host.call("E10", session.session_id, wait_ms=100)
    assert _session(cancelled).state == "CANCELLED"


# --- Commit and cancel ----------------------------------------------------------------


def test_a_lost_answer_and_the_retry() -> None:
    """cps.md 8.5."""
    host = cloud()
    session = host.approve()
    host.court.impair(Kind.SWALLOW_ANSWER, message="E9")
    lost = host.send("E9", session.session_id, commitAmount=1234)
    host.court.run(1_000)
    assert lost not in host.court.answers
    again = host.close("E9", session, commitAmount=1234)
    assert again.status == 409
    assert "already committed" in str(json_of(again))
    found = _session(host.call("E8", session.session_id))
    assert (found.state, found.final_amount) == ("COMMITED", 1234)
    assert len(host.court.noted("session", event="committed")) == 1


def test_cancel_releases_and_is_final() -> None:
    host = cloud()
    session = host.approve()
    assert _session(host.close("E10", session)).state == "CANCELLED"
    assert host.court.bank.open_holds() == set()
    assert host.close("E10", session).status == 409
    assert host.close("E9", session, commitAmount=1).status == 409
    lenient = cloud(cancel_repeat=200, cancel_after_commit=200)
    twice = lenient.approve()
    lenient.close("E10", twice)
    assert _session(lenient.close("E10", twice)).state == "CANCELLED"
    paid = lenient.approve(card="mastercard")
    lenient.close("E9", paid, commitAmount=5)
    assert _session(lenient.close("E10", paid)).state == "COMMITED"


@pytest.mark.parametrize(
    ("policy", "amount", "status", "state"),
    [
        ({}, 5000, 200, "COMMITED"),
        ({}, 0, 200, "COMMITED"),
        ({"zero_commit": "reject"}, 0, 400, "AUTHORIZED"),
        ({}, 5001, 400, "AUTHORIZED"),
        ({"bad_parameter": 422}, 5001, 400, "AUTHORIZED"),
        ({"over_commit": "accept"}, 5001, 200, "COMMITED"),
        ({"over_commit": "fail"}, 5001, 200, "FAILED"),
        ({"committed_name": "COMMITTED"}, 10, 200, "COMMITTED"),
    ],
)
def test_unusual_amounts_follow_the_policy(
    policy: dict[str, object], amount: int, status: int, state: str
) -> None:
    host = cloud(policy=policy)
    session = host.approve(5000)
    assert host.close("E9", session, commitAmount=amount).status == status
    assert _session(host.call("E8", session.session_id)).state == state


def test_failed_with_200_is_no_payment_and_can_be_tried_again() -> None:
    """cps.md 8.6."""
    host = cloud()
    session = host.approve()
    host.court.impair(Kind.COMMIT_FAILED)
    failed = _session(host.close("E9", session, commitAmount=1234))
    assert (failed.state, failed.result) == ("FAILED", "APPROVED")
    assert host.court.bank.open_holds() == {"H1"}
    assert _session(host.close("E9", session, commitAmount=1234)).state == "COMMITED"


def test_a_failed_session_may_be_final() -> None:
    host = cloud(failed_session="final")
    session = host.approve()
    host.court.impair(Kind.COMMIT_FAILED)
    for _ in range(2):
        answer = host.close("E9", session, commitAmount=1234)
        assert _session(answer).state == "FAILED"
    assert host.court.bank.holds["H1"].captured_minor is None


def test_the_issuer_refuses() -> None:
    host = cloud()
    session = host.approve()
    host.court.bank.refuses_closes = True
    assert _session(host.close("E9", session, commitAmount=10)).state == "FAILED"
    assert host.close("E10", session).status == 500
    host.court.bank.refuses_closes = False
    assert _session(host.close("E10", session)).state == "CANCELLED"


def test_two_closes_at_the_same_time_have_one_effect() -> None:
    host = cloud()
    session = host.approve()
    first = host.send("E9", session.session_id, commitAmount=10)
    same = host.send("E9", session.session_id, commitAmount=10)
    other = host.send("E9", session.session_id, commitAmount=11)
    cancel = host.send("E10", session.session_id)
    host.court.run(1_000)
    statuses = [host.court.answers[one].status for one in (first, same, other, cancel)]
    assert statuses == [200, 200, 500, 500]
    assert len(host.court.noted("session", event="committed")) == 1


def test_409_is_never_a_fault() -> None:
    with pytest.raises(ValueError, match="409"):
        cloud().court.impair(Kind.HTTP_STATUS, status=409)


def test_unknown_sessions_terminals_and_keys() -> None:
    host = cloud()
    assert host.call("E8", "no-such-session").status == 404
    assert host.call("E9", "no-such-session", commitAmount=1).status == 404
    host.court.settings = host.court.settings.__class__(serial_number="OTHER")
    assert host.call("E2").status == 404
    host = cloud()
    host.api_key = "wrong"
    assert host.call("E2").status == 401
    host.court.terminal.replace_api_key("wrong")
    assert host.call("E2").status == 200


def test_bad_requests_name_what_is_allowed() -> None:
    host = cloud(bad_parameter=422, unknown_parameter="refuse")
    key = cps.authorization(host.api_key)
    serial = host.court.settings.serial_number
    targets = {
        f"/terminals/{serial}/start": 422,
        f"/terminals/{serial}/start?authorizedAmount=x": 422,
        f"/terminals/{serial}/start?authorizedAmount=1&colour=red": 422,
        f"/terminals/{serial}/nothing": 404,
        "/nothing": 404,
    }
    for number, (target, status) in enumerate(targets.items(), start=100):
        request = cps.Request("POST", target, (key,))
        host.court.tell(CloudCalled(call=number, request=request))
        assert host.court.answers[number].status == status, target


# --- Offline --------------------------------------------------------------------------


def test_an_offline_terminal_loses_the_read_and_keeps_the_sessions() -> None:
    host = cloud()
    session = host.approve()
    host.call("E3", authorizedAmount=1, wait_ms=300)
    poll = host.send("E4", waitTime=30)
    host.court.tell(CloudLinkMoved(up=False))
    assert host.court.answers[poll].status == 204
    info = cps.TerminalInfo.from_json(json_of(host.call("E2")))
    assert (info.online, info.state) == (False, "READING")
    assert host.call("E3", authorizedAmount=1).status == 503
    assert host.call("E5").status == 503
    assert host.call("E6").status == 503
    assert host.close("E9", session, commitAmount=10).status == 503
    host.court.tell(CloudLinkMoved(up=True))
    assert host.state() == "IDLE"
    assert _session(host.close("E9", session, commitAmount=10)).state == "COMMITED"


def test_closes_may_be_queued_while_offline() -> None:
    host = cloud(offline_close="queue")
    session = host.approve()
    host.court.tell(CloudLinkMoved(up=False))
    assert _session(host.close("E9", session, commitAmount=10)).state == "COMMITED"
    assert host.court.bank.open_holds() == {"H1"}
    host.court.tell(CloudLinkMoved(up=True))
    host.court.run(200)
    assert host.court.bank.holds["H1"].captured_minor == 10


def test_going_offline_during_an_authorisation() -> None:
    host = cloud()
    host.court.bank.delay_ms = 1_000
    host.read()
    call = host.send("E6")
    host.court.tell(CloudLinkMoved(up=False))
    assert host.court.answers[call].status == 503
    host.court.run(1_000)
    (session,) = host.court.sessions()
    assert session.is_open
    host.court.tell(CloudLinkMoved(up=True))
    assert _session(host.close("E10", session, wait_ms=1_000)).state == "CANCELLED"


def test_the_payment_host_is_another_line() -> None:
    host = cloud()
    session = host.approve()
    host.court.tell(HostLinkMoved(up=False))
    host.read(card="mastercard")
    assert _session(host.call("E6")).state == "DECLINED"
    assert _session(host.close("E9", session, commitAmount=9, wait_ms=0)).state == (
        "COMMITED"
    )
    host.court.tell(HostLinkMoved(up=True))
    host.court.run(200)
    assert host.court.bank.holds["H1"].captured_minor == 9


def test_state_webhook() -> None:
    """cps.md 8.8."""
    host = cloud()
    assert host.call("E12").status == 404
    assert host.call("E12-set", callbackUrl=URL).status == 204
    assert json_of(host.call("E12")) == {"callbackUrl": URL}
    host.call("E3", authorizedAmount=1, wait_ms=300)
    assert host.court.callbacks == []
    host.court.tell(TerminalPower(on=False))
    host.court.tell(TerminalPower(on=True))
    host.court.run(15_000)
    infos = [
        cps.TerminalInfo.from_json(json.loads(one.body)) for one in host.court.callbacks
    ]
    assert [one.online for one in infos] == [False, True]
    assert infos[-1].state == "IDLE"
    assert host.call("E12-delete").status == 204
    host.court.tell(CloudLinkMoved(up=False))
    assert len(host.court.callbacks) == 2


def test_every_state_may_be_told() -> None:
    host = cloud(state_webhook="all")
    host.call("E12-set", callbackUrl=URL)
    host.approve()
    states = [json.loads(one.body)["state"] for one in host.court.callbacks]
    assert states == ["READING", "CARD", "AUTHORIZING", "IDLE"]


def test_a_token_buys_a_key_and_the_old_one_dies() -> None:
    host = cloud()
    request = cps.build("E13", api_key=host.court.settings.api_token)
    host.court.tell(CloudCalled(call=500, request=request))
    body = json_of(host.court.answers[500])
    assert isinstance(body, dict)
    assert host.call("E2").status == 401
    host.api_key = str(body["apikey"])
    assert host.call("E2").status == 200
    wrong = cps.build("E13", api_key="wrong")
    host.court.tell(CloudCalled(call=501, request=wrong))
    assert host.court.answers[501].status == 401


def test_sessions_may_expire_in_the_cloud() -> None:
    host = cloud(session_expiry_h=2)
    session = host.approve()
    host.court.run(2 * 3_600_000 + 200)
    assert _session(host.call("E8", session.session_id)).state == "CANCELLED"
    assert host.court.bank.open_holds() == set()


def test_closed_sessions_are_forgotten_after_a_week() -> None:
    host = cloud(list_shape="wrapped")
    session = host.approve()
    host.close("E10", session)
    host.court.run(7 * 86_400_000 + 1)
    assert json_of(host.call("E7")) == {"sessions": []}
    assert host.call("E8", session.session_id).status == 404


def test_incremental_authorisation_is_off_by_default() -> None:
    host = cloud()
    session = host.approve()
    answer = host.call("E14", session.session_id, authorizedAmount=8000)
    assert answer.status == 404
    other = cloud(update_call="on")
    raised = other.approve(5000)
    answer = other.call("E14", raised.session_id, authorizedAmount=8000, wait_ms=100)
    assert _session(answer).authorized_amount == 8000
    other.court.bank.outcome = "declined"
    answer = other.call("E14", raised.session_id, authorizedAmount=9000, wait_ms=100)
    assert _session(answer).result == "DECLINED"
    assert _session(answer).authorized_amount == 8000


# --- Screens --------------------------------------------------------------------------

PICK = {
    "id": "pick-1",
    "type": "selection",
    "properties": {
        "title": "Choose",
        "type": "3",
        "items.c1": "",
        "items.c1.label": "Connector 1",
        "items.c2": "",
        "items.c2.disabled": True,
    },
}


def test_a_screen_with_buttons() -> None:
    """cps.md 8.7."""
    host = cloud()
    assert host.call("E11", body=PICK, callbackUrl=URL).status == 204
    assert host.court.terminal.screen.text == "Choose | [Connector 1] | [c2]"
    host.court.tell(TerminalButtonPressed(button="c2"))
    assert host.court.callbacks == []
    host.court.tell(TerminalButtonPressed(button="c1"))
    (callback,) = host.court.callbacks
    assert json.loads(callback.body) == {
        "serialNumber": host.court.settings.serial_number,
        "screenId": "pick-1",
        "response": "c1",
    }
    host.court.tell(TerminalPower(on=False))
    host.court.tell(TerminalPower(on=True))
    host.court.run(15_000)
    assert host.court.terminal.screen.screen == "idle"


def test_screens_are_refused_where_they_cannot_be() -> None:
    host = cloud()
    unknown = {"id": "x", "type": "hologram", "properties": {}}
    assert host.call("E11", body=unknown).status == 400
    host.call("E3", authorizedAmount=1, wait_ms=300)
    assert host.call("E11", body=PICK).status == 409
    other = cloud(ui_while_reading="accept", unknown_screen="accept")
    other.call("E3", authorizedAmount=1, wait_ms=300)
    assert other.call("E11", body=unknown).status == 204
    assert other.court.terminal.screen.screen == "present_card"
    assert cloud(Family.P6X).call("E11", body=PICK).status == 501


# --- Faults ---------------------------------------------------------------------------


def test_faults_of_the_cloud() -> None:
    host = cloud()
    session = host.approve()
    host.court.impair(Kind.HTTP_STATUS, message="E9", status=500, times=2)
    for _ in range(2):
        assert host.close("E9", session, commitAmount=5).status == 500
    host.court.impair(Kind.REFUSE_CLOSE, operation="commit", status=503)
    assert host.close("E9", session, commitAmount=5).status == 503
    host.court.impair(Kind.IGNORE_COMMAND, message="E9")
    ignored = host.send("E9", session.session_id, commitAmount=5)
    host.court.run(60_000)
    assert ignored not in host.court.answers
    assert host.court.terminal.sessions[session.session_id].is_open
    host.court.impair(Kind.DELAY_ANSWER, message="E9", delay_ms=60_000)
    slow = host.send("E9", session.session_id, commitAmount=5)
    host.court.run(60_000)
    assert slow not in host.court.answers
    host.court.run(100)
    assert _session(host.court.answers[slow]).state == "COMMITED"
    host.court.impair(Kind.HTTP_STATUS, message="E2", status=200)
    assert host.call("E2").body == b""


def test_a_card_callback_comes_twice() -> None:
    host = cloud()
    host.court.impair(Kind.DUPLICATE_ANSWER, message="card")
    host.call("E3", authorizedAmount=1, callbackUrl=URL, wait_ms=300)
    host.court.tap()
    assert [one.what for one in host.court.callbacks] == ["card", "card"]
    assert len(host.court.noted("fault", event="hit")) == 1


def test_a_surplus_session_is_found_by_listing() -> None:
    host = cloud()
    host.court.impair(Kind.SURPLUS_SESSION)
    host.approve()
    sessions = cps.parse_list(json_of(host.call("E7")), "sessions")
    assert len(sessions) == len(host.court.bank.open_holds()) == 2


def test_forgotten_callbacks() -> None:
    host = cloud()
    host.call("E3", authorizedAmount=1, callbackUrl=URL, wait_ms=300)
    host.court.terminal.forget_callbacks()
    host.court.tap()
    assert host.court.callbacks == []
    assert host.call("E4").status == 200


def test_the_stub_of_a_card_callback() -> None:
    host = cloud(card_callback="stub")
    host.call("E3", authorizedAmount=1, callbackUrl=URL, wait_ms=300)
    host.court.tap()
    (callback,) = host.court.callbacks
    assert set(json.loads(callback.body)) == {"sessionId", "maskedPan"}


# --- Both faces -----------------------------------------------------------------------


def test_one_reader_for_both_faces() -> None:
    host = cloud()
    line = PspHost(host.court)
    line.set_up()
    host.call("E3", authorizedAmount=1, wait_ms=300)
    reason = line.reason(Name.START_SESSION, amount_minor=1, reference=1)
    assert reason == Reason.INVALID_APPLICATION_STATE
    assert line.status() == (State.ENABLED, 0)
    host.call("E5")
    line.send(Name.START_SESSION, amount_minor=1, reference=1)
    assert host.state() == "READING"
    assert host.call("E3", authorizedAmount=1).status == 409
    assert host.call("E4").status == 204


def test_one_store_for_both_faces() -> None:
    host = cloud()
    line = PspHost(host.court)
    line.set_up()
    session = line.approve()
    shown = _session(host.call("E8", session.session_id))
    assert shown.terminal_txn_id == session.psp_session_id
    assert _session(host.close("E10", session)).state == "CANCELLED"
    assert not line.void(session)
    assert host.court.sessions()[0].state is SessionState.CANCELLED
