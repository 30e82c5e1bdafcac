"""Vehicles: the table is sane, batteries fill, curves taper, pilots follow."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.energy import MJ_PER_WH
from simulator.vehicle import FULL_PERMILLE, VEHICLES, Pilot, Vehicle

NAMES = st.sampled_from(sorted(VEHICLES))


@pytest.mark.parametrize("name", VEHICLES)
def test_every_kind_is_a_possible_vehicle(name: str) -> None:
    kind = VEHICLES[name]
    bounds = [permille for permille, _ in kind.curve]
    percents = [percent for _, percent in kind.curve]
    assert kind.about
    assert 0 <= kind.charge_permille < FULL_PERMILLE
    assert bounds[0] == 0
    assert bounds == sorted(set(bounds))
    assert percents == sorted(percents, reverse=True)
    assert 0 < percents[-1] <= percents[0] <= 100


@pytest.mark.parametrize("name", ["sleepy", "full", "ventilated", "hatchback", "van"])
def test_the_vehicles_that_scenarios_count_on_exist(name: str) -> None:
    assert Vehicle(name).name == name


def test_an_unknown_vehicle_is_named_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="found 'tank', allowed hatchback, "):
        Vehicle("tank")


@given(NAMES)
def test_the_curve_only_falls_until_the_battery_is_full(name: str) -> None:
    vehicle = Vehicle(name)
    vehicle.plug(0)
    total_mj, powers = 0, []
    while not vehicle.is_full(total_mj):
        powers.append(vehicle.power_w(total_mj))
        following_mj = vehicle.changes_at_mj(total_mj)
        assert vehicle.power_w(following_mj - 1) == powers[-1]
        assert following_mj > total_mj
        total_mj = following_mj
    assert powers == sorted(powers, reverse=True)
    assert powers[-1] > 0
    assert vehicle.power_w(total_mj) == 0
    assert vehicle.charge_permille(total_mj) == FULL_PERMILLE


@given(NAMES, st.lists(st.integers(0, 10**10), min_size=2, max_size=6))
def test_the_battery_gains_what_the_integral_gains_while_plugged_in(
    name: str, totals: list[int]
) -> None:
    vehicle = Vehicle(name)
    expected_mj = vehicle.level_mj(0)
    for plugged_at, unplugged_at in pairwise(sorted(totals)):
        vehicle.plug(plugged_at)
        expected_mj += unplugged_at - plugged_at
        assert vehicle.level_mj(unplugged_at) == expected_mj
        vehicle.unplug(unplugged_at)


def test_an_override_replaces_the_curve_until_full() -> None:
    vehicle = Vehicle("motorcycle")
    vehicle.plug(0)
    vehicle.override_w = 1234
    assert vehicle.power_w(0) == 1234
    assert vehicle.changes_at_mj(0) == 3000 * MJ_PER_WH
    assert vehicle.power_w(3000 * MJ_PER_WH) == 0


@pytest.mark.parametrize(
    ("name", "asking", "pilot"),
    [
        ("hatchback", False, Pilot.B),
        ("hatchback", True, Pilot.C),
        ("ventilated", False, Pilot.B),
        ("ventilated", True, Pilot.D),
    ],
)
def test_the_pilot_says_what_the_vehicle_wants(
    name: str, asking: bool, pilot: Pilot
) -> None:
    vehicle = Vehicle(name)
    vehicle.asking = asking
    assert vehicle.pilot is pilot
