"""Questions about a bench: what a step may demand, and what it no longer can."""

from collections.abc import Callable

import pytest

from harness.bench import Bench, NotReached
from harness.declaration import NotClaimed
from harness.told import was_answered
from harness.watch import Breach, await_session, demand_damage, demand_state
from simulator.terminal import SessionState

Make = Callable[..., Bench]
DAY_MS = 86_400_000


def demand_release(bench: Bench) -> None:
    driver = bench.driver(1)
    demand_state(bench, driver, SessionState.CANCELLED, within_ms=bench.now_ms)


def test_a_session_that_the_cloud_has_ended_is_not_demanded(make_bench: Make) -> None:
    """That says nothing of a controller whose closes were all refused until then."""
    bench = make_bench("cps")
    bench.wishes.policy = {"session_expiry_h": 24}
    bench.faults.put("http_status", route="E10", status=500, count=0)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(DAY_MS // 2)
    with pytest.raises(Breach):
        demand_release(bench)
    bench.run_for(DAY_MS)
    with pytest.raises(NotReached, match="expired before anybody could close it"):
        demand_release(bench)
    assert bench.allow_unknown


@pytest.mark.parametrize(
    ("reading", "why"), [("final", NotReached), ("retryable", Breach)]
)
def test_a_commit_that_failed_for_good_is_not_demanded(
    make_bench: Make, reading: str, why: type[Exception]
) -> None:
    """Where a failed session can be closed, a controller has to."""
    bench = make_bench("cps")
    bench.wishes.policy = {"failed_session": reading}
    bench.faults.put("http_failed_state", count=0)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.run_for(60_000)
    bench.drivers.unplug(driver, 1)
    bench.run_for(60_000)
    with pytest.raises(why):
        demand_release(bench)


def test_who_has_not_tried_to_close_has_no_excuse(make_bench: Make) -> None:
    """The session is beyond reach as well, and nobody has reached for it."""
    bench = make_bench("cps")
    bench.wishes.policy = {"session_expiry_h": 24}
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    session = await_session(bench, driver)
    bench.device.kill()
    bench.run_for(2 * DAY_MS)
    ended = bench.court.terminal.sessions[session.session_id]
    assert ended.state is SessionState.EXPIRED
    with pytest.raises(Breach):
        demand_release(bench)


@pytest.mark.parametrize("column", ["p6x", "apollo", "cps"])
def test_what_everybody_reads_is_no_answer_to_a_driver(
    make_bench: Make, column: str
) -> None:
    """The price and the request for a card are there before anybody comes."""
    bench = make_bench(column)
    bench.open()
    bench.run_for(5_000)
    assert not was_answered(bench, since_ms=0)
    bench.drivers.tap(bench.driver(1), "rfid_unknown")
    tapped_ms = bench.now_ms
    bench.run_for(5_000)
    assert was_answered(bench, since_ms=tapped_ms)
    assert not was_answered(bench, since_ms=bench.now_ms)


@pytest.mark.parametrize("column", ["apollo", "cps"])
def test_words_on_the_terminal_are_an_answer(make_bench: Make, column: str) -> None:
    """The charger is away, so its screen shows nothing."""
    bench = make_bench(column)
    bench.open()
    bench.faults.put("bay_down")
    bench.run_for(5_000)
    bench.drivers.tap(bench.driver(1), "visa")
    tapped_ms = bench.now_ms
    bench.run_for(5_000)
    assert was_answered(bench, since_ms=tapped_ms)


def test_a_death_that_damages_nothing_is_blamed_on_nobody(make_bench: Make) -> None:
    bench = make_bench("apollo")
    bench.open()
    bench.saw("state torn: ledger")
    demand_damage(bench, since=0)
    since = len(bench.trace.records)
    bench.saw("state torn: nothing was at risk")
    with pytest.raises(NotClaimed, match="no storage: state torn: nothing was at risk"):
        demand_damage(bench, since=since)
    demand_damage(bench, since=len(bench.trace.records))
