"""One connector: parts that misbehave, and what must hold whatever happens.

The state machine at the end drives a station of two connectors with people, faults,
power cuts and a controller that says anything, and checks after every step what the
contract promises of contactors and energy.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.charger import SWITCH_MS
from simulator.energy import MJ_PER_WH
from simulator.events import (
    BayBytes,
    BayConnected,
    BayToController,
    ChargerFault,
    EnergyPaused,
    EnergyWanted,
    Note,
    PlugInserted,
    PlugRemoved,
    StationRebooted,
    Trouble,
    VehicleLeft,
)
from simulator.site import Action
from simulator.station import Event, Station, StationSettings
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


# --- One number -------------------------------------------------------------------


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
