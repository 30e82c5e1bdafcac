"""The line to the cloud: each call is heard of once; a lost answer is no failure."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.cloud_line import HttpFault
from wire.cps import build
from wire.machine import (
    AnswerCallback,
    CallbackReceived,
    CallHttp,
    HttpAnswered,
    HttpFailed,
)

Make = Callable[[str], Any]
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
    line.faults.append(HttpFault("F1", "lost", "E3", "lose_answer"))
    line.call(start(made))
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.info.state == "READING", "it had its effect"
    assert made.controller.of(HttpAnswered) == []
    (failed,) = made.controller.of(HttpFailed)
    assert (failed.call_id, failed.reason) == (7, "timeout")
    assert made.controller.heard[-1][0] == 30_000
    assert made.records("http_answer")[0]["fate"] == "lost"
    assert [record["event"] for record in made.records("fault")] == ["hit"]


@pytest.mark.parametrize(
    ("what", "reason", "at_ms"),
    [("refuse", "refused", 20), ("lose_request", "timeout", 30_000)],
)
def test_what_never_arrives_has_no_effect(
    rig: Make, what: Any, reason: str, at_ms: int
) -> None:
    made = rig("cps")
    made.bench.lines.cloud.faults.append(HttpFault("F1", "gone", "", what))
    made.bench.lines.cloud.call(start(made))
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.info.state == "IDLE"
    assert [fact.reason for fact in made.controller.of(HttpFailed)] == [reason]
    assert made.controller.heard[-1][0] == at_ms
    assert made.records("http")[0]["fate"] == "lost"
    assert made.records("http_answer") == []


def test_a_cut_line_refuses(rig: Make) -> None:
    made = rig("cps")
    made.bench.lines.cloud.is_cut = True
    made.bench.lines.cloud.call(call(made, "E2"))
    made.bench.run_for(1_000)
    assert [fact.reason for fact in made.controller.of(HttpFailed)] == ["refused"]


def test_a_fault_is_for_its_route_and_so_many_calls(rig: Make) -> None:
    made = rig("cps")
    line = made.bench.lines.cloud
    line.faults.append(HttpFault("F1", "gone", "E2", "refuse", times=1))
    for call_id, route in enumerate(("E7", "E2", "E2")):
        line.call(call(made, route, call_id=call_id))
        made.bench.run_for(1_000)
    assert [fact.call_id for fact in made.controller.of(HttpAnswered)] == [0, 2]
    assert [fact.call_id for fact in made.controller.of(HttpFailed)] == [1]


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


@pytest.mark.parametrize("why", ["dead", "cut"])
def test_a_callback_to_nobody_is_lost(rig: Make, why: str) -> None:
    made = rig("cps")
    if why == "dead":
        made.bench.device.kill()
    else:
        made.bench.lines.cloud.is_cut = True
    post(made, CALLBACK)
    assert made.controller.of(CallbackReceived) == []
    assert made.records("callback")[0]["fate"] == "lost"
