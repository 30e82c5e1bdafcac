"""The bay link as device_under_test.md section 1 has it, and the station as a whole."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import pytest

from simulator.events import (
    AvailabilityMoved,
    BayBytes,
    BayConnected,
    BayDisconnected,
    BayToController,
    ButtonPressed,
    ChargerFault,
    EmergencyStopMoved,
    EnergyPaused,
    EnergyWanted,
    Note,
    PlugInserted,
    PlugRemoved,
    SitePower,
    StationRebooted,
    Trouble,
    VehicleLeft,
    VehicleParked,
)
from simulator.fault_codes import FAULT_CODES
from simulator.site import Action, ImpossibleError
from simulator.station import Event, Station, StationSettings
from wire.bay import (
    CONNECTOR_FIELDS,
    FEEDBACK_LIMIT_MS,
    METER_INTERVAL_MS,
    Direction,
    check_line,
)

Line = Mapping[str, object]
STOPS = sorted(code for code, row in FAULT_CODES.items() if row.stops_power)
HARMLESS = sorted(code for code, row in FAULT_CODES.items() if not row.stops_power)


class Rig:
    """A station with a controller that says what the test says."""

    def __init__(
        self, settings: StationSettings | None = None, *, greeted: bool = True
    ) -> None:
        self.station = Station(settings or StationSettings(max_power_w=11_000))
        self.now_ms = 0
        self.lines: list[tuple[int, Line]] = []
        self.notes: list[Note] = []
        if greeted:
            self.do(BayConnected())
            self.say(type="hello", controller="test", version="1")
            self.say(type="pong", n=1)
            self.forget()

    def do(self, event: Event) -> None:
        self._take(self.station.handle(event, self.now_ms))

    def say(self, **fields: object) -> None:
        self.do(BayBytes(data=json.dumps(fields).encode() + b"\n"))

    def wait(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self.station.deadline_ms()) is not None:
            if due_ms > until_ms:
                break
            self.now_ms = due_ms
            self._take(self.station.on_deadline(due_ms))
        self.now_ms = until_ms

    def close(self, connector: int = 1) -> None:
        self.say(type="contactor", connector=connector, close=True)
        self.wait(200)

    def open(self, connector: int = 1) -> None:
        self.say(type="contactor", connector=connector, close=False)
        self.wait(200)

    def charge(self, vehicle: str = "hatchback", connector: int = 1) -> None:
        """Plug in, close, and be in pilot C with energy flowing."""
        self.do(PlugInserted(connector=connector, vehicle=vehicle))
        self.close(connector)
        self.wait(3_000)
        self.forget()

    def trouble(self, part: str, *, active: bool = True, **fields: object) -> None:
        self.do(Trouble(connector=1, part=part, active=active, **fields))  # type: ignore[arg-type]  # parts by name

    def forget(self) -> None:
        self.lines.clear()
        self.notes.clear()

    def types(self) -> list[object]:
        return [line["type"] for _, line in self.lines]

    def of(self, kind: str) -> list[Line]:
        return [line for _, line in self.lines if line["type"] == kind]

    def charger_notes(self, event: str) -> list[Mapping[str, object]]:
        notes = [note.fields for note in self.notes if note.kind == "charger"]
        return [fields for fields in notes if fields["event"] == event]

    def findings(self) -> list[Mapping[str, object]]:
        return [note.fields for note in self.notes if note.kind == "finding"]

    def _take(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Note():
                    self.notes.append(action)
                case BayToController(data=data):
                    assert data.endswith(b"\n")
                    self.lines.append((self.now_ms, json.loads(data)))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def meter(energy_wh: int | None, power_w: int, quality: str = "good") -> Line:
    return {
        "type": "meter",
        "connector": 1,
        "energy_wh": energy_wh,
        "power_w": power_w,
        "quality": quality,
    }


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


# --- A charge ---------------------------------------------------------------------


def test_a_charge_from_plug_to_unplug_line_by_line() -> None:
    rig = Rig(StationSettings(max_power_w=3_600, initial_energy_wh=(1_000,)))
    rig.do(PlugInserted(connector=1, vehicle="hatchback"))
    rig.wait(1_000)
    rig.say(type="contactor", connector=1, close=True)
    rig.wait(2_000)  # C, three seconds after the plug
    rig.wait(25_000)
    rig.do(PlugRemoved(connector=1))
    assert [(at, line["type"]) for at, line in rig.lines] == [
        (0, "plug"),
        (1_120, "contactor"),
        (3_000, "plug"),
        (13_000, "meter"),
        (23_000, "meter"),
        (28_000, "contactor"),
        (28_000, "meter"),
        (28_000, "plug"),
    ]
    assert [line["pilot"] for line in rig.of("plug")] == ["B", "C", "A"]
    assert rig.of("meter") == [meter(1_010, 3600), meter(1_020, 3600), meter(1_025, 0)]
    assert rig.charger_notes("contactor") == [
        {
            "event": "contactor",
            "connector": 1,
            "closed": True,
            "energy_wh": 1_000,
            "reason": "command",
        },
        {
            "event": "contactor",
            "connector": 1,
            "closed": False,
            "energy_wh": 1_025,
            "reason": "no vehicle",
        },
    ]
    assert rig.station.energy_delivered_wh(1) == 25


def test_every_line_fits_the_table(rig: Rig) -> None:
    rig.charge()
    rig.do(EnergyPaused(connector=1))
    rig.do(EnergyWanted(connector=1, power_w=5_000))
    rig.do(ButtonPressed(connector=1, button="stop"))
    rig.do(AvailabilityMoved(connector=1, available=False))
    rig.do(ChargerFault(connector=None, code="OtherError", active=True))
    rig.do(EmergencyStopMoved(active=True))
    rig.close()
    rig.do(BayConnected())
    assert len(rig.lines) > 10
    assert all(check_line(x, Direction.TO_CONTROLLER) is None for _, x in rig.lines)


def test_the_meter_speaks_every_ten_seconds_while_it_moves(rig: Rig) -> None:
    rig.charge()
    rig.wait(600_000)
    moments = [at for at, line in rig.lines if line["type"] == "meter"]
    gaps = [b - a for a, b in pairwise(moments)]
    assert len(moments) == 60
    assert set(gaps) == {METER_INTERVAL_MS}


def test_the_meter_is_quiet_while_it_stands(rig: Rig) -> None:
    rig.charge()
    rig.do(EnergyPaused(connector=1))
    rig.forget()
    rig.wait(600_000)
    assert rig.lines == []
    assert rig.station.deadline_ms() is None


def test_a_trickle_is_told_only_when_the_register_moves(rig: Rig) -> None:
    rig.charge()
    rig.do(EnergyWanted(connector=1, power_w=60))
    rig.wait(10_000)
    rig.forget()
    rig.wait(600_000)
    registers = [line["energy_wh"] for line in rig.of("meter")]
    assert len(registers) == len(set(registers)) == 10


def test_a_meter_line_always_follows_an_opened_contactor(rig: Rig) -> None:
    rig.do(PlugInserted(connector=1, vehicle="sleepy"))
    rig.close()
    rig.forget()
    rig.open()
    assert rig.types() == ["contactor", "meter"]


def test_a_full_vehicle_goes_back_to_b_by_itself() -> None:
    rig = Rig(StationSettings(max_power_w=22_000))
    rig.charge("full")
    rig.wait(3_600_000)
    assert rig.types()[-2:] == ["meter", "plug"]
    assert rig.of("plug") == [{"type": "plug", "connector": 1, "pilot": "B"}]
    view = rig.station.connector(1)
    assert rig.station.energy_delivered_wh(1) == 300
    assert (view.charge_permille, view.power_w, view.contactor_closed) == (1000, 0, 1)
    with pytest.raises(ImpossibleError, match="battery at connector 1 is full"):
        rig.do(EnergyWanted(connector=1))


def test_a_sleepy_vehicle_stays_in_b(rig: Rig) -> None:
    rig.charge("sleepy")
    rig.wait(100_000_000)
    assert rig.lines == []
    rig.do(EnergyWanted(connector=1))
    assert rig.of("plug")[0]["pilot"] == "C"


def test_ventilation_is_pilot_d_and_energy_flows(rig: Rig) -> None:
    rig.charge("ventilated")
    assert rig.station.connector(1).pilot == "D"
    assert rig.station.connector(1).power_w == 3_700
    rig.do(EnergyPaused(connector=1))
    rig.do(PlugRemoved(connector=1))
    rig.do(PlugInserted(connector=1, vehicle="hatchback"))
    rig.do(EnergyWanted(connector=1, ventilation=True))
    assert rig.of("plug")[-1]["pilot"] == "D"


def test_no_vehicle_draws_more_than_the_connector_gives() -> None:
    rig = Rig(StationSettings(max_power_w=7_000))
    rig.charge("van")
    assert rig.station.connector(1).power_w == 7_000
    rig.do(EnergyWanted(connector=1, power_w=50_000))
    assert rig.station.connector(1).power_w == 7_000
    rig.do(EnergyWanted(connector=1, power_w=0))
    assert rig.station.connector(1).power_w == 0


def test_a_paused_vehicle_keeps_the_contactor_and_takes_up_again(rig: Rig) -> None:
    rig.charge()
    rig.do(EnergyPaused(connector=1))
    assert rig.types() == ["meter", "plug"]
    assert rig.station.connector(1).contactor_closed
    rig.do(EnergyWanted(connector=1))
    assert rig.station.connector(1).power_w == 11_000


def test_a_replugged_vehicle_keeps_its_battery_until_it_has_left(rig: Rig) -> None:
    rig.charge("full")
    rig.wait(300_000)
    charged = rig.station.connector(1).charge_permille
    rig.do(PlugRemoved(connector=1))
    rig.do(PlugInserted(connector=1, vehicle="full"))
    assert rig.station.connector(1).charge_permille == charged > 995
    rig.do(VehicleLeft(connector=1))
    rig.do(PlugInserted(connector=1, vehicle="full"))
    assert rig.station.connector(1).charge_permille == 995


def test_energy_flows_faster_and_meters_speak_faster_at_a_higher_rate() -> None:
    rig = Rig(StationSettings(max_power_w=11_000, energy_rate=10))
    rig.charge()
    rig.wait(36_000)
    assert rig.station.energy_delivered_wh(1) == 1_100
    assert len(rig.of("meter")) == 36


def test_a_view_may_be_taken_between_two_events(rig: Rig) -> None:
    rig.charge()
    before = rig.station.energy_delivered_wh(1)
    later_ms = rig.now_ms + 3_600
    assert rig.station.energy_delivered_wh(1, now_ms=later_ms) >= before + 10
    assert rig.station.connectors(now_ms=later_ms)[0].energy_wh >= 148_210
    assert rig.station.energy_delivered_wh(1) == before


def test_late_calls_give_the_same_energy_as_punctual_ones() -> None:
    punctual, late = Rig(), Rig()
    for rig in (punctual, late):
        rig.do(PlugInserted(connector=1, vehicle="full"))
        rig.say(type="contactor", connector=1, close=True)
    punctual.wait(400_000)
    late.now_ms = 400_000
    late.do(VehicleLeft(connector=1))
    punctual.do(VehicleLeft(connector=1))
    assert [x for _, x in late.lines] == [x for _, x in punctual.lines]
    assert late.notes == punctual.notes


# --- The bay's sensor ---------------------------------------------------------------


def test_the_sensor_frames_the_plug() -> None:
    rig = Rig(StationSettings(bay_sensor=True))
    rig.do(PlugInserted(connector=1, vehicle="sleepy"))
    rig.do(PlugRemoved(connector=1))
    assert rig.types() == ["bay", "plug", "plug"]
    rig.do(PlugInserted(connector=1, vehicle="sleepy"))
    rig.forget()
    rig.do(VehicleLeft(connector=1))
    assert rig.types() == ["plug", "bay"]


def test_a_sensor_that_flickers_changes_nothing_else() -> None:
    rig = Rig(StationSettings(bay_sensor=True))
    rig.charge()
    rig.trouble("sensor")
    rig.trouble("sensor", active=False)
    assert [line["occupied"] for line in rig.of("bay")] == [False, True]
    assert rig.types() == ["bay", "bay"]
    assert rig.station.connector(1).occupied


def test_welcome_tells_the_sensor_when_there_is_one() -> None:
    rig = Rig(StationSettings(bay_sensor=True))
    rig.do(VehicleParked(connector=1))
    rig.do(BayConnected())
    connectors = rig.of("welcome")[0]["connectors"]
    assert isinstance(connectors, list)
    assert connectors[0]["occupied"] is True


def test_without_a_sensor_parking_is_not_told(rig: Rig) -> None:
    rig.do(VehicleParked(connector=1))
    rig.do(VehicleLeft(connector=1))
    assert rig.lines == []


# --- Faults, the red button, service -------------------------------------------------


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("code", STOPS)
def test_a_fault_that_stops_power_opens_the_contactor(code: str, whole: bool) -> None:
    rig = Rig(StationSettings(connectors=2, max_power_w=11_000))
    rig.charge(connector=1)
    rig.charge(connector=2)
    where = None if whole else 1
    rig.do(ChargerFault(connector=where, code=code, active=True))
    assert rig.types()[:3] == ["fault", "contactor", "meter"]
    assert rig.of("fault")[0]["connector"] == where
    assert rig.station.connector(1).power_w == 0
    assert rig.station.connector(2).contactor_closed is not whole
    assert rig.charger_notes("contactor")[0]["reason"] == f"faulted: {code}"
    rig.forget()
    rig.close(1)
    assert rig.types() == ["rejected", "contactor"]
    rig.do(ChargerFault(connector=where, code=code, active=False))
    assert not rig.station.connector(1).contactor_closed
    rig.close(1)
    assert rig.station.connector(1).power_w == 11_000


@pytest.mark.parametrize("code", HARMLESS)
def test_a_harmless_fault_is_told_and_changes_nothing(rig: Rig, code: str) -> None:
    rig.charge()
    rig.do(ChargerFault(connector=1, code=code, active=True))
    assert rig.types() == ["fault"]
    assert rig.station.connector(1).power_w == 11_000
    assert rig.station.connector(1).faults == (code,)


def test_a_fault_is_told_once(rig: Rig) -> None:
    for active in (True, True, False, False):
        rig.do(ChargerFault(connector=1, code="WeakSignal", active=active))
    assert [line["active"] for line in rig.of("fault")] == [True, False]
    assert [note["active"] for note in rig.charger_notes("fault")] == [True, False]


@pytest.mark.parametrize("code", ["NoError", "Gremlins", ""])
def test_a_code_that_is_no_fault_is_refused(rig: Rig, code: str) -> None:
    with pytest.raises(ValueError, match=f"found '{code}', allowed ConnectorLock"):
        rig.do(ChargerFault(connector=1, code=code, active=True))


def test_a_meter_that_fails_repeats_its_last_register_as_suspect(rig: Rig) -> None:
    rig.charge()
    rig.wait(25_000)
    last = rig.of("meter")[-1]["energy_wh"]
    rig.forget()
    rig.do(ChargerFault(connector=1, code="PowerMeterFailure", active=True))
    assert rig.types() == ["fault", "contactor", "meter"]
    assert rig.of("meter") == [meter(int(str(last)), 0, "suspect")]
    true_wh = rig.charger_notes("contactor")[0]["energy_wh"]
    rig.forget()
    rig.do(ChargerFault(connector=1, code="PowerMeterFailure", active=False))
    assert rig.types() == ["fault", "meter"]
    assert rig.of("meter") == [meter(int(str(true_wh)), 0)]


def test_a_lock_that_fails_keeps_its_position(rig: Rig) -> None:
    rig.charge()
    rig.do(ChargerFault(connector=1, code="ConnectorLockFailure", active=True))
    rig.say(type="lock", connector=1, locked=True)
    rig.wait(200)
    assert rig.of("lock") == [{"type": "lock", "connector": 1, "locked": False}]


def test_the_red_button_opens_all_and_closes_none() -> None:
    rig = Rig(StationSettings(connectors=2, max_power_w=11_000))
    rig.charge(connector=1)
    rig.charge(connector=2)
    rig.do(EmergencyStopMoved(active=True))
    rig.do(EmergencyStopMoved(active=True))
    assert rig.types() == ["emergency_stop"] + ["contactor", "meter"] * 2
    rig.forget()
    rig.close(1)
    assert rig.of("rejected")[0]["reason"] == "emergency stop"
    rig.do(EmergencyStopMoved(active=False))
    rig.wait(60_000)
    assert not rig.station.connector(1).contactor_closed
    assert [n["active"] for n in rig.charger_notes("emergency_stop")] == [False]


def test_out_of_service_lets_a_charge_end_and_none_begin(rig: Rig) -> None:
    rig.charge()
    rig.do(AvailabilityMoved(connector=1, available=False))
    rig.do(AvailabilityMoved(connector=1, available=False))
    assert rig.types() == ["available"]
    assert rig.station.connector(1).power_w == 11_000
    rig.open()
    rig.close()
    assert rig.station.connector(1).contactor_closed
    rig.do(PlugRemoved(connector=1))
    rig.do(PlugInserted(connector=1, vehicle="hatchback"))
    rig.close()
    assert rig.of("rejected")[0]["reason"] == "out of service"
    assert not rig.station.connector(1).available
    assert rig.charger_notes("available") == [
        {"event": "available", "connector": 1, "active": False}
    ]


@pytest.mark.parametrize("button", ["start", "stop", "cancel"])
def test_a_button_is_told(rig: Rig, button: Literal["start", "stop", "cancel"]) -> None:
    rig.do(ButtonPressed(connector=1, button=button))
    assert rig.lines == [(0, {"type": "press", "connector": 1, "button": button})]


# --- Power and restarts -------------------------------------------------------------


def test_a_site_power_cut_opens_contactors_and_drops_the_link(rig: Rig) -> None:
    rig.charge()
    rig.wait(36_000)
    rig.forget()
    rig.do(SitePower(on=False))
    rig.do(SitePower(on=False))
    assert rig.lines == []
    assert rig.charger_notes("contactor")[0]["reason"] == "site power"
    delivered = rig.station.energy_delivered_wh(1)
    rig.do(BayConnected())
    rig.wait(600_000)
    assert rig.lines == []
    rig.do(SitePower(on=True))
    rig.do(BayConnected())
    (line,) = rig.of("welcome")
    assert line["boot"] == 2
    assert rig.station.energy_delivered_wh(1) == delivered
    rig.wait(3_000)
    assert [line["pilot"] for line in rig.of("plug")] == ["C"]
    assert not rig.station.connector(1).contactor_closed
    assert [n["active"] for n in rig.charger_notes("power")] == [False, True]


def test_a_restart_counts_and_keeps_the_register(rig: Rig) -> None:
    rig.charge()
    rig.wait(36_000)
    register = rig.station.connector(1, now_ms=rig.now_ms).energy_wh
    rig.say(type="contactor", connector=1, close=True)
    rig.do(StationRebooted())
    rig.do(BayConnected())
    rig.wait(1_000)
    (line,) = rig.of("welcome")
    assert line["boot"] == 2
    view = rig.station.connector(1)
    assert (view.contactor_closed, view.pilot) == (False, "B")
    assert view.energy_wh == register
    assert rig.charger_notes("contactor")[0]["reason"] == "restart"


def test_a_vehicle_that_had_paused_does_not_ask_after_a_restart(rig: Rig) -> None:
    rig.charge()
    rig.do(EnergyPaused(connector=1))
    rig.do(StationRebooted())
    rig.wait(60_000)
    assert rig.station.connector(1).pilot == "B"


def test_a_station_without_power_does_not_restart(rig: Rig) -> None:
    rig.do(SitePower(on=False))
    rig.do(StationRebooted())
    rig.do(SitePower(on=True))
    assert rig.station.boot == 2


# --- What cannot happen --------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "event", "message"),
    [
        ([], PlugRemoved(connector=1), "no vehicle plugged in at connector 1"),
        ([], EnergyWanted(connector=1), "no vehicle plugged in"),
        ([], EnergyPaused(connector=1), "no vehicle plugged in"),
        ([], VehicleLeft(connector=1), "no vehicle in bay 1"),
        ([], VehicleParked(connector=2), "connector: found 2, allowed 1..1"),
        ([], VehicleParked(connector=0), "connector: found 0, allowed 1..1"),
        ([VehicleParked(connector=1)], VehicleParked(connector=1), "is occupied"),
        (
            [PlugInserted(connector=1, vehicle="van")],
            PlugInserted(connector=1, vehicle="van"),
            "a vehicle is plugged in at connector 1",
        ),
        (
            [PlugInserted(connector=1, vehicle="van")],
            EnergyWanted(connector=1, power_w=-1),
            "power: found -1 W, allowed 0 and up",
        ),
        ([], PlugInserted(connector=1, vehicle="tank"), "vehicle: found 'tank'"),
        ([], Trouble(connector=1, part="pilot", reason="A"), "pilot: found 'A'"),
        ([], Trouble(connector=1, part="meter_jump", amount=-1), "amount: found -1"),
    ],
)
def test_what_cannot_happen_is_refused_and_changes_nothing(
    rig: Rig, before: list[Event], event: Event, message: str
) -> None:
    for earlier in before:
        rig.do(earlier)
    seen = rig.station.connector(1)
    rig.forget()
    with pytest.raises(ValueError, match=message):
        rig.do(event)
    assert rig.station.connector(1) == seen
    rig.wait(0)
    assert (rig.lines, rig.notes) == ([], [])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"connectors": 0}, "connectors: found 0, allowed 1..32"),
        ({"connectors": 33}, "connectors: found 33, allowed 1..32"),
        ({"connectors": 2, "initial_energy_wh": (1,)}, "found 1 registers, allowed no"),
    ],
)
def test_settings_out_of_range_are_named(
    settings: Mapping[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        StationSettings(**settings)  # type: ignore[arg-type]  # that is the test


def test_thirty_two_connectors_fit_in_one_welcome() -> None:
    rig = Rig(StationSettings(connectors=32))
    for number in range(1, 33):
        rig.do(PlugInserted(connector=number, vehicle="van"))
        rig.do(ChargerFault(connector=number, code="WeakSignal", active=True))
    rig.do(BayConnected())
    assert len(json.dumps(rig.of("welcome")[0])) < 64 * 1024
