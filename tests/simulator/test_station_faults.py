"""What goes wrong at the station: faults, its power, and what cannot happen."""

import json
from collections.abc import Mapping
from typing import Literal

import pytest

from simulator.events import (
    AvailabilityMoved,
    BayConnected,
    ButtonPressed,
    ChargerFault,
    EmergencyStopMoved,
    EnergyPaused,
    EnergyWanted,
    PlugInserted,
    PlugRemoved,
    SitePower,
    StationRebooted,
    Trouble,
    VehicleLeft,
    VehicleParked,
)
from simulator.station import Event, StationSettings
from tests.simulator.station_rig import HARMLESS, STOPS, Rig, meter

# --- Faults, the red button, service ----------------------------------------------


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


# --- Power and restarts -----------------------------------------------------------


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


# --- What cannot happen -----------------------------------------------------------


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
