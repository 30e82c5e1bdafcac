"""Cards and authorisations over CPS, in real requests (cps.md 8)."""

import json

from simulator.cards import CARDS
from simulator.terminal import cps_card_id
from tests.simulator.terminal.pair import cloud, json_of
from wire import cps

URL = "http://127.0.0.1:9000/cb"


def _session(response: cps.Response) -> cps.Session:
    assert response.status == 200
    return cps.Session.from_json(json_of(response))


# --- Start, card, stop ------------------------------------------------------------


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


# --- Authorize --------------------------------------------------------------------


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


def test_a_late_approval_stays_open_or_is_reversed_by_the_terminal() -> None:
    for reading, is_kept in (("deliver", True), ("reverse", False)):
        host = cloud(policy={"late_approval": reading})
        host.read()
        host.court.bank.delay_ms = 240_000
        assert _session(host.call("E6", wait_ms=210_000)).state == "DECLINED"
        host.court.run(60_000)
        assert [one.is_open for one in host.court.sessions()] == [True] * is_kept
        host.court.run(240_000)
        assert bool(host.court.bank.open_holds()) is is_kept


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
