"""What people do is written down with their names, then felt by the machines."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.drivers import Drivers


@pytest.fixture
def street(rig: Callable[[str], Any]) -> Any:
    made = rig("apollo")
    made.drivers = None
    return made


@pytest.fixture
def drivers(street: Any) -> Drivers:
    return Drivers(street.bench.court)


def acts(street: Any) -> list[tuple[Any, ...]]:
    return [
        (record["act"], record["driver"], record.get("connector"))
        for record in street.records("act")
    ]


def test_whoever_plugs_in_has_parked(street: Any, drivers: Drivers) -> None:
    driver = street.bench.driver(1)
    drivers.plug(driver, 1, driver.vehicle)
    assert acts(street) == [("park", driver.name, 1), ("plug", driver.name, 1)]
    assert drivers.parked == drivers.plugged == {1: driver}
    assert street.bench.court.station.connector(1).pilot == "B"


def test_whoever_leaves_unplugs_first(street: Any, drivers: Drivers) -> None:
    driver = street.bench.driver(1)
    drivers.plug(driver, 2, driver.vehicle)
    drivers.leave(driver, 2)
    assert [act for act, _, _ in acts(street)] == ["park", "plug", "unplug", "leave"]
    assert drivers.parked == drivers.plugged == {}
    assert street.bench.court.station.connector(2).pilot == "A"


def test_a_tap_names_the_card_and_its_hash(street: Any, drivers: Drivers) -> None:
    driver = street.bench.driver(1)
    drivers.tap(driver, "visa")
    (record,) = street.records("act")
    assert (record["card"], len(record["card_id"])) == ("visa", 40)


def test_an_emergency_stop_is_an_act_and_a_fact(street: Any, drivers: Drivers) -> None:
    drivers.emergency_stop(street.bench.driver(1), active=True)
    assert street.records("act")[0]["active"] is True
    assert [r["event"] for r in street.records("charger")] == ["emergency_stop"]
