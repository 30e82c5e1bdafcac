"""The PSP line: what is written on a connection dies with it."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.psp_line import LATENCY_MS, LineFault
from simulator.flood import MAX_SHOWN_BYTES
from wire.machine import BytesReceived, LinkClosed, LinkOpened
from wire.psp import Direction, Family, Name, Reading, encode, message

Make = Callable[[str], Any]
READINGS = {
    "apollo": Reading(family=Family.APOLLO),
    "p6x": Reading(family=Family.P6X),
}
ASK = {
    name: encode(message(Name.SYNCHRONIZE), Direction.TO_TERMINAL, reading)
    for name, reading in READINGS.items()
}


@pytest.mark.parametrize("column", ["apollo", "p6x"])
def test_a_question_is_answered_over_the_line(rig: Make, column: str) -> None:
    made = rig(column)
    line = made.bench.lines.psp
    line.open()
    line.send(ASK[column])
    made.bench.run_for(1_000)
    assert len(made.controller.of(LinkOpened)) == 1
    assert made.controller.of(BytesReceived)
    ways = [(r["direction"], r["fate"]) for r in made.records("psp")]
    assert ways[0] == ("to_terminal", "delivered")
    assert ("to_controller", "delivered") in ways
    assert made.records("psp")[0]["t_ms"] == LATENCY_MS
    assert made.records("psp")[0]["messages"][0]["message"] == "Synchronize"


def test_a_late_answer_never_arrives_on_a_new_connection(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_until(lambda: bool(made.records("psp")), within_ms=LATENCY_MS)
    line.close()
    line.open()
    made.bench.run_for(60_000)
    assert made.controller.of(BytesReceived) == []
    answers = [r for r in made.records("psp") if r["direction"] == "to_controller"]
    assert {record["fate"] for record in answers} == {"lost"}


def test_bytes_to_a_terminal_that_hung_up_are_lost(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    line.send(ASK["apollo"])
    line.hang_up("reset")
    made.bench.run_for(1_000)
    assert [record["fate"] for record in made.records("psp")] == ["lost"]
    assert [fact.reason for fact in made.controller.of(LinkClosed)] == ["reset"]


@pytest.mark.parametrize("cut", ["is_cut", "terminal_powered"])
def test_tcp_to_nobody_is_refused(rig: Make, cut: str) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    setattr(line, cut, cut == "is_cut")
    line.open()
    made.bench.run_for(10)
    assert not line.is_open
    assert [fact.reason for fact in made.controller.of(LinkClosed)] == ["refused"]


def test_a_serial_cable_has_no_connection_to_lose(rig: Make) -> None:
    made = rig("p6x")
    line = made.bench.lines.psp
    line.is_cut = True
    line.open()
    line.send(ASK["p6x"])
    line.hang_up("reset")
    made.bench.run_for(1_000)
    assert line.is_open
    assert made.controller.of(LinkClosed) == []
    assert [record["fate"] for record in made.records("psp")] == ["lost"]
    line.is_cut = False
    line.send(ASK["p6x"])
    made.bench.run_for(1_000)
    assert made.controller.of(BytesReceived)


def test_nothing_is_sent_on_a_closed_line(rig: Make) -> None:
    made = rig("apollo")
    made.bench.lines.psp.send(ASK["apollo"])
    made.bench.lines.psp.receive(b"\xcc")
    made.bench.lines.psp.hang_up("idle")
    made.bench.lines.psp.close()
    made.bench.run_for(100)
    assert made.records("psp") == []
    assert made.records("link") == []


# --- Faults -----------------------------------------------------------------------


def fault(message_name: str, change: Any, *, times: int = 1) -> LineFault:
    return LineFault("F1", "test", "to_terminal", message_name, change, times)


def test_a_fault_waits_for_its_message_and_strikes_so_often(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.faults.append(fault("Synchronize", lambda data: [], times=2))
    line.faults.append(fault("Reset", lambda data: []))
    line.open()
    for _ in range(3):
        line.send(ASK["apollo"])
        made.bench.run_for(1_000)
    sent = [r["fate"] for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert sent == ["lost", "lost", "delivered"]
    hits = made.records("fault")
    assert [(hit["event"], hit["fault"]) for hit in hits] == [("hit", "F1")] * 2


def test_a_fault_may_cut_delay_and_change_bytes(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.faults.append(
        fault("", lambda data: [(0, data[:2]), (500, b"\xff" + data[3:])])
    )
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(1_000)
    sent = [r for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert [record["t_ms"] for record in sent] == [LATENCY_MS, LATENCY_MS + 500]
    assert {record["fate"] for record in sent} == {"changed"}
    assert [len(record["messages"]) for record in sent] == [0, 1]


# --- Real ports -------------------------------------------------------------------


def test_without_a_latency_nothing_waits(rig: Make) -> None:
    """A real port has a way of its own."""
    made = rig("apollo")
    line = made.bench.lines.psp
    line.latency_ms = 0
    line.open()
    line.send(ASK["apollo"])
    assert made.controller.of(BytesReceived)
    assert {record["t_ms"] for record in made.records("psp")} == {0}


def test_a_port_is_told_when_the_line_refuses(rig: Make) -> None:
    line = rig("apollo").bench.lines.psp
    told: list[bool] = []
    line.on_refusing = lambda: told.append(line.refuses)
    line.is_cut = True
    line.terminal_powered = False
    line.is_cut = False
    line.terminal_powered = True
    assert told == [True, True, True, False]


def test_a_serial_cable_refuses_nobody(rig: Make) -> None:
    line = rig("p6x").bench.lines.psp
    line.is_cut = True
    assert not line.refuses


def test_of_many_bytes_the_first_are_shown(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    line.send(bytes(2_000))
    made.bench.run_for(100)
    (record,) = made.records("psp")
    assert record["length"] == 2_000
    assert record["hex"] == " ".join(["00"] * MAX_SHOWN_BYTES)
