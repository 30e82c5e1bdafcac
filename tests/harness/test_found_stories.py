"""Stories in which the reference controller was wrong once, found by random play."""

from collections.abc import Callable

import pytest

from harness.bench import Bench
from harness.epilogue import run_epilogue
from harness.judge import Conduct, Expectations, Settlement, judge
from harness.watch import await_session
from steps.driver import start_charging

Make = Callable[..., Bench]

COLUMNS = ("p6x", "apollo", "cps")


def settles(bench: Bench) -> None:
    run_epilogue(bench)
    verdict = judge(bench.trace.records)
    assert verdict.findings == ()
    assert (verdict.conduct, verdict.settlement) == (Conduct.PASS, Settlement.CLOSED)


@pytest.mark.parametrize("column", COLUMNS)
def test_after_a_long_death_the_charger_is_heard_first(
    make_bench: Make, column: str
) -> None:
    """The loss window is over at the boot, but the meter has counted meanwhile."""
    bench = make_bench(column)
    start_charging(bench, 1, 1)
    bench.run_for(3_000)
    bench.faults.put("bay_down")
    bench.run_for(30_000)
    bench.faults.put("controller_killed", for_s=0)
    bench.run_for(3_600_000)
    bench.faults.heal("bay_down")
    bench.run_for(5_000)
    bench.faults.heal("controller_killed")
    bench.run_for(60_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_two_closes_that_waited_for_the_terminal_both_leave(
    make_bench: Make, column: str
) -> None:
    """Between two closes the line must not be hung up, out of service or not."""
    bench = make_bench(column)
    for who in (1, 2):
        driver = bench.driver(who)
        bench.drivers.tap(driver, driver.card)
        await_session(bench, driver)
        bench.run_for(5_000)
    bench.faults.put("terminal_off")
    bench.run_for(5_000)
    bench.drivers.emergency_stop(bench.driver(1), active=True)
    bench.run_for(70 * 60_000)
    bench.drivers.emergency_stop(bench.driver(1), active=False)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_who_presses_start_is_taken_for_who_taps(make_bench: Make, column: str) -> None:
    """No controller can know that two people stand before it: the judge grants it."""
    bench = make_bench(column)
    first, second = bench.driver(1), bench.driver(2)
    bench.drivers.press(second, 2, "start")
    bench.drivers.tap(first, first.card)
    await_session(bench, first)
    bench.drivers.plug(first, 1, "hatchback")
    settles(bench)


@pytest.mark.parametrize("column", ["p6x", "apollo"])
@pytest.mark.parametrize(
    ("fault", "params"),
    [("cable_delay", {"delay_ms": 70_000}), ("cable_duplicate", {"gap_ms": 5_000})],
)
def test_a_commit_is_said_when_it_is_said(
    make_bench: Make, column: str, fault: str, params: dict[str, int]
) -> None:
    """What the cable delays or repeats is no second commit of the controller."""
    bench = make_bench(column)
    start_charging(bench, 1, 1)
    bench.run_for(5_000)
    bench.faults.put("refuse_close", count=2)
    bench.faults.put(
        fault, direction="to_terminal", message="Commit Session", after=1, **params
    )
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(200_000)
    settles(bench)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_error_may_hide_an_approval(make_bench: Make, status: int) -> None:
    """What answers for the cloud may not be what authorised: the session is found."""
    bench = make_bench("cps")
    bench.faults.put("http_status_after", route="E6", status=status)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(60_000)
    settles(bench)


def test_a_damaged_question_is_no_decline(make_bench: Make) -> None:
    """The refusal is that of Get Status; the issuer is still thinking."""
    bench = make_bench("apollo")
    bench.faults.put("issuer_slow", delay_ms=25_000)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(1_000)
    bench.faults.put("cable_corrupt", direction="to_terminal", message="Get Status")
    await_session(bench, driver)
    bench.run_for(1_000)
    assert not shown(bench, "declined")
    assert shown(bench, "plug_in")
    settles(bench)


def test_an_alarm_that_died_unsaid_is_said_at_the_next_start(make_bench: Make) -> None:
    """That the approval is lost was written down, and the power went."""
    bench = make_bench("apollo")
    bench.allow_unknown = True
    driver = bench.driver(1)
    bench.faults.put(
        "cable_lose", direction="to_controller", message="Session Approved"
    )
    bench.drivers.tap(driver, driver.card)
    bench.run_for(10_000)
    bench.faults.put("controller_killed_at", moment="before", what="show", for_s=1)
    bench.run_for(60_000)
    run_epilogue(bench)
    assert judge(
        bench.trace.records, expectations=Expectations(allow_unknown=True)
    ).green


def shown(bench: Bench, code: str) -> bool:
    lines = [r["line"] for r in bench.trace.records if r["kind"] == "bay"]
    return any(isinstance(one, dict) and one.get("code") == code for one in lines)
