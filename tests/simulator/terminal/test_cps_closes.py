"""Closes over CPS, also while the terminal is offline (cps.md 4.3, 4.5)."""

import json

import pytest

from simulator.events import (
    CloudCalled,
    CloudLinkMoved,
    HostLinkMoved,
    TerminalPower,
)
from simulator.terminal import Kind
from tests.simulator.terminal.pair import cloud, json_of
from wire import cps

URL = "http://127.0.0.1:9000/cb"


def _session(response: cps.Response) -> cps.Session:
    assert response.status == 200
    return cps.Session.from_json(json_of(response))


# --- Commit and cancel ------------------------------------------------------------


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


# --- Offline ----------------------------------------------------------------------


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
