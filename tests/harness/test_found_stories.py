"""Stories in which the reference controller was wrong once, found by random play."""

from collections.abc import Callable

import pytest

from harness.bench import Bench
from harness.deaths import names_in
from harness.epilogue import run_epilogue
from harness.judge import Expectations, judge
from harness.watch import await_session
from steps.driver import start_charging
from tests.harness.conftest import settles

Make = Callable[..., Bench]

COLUMNS = ("p6x", "apollo", "cps")


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
def test_a_register_that_moves_without_an_order_has_not_charged_anybody(
    make_bench: Make, column: str
) -> None:
    """The vehicle has never asked; the meter jumps while the controller is dead."""
    bench = make_bench(column)
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, "sleepy")
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(5_000)
    bench.faults.put("controller_killed", for_s=3_600)
    bench.faults.put("meter_jump", connector=1, amount=5_000)
    bench.run_for(3_700_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_what_was_heard_before_a_death_is_owed_without_a_charger(
    make_bench: Make, column: str
) -> None:
    """Dead for a second, and the charger is gone: no reading brings anything back."""
    bench = make_bench(column)
    bench.recast(1, vehicle="van")
    start_charging(bench, 1, 1)
    bench.run_for(55_000)
    bench.faults.put("bay_down")
    bench.faults.put("controller_killed", for_s=1)
    bench.run_for(700_000)
    settles(bench)


def taps_while_calls_fail(bench: Bench) -> None:
    start_charging(bench, 1, 1)
    bench.faults.put("http_refused")
    bench.run_for(120_000)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(5_000)


def test_a_card_is_heard_while_the_cloud_cannot_be_reached(make_bench: Make) -> None:
    """Calls fail, callbacks come: whoever taps to stop has to be stopped."""
    bench = make_bench("cps")
    taps_while_calls_fail(bench)
    assert not bench.court.station.connector(1).contactor_closed
    bench.run_for(120_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_welcome_without_a_good_register_counts_nothing(
    make_bench: Make, column: str
) -> None:
    """The next good reading knows it all: nothing has to be guessed from the power."""
    bench = make_bench(column)
    bench.recast(1, vehicle="van")
    start_charging(bench, 1, 1)
    bench.run_for(20_000)
    bench.faults.put("meter_suspect", connector=1)
    bench.faults.put("controller_killed", for_s=1_500)
    bench.run_for(300_000)
    bench.drivers.draw(bench.driver(1), 1, 3_000)
    bench.run_for(1_201_000)
    bench.faults.heal("meter_suspect")
    bench.run_for(3_000)
    settles(bench)


def two_closes_wait(bench: Bench) -> None:
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


@pytest.mark.parametrize("column", COLUMNS)
def test_two_closes_that_waited_for_the_terminal_both_leave(
    make_bench: Make, column: str
) -> None:
    """Between two closes the line must not be hung up, out of service or not."""
    bench = make_bench(column)
    two_closes_wait(bench)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("fault", ["meter_nan", "meter_suspect"])
def test_a_last_reading_that_is_no_good_is_not_the_last(
    make_bench: Make, column: str, fault: str
) -> None:
    """The meter is well again as the vehicle leaves: the whole charge hangs on it."""
    bench = make_bench(column)
    bench.open()
    bench.faults.put(fault, connector=1)
    start_charging(bench, 1, 1)
    bench.run_for(60_000)
    bench.drivers.leave(bench.driver(1), 1)
    bench.faults.heal(fault)
    settles(bench)


def test_what_has_outlived_a_death_is_not_lost_at_the_next(make_bench: Make) -> None:
    bench = make_bench("p6x")
    start_charging(bench, 1, 1)
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(20_000)
    bench.faults.put("controller_killed", for_s=5)
    bench.run_for(60_000)
    sent = closes(bench)
    bench.faults.put("store_lost_write")
    bench.faults.put("controller_killed", for_s=5)
    bench.run_for(60_000)
    assert closes(bench) == sent


def closes(bench: Bench) -> int:
    """How many closes have reached the terminal or the cloud."""
    names = {"Commit Session", "Void Session", "E9", "E10"}
    said = [names_in(record) for record in bench.trace.records]
    return sum(bool(names.intersection(each)) for each in said)


def dies_after_a_close(bench: Bench, fault: str, *, mended_for_ms: int) -> None:
    """The close is confirmed while the storage fails."""
    start_charging(bench, 1, 1)
    bench.run_for(20_000)
    bench.faults.put(fault)
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(30_000)
    if mended_for_ms:
        bench.faults.heal(fault)
        bench.run_for(mended_for_ms)
    bench.faults.put("controller_killed", for_s=90)
    bench.run_for(30_000)
    bench.faults.heal(fault)
    bench.run_for(120_000)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("fault", ["store_full", "store_read_only"])
def test_what_could_not_be_written_is_written_once_it_can_be(
    make_bench: Make, column: str, fault: str
) -> None:
    """Nothing else happens that would be written down: the next death is no excuse."""
    bench = make_bench(column)
    dies_after_a_close(bench, fault, mended_for_ms=30_000)
    assert closes(bench) == 1
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("fault", ["store_full", "store_read_only", "store_lost_write"])
def test_who_could_not_remember_a_close_may_repeat_it(
    make_bench: Make, column: str, fault: str
) -> None:
    """The judge grants what no controller could have known."""
    bench = make_bench(column)
    dies_after_a_close(bench, fault, mended_for_ms=0)
    assert closes(bench) == 2
    settles(bench)


def stops_by_tap(bench: Bench) -> None:
    """A charge at connector 1 that its driver has ended; the vehicle stays."""
    start_charging(bench, 1, 1)
    bench.run_for(20_000)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(20_000)


def taps_again(bench: Bench) -> None:
    stops_by_tap(bench)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(20_000)


@pytest.mark.parametrize("column", COLUMNS)
def test_who_taps_again_means_the_vehicle_that_is_still_there(
    make_bench: Make, column: str
) -> None:
    """Stopped by mistake: the same card at the same vehicle is the same driver."""
    bench = make_bench(column)
    taps_again(bench)
    assert bench.court.station.connector(1).contactor_closed
    bench.drivers.leave(bench.driver(1), 1)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("card", ["partial", "no_hash"])
def test_another_card_at_a_served_vehicle_may_be_anybodys(
    make_bench: Make, column: str, card: str
) -> None:
    """Only people see that it is the same driver: the judge grants it."""
    bench = make_bench(column)
    stops_by_tap(bench)
    bench.drivers.tap(bench.driver(1), card)
    bench.run_for(20_000)
    bench.drivers.leave(bench.driver(1), 1)
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


def an_error_hides_an_approval(bench: Bench, *, status: int = 404) -> None:
    bench.faults.put("http_status_after", route="E6", status=status)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(60_000)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_error_may_hide_an_approval(make_bench: Make, status: int) -> None:
    """What answers for the cloud may not be what authorised: the session is found."""
    bench = make_bench("cps")
    an_error_hides_an_approval(bench, status=status)
    settles(bench)


def a_question_is_damaged(bench: Bench) -> None:
    bench.faults.put("issuer_slow", delay_ms=25_000)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(1_000)
    bench.faults.put("cable_corrupt", direction="to_terminal", message="Get Status")
    await_session(bench, driver)
    bench.run_for(1_000)


def test_a_damaged_question_is_no_decline(make_bench: Make) -> None:
    """The refusal is that of Get Status; the issuer is still thinking."""
    bench = make_bench("apollo")
    a_question_is_damaged(bench)
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
