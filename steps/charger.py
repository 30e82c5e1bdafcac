"""What the charger does, what goes wrong in it, and what it must never do."""

from typing import Final

from pytest_bdd import given, then, when

from harness.bench import Bench
from harness.case import Breach
from harness.watch import demand, end_fault
from steps.words import phrase

#: A contactor and its feedback take a second (device_under_test.md section 1).
SWITCH_WITHIN_MS: Final = 10_000


# --- faults ---------------------------------------------------------------------


@given(phrase("{connector:Connector} has reported {code:ErrorCode}"))
@when(phrase("{connector:Connector} reports {code:ErrorCode}"))
def connector_reports(bench: Bench, connector: int, code: str) -> None:
    """When connector 1 reports GroundFailure
    Given connector 1 has reported GroundFailure
    """
    bench.faults.put("charger_fault", connector=connector, code=code)


@when(phrase("the station reports {code:ErrorCode}"))
def station_reports(bench: Bench, code: str) -> None:
    """When the station reports InternalError"""
    bench.faults.put("station_fault", code=code)


@given(phrase("{code:ErrorCode} has cleared"))
@when(phrase("{code:ErrorCode} clears"))
def fault_clears(bench: Bench, code: str) -> None:
    """When GroundFailure clears
    Given GroundFailure has cleared
    """
    end_fault(bench, "charger_fault", "station_fault", code=code)


@when(phrase("the pilot of {connector:Connector} falls to {pilot:Pilot}"))
def pilot_falls(bench: Bench, connector: int, pilot: str) -> None:
    """When the pilot of connector 1 falls to E"""
    bench.faults.put("pilot", connector=connector, reason=pilot)


@given(phrase("the contactor of {connector:Connector} is welded"))
def contactor_welded(bench: Bench, connector: int) -> None:
    """Given the contactor of connector 1 is welded"""
    bench.faults.put("contactor_welded", connector=connector)


@given(phrase("the contactor of {connector:Connector} never closes"))
def contactor_dead(bench: Bench, connector: int) -> None:
    """Given the contactor of connector 1 never closes"""
    bench.faults.put("contactor_dead", connector=connector)


@given(phrase("the cable lock of {connector:Connector} is stuck"))
def lock_stuck(bench: Bench, connector: int) -> None:
    """Given the cable lock of connector 1 is stuck"""
    bench.faults.put("lock_stuck", connector=connector)


@given(phrase("the charger refuses to start {connector:Connector}"))
def charger_refuses(bench: Bench, connector: int) -> None:
    """Given the charger refuses to start connector 1"""
    charger_refuses_because(bench, connector, "Rejected")


@given(phrase("the charger refuses to start {connector:Connector} because of {reason}"))
def charger_refuses_because(bench: Bench, connector: int, reason: str) -> None:
    """Given the charger refuses to start connector 1 because of Invalid token"""
    bench.faults.put("refuses", connector=connector, reason=reason)


@given(
    phrase(
        "the charger gives up waiting for a vehicle at {connector:Connector} after "
        "{limit:Duration}"
    )
)
def charger_times_out(bench: Bench, connector: int, limit: int) -> None:
    """Given the charger gives up waiting for a vehicle at connector 1 after 1 minute"""
    bench.faults.put(
        "connection_timeout",
        connector=connector,
        amount=limit // 1000,
        reason="ConnectionTimeOut",
    )


@given(phrase("the meter of {connector:Connector} has jumped by {energy:Energy}"))
@when(phrase("the meter of {connector:Connector} jumps by {energy:Energy}"))
def meter_jumps(bench: Bench, connector: int, energy: int) -> None:
    """When the meter of connector 1 jumps by 50 kWh
    Given the meter of connector 1 has jumped by 50 kWh
    """
    bench.faults.put("meter_jump", connector=connector, amount=energy)


@given(phrase("the meter of {connector:Connector} has fallen by {energy:Energy}"))
@when(phrase("the meter of {connector:Connector} falls by {energy:Energy}"))
def meter_falls(bench: Bench, connector: int, energy: int) -> None:
    """When the meter of connector 1 falls by 2 kWh
    Given the meter of connector 1 has fallen by 2 kWh
    """
    bench.faults.put("meter_falls", connector=connector, amount=energy)


@given(phrase("the meter of {connector:Connector} has ceased to send numbers"))
@when(phrase("the meter of {connector:Connector} ceases to send numbers"))
def meter_nan(bench: Bench, connector: int) -> None:
    """When the meter of connector 1 ceases to send numbers
    Given the meter of connector 1 has ceased to send numbers
    """
    bench.faults.put("meter_nan", connector=connector)


@given(phrase("the meter of {connector:Connector} has become unreliable"))
@when(phrase("the meter of {connector:Connector} becomes unreliable"))
def meter_suspect(bench: Bench, connector: int) -> None:
    """When the meter of connector 1 becomes unreliable
    Given the meter of connector 1 has become unreliable
    """
    bench.faults.put("meter_suspect", connector=connector)


