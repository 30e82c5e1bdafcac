"""Callbacks on their way: lost, twice, late, overtaken, and before the answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.callbacks import CallbackFault, How
from harness.line_faults import Turn
from wire.cps import build
from wire.machine import CallbackReceived, CallHttp, HttpAnswered

Make = Callable[[str], Any]
CALLBACK = "http://127.0.0.1:8299/callbacks"


@dataclass
class Cloud:
    """A line to the cloud with a controller that listens; the hits of its fault."""

    rig: Any
    hits: list[str] = field(default_factory=list)

    @property
    def bench(self) -> Any:
        return self.rig.bench


@pytest.fixture
def cloud(rig: Make) -> Cloud:
    return Cloud(rig("cps"))


def strike(cloud: Cloud, how: How, what: str = "", **fields: Any) -> CallbackFault:
    """Put a fault in."""
    turn = fields.pop("turn", None) or Turn()
    fault = CallbackFault(
        how=how, hit=cloud.hits.append, turn=turn, what=what, **fields
    )
    cloud.bench.lines.cloud.callbacks.faults.append(fault)
    return fault


def post(cloud: Cloud, *whats: str) -> None:
    for what in whats:
        cloud.bench.lines.cloud.callback(what, CALLBACK, b"{}")
    cloud.bench.run_for(60_000)


def heard(cloud: Cloud) -> list[tuple[int, int]]:
    """When which callback came."""
    return [
        (at_ms, fact.callback_id)
        for at_ms, fact in cloud.rig.controller.heard
        if isinstance(fact, CallbackReceived)
    ]


def start(cloud: Cloud) -> None:
    request = build(
        "E3",
        api_key=cloud.bench.api_key,
        serial_number=cloud.bench.serial_number,
        params={"authorizedAmount": 5000, "callbackUrl": CALLBACK},
    )
    action = CallHttp(
        call_id=7,
        method=request.method,
        target=request.target,
        headers=request.headers,
        timeout_ms=30_000,
    )
    cloud.bench.lines.cloud.call(action)


def test_one_is_lost_and_the_next_is_not(cloud: Cloud) -> None:
    strike(cloud, "lose", "card")
    post(cloud, "state", "card", "card")
    assert heard(cloud) == [(15, 1), (15, 3)]
    assert cloud.hits == ["callback 2 card"]
    assert [r["fate"] for r in cloud.rig.records("callback")].count("lost") == 1


def test_so_many_pass_first(cloud: Cloud) -> None:
    strike(cloud, "lose", turn=Turn(after=1, count=2))
    post(cloud, "card", "ui", "card", "card")
    assert [number for _, number in heard(cloud)] == [1, 4]


def test_one_comes_twice(cloud: Cloud) -> None:
    strike(cloud, "twice")
    post(cloud, "card")
    assert heard(cloud) == [(15, 1), (15, 1)]


def test_one_comes_late(cloud: Cloud) -> None:
    strike(cloud, "delay", delay_ms=4_000)
    post(cloud, "card", "card")
    assert heard(cloud) == [(15, 2), (4_015, 1)]


def test_one_is_overtaken_by_the_next(cloud: Cloud) -> None:
    strike(cloud, "swap", "card")
    post(cloud, "card")
    assert heard(cloud) == []
    assert cloud.hits == [], "nothing has overtaken it yet"
    post(cloud, "state")
    assert [number for _, number in heard(cloud)] == [2, 1]
    assert cloud.hits == ["callback 1 card comes after its successor"]


def test_what_nothing_overtakes_comes_when_it_is_healed(cloud: Cloud) -> None:
    fault = strike(cloud, "swap")
    post(cloud, "card")
    callbacks = cloud.bench.lines.cloud.callbacks
    callbacks.faults.remove(fault)
    callbacks.release_overtaken(fault)
    assert [number for _, number in heard(cloud)] == [1]


def test_one_comes_before_the_answer_to_its_call(cloud: Cloud) -> None:
    strike(cloud, "overtake", "card")
    start(cloud)
    cloud.bench.run_for(1_000)
    assert cloud.rig.controller.of(HttpAnswered) == [], "the answer is held"
    post(cloud, "card")
    kinds = [type(fact) for _, fact in cloud.rig.controller.heard[-2:]]
    assert kinds == [CallbackReceived, HttpAnswered]
    assert cloud.hits == ["callback 1 card"]


def test_an_answer_is_not_held_for_ever(cloud: Cloud) -> None:
    strike(cloud, "overtake")
    start(cloud)
    cloud.bench.run_for(60_000)
    (answer,) = cloud.rig.controller.of(HttpAnswered)
    assert answer.call_id == 7
    assert cloud.rig.controller.heard[-1][0] == 5_020
    assert cloud.hits == []


def test_a_foreign_one_waits_until_an_address_is_known(cloud: Cloud) -> None:
    hits: list[str] = []
    cloud.bench.lines.cloud.callbacks.post_foreign(hits.append)
    cloud.bench.run_for(1_000)
    assert heard(cloud) == []
    start(cloud)
    cloud.bench.run_for(1_000)
    assert hits == ["callback 1 session"]
    (fact,) = cloud.rig.controller.of(CallbackReceived)
    assert b"00000000-0000-4000-8000" in fact.body


def test_a_foreign_one_may_be_called_off(cloud: Cloud) -> None:
    hits: list[str] = []
    callbacks = cloud.bench.lines.cloud.callbacks
    callbacks.post_foreign(hits.append)
    callbacks.withdraw_foreign(hits.append)
    start(cloud)
    cloud.bench.run_for(1_000)
    assert hits == []
