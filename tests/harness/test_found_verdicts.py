"""Stories in which the judge blamed a controller that was right; found at random."""

from collections.abc import Callable

import pytest

from harness.bench import Bench
from harness.watch import await_session
from steps.driver import start_charging
from tests.harness.conftest import settles

Make = Callable[..., Bench]

COLUMNS = ("p6x", "apollo", "cps")


def test_who_has_told_of_a_refused_key_need_not_do_so_again(make_bench: Make) -> None:
    """The card's own call is refused first, and the alarm is raised for that."""
    bench = make_bench("cps")
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.drivers.plug(driver, 1, "hatchback")
    bench.run_for(3_000)
    bench.faults.put("http_key_rejected")
    bench.drivers.tap(driver, driver.card)
    bench.run_for(8_000)
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


@pytest.mark.parametrize("column", COLUMNS)
def test_a_register_that_stood_still_may_catch_up(
    make_bench: Make, column: str
) -> None:
    """The meter is well again, and shows what really flowed: that is to be paid."""
    bench = make_bench(column)
    bench.open()
    bench.faults.put("meter_frozen", connector=1)
    start_charging(bench, 1, 1)
    bench.run_for(45_000)
    bench.faults.heal("meter_frozen")
    bench.run_for(3_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_what_a_register_catches_up_on_from_before_is_nobodys(
    make_bench: Make, column: str
) -> None:
    """A charge with a silent meter is released; the next one does not pay for it."""
    bench = make_bench(column)
    bench.recast(1, vehicle="van")
    bench.open()
    bench.faults.put("meter_silent", connector=1)
    start_charging(bench, 1, 1)
    bench.run_for(310_000)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.run_for(5_000)
    bench.faults.heal("meter_silent")
    bench.run_for(3_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_stranger_who_plugs_in_is_taken_for_who_has_paid(
    make_bench: Make, column: str
) -> None:
    """Also where no energy ever flows: the plug is never seated."""
    bench = make_bench(column)
    first, second = bench.driver(1), bench.driver(2)
    bench.drivers.tap(first, first.card)
    await_session(bench, first)
    bench.run_for(120_000)
    bench.drivers.plug(second, 2, "hatchback", seated=False)
    bench.run_for(310_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("fault", ["charger_fault", "out_of_service"])
@pytest.mark.parametrize("is_pressed", [True, False])
def test_a_connector_that_is_shut_is_nobodys_place(
    make_bench: Make, column: str, fault: str, *, is_pressed: bool
) -> None:
    """The driver means it all the same, and the next one is offered: right so."""
    bench = make_bench(column)
    driver = bench.driver(2)
    code = {"code": "OtherError"} if fault == "charger_fault" else {}
    bench.faults.put(fault, connector=2, **code)
    if is_pressed:
        bench.drivers.press(driver, 2, "start")
    else:
        bench.drivers.plug(driver, 2, driver.vehicle)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(100_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_who_left_the_bay_before_paying_has_not_left(
    make_bench: Make, column: str
) -> None:
    bench = make_bench(column, bay_sensor=True)
    driver = bench.driver(1)
    bench.drivers.park(driver, 2)
    bench.run_for(5_000)
    bench.drivers.leave(driver, 2)
    bench.run_for(5_000)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(20_000)
    settles(bench)


def test_a_terminal_that_refuses_everything_cannot_be_asked_to_close(
    make_bench: Make,
) -> None:
    """A P6X says no more than no; that it is not ready nobody can tell."""
    bench = make_bench("p6x")
    for who in (1, 2):
        driver = bench.driver(who)
        bench.drivers.tap(driver, driver.card)
        await_session(bench, driver)
        bench.run_for(3_000)
    bench.faults.put("terminal_not_ready")
    bench.drivers.emergency_stop(bench.driver(1), active=True)
    bench.run_for(65_000)
    bench.drivers.emergency_stop(bench.driver(1), active=False)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("second", ["own", "rfid"])
def test_of_two_cards_at_once_the_terminal_reads_the_first(
    make_bench: Make, column: str, second: str
) -> None:
    """What is done about the first is not done about the second."""
    bench = make_bench(column)
    start_charging(bench, 1, 1)
    bench.run_for(20_000)
    driver = bench.driver(1)
    bench.drivers.tap(bench.driver(2), bench.driver(2).card)
    bench.drivers.tap(driver, driver.card if second == "own" else second)
    bench.run_for(100_000)
    settles(bench)


def test_of_two_cuts_the_shorter_does_not_end_the_longer(make_bench: Make) -> None:
    """A serial cable tells nobody that the terminal has no power."""
    bench = make_bench("p6x")
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.faults.put("terminal_off", for_s=900)
    bench.faults.put("terminal_off", for_s=2)
    bench.run_for(620_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_vehicle_in_error_is_nobodys_place(make_bench: Make, column: str) -> None:
    bench = make_bench(column)
    driver = bench.driver(2)
    bench.faults.put("pilot", connector=2, reason="E")
    bench.drivers.plug(driver, 2, driver.vehicle)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(60_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_time_since_the_last_reading_dies_with_the_controller(
    make_bench: Make, column: str
) -> None:
    bench = timed(make_bench, column, 600)
    start_charging(bench, 1, 1)
    bench.run_for(28_000)
    bench.drivers.press(bench.driver(2), 2, "start")
    bench.run_for(100)
    bench.faults.put("controller_killed", for_s=60)
    bench.run_for(100_000)
    settles(bench)


@pytest.mark.parametrize("column", COLUMNS)
def test_when_a_contactor_opened_in_an_outage_nobody_knows(
    make_bench: Make, column: str
) -> None:
    bench = timed(make_bench, column, 60)
    start_charging(bench, 1, 1)
    bench.run_for(20_000)
    bench.faults.put("charger_reboot")
    bench.run_for(60_000)
    settles(bench)


def timed(make_bench: Make, column: str, price: int) -> Bench:
    """A bench whose controller has a price per minute."""
    bench = make_bench(column)
    bench.wishes.claim("tariff", "per_minute", price)
    return bench
