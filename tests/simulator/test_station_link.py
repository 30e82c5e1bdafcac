"""The bay link as device_under_test.md section 1 has it: facts and commands."""

from collections.abc import Mapping

import pytest

from simulator.events import (
    BayBytes,
    BayConnected,
    BayDisconnected,
    ChargerFault,
    EmergencyStopMoved,
    PlugInserted,
    PlugRemoved,
)
from simulator.station import StationSettings
from tests.simulator.station_rig import Rig
from wire.bay import (
    CONNECTOR_FIELDS,
    FEEDBACK_LIMIT_MS,
    Direction,
    check_line,
)

# --- The link ---------------------------------------------------------------------


def test_welcome_comes_first_and_says_everything() -> None:
    rig = Rig(StationSettings(connectors=2), greeted=False)
    rig.do(BayConnected())
    ((_, line),) = rig.lines
    assert check_line(line, Direction.TO_CONTROLLER) is None
    assert line["type"] == "welcome"
    assert (line["version"], line["boot"], line["emergency_stop"]) == (1, 1, False)
    connectors = line["connectors"]
    assert isinstance(connectors, list)
    assert [row["connector"] for row in connectors] == [1, 2]
    assert all(set(row) == set(CONNECTOR_FIELDS) for row in connectors)
    assert all(row["energy_wh"] > 0 for row in connectors)


def test_welcome_after_a_lost_link_says_what_was_missed(rig: Rig) -> None:
    rig.charge()
    rig.do(BayDisconnected())
    rig.wait(360_000)
    rig.do(ChargerFault(connector=1, code="WeakSignal", active=True))
    rig.do(EmergencyStopMoved(active=True))
    assert rig.lines == []
    rig.do(BayConnected())
    (line,) = rig.of("welcome")
    view = rig.station.connector(1)
    assert line["emergency_stop"] is True
    assert line["connectors"] == [
        {
            "connector": 1,
            "pilot": "C",
            "contactor_closed": False,
            "locked": False,
            "energy_wh": view.energy_wh,
            "power_w": 0,
            "quality": "good",
            "faults": ["WeakSignal"],
            "occupied": True,
            "available": True,
        }
    ]
    assert rig.types() == ["welcome"]


def test_the_charger_goes_on_without_its_controller(rig: Rig) -> None:
    rig.charge()
    rig.do(BayDisconnected())
    rig.wait(3_600_000)
    assert rig.station.connector(1).contactor_closed
    assert rig.station.energy_delivered_wh(1) > 10_000


def test_a_second_connect_without_a_disconnect_is_a_new_link(rig: Rig) -> None:
    rig.do(BayBytes(data=b'{"type":"ping"'))
    rig.do(BayConnected())
    rig.say(type="ping", n=3)
    assert rig.findings() == [
        {
            "requirement": "bay-link",
            "expected": "hello first after a connect",
            "seen": "ping",
        }
    ]
    assert rig.types() == ["welcome", "ping", "pong"]


def test_bytes_without_a_link_are_nothing() -> None:
    rig = Rig(greeted=False)
    rig.say(type="ping", n=1)
    assert (rig.lines, rig.notes) == ([], [])


def test_a_ping_is_answered(rig: Rig) -> None:
    rig.say(type="ping", n=7)
    assert rig.lines == [(0, {"type": "pong", "n": 7})]


@pytest.mark.parametrize(("pong", "silent"), [(1, False), (2, True), (None, True)])
def test_a_ping_that_is_not_answered_in_time_is_a_finding(
    pong: int | None, silent: bool
) -> None:
    rig = Rig(greeted=False)
    rig.do(BayConnected())
    rig.say(type="hello", controller="test", version="1")
    assert rig.of("ping") == [{"type": "ping", "n": 1}]
    rig.wait(4_999)
    if pong is not None:
        rig.say(type="pong", n=pong)
    rig.wait(1)
    assert [f["seen"] for f in rig.findings()] == ["no answer"] * silent
    assert rig.station.deadline_ms() is None


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b"nonsense\n", "not_json: nonsense"),
        (b"[1]\n", "not_an_object: [1]"),
        (b"\xff\n", "not_json: \\xff"),
        (b"{}\n", "type: found None, allowed text"),
        (
            b'{"type":"contactor","connector":1,"close":1}\n',
            "contactor: close: found 1, allowed true or false",
        ),
        (b'{"type":"lock","locked":true}\n', "lock: connector: found nothing, all"),
        (b'{"type":"contactor","connector":0,"close":true}\n', "contactor: connector"),
    ],
)
def test_a_wrong_line_is_a_finding_and_the_link_goes_on(
    rig: Rig, data: bytes, seen: str
) -> None:
    rig.do(BayBytes(data=data + b'{"type":"ping","n":1}\n'))
    (finding,) = rig.findings()
    assert finding["requirement"] == "bay-link"
    assert str(finding["seen"]).startswith(seen)
    assert rig.types() == ["pong"]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "weather", "sun": True},
        {"type": "hello", "controller": "test", "version": "1", "mood": "fine"},
        {"type": "show", "connector": None, "kind": "info", "text": "hello"},
        {"type": "alarm", "code": "other", "text": "look", "session_id": 5},
    ],
)
def test_unknown_types_unknown_fields_and_notices_are_taken_silently(
    rig: Rig, line: Mapping[str, object]
) -> None:
    rig.say(**line)
    assert (rig.lines, rig.notes) == ([], [])


