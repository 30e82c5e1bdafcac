"""What vehicles do at the end of a cable."""

from pytest_bdd import given, when

from harness.bench import Bench, WrongUse
from harness.watch import await_situation
from simulator import events
from steps.driver import require_plugged
from steps.words import phrase


@given(phrase("{energy:Energy} have been delivered at {connector:Connector}"))
def energy_delivered(bench: Bench, energy: int, connector: int) -> None:
    """Given 3 kWh have been delivered at connector 1"""
    require_plugged(bench, connector)
    await_situation(
        bench,
        f"{energy} Wh delivered at connector {connector}",
        lambda: bench.court.station.energy_delivered_wh(connector) >= energy,
        within_ms=24 * 3_600_000,
    )


@given(
    phrase(
        "between {low:Energy} and {high:Energy} have been delivered at "
        "{connector:Connector}"
    )
)
def some_energy_delivered(bench: Bench, low: int, high: int, connector: int) -> None:
    """Given between 1 kWh and 8 kWh have been delivered at connector 1"""
    if low > high:
        raise WrongUse(f"found {low} Wh before {high} Wh, allowed the smaller first")
    energy_delivered(bench, bench.draw_number("energy", low, high), connector)


@given(phrase("the vehicle at {connector:Connector} has stopped asking for energy"))
@when(phrase("the vehicle at {connector:Connector} stops asking for energy"))
def vehicle_pauses(bench: Bench, connector: int) -> None:
    """When the vehicle at connector 1 stops asking for energy
    Given the vehicle at connector 1 has stopped asking for energy
    """
    require_plugged(bench, connector)
    bench.drivers.pause(bench.drivers.plugged[connector], connector)


@when(phrase("the vehicle at {connector:Connector} asks for energy again"))
def vehicle_asks_again(bench: Bench, connector: int) -> None:
    """When the vehicle at connector 1 asks for energy again"""
    require_plugged(bench, connector)
    bench.drivers.draw(bench.drivers.plugged[connector], connector)


@given(phrase("the vehicle at {connector:Connector} takes {power:Power}"))
def vehicle_takes(bench: Bench, connector: int, power: int) -> None:
    """Given the vehicle at connector 1 takes 11 kW"""
    require_plugged(bench, connector)
    bench.drivers.draw(bench.drivers.plugged[connector], connector, power)


@when(phrase("the vehicle at {connector:Connector} becomes full"))
def vehicle_becomes_full(bench: Bench, connector: int) -> None:
    """When the vehicle at connector 1 becomes full"""
    require_plugged(bench, connector)
    await_situation(
        bench,
        f"the vehicle at connector {connector} full",
        lambda: bench.court.station.connector(connector).pilot == "B",
        within_ms=24 * 3_600_000,
    )


@when(phrase("the vehicle at {connector:Connector} asks for ventilation"))
def vehicle_asks_ventilation(bench: Bench, connector: int) -> None:
    """When the vehicle at connector 1 asks for ventilation"""
    require_plugged(bench, connector)
    bench.court.tell_station(events.EnergyWanted(connector=connector, ventilation=True))
