"""What drivers do, and what they are told."""

from pytest_bdd import given, then, when

from harness.bench import Bench, NotReached
from harness.case import Breach
from harness.drivers import Button
from harness.told import before_tap, shown, was_answered, was_told
from harness.watch import (
    CHARGE_WITHIN_MS,
    await_session,
    await_situation,
    demand,
    last_session,
)
from steps.words import phrase

#: The controller tells the driver something "immediately" (R-UI-01): a human's second.
TOLD_WITHIN_MS = 10_000


# --- Given ----------------------------------------------------------------------


@given(phrase("{who:Driver} pays with the {card:Card} card"))
def driver_has_card(bench: Bench, who: int, card: str) -> None:
    """Given the driver pays with the partial card"""
    bench.recast(who, card=card)


@given(phrase("{who:Driver} comes with the {vehicle:Vehicle}"))
def driver_has_vehicle(bench: Bench, who: int, vehicle: str) -> None:
    """Given the driver comes with the van"""
    bench.recast(who, vehicle=vehicle)


@given(phrase("{who:Driver} has been authorised"))
def driver_is_authorised(bench: Bench, who: int) -> None:
    """Given the driver has been authorised"""
    driver = bench.driver(who)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)


@given(phrase("{who:Driver} has been authorised for {connector:Connector}"))
def driver_is_authorised_for(bench: Bench, who: int, connector: int) -> None:
    """Given the driver has been authorised for connector 2"""
    driver = bench.driver(who)
    bench.drivers.press(driver, connector, "start")
    bench.run_for(2_000)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)


@given(phrase("{who:Driver} is charging at {connector:Connector}"))
@when(phrase("{who:Driver} charges at {connector:Connector}"))
def driver_is_charging(bench: Bench, who: int, connector: int) -> None:
    """Given the driver is charging at connector 1
    When the driver charges at connector 1
    """
    start_charging(bench, who, connector)
    bench.run_for(60_000)


@given(
    phrase(
        "{who:Driver} is charging at {connector:Connector} with the {card:Card} card"
    )
)
def driver_is_charging_with(bench: Bench, who: int, connector: int, card: str) -> None:
    """Given the driver is charging at connector 1 with the rfid card"""
    driver = bench.driver(who)
    bench.drivers.plug(driver, connector, driver.vehicle)
    bench.run_for(5_000)
    bench.drivers.tap(driver, card)
    await_energy(bench, connector)


@given(phrase("{number:DriversAre} charging"))
def drivers_are_charging(bench: Bench, number: int) -> None:
    """Given eight drivers are charging"""
    for who in range(1, number + 1):
        start_charging(bench, who, who)


@when(
    phrase("{number:Count} drivers charge one after another at {connector:Connector}")
)
def drivers_charge_in_turn(bench: Bench, number: int, connector: int) -> None:
    """When 100 drivers charge one after another at connector 1"""
    for who in range(1, number + 1):
        start_charging(bench, who, connector)
        bench.run_for(bench.draw_number(f"stay {who}", 20_000, 60_000))
        bench.drivers.leave(bench.driver(who), connector)
        bench.run_for(20_000)


def start_charging(bench: Bench, who: int, connector: int) -> None:
    """Tap, plug in and wait for energy; in the order that the controller claims."""
    driver = bench.driver(who)
    if bench.declaration.text("claims", "scanning") == "on_plug":
        bench.drivers.plug(driver, connector, driver.vehicle)
        bench.run_for(5_000)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    if connector not in bench.drivers.plugged:
        bench.drivers.plug(driver, connector, driver.vehicle)
    await_energy(bench, connector)


@given(phrase("{who:Driver} has plugged in at {connector:Connector}"))
def driver_has_plugged_in(bench: Bench, who: int, connector: int) -> None:
    """Given the driver has plugged in at connector 1"""
    driver = bench.driver(who)
    bench.drivers.plug(driver, connector, driver.vehicle)
    bench.run_for(5_000)


@given(phrase("{who:Driver} has parked at {connector:Connector}"))
def driver_has_parked(bench: Bench, who: int, connector: int) -> None:
    """Given the driver has parked at connector 1"""
    bench.drivers.park(bench.driver(who), connector)
    bench.run_for(1_000)


@given(phrase("{who:Driver} has pressed {button:Button} at {connector:Connector}"))
def driver_has_pressed(bench: Bench, who: int, button: Button, connector: int) -> None:
    """Given the driver has pressed start at connector 2"""
    bench.drivers.press(bench.driver(who), connector, button)
    bench.run_for(2_000)


# --- When -----------------------------------------------------------------------


@given(phrase("{who:Driver} has tapped"))
@when(phrase("{who:Driver} taps"))
def driver_taps(bench: Bench, who: int) -> None:
    """When the driver taps
    Given the driver has tapped
    """
    driver = bench.driver(who)
    bench.drivers.tap(driver, driver.card)


@when(phrase("{who:Driver} taps the {card:Card} card"))
def driver_taps_card(bench: Bench, who: int, card: str) -> None:
    """When the driver taps the wallet card"""
    bench.drivers.tap(bench.driver(who), card)


@when(phrase("{who:Driver} taps twice within a second"))
def driver_taps_twice(bench: Bench, who: int) -> None:
    """When the driver taps twice within a second"""
    driver = bench.driver(who)
    bench.drivers.tap(driver, driver.card)
    bench.run_for(800)
    bench.drivers.tap(driver, driver.card)


@when(phrase("{who:Driver} taps and is authorised"))
def driver_taps_and_waits(bench: Bench, who: int) -> None:
    """When the second driver taps and is authorised"""
    driver = bench.driver(who)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)


