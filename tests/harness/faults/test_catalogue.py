"""Every fault of the catalogue: it strikes, it shows, it heals, and life goes on."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.bench import Bench
from harness.faults import TABLE
from harness.watch import await_session, await_situation, is_reading
from simulator.faults import FAULTS

Make = Callable[..., Bench]
SeenSince = Callable[[Bench, int], Any]

#: After healing: the longest window of anybody, and a terminal that starts.
RECOVERS_WITHIN_MS = 1_200_000


def test_every_row_has_an_entry_and_nothing_else_has() -> None:
    assert set(TABLE) == set(FAULTS)


def test_every_row_is_played(plays: Mapping[str, Any]) -> None:
    assert set(plays) == set(FAULTS)


def charging(bench: Bench, claims: Mapping[tuple[str, str], Any]) -> None:
    """Driver 1 charges at connector 1."""
    for (table, key), value in claims.items():
        bench.wishes.claim(table, key, value)
    charges(bench, 1, 1)
    bench.run_for(20_000)


def charges(bench: Bench, number: int, connector: int) -> None:
    """A driver can charge at a connector."""
    driver = bench.driver(number)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.drivers.plug(driver, connector, driver.vehicle)
    await_situation(
        bench,
        f"energy at connector {connector}",
        lambda: bench.court.station.connector(connector).power_w > 0,
        within_ms=60_000,
    )


def everyone_leaves(bench: Bench) -> None:
    for connector, driver in sorted(bench.drivers.parked.items()):
        bench.drivers.leave(driver, connector)


def is_back(bench: Bench) -> bool:
    """The terminal reads cards, and nothing is left of what went before."""
    return is_reading(bench) and bench.lines.bay.is_open


def heals_and_goes_on(bench: Bench) -> None:
    bench.faults.heal_all()
    assert bench.faults.in_force() == []
    everyone_leaves(bench)
    bench.run_for(60_000)
    await_situation(
        bench, "a reader", lambda: is_back(bench), within_ms=RECOVERS_WITHIN_MS
    )
    charges(bench, 3, 2)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_strikes_shows_and_heals(
    make_bench: Make, plays: Mapping[str, Any], seen: SeenSince, name: str
) -> None:
    play = plays[name]
    for column in play.columns:
        bench = make_bench(column)
        charging(bench, play.claims)
        since = len(bench.trace.records)
        params = dict(play.params)
        if name == "foreign_cancel":
            (params["session"],) = bench.court.terminal.sessions
        fault = bench.faults.put(name, **params)
        play.story(bench)
        found = seen(bench, since)
        hits = found.of("fault", event="hit", fault=fault, name=name)
        assert hits, f"{column}: it did not strike"
        assert play.sees(found), f"{column}: it did not show: {found.details()}"
        heals_and_goes_on(bench)