def test_lines_come_in_any_pieces(rig: Rig) -> None:
    for byte in b'{"type":"ping","n":1}\n{"type":"ping","n":2}\n':
        rig.do(BayBytes(data=bytes([byte])))
    assert [line["n"] for line in rig.of("pong")] == [1, 2]


# --- Commands ---------------------------------------------------------------------


@pytest.mark.parametrize("connector", [2, 32])
@pytest.mark.parametrize(
    ("command", "field"), [("contactor", "close"), ("lock", "locked")]
)
def test_a_connector_that_does_not_exist_is_not_mapped(
    rig: Rig, connector: int, command: str, field: str
) -> None:
    rig.say(type=command, connector=connector, **{field: True})
    assert [line for _, line in rig.lines] == [
        {
            "type": "rejected",
            "connector": connector,
            "command": command,
            "reason": "not mapped",
        }
    ]


@pytest.mark.parametrize("plugged", [True, False])
@pytest.mark.parametrize("close", [True, False])
def test_every_contactor_command_is_answered_within_a_second(
    rig: Rig, plugged: bool, close: bool
) -> None:
    if plugged:
        rig.do(PlugInserted(connector=1, vehicle="sleepy"))
    for _ in range(3):
        rig.forget()
        sent_ms = rig.now_ms
        rig.say(type="contactor", connector=1, close=close)
        rig.wait(FEEDBACK_LIMIT_MS)
        (answer,) = [at for at, line in rig.lines if line["type"] == "contactor"]
        assert answer - sent_ms <= 200
        assert rig.of("contactor")[0]["closed"] is (close and plugged)


@pytest.mark.parametrize("locked", [True, False])
def test_every_lock_command_is_answered(rig: Rig, locked: bool) -> None:
    rig.do(PlugInserted(connector=1, vehicle="sleepy"))
    rig.forget()
    for _ in range(2):
        rig.say(type="lock", connector=1, locked=locked)
        rig.wait(FEEDBACK_LIMIT_MS)
    assert [line["locked"] for line in rig.of("lock")] == [locked, locked]
    assert len(rig.charger_notes("lock")) == int(locked)
    assert rig.station.connector(1).locked is locked


def test_nothing_is_locked_or_closed_without_a_vehicle(rig: Rig) -> None:
    rig.say(type="contactor", connector=1, close=True)
    rig.say(type="lock", connector=1, locked=True)
    rig.wait(1_000)
    assert rig.types() == ["rejected", "contactor", "rejected", "lock"]
    assert [line["reason"] for line in rig.of("rejected")] == ["no vehicle"] * 2
    assert rig.charger_notes("contactor") == []


def test_the_cable_is_freed_on_command_after_the_vehicle_left(rig: Rig) -> None:
    rig.charge()
    rig.say(type="lock", connector=1, locked=True)
    rig.wait(200)
    rig.do(PlugRemoved(connector=1))
    assert rig.station.connector(1).locked
    rig.say(type="lock", connector=1, locked=False)
    rig.wait(200)
    assert not rig.station.connector(1).locked


def test_a_fault_on_the_way_stops_a_command_that_was_taken(rig: Rig) -> None:
    rig.do(PlugInserted(connector=1, vehicle="hatchback"))
    rig.say(type="contactor", connector=1, close=True)
    rig.do(ChargerFault(connector=1, code="GroundFailure", active=True))
    rig.forget()
    rig.wait(1_000)
    assert rig.types() == ["rejected", "contactor"]
    assert rig.of("rejected")[0]["reason"] == "faulted"
    assert rig.of("contactor")[0]["closed"] is False


def test_a_flood_of_commands_is_answered_one_by_one_and_obeyed_in_order(
    rig: Rig,
) -> None:
    rig.do(PlugInserted(connector=1, vehicle="sleepy"))
    rig.forget()
    for n in range(100):
        rig.say(type="contactor", connector=1, close=n % 2 == 0)
    rig.wait(1_000)
    answers = [line["closed"] for line in rig.of("contactor")]
    assert answers == [n % 2 == 0 for n in range(100)]
    assert not rig.station.connector(1).contactor_closed
