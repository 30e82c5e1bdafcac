"""A charge at the station, and the sensor of its bay."""

from itertools import pairwise

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
    VehicleLeft,
    VehicleParked,
)
from simulator.site import ImpossibleError
from simulator.station import StationSettings
from tests.simulator.station_rig import Rig, meter
from wire.bay import (
    METER_INTERVAL_MS,
    Direction,
    check_line,
)

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


# --- The bay's sensor -------------------------------------------------------------


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
