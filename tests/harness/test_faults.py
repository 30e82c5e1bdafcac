"""Faults: planned, seen to hit, healed; and a fault that misses decides nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness.world
from harness.bench import Bench
from harness.case import Case, conclude
from harness.watch import await_session
from simulator import events

Make = Callable[..., Bench]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", 3_600_000)


def lives(bench: Bench, name: str = "") -> list[tuple[Any, Any]]:
    return [
        (record["event"], record["name"])
        for record in bench.trace.records
        if record["kind"] == "fault" and name in ("", record["name"])
    ]


def test_what_simply_happens_hits_at_once(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.charger_fault(1, "GroundFailure")
    assert lives(bench) == [("planned", "GroundFailure"), ("hit", "GroundFailure")]
    bench.faults.heal_all()
    assert lives(bench)[-1] == ("healed", "GroundFailure")


def test_the_last_fault_is_healed_first(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.lose_charger()
    bench.faults.charger_fault(1, "GroundFailure")
    bench.faults.lose_host()
    bench.faults.heal("GroundFailure")
    bench.faults.heal_all()
    healed = [name for event, name in lives(bench) if event == "healed"]
    assert healed == ["GroundFailure", "host_lost", "charger_lost"]
    bench.faults.heal_all()
    assert len(lives(bench)) == 9, "nothing is healed twice"


def test_what_waits_hits_when_it_strikes(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.change_bytes(
        "lost", way="to_terminal", message="Void Session", change=lambda data: []
    )
    assert lives(bench) == [("planned", "lost")]
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(310_000)
    assert lives(bench) == [("planned", "lost"), ("hit", "lost")]


@pytest.mark.parametrize("column", ["p6x", "apollo", "cps"])
def test_a_fault_that_never_hits_makes_the_case_inconclusive(
    make_bench: Make, column: str
) -> None:
    bench = make_bench(column)
    bench.faults.change_bytes(
        "lost", way="to_terminal", message="Reset", change=lambda data: []
    )
    bench.faults.http("refused", route="E14", what="refuse")
    result = conclude(Case(bench=bench, tags=(), path=Path("x.feature")), None)
    assert result.conduct == "INCONCLUSIVE"
    assert not result.is_green
    assert [found.expected for found in result.findings] == [
        "the planned fault lost hits",
        "the planned fault refused hits",
    ]


def test_a_trouble_hits_with_the_record_that_shows_it(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.trouble(events.Trouble(connector=1, part="refuses", active=True))
    assert lives(bench) == [("planned", "refuses")]
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(10_000)
    assert lives(bench) == [("planned", "refuses"), ("hit", "refuses")]


def test_a_site_without_power_comes_back_as_a_whole(make_bench: Make) -> None:
    bench = make_bench()
    bench.open()
    bench.faults.cut_site_power()
    assert not bench.device.is_alive
    assert not bench.lines.psp.is_open
    assert not bench.lines.bay.is_open
    bench.run_for(60_000)
    bench.faults.heal_all()
    bench.run_for(60_000)
    assert bench.device.is_alive
    assert bench.lines.psp.is_open
    assert bench.lines.bay.is_open
    assert bench.device.boots == 2


def test_a_full_disk_is_mended(make_bench: Make) -> None:
    bench = make_bench()
    bench.faults.fail_storage("disk full")
    assert bench.store.fault == "disk full"
    bench.faults.heal_all()
    assert bench.store.fault == ""
