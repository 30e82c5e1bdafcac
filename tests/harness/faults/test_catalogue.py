"""Every fault of the catalogue: it strikes, it shows, it heals, and life goes on."""

from collections.abc import Callable, Mapping
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from harness.bench import Bench
from harness.faults import TABLE
from harness.watch import await_session, await_situation, is_reading
from simulator.faults import FAULTS, Fault, Parameter, Value, plan

Make = Callable[..., Bench]
SeenSince = Callable[[Bench, int], Any]

#: After healing: the longest window of anybody, and a terminal that starts.
RECOVERS_WITHIN_MS = 1_200_000


def test_every_row_has_an_entry_and_nothing_else_has() -> None:
    assert set(TABLE) == set(FAULTS)


def test_every_row_is_played(plays: Mapping[str, Any]) -> None:
    assert set(plays) == set(FAULTS)


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
        for (table, key), value in play.claims.items():
            bench.wishes.claim(table, key, value)
        charges(bench, 1, 1)
        bench.run_for(25_000)
        since = len(bench.trace.records)
        fault = bench.faults.put(name, **play.params)
        play.story(bench)
        found = seen(bench, since)
        hits = found.of("fault", event="hit", fault=fault, name=name)
        assert hits, f"{column}: it did not strike"
        assert play.sees(found), f"{column}: it did not show: {found.details()}"
        heals_and_goes_on(bench)


def values(parameter: Parameter) -> st.SearchStrategy[Value]:
    """Any value of a parameter, of numbers the small ones."""
    if parameter.span is not None:
        low, high = parameter.span
        highest = min(high, max(low, 0) + 120)
        allowed = st.integers(max(low, -120), highest)
        return allowed.filter(lambda value: not parameter.wrong(value))
    if parameter.words:
        return st.sampled_from(parameter.words)
    return st.just("")


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    """Any fault of the catalogue, at a connector that there is."""
    kind = FAULTS[draw(st.sampled_from(sorted(FAULTS)))]
    params = {key: draw(values(one)) for key, one in kind.parameters.items()}
    if "connector" in params:
        params["connector"] = draw(st.sampled_from((1, 2)))
    return plan(kind.name, **params)


#: Seconds: together with what was put in before, or after it has struck.
PAUSES_S = (0, 1, 10, 70, 400)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    column=st.sampled_from(("p6x", "apollo", "cps")),
    story=st.lists(st.tuples(faults(), st.sampled_from(PAUSES_S)), max_size=6),
)
def test_healing_all_gives_a_working_forecourt(
    make_bench: Make, column: str, story: list[tuple[Fault, int]]
) -> None:
    bench = make_bench(column)
    charges(bench, 1, 1)
    for fault, pause_s in story:
        bench.faults.inject(fault)
        bench.run_for(pause_s * 1_000)
    heals_and_goes_on(bench)
