"""The bay link: JSON Lines that die with their connection."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.bay_line import BayBreak
from harness.line_faults import Turn
from simulator.flood import MAX_GARBAGE, MAX_SHOWN_BYTES
from simulator.station import MAX_FINDINGS
from wire.machine import BytesReceived, Link, LinkClosed, LinkOpened

Make = Callable[[str], Any]
HELLO = {"type": "hello", "version": 1, "role": "controller", "name": "test"}


def line_of(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def heard(made: Any) -> list[dict[str, Any]]:
    return [
        json.loads(fact.data)
        for fact in made.controller.of(BytesReceived)
        if fact.link is Link.BAY
    ]


def test_the_charger_greets_whoever_connects(rig: Make) -> None:
    made = rig("apollo")
    made.bench.lines.bay.open()
    made.bench.run_for(100)
    assert len(made.controller.of(LinkOpened)) == 1
    assert heard(made)[0]["type"] == "welcome"
    assert made.records("bay")[0]["direction"] == "to_controller"


def test_a_line_is_recorded_where_it_arrives(rig: Make) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    bay.open()
    bay.send(line_of(**HELLO)[:10])
    bay.send(line_of(**HELLO)[10:] + b"no JSON\n")
    made.bench.run_for(100)
    sent = [r["line"] for r in made.records("bay") if r["direction"] == "to_charger"]
    assert sent == [HELLO, {"raw": "no JSON"}]


def test_lines_of_an_old_connection_are_lost(rig: Make) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    bay.open()
    made.bench.run_for(100)
    before = len(heard(made))
    bay.receive(line_of(type="available", connector=1, available=False))
    bay.send(line_of(**HELLO))
    bay.close()
    bay.open()
    made.bench.run_for(100)
    assert heard(made)[before]["type"] == "welcome", "of the new connection"
    lost = [r["direction"] for r in made.records("bay") if r["fate"] == "lost"]
    assert sorted(lost) == ["to_charger", "to_controller"]


def test_a_lost_charger_closes_and_refuses_until_it_is_back(rig: Make) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    bay.open()
    made.bench.run_for(100)
    bay.lose()
    made.bench.run_for(100)
    bay.open()
    made.bench.run_for(100)
    reasons = [fact.reason for fact in made.controller.of(LinkClosed)]
    assert reasons == ["closed", "refused"]
    bay.send(line_of(**HELLO))
    bay.receive(line_of(**HELLO))
    bay.close()
    bay.lose()
    bay.restore()
    bay.open()
    made.bench.run_for(100)
    assert bay.is_open
    ups = [record["state"] for record in made.records("link")]
    assert ups == ["up", "down", "up"]


# --- Breaks inside a line -----------------------------------------------------------


@pytest.mark.parametrize("byte", [0, 7, 10_000])
def test_the_link_breaks_inside_a_line_of_the_charger(rig: Make, byte: int) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    hits: list[str] = []
    bay.faults.append(
        BayBreak(way="to_controller", hit=hits.append, turn=Turn(), byte=byte)
    )
    bay.open()
    made.bench.run_for(100)
    came = b"".join(fact.data for fact in made.controller.of(BytesReceived))
    size = len(came) if byte > 1_000 else byte
    assert len(came) == size
    assert came.endswith(b"\n") is (byte > 1_000)
    assert [fact.reason for fact in made.controller.of(LinkClosed)] == ["reset"]
    assert hits[0].startswith(f"to_controller, byte {size} of ")
    bay.open()
    made.bench.run_for(100)
    assert bay.is_open, "it may be opened again at once"


def test_the_link_breaks_inside_the_line_that_was_chosen(rig: Make) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    hits: list[str] = []
    turn = Turn(after=1)
    bay.faults.append(
        BayBreak(way="to_charger", hit=hits.append, turn=turn, line="hello", byte=3)
    )
    bay.open()
    other = line_of(type="pong", n=1)
    bay.send(line_of(**HELLO) + b"[]\n" + other + line_of(**HELLO))
    made.bench.run_for(100)
    sent = [r["line"] for r in made.records("bay") if r["direction"] == "to_charger"]
    assert [line.get("type") for line in sent] == ["hello", None, "pong"]
    assert not bay.is_open
    assert len(hits) == 1


def test_a_link_that_is_down_cannot_be_reset(rig: Make) -> None:
    bay = rig("apollo").bench.lines.bay
    assert not bay.reset()


def test_a_port_is_told_when_the_charger_is_lost(rig: Make) -> None:
    bay = rig("apollo").bench.lines.bay
    told: list[bool] = []
    bay.on_refusing = lambda: told.append(bay.refuses)
    bay.lose()
    bay.restore()
    assert told == [True, False]


def test_without_a_latency_nothing_waits(rig: Make) -> None:
    made = rig("apollo")
    made.bench.lines.bay.latency_ms = 0
    made.bench.lines.bay.open()
    assert heard(made)[0]["type"] == "welcome"


def test_of_a_very_long_line_the_beginning_is_kept(rig: Make) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    bay.open()
    bay.send(line_of(type="show", connector=1, kind="info", text="a" * 50_000))
    made.bench.run_for(100)
    (kept,) = (r["line"] for r in made.records("bay") if r["direction"] == "to_charger")
    assert kept["type"] == "show"
    assert kept["length"] > 50_000
    assert len(kept["raw"]) == MAX_SHOWN_BYTES


def test_bad_lines_are_counted_once_there_are_enough(rig: Make) -> None:
    made = rig("apollo")
    bay = made.bench.lines.bay
    bay.open()
    bay.send(
        b"{\n" * (MAX_GARBAGE + 5) + line_of(type="hello", controller="a", version=1)
    )
    made.bench.run_for(100)
    told = [r["line"] for r in made.records("bay") if r["direction"] == "to_charger"]
    assert len(told) == MAX_GARBAGE + 2
    assert told[-2]["raw"].startswith("5 more pieces, ")
    assert told[-1]["type"] == "hello"
    assert len(made.records("finding")) == MAX_FINDINGS
