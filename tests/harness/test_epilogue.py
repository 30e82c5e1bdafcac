"""Every case ends alike: healed, left by everybody, and watched until it is settled."""

from collections.abc import Callable

import pytest

import harness.world
from harness.bench import Bench
from harness.epilogue import run_epilogue
from harness.watch import await_session

Make = Callable[..., Bench]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", 3_600_000)


def marks(bench: Bench) -> dict[object, object]:
    return {
        record["event"]: record["t_ms"]
        for record in bench.trace.records
        if record["kind"] == "epilogue"
    }


def test_it_waits_no_longer_than_for_the_last_session(make_bench: Make) -> None:
    bench = make_bench()
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    run_epilogue(bench)
    at_ms = marks(bench)
    assert list(at_ms) == ["begun", "healed", "settled", "ended"]
    closed = [
        record["t_ms"]
        for record in bench.trace.records
        if record["kind"] == "session" and record["event"] == "cancelled"
    ]
    assert closed == [at_ms["settled"]]
    ended_ms = at_ms["ended"]
    assert isinstance(ended_ms, int)
    assert isinstance(closed[0], int)
    assert ended_ms - closed[0] > 3_600_000, "and past the longest retry once more"


def test_it_waits_no_longer_than_the_longest_retry(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench()
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    # A controller that nobody starts again closes nothing.
    bench.device.kill()
    bench.open_sessions()
    monkeypatch.setattr(type(bench.faults), "start_controller", lambda self: None)
    run_epilogue(bench)
    assert bench.open_sessions() == 1
    at_ms = marks(bench)
    waited_ms = 3_600_000 + harness.world.MARGIN_MS
    healed_ms = at_ms["healed"]
    assert isinstance(healed_ms, int)
    assert at_ms["settled"] == healed_ms + waited_ms


def test_faults_go_drivers_leave_and_the_controller_lives(make_bench: Make) -> None:
    bench = make_bench()
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.faults.put("controller_killed", for_s=0)
    bench.faults.put("cable_cut")
    run_epilogue(bench)
    assert bench.device.is_alive
    assert not bench.lines.psp.outages
    assert bench.drivers.parked == {}
    acts = [r["act"] for r in bench.trace.records if r["kind"] == "act"]
    assert acts[-2:] == ["unplug", "leave"]


def test_it_opens_a_bench_that_nobody_has_used(make_bench: Make) -> None:
    bench = make_bench()
    run_epilogue(bench)
    assert bench.is_open
    assert list(marks(bench)) == ["begun", "healed", "settled", "ended"]