@when(phrase("{who:Driver} plugs in at {connector:Connector}"))
def driver_plugs_in(bench: Bench, who: int, connector: int) -> None:
    """When the driver plugs in at connector 1"""
    driver = bench.driver(who)
    bench.drivers.plug(driver, connector, driver.vehicle)


@when(phrase("{who:Driver} half inserts the plug at {connector:Connector}"))
def driver_half_plugs(bench: Bench, who: int, connector: int) -> None:
    """When the driver half inserts the plug at connector 1"""
    driver = bench.driver(who)
    bench.drivers.plug(driver, connector, driver.vehicle, seated=False)


@given(phrase("{who:Driver} has unplugged at {connector:Connector}"))
@when(phrase("{who:Driver} unplugs at {connector:Connector}"))
def driver_unplugs(bench: Bench, who: int, connector: int) -> None:
    """When the driver unplugs at connector 1
    Given the driver has unplugged at connector 1
    """
    bench.drivers.unplug(bench.driver(who), connector)


@given(phrase("{who:Driver} has driven off from {connector:Connector}"))
@when(phrase("{who:Driver} drives off from {connector:Connector}"))
def driver_drives_off(bench: Bench, who: int, connector: int) -> None:
    """When the driver drives off from connector 1
    Given the driver has driven off from connector 1
    """
    bench.drivers.leave(bench.driver(who), connector)


@when(phrase("{who:Driver} presses {button:Button} at {connector:Connector}"))
def driver_presses(bench: Bench, who: int, button: Button, connector: int) -> None:
    """When the driver presses stop at connector 1"""
    bench.drivers.press(bench.driver(who), connector, button)


@when(
    phrase(
        "{who:Driver} presses {button:Button} and unplugs at {connector:Connector} "
        "in the same instant"
    )
)
def driver_presses_and_unplugs(
    bench: Bench, who: int, button: Button, connector: int
) -> None:
    """When the driver presses stop and unplugs at connector 1 in the same instant"""
    bench.drivers.press(bench.driver(who), connector, button)
    bench.drivers.unplug(bench.driver(who), connector)


@when(phrase("all drivers unplug in the same second"))
def all_unplug(bench: Bench) -> None:
    """When all drivers unplug in the same second"""
    for connector, driver in sorted(bench.drivers.plugged.items()):
        bench.drivers.unplug(driver, connector)


# --- Then -----------------------------------------------------------------------


@then(phrase("the driver is told {code:ShowCode}"))
def driver_is_told(bench: Bench, code: str) -> None:
    """Then the driver is told released"""
    since_ms = bench.since_ms - TOLD_WITHIN_MS
    demand(
        bench,
        f"the driver told {code!r}",
        lambda: was_told(bench, code, since_ms=since_ms),
        within_ms=TOLD_WITHIN_MS,
        seen=lambda: "; ".join(shown(bench, since_ms=since_ms)) or "nothing shown",
    )


@then(phrase("the price has been shown before the tap"))
def price_is_shown(bench: Bench) -> None:
    """Then the price has been shown before the tap"""
    lines = [r["line"] for r in before_tap(bench) if r["kind"] == "bay"]
    if not any(isinstance(one, dict) and one.get("kind") == "price" for one in lines):
        raise Breach("the price before the tap (show, kind price)", "none was shown")


@then(phrase("the driver has been told {code:ShowCode}"))
def driver_has_been_told(bench: Bench, code: str) -> None:
    """Then the driver has been told charging"""
    if not was_told(bench, code, since_ms=0):
        said = "; ".join(shown(bench, since_ms=0)) or "nothing shown"
        raise Breach(f"the driver told {code!r}", said)


@then(phrase("the driver is given an answer"))
def driver_is_answered(bench: Bench) -> None:
    """Then the driver is given an answer"""
    demand(
        bench,
        "words for the driver, on the charger or on the terminal",
        lambda: was_answered(bench, since_ms=bench.since_ms),
        within_ms=TOLD_WITHIN_MS,
        seen=lambda: "nothing shown",
    )


@then(phrase("no reason of the issuer is shown"))
def no_issuer_reason(bench: Bench) -> None:
    """Then no reason of the issuer is shown"""
    words = ("insufficient", "funds", "fraud", "stolen", "0x", "refer to")
    for text in shown(bench, since_ms=0):
        if any(word in text.lower() for word in words):
            raise Breach("a text without the issuer's reason (R-UI-05)", text)


@then(phrase("a receipt for {who:Driver} is offered"))
def receipt_is_offered(bench: Bench, who: int) -> None:
    """Then a receipt for the driver is offered"""
    session = last_session(bench, bench.driver(who))
    wanted = {session.session_id, session.psp_session_id}

    def offered() -> bool:
        return any(
            record["kind"] == "bay"
            and isinstance(line := record["line"], dict)
            and line.get("type") == "show"
            and line.get("kind") == "receipt"
            and line.get("session_id") in wanted
            for record in bench.trace.records
        )

    demand(
        bench,
        "a receipt (show, kind receipt, with the sessionId)",
        offered,
        within_ms=TOLD_WITHIN_MS,
        seen=lambda: "; ".join(shown(bench, since_ms=0)[-5:]) or "nothing shown",
    )


def await_energy(bench: Bench, connector: int) -> None:
    """Wait until energy flows. Raises NotReached."""
    await_situation(
        bench,
        f"energy at connector {connector}",
        lambda: bench.court.station.power_w(connector) > 0,
        within_ms=CHARGE_WITHIN_MS,
    )


def require_plugged(bench: Bench, connector: int) -> None:
    """A step about a vehicle needs one. Raises NotReached."""
    if connector not in bench.drivers.plugged:
        raise NotReached(f"no vehicle is plugged in at connector {connector}")
