"""The site itself: its power, and time that passes."""

from pytest_bdd import given, when

from harness.bench import Bench
from harness.watch import CHARGE_WITHIN_MS, await_return, await_situation
from steps.words import phrase


@given(phrase("{time:Duration} {:Have} passed"))
@when(phrase("{time:Duration} {:Pass}"))
def time_passes(bench: Bench, time: int) -> None:
    """When 5 minutes pass
    Given 20 seconds have passed
    """
    bench.open()
    bench.run_for(time)


@when(phrase("the site loses power for {time:Duration}"))
def site_power_cut(bench: Bench, time: int) -> None:
    """When the site loses power for 10 minutes

    Also: power cut, outage.
    """
    bench.open()
    since = len(bench.trace.records)
    bench.faults.put("site_power_cut", for_s=0)
    bench.run_for(time)
    bench.faults.heal("site_power_cut")
    await_return(bench, since=since)


@when(
    phrase(
        "the site loses power for {time:Duration} once energy is enabled at "
        "{connector:Connector}"
    )
)
def site_power_cut_at_start(bench: Bench, time: int, connector: int) -> None:
    """When the site loses power for 60 seconds once energy is enabled at connector 1"""
    await_situation(
        bench,
        f"contactor {connector} closed",
        lambda: bench.court.station.is_closed(connector),
        within_ms=CHARGE_WITHIN_MS,
    )
    site_power_cut(bench, time)


@given(phrase("the station is ready"))
def station_ready(bench: Bench) -> None:
    """Given the station is ready"""
    bench.open()