@given(phrase("the meter of {connector:Connector} has frozen"))
@when(phrase("the meter of {connector:Connector} freezes"))
def meter_frozen(bench: Bench, connector: int) -> None:
    """When the meter of connector 1 freezes
    Given the meter of connector 1 has frozen
    """
    bench.faults.put("meter_frozen", connector=connector)


@given(phrase("the meter of {connector:Connector} has fallen silent"))
@when(phrase("the meter of {connector:Connector} falls silent"))
def meter_silent(bench: Bench, connector: int) -> None:
    """When the meter of connector 1 falls silent
    Given the meter of connector 1 has fallen silent
    """
    bench.faults.put("meter_silent", connector=connector)


@given(phrase("{connector:Connector} has been taken out of service"))
@when(phrase("{connector:Connector} is taken out of service"))
def out_of_service(bench: Bench, connector: int) -> None:
    """When connector 1 is taken out of service
    Given connector 1 has been taken out of service
    """
    bench.faults.put("out_of_service", connector=connector)


@given(phrase("the charger is offline"))
@when(phrase("the link to the charger is lost"))
def charger_lost(bench: Bench) -> None:
    """When the link to the charger is lost
    Given the charger is offline
    """
    bench.faults.put("bay_down")
    bench.run_for(1_000)


@when(phrase("the link to the charger comes back"))
def charger_back(bench: Bench) -> None:
    """When the link to the charger comes back"""
    end_fault(bench, "bay_down")


@given(phrase("the link to the charger has been back for {time:Duration}"))
def charger_back_for(bench: Bench, time: int) -> None:
    """Given the link to the charger has been back for 60 seconds"""
    end_fault(bench, "bay_down")
    bench.run_for(time)


@when(phrase("the charger restarts"))
def charger_restarts(bench: Bench) -> None:
    """When the charger restarts"""
    bench.faults.put("charger_reboot")
    bench.run_for(20_000)


@when(phrase("the bay of {connector:Connector} seems empty for {time:Duration}"))
def bay_flickers(bench: Bench, connector: int, time: int) -> None:
    """When the bay of connector 1 seems empty for 2 seconds"""
    bench.faults.put("sensor", connector=connector)
    bench.run_for(time)
    bench.faults.heal("sensor")


@given(phrase("the emergency stop has been pressed"))
@when(phrase("the emergency stop is pressed"))
def emergency_stop(bench: Bench) -> None:
    """When the emergency stop is pressed
    Given the emergency stop has been pressed
    """
    bench.drivers.emergency_stop(bench.driver(1), active=True)


# --- what it must do, and never ---------------------------------------------------


def energy_seen(bench: Bench, connector: int) -> str:
    """What there is to see of a connector, for a person."""
    view = bench.court.station.connector(connector)
    contactor = "closed" if view.contactor_closed else "open"
    faults = f", {', '.join(view.faults)}" if view.faults else ""
    return f"{view.power_w} W, contactor {contactor}, pilot {view.pilot}{faults}"


@then(phrase("energy flows at {connector:Connector} within {limit:Duration}"))
def energy_flows(bench: Bench, connector: int, limit: int) -> None:
    """Then energy flows at connector 1 within 30 seconds"""
    demand(
        bench,
        f"energy at connector {connector}",
        lambda: bench.court.station.power_w(connector) > 0,
        within_ms=limit,
        seen=lambda: energy_seen(bench, connector),
    )


@then(phrase("energy still flows at {connector:Connector}"))
def energy_still_flows(bench: Bench, connector: int) -> None:
    """Then energy still flows at connector 2"""
    bench.run_for(SWITCH_WITHIN_MS)
    if bench.court.station.power_w(connector) == 0:
        raise Breach(f"energy at connector {connector}", energy_seen(bench, connector))


@then(phrase("no energy flows at {connector:Connector}"))
def no_energy(bench: Bench, connector: int) -> None:
    """Then no energy flows at connector 1"""
    flowed = bench.run_until(lambda: bench.court.station.power_w(connector) > 0, 60_000)
    if flowed:
        raise Breach(
            f"no energy at connector {connector} for 60 s",
            energy_seen(bench, connector),
        )


@then(phrase("the cable of {connector:Connector} is free within {limit:Duration}"))
def cable_is_free(bench: Bench, connector: int, limit: int) -> None:
    """Then the cable of connector 1 is free within 30 seconds"""
    demand(
        bench,
        f"the cable of connector {connector} unlocked",
        lambda: not bench.court.station.connector(connector).locked,
        within_ms=limit,
        seen=lambda: str(bench.court.station.connector(connector)),
    )


@then(phrase("energy stops at {connector:Connector} within {limit:Duration}"))
def energy_stops(bench: Bench, connector: int, limit: int) -> None:
    """Then energy stops at connector 1 within 2 hours"""
    demand(
        bench,
        f"no more energy at connector {connector}",
        lambda: not bench.court.station.is_closed(connector),
        within_ms=limit,
        seen=lambda: energy_seen(bench, connector),
    )
