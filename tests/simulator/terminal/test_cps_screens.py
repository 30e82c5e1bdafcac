"""Screens and misleading answers over CPS, and a session that both faces see."""

import json

from simulator.events import (
    TerminalButtonPressed,
    TerminalPower,
)
from simulator.terminal import Kind, SessionState
from tests.simulator.terminal.pair import PspHost, cloud, json_of
from wire import cps
from wire.psp import Family, Name, Reason, State

URL = "http://127.0.0.1:9000/cb"


def _session(response: cps.Response) -> cps.Session:
    assert response.status == 200
    return cps.Session.from_json(json_of(response))


# --- Screens ----------------------------------------------------------------------


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


# --- Faults -----------------------------------------------------------------------


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


# --- Both faces -------------------------------------------------------------------


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
