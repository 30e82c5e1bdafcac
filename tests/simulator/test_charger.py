"""One connector: parts that misbehave, and what must hold whatever happens.

The state machine at the end drives a station of two connectors with people, faults,
power cuts and a controller that says anything, and checks after every step what the
contract promises of contactors and energy.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from simulator.charger import SWITCH_MS
from simulator.energy import MJ_PER_WH
from simulator.events import (
    AvailabilityMoved,
    BayBytes,
    BayConnected,
    BayDisconnected,
    BayToController,
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
from simulator.vehicle import VEHICLES
from wire.bay import Direction, check_line

MAX_POWER_W = 11_000


class Charge:
    """Connector 1 with a hatchback in pilot C and energy flowing, 60 s in."""

    def __init__(self) -> None:
        settings = StationSettings(max_power_w=MAX_POWER_W, initial_energy_wh=(5_000,))
        self.station = Station(settings)
        self.now_ms = 0
        self.lines: list[Mapping[str, object]] = []
        self.notes: list[Note] = []
        self.do(BayConnected())
        self.do(PlugInserted(connector=1, vehicle="hatchback"))
        self.command(close=True)
        self.wait(63_000)

    def do(self, event: Event) -> None:
        self._take(self.station.handle(event, self.now_ms))

    def trouble(self, event: Trouble) -> None:
        self.lines.clear()
        self.notes.clear()
        self.do(event)

    def command(self, *, close: bool) -> None:
        line = {"type": "contactor", "connector": 1, "close": close}
        self.do(BayBytes(data=json.dumps(line).encode() + b"\n"))
        self.wait(200)

    def wait(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self.station.deadline_ms()) is not None:
            if due_ms > until_ms:
                break
            self._take(self.station.on_deadline(due_ms))
        self.now_ms = until_ms

    def _take(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case BayToController(data=data):
                    self.lines.append(json.loads(data))
                case Note():
                    self.notes.append(action)

    def of(self, kind: str, field: str) -> list[object]:
        return [line[field] for line in self.lines if line["type"] == kind]

    def registers(self) -> list[object]:
        return self.of("meter", "energy_wh")

    @property
    def closed(self) -> bool:
        return self.station.connector(1).contactor_closed


@pytest.fixture
def charge() -> Charge:
    return Charge()


def welded() -> Trouble:
    return Trouble(connector=1, part="contactor_welded")


# --- Contactor --------------------------------------------------------------------


def test_a_welded_contactor_says_that_it_is_still_closed(charge: Charge) -> None:
    charge.trouble(welded())
    charge.command(close=False)
    assert charge.of("contactor", "closed") == [True]
    charge.wait(60_000)
    assert charge.station.connector(1).power_w == MAX_POWER_W
    assert charge.notes == []


def test_a_welded_contactor_is_ordered_once_by_a_fault(charge: Charge) -> None:
    charge.trouble(welded())
    charge.do(ChargerFault(connector=1, code="GroundFailure", active=True))
    types = [line["type"] for line in charge.lines]
    assert types == ["fault", "contactor", "meter"]
    charge.wait(60_000)
    assert charge.of("contactor", "closed") == [True]


def test_a_freed_contactor_opens_as_it_was_told(charge: Charge) -> None:
    charge.trouble(welded())
    charge.command(close=False)
    charge.trouble(replace(welded(), active=False))
    assert [line["type"] for line in charge.lines] == ["contactor", "meter"]
    assert not charge.closed


def test_a_freed_contactor_that_was_not_told_to_open_stays(charge: Charge) -> None:
    charge.trouble(welded())
    charge.trouble(replace(welded(), active=False))
    assert charge.closed


def test_another_trouble_does_not_repeat_the_order(charge: Charge) -> None:
    charge.trouble(welded())
    charge.command(close=False)
    charge.trouble(Trouble(connector=1, part="lock_stuck"))
    assert charge.lines == []


def test_energy_stops_with_a_welded_contactor_when_the_vehicle_leaves(
    charge: Charge,
) -> None:
    charge.trouble(welded())
    charge.do(VehicleLeft(connector=1))
    assert charge.of("contactor", "closed") == [True]
    assert charge.of("plug", "pilot") == ["A"]
    assert [line["type"] for line in charge.lines] == ["contactor", "meter", "plug"]
    assert charge.station.connector(1).power_w == 0


def test_a_dead_contactor_answers_and_never_closes_by_itself(charge: Charge) -> None:
    charge.command(close=False)
    dead = Trouble(connector=1, part="contactor_dead")
    charge.trouble(dead)
    charge.command(close=True)
    assert charge.of("contactor", "closed") == [False]
    charge.do(replace(dead, active=False))
    charge.wait(60_000)
    assert not charge.closed
    charge.command(close=True)
    assert charge.closed


def test_a_charger_that_refuses_does_so_once(charge: Charge) -> None:
    charge.command(close=False)
    charge.trouble(Trouble(connector=1, part="refuses", reason="not registered"))
    charge.command(close=True)
    assert charge.of("rejected", "reason") == ["not registered"]
    assert charge.of("rejected", "command") == ["contactor"]
    assert charge.of("contactor", "closed") == [False]
    charge.command(close=True)
    assert charge.closed


def test_a_refusal_that_was_healed_does_not_happen(charge: Charge) -> None:
    charge.command(close=False)
    charge.do(Trouble(connector=1, part="refuses"))
    charge.do(Trouble(connector=1, part="refuses", active=False))
    charge.command(close=True)
    assert charge.closed


def test_a_stuck_lock_contradicts_the_command(charge: Charge) -> None:
    charge.trouble(Trouble(connector=1, part="lock_stuck"))
    charge.do(BayBytes(data=b'{"type":"lock","connector":1,"locked":true}\n'))
    charge.wait(1_000)
    assert charge.of("lock", "locked") == [False]
    assert not charge.station.connector(1).locked


# --- Connection time-out ----------------------------------------------------------


def waiting(seconds: int = 30, reason: str = "") -> Trouble:
    return Trouble(
        connector=1, part="connection_timeout", amount=seconds, reason=reason
    )


@pytest.mark.parametrize("reason", ["", "EVConnectTimeout"])
def test_a_charger_that_waits_gives_up_in_its_own_time(
    charge: Charge, reason: str
) -> None:
    charge.do(VehicleLeft(connector=1))
    charge.trouble(waiting(30, reason))
    charge.command(close=True)
    charge.command(close=True)
    assert charge.of("rejected", "reason") == []
    assert charge.of("contactor", "closed") == [False, False]
    charge.wait(29_599)
    assert charge.of("rejected", "reason") == []
    charge.wait(1)
    assert charge.of("rejected", "reason") == [reason or "connection time-out"]


def test_a_charger_that_waits_needs_no_command_to_give_up(charge: Charge) -> None:
    charge.do(VehicleLeft(connector=1))
    charge.trouble(waiting(30))
    charge.wait(60_000)
    assert charge.of("rejected", "reason") == ["connection time-out"]
    assert charge.of("rejected", "command") == ["contactor"]


def test_a_charger_does_not_wait_for_a_vehicle_that_is_there(charge: Charge) -> None:
    charge.trouble(waiting(30))
    charge.wait(60_000)
    assert charge.of("rejected", "reason") == []


@pytest.mark.parametrize(
    "event",
    [
        PlugInserted(connector=1, vehicle="van"),
        replace(waiting(), active=False),
        StationRebooted(),
    ],
)
def test_waiting_for_a_vehicle_ends_early(charge: Charge, event: Event) -> None:
    charge.do(VehicleLeft(connector=1))
    charge.trouble(waiting())
    charge.command(close=True)
    charge.do(event)
    charge.wait(100_000)
    assert charge.of("rejected", "reason") == []
    assert not charge.closed


# --- Meter ------------------------------------------------------------------------


def test_a_frozen_meter_repeats_itself_and_wakes_with_the_truth(charge: Charge) -> None:
    frozen = Trouble(connector=1, part="meter_frozen")
    last = charge.registers()[-1]
    charge.trouble(frozen)
    charge.wait(60_000)
    charge.command(close=False)
    assert set(charge.registers()) == {last}
    assert len(charge.registers()) >= 7
    charge.trouble(replace(frozen, active=False))
    assert charge.registers() == [charge.station.connector(1).energy_wh]
    assert charge.registers() > [last]


def test_a_meter_that_freezes_at_a_number_it_could_not_say(charge: Charge) -> None:
    charge.trouble(Trouble(connector=1, part="meter_nan"))
    shown = charge.station.connector(1).shown_wh
    charge.do(Trouble(connector=1, part="meter_frozen"))
    charge.do(Trouble(connector=1, part="meter_nan", active=False))
    assert charge.registers()[-1] == shown


def test_a_suspect_meter_says_so(charge: Charge) -> None:
    suspect = Trouble(connector=1, part="meter_suspect")
    charge.trouble(suspect)
    charge.wait(20_000)
    assert set(charge.of("meter", "quality")) == {"suspect"}
    assert len(set(charge.registers())) == 3
    charge.trouble(replace(suspect, active=False))
    assert charge.of("meter", "quality") == ["good"]


@pytest.mark.parametrize(("part", "sign"), [("meter_jump", 1), ("meter_falls", -1)])
def test_a_register_that_moves_at_once(charge: Charge, part: str, sign: int) -> None:
    before = charge.station.connector(1, now_ms=charge.now_ms)
    shifted = Trouble(connector=1, part="meter_jump", amount=700)
    charge.trouble(shifted if sign > 0 else replace(shifted, part="meter_falls"))
    after = charge.station.connector(1)
    assert charge.registers() == [after.shown_wh] == [before.shown_wh + sign * 700]
    assert after.energy_wh == before.energy_wh
    charge.do(replace(shifted, active=False))
    assert charge.station.connector(1).shown_wh == after.shown_wh


def test_a_register_does_not_fall_below_zero(charge: Charge) -> None:
    charge.trouble(Trouble(connector=1, part="meter_falls", amount=10**6))
    assert charge.registers() == [0]


def test_a_meter_without_a_number(charge: Charge) -> None:
    charge.trouble(Trouble(connector=1, part="meter_nan"))
    charge.wait(20_000)
    charge.command(close=False)
    assert charge.registers() == [None] * 4
    charge.lines.clear()
    charge.do(BayConnected())
    assert check_line(charge.lines[0], Direction.TO_CONTROLLER) is None


def test_a_silent_meter_says_nothing_even_at_the_end(charge: Charge) -> None:
    silent = Trouble(connector=1, part="meter_silent")
    charge.trouble(silent)
    charge.wait(60_000)
    charge.command(close=False)
    assert charge.registers() == []
    charge.do(replace(silent, active=False))
    assert charge.registers() == [charge.station.connector(1).energy_wh]


def test_a_shift_of_the_register_does_not_touch_the_truth(charge: Charge) -> None:
    charge.trouble(Trouble(connector=1, part="meter_jump", amount=9_000))
    charge.command(close=False)
    view = charge.station.connector(1)
    (note,) = [n.fields for n in charge.notes if n.fields["event"] == "contactor"]
    assert note["energy_wh"] == view.energy_wh
    assert charge.registers()[-1] == view.shown_wh == view.energy_wh + 9_000


# --- Pilot and plug ---------------------------------------------------------------


@pytest.mark.parametrize("pilot", ["E", "F"])
def test_a_pilot_error_opens_the_contactor(charge: Charge, pilot: str) -> None:
    error = Trouble(connector=1, part="pilot", reason=pilot)
    charge.trouble(error)
    assert [line["type"] for line in charge.lines] == ["contactor", "meter", "plug"]
    assert charge.of("plug", "pilot") == [pilot]
    charge.command(close=True)
    assert charge.of("rejected", "reason") == ["faulted"]
    charge.trouble(replace(error, active=False))
    assert charge.of("plug", "pilot") == ["C"]
    assert not charge.closed


def test_a_plug_that_is_not_seated_flaps_until_it_is(charge: Charge) -> None:
    charge.do(VehicleLeft(connector=1))
    charge.lines.clear()
    charge.do(PlugInserted(connector=1, vehicle="van", seated=False))
    charge.wait(9_000)
    assert charge.of("plug", "pilot") == ["B", "A", "B", "A", "B"]
    charge.do(PlugInserted(connector=1, vehicle="van"))
    charge.wait(60_000)
    assert charge.of("plug", "pilot")[5:] == ["C"]


def test_a_loose_plug_that_is_pulled_is_quiet(charge: Charge) -> None:
    charge.do(VehicleLeft(connector=1))
    charge.do(PlugInserted(connector=1, vehicle="van", seated=False))
    charge.do(PlugRemoved(connector=1))
    charge.lines.clear()
    charge.wait(60_000)
    assert charge.lines == []


def test_a_loose_plug_that_loses_contact_opens_the_contactor(charge: Charge) -> None:
    charge.do(VehicleLeft(connector=1))
    charge.do(PlugInserted(connector=1, vehicle="van", seated=False))
    charge.command(close=True)
    charge.lines.clear()
    charge.wait(2_000)
    assert [line["type"] for line in charge.lines] == ["contactor", "meter", "plug"]


# --- Whatever happens -------------------------------------------------------------

NUMBERS = st.sampled_from([1, 2])
PARTS = st.sampled_from(
    [
        "contactor_welded",
        "contactor_dead",
        "lock_stuck",
        "meter_frozen",
        "meter_suspect",
        "meter_jump",
        "meter_falls",
        "meter_nan",
        "meter_silent",
        "refuses",
        "pilot",
        "sensor",
        "connection_timeout",
    ]
)


class StationMachine(RuleBasedStateMachine):
    """People, faults and a controller that says anything, in any order."""

    plugged: Bundle[int] = Bundle("plugged")

    def __init__(self) -> None:
        super().__init__()
        settings = StationSettings(
            connectors=2, max_power_w=MAX_POWER_W, bay_sensor=True
        )
        self.station = Station(settings)
        self.now_ms = 0
        #: When the controller last told each connector to close.
        self.commanded: dict[int, int] = {}
        self.happens_ms = 0
        self.closed = {1: False, 2: False}
        self.welded: set[int] = set()
        self.energy = {1: 0, 2: 0}
        self.linked = False
        self.silent: set[int] = set()

    # --- Driving it ---

    def do(self, event: Event) -> None:
        self.happens_ms = self.now_ms
        self.catch_up()
        try:
            actions = self.station.handle(event, self.now_ms)
        except ImpossibleError:
            actions = self.station.on_deadline(self.now_ms)
        self.take(actions)

    def catch_up(self) -> None:
        """Let happen what is due by now, as a kernel would before the next event."""
        due_ms = self.station.deadline_ms()
        if due_ms is not None and due_ms <= self.now_ms:
            self.take(self.station.on_deadline(self.now_ms))

    def say(self, **fields: object) -> None:
        self.do(BayBytes(data=json.dumps(fields).encode() + b"\n"))

    def take(self, actions: Sequence[Action]) -> None:
        """Follow contactors by the notes; after one opened: meter, then plug."""
        owing: set[object] = set()
        for action in actions:
            if isinstance(action, BayToController):
                assert self.linked, "a line without a link"
                line = json.loads(action.data)
                if line["type"] == "meter":
                    owing.discard(line["connector"])
                elif line["type"] == "plug":
                    assert line["connector"] not in owing - self.silent
            elif action.fields.get("event") == "contactor":
                self.follow(action.fields)
                if not action.fields["closed"]:
                    owing.add(action.fields["connector"])
        assert not self.linked or owing <= self.silent, "no meter after a contactor"

    def follow(self, fields: Mapping[str, object]) -> None:
        number, closed = int(str(fields["connector"])), bool(fields["closed"])
        assert self.closed[number] is not closed, "a note is a change"
        if closed:
            told_ms = self.commanded.get(number)
            assert told_ms is not None, "closed without a command"
            assert self.happens_ms - told_ms <= SWITCH_MS, "closed long after it"
        self.closed[number] = closed

    @initialize()
    def connect(self) -> None:
        self.linked = True
        self.do(BayConnected())

    # --- Rules ---

    @rule(ms=st.sampled_from([0, 1, 100, 200, 3_000, 10_000, 600_000, 7_200_000]))
    def time_passes(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self.station.deadline_ms()) is not None and due_ms <= until_ms:
            self.happens_ms = due_ms
            self.take(self.station.on_deadline(due_ms))
            after_ms = self.station.deadline_ms()
            assert after_ms is None or after_ms > due_ms, "must move forward"
        self.now_ms = until_ms

    @rule(
        target=plugged,
        number=NUMBERS,
        vehicle=st.sampled_from(sorted(VEHICLES)),
        seated=st.sampled_from([True, True, False]),
    )
    def plug(self, number: int, vehicle: str, seated: bool) -> int:
        self.do(PlugInserted(connector=number, vehicle=vehicle, seated=seated))
        return number

    @rule(number=plugged, close=st.sampled_from([True, True, False]))
    def command(self, number: int, close: bool) -> None:
        if close and self.linked:
            self.commanded[number] = self.now_ms
        self.say(type="contactor", connector=number, close=close)

    @rule(number=NUMBERS, locked=st.booleans())
    def command_lock(self, number: int, locked: bool) -> None:
        self.say(type="lock", connector=number, locked=locked)

    @rule(number=plugged, power_w=st.none() | st.integers(0, 30_000))
    def want(self, number: int, power_w: int | None) -> None:
        self.do(EnergyWanted(connector=number, power_w=power_w))

    @rule(number=plugged)
    def pause(self, number: int) -> None:
        self.do(EnergyPaused(connector=number))

    @rule(number=NUMBERS)
    def unplug(self, number: int) -> None:
        self.do(PlugRemoved(connector=number))

    @rule(number=NUMBERS, comes=st.booleans())
    def drive(self, number: int, comes: bool) -> None:
        coming = VehicleParked(connector=number)
        self.do(coming if comes else VehicleLeft(connector=number))

    @rule(
        number=st.none() | NUMBERS,
        code=st.sampled_from(sorted(FAULT_CODES)),
        active=st.booleans(),
    )
    def fault(self, number: int | None, code: str, active: bool) -> None:
        self.do(ChargerFault(connector=number, code=code, active=active))

    @rule(
        number=NUMBERS,
        part=PARTS,
        active=st.booleans(),
        amount=st.sampled_from([0, 5, 40_000]),
        reason=st.sampled_from(["E", "F"]),
    )
    def trouble(
        self, number: int, part: str, active: bool, amount: int, reason: str
    ) -> None:
        if part == "contactor_welded":
            (self.welded.add if active else self.welded.discard)(number)
        if part == "meter_silent":
            (self.silent.add if active else self.silent.discard)(number)
        event = Trouble(
            connector=number,
            part=part,  # type: ignore[arg-type]  # drawn from the same words
            active=active,
            amount=amount,
            reason=reason,
        )
        self.do(event)

    @rule(active=st.booleans())
    def red_button(self, active: bool) -> None:
        self.do(EmergencyStopMoved(active=active))

    @rule(on=st.sampled_from([True, True, False]))
    def power(self, on: bool) -> None:
        self.catch_up()
        self.linked = False
        self.do(BayDisconnected())
        self.do(SitePower(on=on))

    @rule()
    def reboot(self) -> None:
        self.catch_up()
        self.linked = False
        self.do(StationRebooted())

    @rule(number=NUMBERS, available=st.booleans())
    def service(self, number: int, available: bool) -> None:
        self.do(AvailabilityMoved(connector=number, available=available))

    @precondition(lambda self: not self.linked)
    @rule()
    def connect_again(self) -> None:
        self.linked = self.station.site.powered
        self.do(BayConnected())

    # --- What must hold ---

    @invariant()
    def energy_flows_only_where_it_may(self) -> None:
        for view in self.station.connectors(now_ms=self.now_ms):
            if view.power_w:
                assert view.contactor_closed
                assert view.pilot in ("C", "D")
                assert self.station.site.powered
                assert view.power_w <= MAX_POWER_W

    @invariant()
    def a_contactor_is_closed_only_where_it_may_be(self) -> None:
        site = self.station.site
        for view in self.station.connectors():
            assert view.contactor_closed is self.closed[view.connector]
            if view.contactor_closed and view.connector not in self.welded:
                assert view.pilot in ("B", "C", "D")
                assert site.powered
                assert not site.emergency_stop
                assert not any(FAULT_CODES[code].stops_power for code in view.faults)

    @invariant()
    def registers_only_rise_and_are_the_integral(self) -> None:
        for view in self.station.connectors(now_ms=self.now_ms):
            number = view.connector
            delivered = self.station.energy_delivered_wh(number, now_ms=self.now_ms)
            initial = self.station.settings.register_wh(number)
            assert view.energy_wh == initial + delivered
            assert delivered >= self.energy[number]
            self.energy[number] = delivered


StationMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_whatever_happens = StationMachine.TestCase


SPELLS = st.tuples(
    st.sampled_from(["want", "pause", "open", "close", "look"]),
    st.integers(1, MAX_POWER_W),
    st.integers(1, 1_000_000),
)


@given(st.lists(SPELLS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_meter_battery_and_power_times_time_are_one_number(
    spells: list[tuple[str, int, int]],
) -> None:
    charge = Charge()
    connector = charge.station._connectors[0]
    vehicle = connector.parking.vehicle
    assert vehicle is not None
    start_mj = vehicle.kind.capacity_wh * MJ_PER_WH * vehicle.kind.charge_permille
    expected_mj = connector.integral.at_mj(charge.now_ms)
    for what, power_w, ms in spells:
        if what == "want":
            charge.do(EnergyWanted(connector=1, power_w=power_w))
        elif what == "pause":
            charge.do(EnergyPaused(connector=1))
        elif what in ("open", "close"):
            before_w = charge.station.connector(1).power_w
            line = {"type": "contactor", "connector": 1, "close": what == "close"}
            charge.do(BayBytes(data=json.dumps(line).encode() + b"\n"))
            charge.wait(SWITCH_MS)
            expected_mj += before_w * SWITCH_MS
        expected_mj += charge.station.connector(1).power_w * ms
        charge.wait(ms)
    total_mj = connector.integral.at_mj(charge.now_ms)
    view = charge.station.connector(1, now_ms=charge.now_ms)
    assert total_mj == expected_mj
    assert vehicle.level_mj(total_mj) == start_mj // 1000 + total_mj
    assert view.energy_wh == 5_000 + total_mj // MJ_PER_WH
