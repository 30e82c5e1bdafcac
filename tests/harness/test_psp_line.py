"""The PSP line: what is written on a connection dies with it."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.line_faults import LineFault, Outage, Turn, Way
from harness.psp_line import LATENCY_MS
from simulator.flood import MAX_SHOWN_BYTES
from wire.machine import BytesReceived, LinkClosed, LinkOpened
from wire.psp import Direction, Family, Name, Reading, State, encode, message

Make = Callable[[str], Any]
READINGS = {
    "apollo": Reading(family=Family.APOLLO),
    "p6x": Reading(family=Family.P6X),
}
ASK = {
    name: encode(message(Name.SYNCHRONIZE), Direction.TO_TERMINAL, reading)
    for name, reading in READINGS.items()
}
BOTH: tuple[Way, ...] = ("to_terminal", "to_controller")


def cut(made: Any, *, refuses: bool = True, ways: tuple[Way, ...] = BOTH) -> Outage:
    """Nothing passes any more."""
    outage = Outage(strike=lambda _words: None, ways=ways, refuses=refuses)
    made.bench.lines.psp.begin_outage(outage)
    return outage


def fates(made: Any, way: str) -> list[str]:
    return [r["fate"] for r in made.records("psp") if r["direction"] == way]


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


@pytest.mark.parametrize("is_cut", [True, False])
def test_tcp_to_nobody_is_refused(rig: Make, is_cut: bool) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    if is_cut:
        cut(made)
    else:
        line.terminal_powered = False
    line.open()
    made.bench.run_for(10)
    assert not line.is_open
    assert [fact.reason for fact in made.controller.of(LinkClosed)] == ["refused"]


def test_a_serial_cable_has_no_connection_to_lose(rig: Make) -> None:
    made = rig("p6x")
    line = made.bench.lines.psp
    line.open()
    outage = cut(made)
    line.send(ASK["p6x"])
    line.hang_up("reset")
    made.bench.run_for(1_000)
    assert line.is_open
    assert made.controller.of(LinkClosed) == []
    assert [record["fate"] for record in made.records("psp")] == ["lost"]
    line.outages.remove(outage)
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


def strike(made: Any, change: Any, **fields: Any) -> list[str]:
    """Put a fault of blocks to the terminal in; the answer grows with its hits."""
    hits: list[str] = []
    how = {"way": "to_terminal", "turn": Turn(), **fields}
    fault = LineFault(change=change, hit=hits.append, **how)
    made.bench.lines.psp.faults.append(fault)
    return hits


def lose(_data: bytes, _byte: int) -> list[tuple[int, bytes]]:
    return []


def test_a_fault_waits_for_its_message_and_strikes_so_often(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    hits = strike(made, lose, message="Synchronize", turn=Turn(after=1, count=2))
    never = strike(made, lose, message="Reset")
    line.open()
    for _ in range(4):
        line.send(ASK["apollo"])
        made.bench.run_for(1_000)
    assert fates(made, "to_terminal") == ["delivered", "lost", "lost", "delivered"]
    assert hits == ["Synchronize to_terminal, byte 0 of 5"] * 2
    assert never == []


def test_a_fault_may_cut_delay_and_change_bytes(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    strike(made, lambda data, _byte: [(0, data[:2]), (500, b"\xff" + data[3:])])
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(1_000)
    sent = [r for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert [record["t_ms"] for record in sent] == [LATENCY_MS, LATENCY_MS + 500]
    assert {record["fate"] for record in sent} == {"changed"}
    assert [len(record["messages"]) for record in sent] == [0, 1]


@pytest.mark.parametrize("pieces", [(1, 4), (2, 2, 1), (1, 1, 1, 1, 1)])
def test_a_fault_of_blocks_waits_for_the_whole_block(
    rig: Make, pieces: tuple[int, ...]
) -> None:
    """A serial port gives bytes in pieces of any size."""
    made = rig("p6x")
    line = made.bench.lines.psp
    seen: list[bytes] = []

    def look(data: bytes, _byte: int) -> list[tuple[int, bytes]]:
        seen.append(data)
        return [(0, data)]

    strike(made, look)
    line.open()
    at = 0
    for size in pieces:
        line.send(ASK["p6x"][at : at + size])
        made.bench.run_for(2)
        at += size
    made.bench.run_for(1_000)
    assert seen == [ASK["p6x"]]
    assert fates(made, "to_terminal") == ["delivered"]


def test_a_block_that_never_ends_is_not_kept(rig: Make) -> None:
    made = rig("p6x")
    line = made.bench.lines.psp
    strike(made, lose, message="Reset")
    line.open()
    line.send(ASK["p6x"][:3])
    made.bench.run_for(60_000)
    (record,) = [r for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert record["hex"] == ASK["p6x"][:3].hex(" ").upper()
    assert record["fate"] == "delivered"


@pytest.mark.parametrize(("byte", "block", "at"), [(0, 0, 0), (7, 1, 2), (12, 2, 2)])
def test_a_byte_of_the_stream_is_counted_over_blocks(
    rig: Make, byte: int, block: int, at: int
) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    hits = strike(
        made, lambda data, byte: [(0, data[:byte])], byte=byte, in_stream=True
    )
    line.open()
    for _ in range(4):
        line.send(ASK["apollo"])
        made.bench.run_for(1_000)
    assert hits == [f"Synchronize to_terminal, byte {at} of 5"]
    sent = [r["hex"] for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert sent[block] == ASK["apollo"][:at].hex(" ").upper()


# --- Two ends -----------------------------------------------------------------------


def talk(made: Any) -> None:
    made.bench.lines.psp.send(ASK["apollo"])
    made.bench.run_for(1_000)


def test_bytes_before_a_reset_arrive_before_it(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    fault = LineFault(
        way="to_controller",
        change=lambda data, byte: [(0, data[:byte])],
        hit=lambda _words: None,
        turn=Turn(),
        byte=3,
        then=line.reset,
    )
    line.faults.append(fault)
    talk(made)
    (part,) = made.controller.of(BytesReceived)
    assert len(part.data) == 3
    facts = [fact for _, fact in made.controller.heard[-2:]]
    assert facts == [part, LinkClosed(link=part.link, reason="reset")]
    line.open()
    talk(made)
    assert len(made.controller.of(BytesReceived)) == 2, "the next connection is sound"


def test_nobody_hears_who_hangs_up_while_nothing_passes(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    talk(made)
    outage = cut(made)
    made.bench.run_for(60_000)
    assert made.bench.court.terminal.state is State.OFFLINE, "the line was idle"
    assert line.is_open
    assert made.controller.of(LinkClosed) == []
    line.outages.remove(outage)
    talk(made)
    assert [fact.reason for fact in made.controller.of(LinkClosed)] == ["reset"]
    assert made.records("link")[-1]["reason"] == "reset"


def test_the_terminal_turns_the_next_away_while_it_holds_the_dead_one(
    rig: Make,
) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    talk(made)
    outage = cut(made, refuses=False)
    line.close()
    line.outages.remove(outage)
    line.open()
    made.bench.run_for(1_000)
    assert not line.is_open
    assert [fact.reason for fact in made.controller.of(LinkClosed)] == ["closed"]
    assert len(made.controller.of(LinkOpened)) == 1, "never told of the second"
    made.bench.run_for(20_000)
    line.open()
    talk(made)
    assert line.is_open
    assert len(made.controller.of(BytesReceived)) == 2


def test_one_way_may_be_dead(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    line.open()
    cut(made, ways=("to_controller",))
    talk(made)
    assert fates(made, "to_terminal") == ["delivered"]
    assert fates(made, "to_controller") == ["lost"]


@pytest.mark.parametrize("act", ["reset", "close_from_terminal"])
@pytest.mark.parametrize(("column", "befalls"), [("apollo", True), ("p6x", False)])
def test_only_a_connection_can_be_ended(
    rig: Make, act: str, column: str, befalls: bool
) -> None:
    made = rig(column)
    line = made.bench.lines.psp
    assert not getattr(line, act)(), "there is none yet"
    line.open()
    assert getattr(line, act)() is befalls
    made.bench.run_for(100)
    assert line.is_open is not befalls
    assert len(made.controller.of(LinkClosed)) == befalls


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
    made = rig("apollo")
    line = made.bench.lines.psp
    told: list[bool] = []
    line.on_refusing = lambda: told.append(line.refuses)
    outage = cut(made)
    line.terminal_powered = False
    line.end_outage(outage)
    line.terminal_powered = True
    assert told == [True, True, True, False]


def test_a_serial_cable_refuses_nobody(rig: Make) -> None:
    made = rig("p6x")
    line = made.bench.lines.psp
    cut(made)
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


def joins(made: Any, hold_ms: int) -> list[str]:
    """The next block waits for its successor, at most so long."""
    return strike(made, lambda data, _byte: [(0, data)], hold_ms=hold_ms)


def arrived(made: Any) -> list[tuple[int, str]]:
    """When something came to the terminal, and how it went."""
    return [
        (record["t_ms"], record["fate"])
        for record in made.records("psp")
        if record["direction"] == "to_terminal"
    ]


def test_two_blocks_may_arrive_in_one_piece(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    hits = joins(made, 1_000)
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(400)
    line.send(ASK["apollo"])
    made.bench.run_for(5_000)
    assert arrived(made) == [(400 + LATENCY_MS, "delivered")]
    assert hits == [
        "Synchronize and Synchronize to_terminal, in one piece of 10 bytes",
    ]


def test_a_block_without_a_successor_arrives_late_and_is_no_hit(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    hits = joins(made, 1_000)
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(5_000)
    line.send(ASK["apollo"])
    made.bench.run_for(5_000)
    assert [at_ms for at_ms, _ in arrived(made)] == [1_000 + LATENCY_MS, 5_000 + 2]
    assert hits == []
    assert not line.faults[0].turn.count


def test_a_block_that_waits_dies_with_its_connection(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    hits = joins(made, 1_000)
    line.open()
    line.send(ASK["apollo"])
    line.close()
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(5_000)
    assert len(arrived(made)) == 1
    assert hits == []


def test_what_the_cable_delays_was_said_in_time(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    strike(made, lambda data, _byte: [(5_000, data)])
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(6_000)
    sent = [r for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert [record["t_ms"] for record in sent] == [0, LATENCY_MS + 5_000]
    assert [record["fate"] for record in sent] == ["late", "delivered"]
    assert [len(record["messages"]) for record in sent] == [1, 0]
    assert made.controller.of(BytesReceived), "it has arrived, late"


def test_what_never_arrives_is_not_told_of_twice(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    strike(made, lambda data, _byte: [(5_000, data)])
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(1_000)
    line.close()
    made.bench.run_for(6_000)
    assert fates(made, "to_terminal") == ["late"]


def test_the_cable_repeats_and_the_controller_has_said_it_once(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    strike(made, lambda data, _byte: [(0, data), (500, data)])
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(2_000)
    sent = [r for r in made.records("psp") if r["direction"] == "to_terminal"]
    assert [len(record["messages"]) for record in sent] == [1, 0]


def test_what_the_terminal_says_is_heard_as_often_as_it_arrives(rig: Make) -> None:
    made = rig("apollo")
    line = made.bench.lines.psp
    strike(made, lambda data, _byte: [(0, data), (500, data)], way="to_controller")
    line.open()
    line.send(ASK["apollo"])
    made.bench.run_for(2_000)
    heard = [r for r in made.records("psp") if r["direction"] == "to_controller"]
    assert [len(record["messages"]) for record in heard] == [1, 1]
