"""The line to the cloud: each call is heard of once; a lost answer is no failure."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.cloud_line import CallFault, What
from harness.line_faults import Turn
from wire.cps import build
from wire.machine import (
    AnswerCallback,
    CallbackReceived,
    CallHttp,
    HttpAnswered,
    HttpFailed,
)

Make = Callable[[str], Any]


def strike(made: Any, what: What, route: str = "", **fields: Any) -> list[str]:
    """Put a fault into the line; the answer grows with its hits."""
    hits: list[str] = []
    fault = CallFault(what=what, hit=hits.append, turn=Turn(), route=route, **fields)
    made.bench.lines.cloud.faults.append(fault)
    return hits


CALLBACK = "http://127.0.0.1:8299/callbacks/x?y=1"


def call(
    made: Any, route: str, *, call_id: int = 7, key: str = "", **params: Any
) -> CallHttp:
    request = build(
        route,
        api_key=key or made.bench.api_key,
        serial_number=made.bench.serial_number,
        params=params,
    )
    return CallHttp(
        call_id=call_id,
        method=request.method,
        target=request.target,
        headers=request.headers,
        timeout_ms=30_000,
    )


def start(made: Any) -> CallHttp:
    return call(made, "E3", authorizedAmount=5000, callbackUrl=CALLBACK)


def test_a_call_is_answered_once(rig: Make) -> None:
    made = rig("cps")
    made.bench.lines.cloud.call(call(made, "E2"))
    made.bench.run_for(60_000)
    (answer,) = made.controller.of(HttpAnswered)
    assert (answer.call_id, answer.status) == (7, 200)
    assert made.bench.serial_number.encode() in answer.body
    assert made.controller.of(HttpFailed) == []
    (record,) = made.records("http")
    assert (record["route"], record["authorised"]) == ("E2", True)


def test_a_wrong_key_shows_and_no_key_is_kept(rig: Make) -> None:
    made = rig("cps")
    made.bench.lines.cloud.call(call(made, "E2", key="another-key"))
    made.bench.run_for(1_000)
    assert made.controller.of(HttpAnswered)[0].status == 401
    assert made.records("http")[0]["authorised"] is False
    assert "another-key" not in made.bench.trace.render()
    assert made.bench.api_key not in made.bench.trace.render()


def test_a_lost_answer_is_a_timeout_after_the_effect(rig: Make) -> None:
    made = rig("cps")
    line = made.bench.lines.cloud
    hits = strike(made, "silence_after", "E3")
    line.call(start(made))
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.info.state == "READING", "it had its effect"
    assert made.controller.of(HttpAnswered) == []
    (failed,) = made.controller.of(HttpFailed)
    assert (failed.call_id, failed.reason) == (7, "timeout")
    assert made.controller.heard[-1][0] == 30_000
    assert made.records("http_answer")[0]["fate"] == "lost"
    assert hits == ["call 1 E3"]


@pytest.mark.parametrize(
    ("what", "reason", "at_ms"),
    [
        ("refuse", "refused", 20),
        ("break_before", "reset", 20),
        ("silence_before", "timeout", 30_000),
    ],
)
def test_what_never_arrives_has_no_effect(
    rig: Make, what: Any, reason: str, at_ms: int
) -> None:
    made = rig("cps")
    strike(made, what)
    made.bench.lines.cloud.call(start(made))
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.info.state == "IDLE"
    assert [fact.reason for fact in made.controller.of(HttpFailed)] == [reason]
    assert made.controller.heard[-1][0] == at_ms
    assert made.records("http")[0]["fate"] == "lost"
    assert made.records("http_answer") == []


def test_a_fault_is_for_its_route_and_so_many_calls(rig: Make) -> None:
    made = rig("cps")
    line = made.bench.lines.cloud
    hits = strike(made, "refuse", "E2")
    for call_id, route in enumerate(("E7", "E2", "E2")):
        line.call(call(made, route, call_id=call_id))
        made.bench.run_for(1_000)
    assert [fact.call_id for fact in made.controller.of(HttpAnswered)] == [0, 2]
    assert [fact.call_id for fact in made.controller.of(HttpFailed)] == [1]
    assert hits == ["call 2 E2"]


def test_a_connection_that_breaks_after_the_effect(rig: Make) -> None:
    made = rig("cps")
    strike(made, "break_after")
    made.bench.lines.cloud.call(start(made))
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.info.state == "READING", "it had its effect"
    assert [fact.reason for fact in made.controller.of(HttpFailed)] == ["reset"]
    assert made.controller.heard[-1][0] == 40
    assert made.records("http_answer")[0]["fate"] == "lost"


@pytest.mark.parametrize(
    ("what", "state"), [("status_before", "IDLE"), ("status_after", "READING")]
)
def test_a_status_without_and_with_the_effect(
    rig: Make, what: What, state: str
) -> None:
    made = rig("cps")
    strike(made, what, status=503)
    made.bench.lines.cloud.call(start(made))
    made.bench.run_for(60_000)
    (answer,) = made.controller.of(HttpAnswered)
    assert answer.status == 503
    assert b"Service Unavailable" in answer.body
    assert made.bench.court.terminal.info.state == state


@pytest.mark.parametrize(("what", "body"), [("empty", b""), ("garble", b'{"state": "')])
def test_an_answer_that_cannot_be_read(rig: Make, what: What, body: bytes) -> None:
    made = rig("cps")
    strike(made, what)
    made.bench.lines.cloud.call(call(made, "E2"))
    made.bench.run_for(60_000)
    (answer,) = made.controller.of(HttpAnswered)
    assert (answer.status, answer.body) == (200, body)
    (record,) = made.records("http_answer")
    assert (record["fate"], record["body"]) == ("changed", None)


@pytest.mark.parametrize(("late_ms", "is_heard"), [(5_000, True), (40_000, False)])
def test_a_late_answer_may_come_too_late(
    rig: Make, late_ms: int, is_heard: bool
) -> None:
    made = rig("cps")
    strike(made, "late", delay_ms=late_ms)
    made.bench.lines.cloud.call(call(made, "E2"))
    made.bench.run_for(60_000)
    assert len(made.controller.of(HttpAnswered)) == is_heard
    assert len(made.controller.of(HttpFailed)) == (not is_heard)
    assert made.records("http_answer")[0]["t_ms"] == 40 + late_ms


def test_a_made_up_status_has_no_effect_even_if_its_caller_dies(rig: Make) -> None:
    made = rig("cps")
    strike(made, "status_before")
    made.bench.lines.cloud.call(start(made))
    made.bench.device.kill()
    made.bench.run_for(1_000)
    assert made.bench.court.terminal.info.state == "IDLE"


def test_nobody_waits_for_the_calls_of_a_dead_controller(rig: Make) -> None:
    made = rig("cps")
    made.bench.lines.cloud.call(start(made))
    made.bench.device.kill()
    made.bench.device.start()
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.info.state == "READING"
    assert made.controller.of(HttpAnswered) == []
    assert made.controller.of(HttpFailed) == []
    assert made.records("http_answer")[0]["fate"] == "lost"


# --- Callbacks --------------------------------------------------------------------


def post(made: Any, url: str) -> None:
    made.bench.lines.cloud.callback("card", url, b'{"cardId": "X"}')
    made.bench.run_for(1_000)


def test_a_callback_reaches_a_controller_that_listens(rig: Make) -> None:
    made = rig("cps")
    post(made, CALLBACK)
    (heard,) = made.controller.of(CallbackReceived)
    assert heard.target == "/callbacks/x?y=1"
    made.bench.lines.cloud.answer_callback(
        AnswerCallback(callback_id=heard.callback_id, status=204)
    )
    assert made.records("callback_answer")[0]["status"] == 204
    assert made.records("finding") == []


def test_a_callback_to_a_foreign_host_is_refused_and_recorded(rig: Make) -> None:
    made = rig("cps")
    post(made, "http://collector.example/callbacks")
    assert made.controller.of(CallbackReceived) == []
    assert made.records("callback")[0]["fate"] == "lost"
    (found,) = made.records("finding")
    assert "127.0.0.1" in found["expected"]
    assert "collector.example" in found["seen"]


def test_a_callback_to_nobody_is_lost(rig: Make) -> None:
    made = rig("cps")
    made.bench.device.kill()
    post(made, CALLBACK)
    assert made.controller.of(CallbackReceived) == []
    assert made.records("callback")[0]["fate"] == "lost"
