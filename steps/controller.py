"""The controller under test: what it claims, how it dies, what it reports."""

from typing import Final

from pytest_bdd import given, then, when

from harness.bench import Bench, WrongUse
from harness.case import Breach
from harness.declaration import SetupError
from harness.watch import (
    alarms,
    alarms_until,
    await_return,
    await_situation,
    closes_between,
    count_messages,
    demand,
    demand_damage,
    end_fault,
    last_death,
)
from steps.terms import DEEDS
from steps.words import phrase

#: An alarm belongs to the event that caused it; a minute is generous.
ALARM_WITHIN_MS: Final = 60_000

#: After a start one more is free (device_under_test.md), and one may just be due.
EXTRA_CLOSES: Final = 2

# --- claims ---------------------------------------------------------------------


def _claim(bench: Bench, table: str, key: str, value: str | int | bool) -> None:
    """Ask for a claim. Raises NotClaimed, or WrongUse where none may be so."""
    try:
        bench.wish.claim(table, key, value)
    except SetupError as error:
        raise WrongUse(str(error)) from None


@given(phrase("the controller claims {claim:Claim}"))
def controller_claims(bench: Bench, claim: tuple[str, str | bool | tuple[str]]) -> None:
    """Given the controller claims a bay sensor"""
    key, value = claim
    if isinstance(value, tuple):
        bench.wish.claim_one_of(key, value[0])
    else:
        _claim(bench, "claims", key, value)


@given(phrase("the site has {number:Connectors}"))
def site_has(bench: Bench, number: int) -> None:
    """Given the site has eight connectors"""
    _claim(bench, "claims", "connectors", number)


@given(phrase("the {window:Window} window is {time:Duration}"))
def window_is(bench: Bench, window: str, time: int) -> None:
    """Given the parked-full window is 30 minutes"""
    _claim(bench, "timing", window, time // 1000)


@given(phrase("the controller reserves {amount:Money}"))
def controller_reserves(bench: Bench, amount: int) -> None:
    """Given the controller reserves EUR 10.00"""
    _claim(bench, "tariff", "reserve", amount)


@given(phrase("energy costs {amount:Money} per kWh"))
def energy_costs(bench: Bench, amount: int) -> None:
    """Given energy costs EUR 0.59 per kWh"""
    _claim(bench, "tariff", "per_kwh", amount)


@given(phrase("charging costs {amount:Money} per minute"))
def charging_costs(bench: Bench, amount: int) -> None:
    """Given charging costs EUR 0.10 per minute"""
    _claim(bench, "tariff", "per_minute", amount)


@given(phrase("every session costs {amount:Money}"))
def session_costs(bench: Bench, amount: int) -> None:
    """Given every session costs EUR 0.35"""
    _claim(bench, "tariff", "per_session", amount)


@given(phrase("the currency is {currency:Currency}"))
def currency_is(bench: Bench, currency: str) -> None:
    """Given the currency is EUR"""
    _claim(bench, "tariff", "currency", currency)


@given(phrase("the least that is charged is {amount:Money}"))
def minimum_is(bench: Bench, amount: int) -> None:
    """Given the least that is charged is EUR 3.00"""
    _claim(bench, "tariff", "minimum", amount)


# --- life -----------------------------------------------------------------------


@given(phrase("the controller has died"))
@when(phrase("the controller dies"))
def controller_dies(bench: Bench) -> None:
    """When the controller dies
    Given the controller has died

    Also: crash, kill, reboot.
    """
    bench.faults.put("controller_killed", for_s=0)


@given(phrase("the controller has started again"))
@when(phrase("the controller starts again"))
def controller_starts(bench: Bench) -> None:
    """When the controller starts again
    Given the controller has started again
    """
    end_fault(bench, "controller_killed", "controller_killed_at")


@given(phrase("the controller has died and started again"))
@when(phrase("the controller dies and starts again"))
def controller_restarts(bench: Bench) -> None:
    """When the controller dies and starts again
    Given the controller has died and started again
    """
    bench.open()
    since = len(bench.trace.records)
    bench.faults.put("controller_killed", for_s=0)
    bench.run_for(5_000)
    bench.faults.heal("controller_killed")
    bench.run_for(10_000)
    await_return(bench, since=since)
    demand_damage(bench, since=since)


@given(
    phrase(
        "the controller dies for {time:Duration} {moment:Moment} its {turn:Turn} "
        "{deed:Deed}"
    )
)
def dies_at(bench: Bench, time: int, moment: str, turn: int, deed: str) -> None:
    """Given the controller dies for 1 minute before its next commit"""
    psp, cps = DEEDS[deed]
    bench.faults.put(
        "controller_killed_at",
        moment=moment,
        what=psp if bench.column.interface == "psp" else cps,
        after=turn,
        for_s=time // 1000,
    )


@given(
    phrase(
        "the controller dies for {time:Duration} {moment:Moment} it has written the "
        "approval down"
    )
)
def dies_writing_approval(bench: Bench, time: int, moment: str) -> None:
    """Given the controller dies for 1 minute before it has written the approval down"""
    bench.faults.put(
        "controller_killed_at",
        moment=moment,
        what="write",
        since="approval",
        for_s=time // 1000,
    )


# --- its storage and its clock ----------------------------------------------------


@given(phrase("the controller's storage is full"))
def storage_full(bench: Bench) -> None:
    """Given the controller's storage is full"""
    bench.faults.put("store_full")


@given(phrase("the controller's storage is read-only"))
def storage_read_only(bench: Bench) -> None:
    """Given the controller's storage is read-only"""
    bench.faults.put("store_read_only")


@given(phrase("the controller's storage has taken writes again for {time:Duration}"))
def storage_well(bench: Bench, time: int) -> None:
    """Given the controller's storage has taken writes again for 2 minutes"""
    end_fault(bench, "store_full", "store_read_only")
    bench.run_for(time)


@given(phrase("the controller's storage will be damaged when it dies"))
def storage_damaged(bench: Bench) -> None:
    """Given the controller's storage will be damaged when it dies"""
    bench.faults.put("store_corrupt")


@given(phrase("the last write to the controller's storage will be torn when it dies"))
def storage_torn(bench: Bench) -> None:
    """Given the last write to the controller's storage will be torn when it dies"""
    bench.faults.put("store_torn")


@given(phrase("the controller's clock has been put {way:Way} by {time:Duration}"))
def clock_put(bench: Bench, way: int, time: int) -> None:
    """Given the controller's clock has been put forward by 1 hour

    Also: calendar, summer time (daylight saving), NTP. An object in virtual time is
    told the calendar when it starts, so it notices at its next start.
    """
    bench.faults.put("clock_step", seconds=way * time // 1000)


@given(phrase("the controller's clock runs too {pace:Pace} by one part in ten"))
def clock_drifts(bench: Bench, pace: int) -> None:
    """Given the controller's clock runs too fast by one part in ten"""
    bench.faults.put("clock_drift", ppm=pace * 100_000)


@given(phrase("the controller's clock begins in 1970 at its next start"))
def clock_begins(bench: Bench) -> None:
    """Given the controller's clock begins in 1970 at its next start"""
    bench.faults.put("clock_1970")


@given(phrase("the controller's clock is right again at its next start"))
def clock_right(bench: Bench) -> None:
    """Given the controller's clock is right again at its next start"""
    end_fault(bench, "clock_1970", "clock_step")


@given(
    phrase("the controller's clock counts past 32 bits {time:Duration} after a start")
)
def clock_wraps(bench: Bench, time: int) -> None:
    """Given the controller's clock counts past 32 bits 1 minute after a start"""
    bench.faults.put("clock_wrap", in_s=time // 1000)


@given(phrase("the controller has asked for a higher reservation"))
def asked_for_more(bench: Bench) -> None:
    """Given the controller has asked for a higher reservation"""
    await_situation(
        bench,
        "a request for a higher reservation",
        lambda: count_messages(bench, "Update Session", routes=("E14",)) > 0,
        within_ms=4 * 3_600_000,
    )


# --- what it reports --------------------------------------------------------------


@then(phrase("the controller raises the alarm {code:AlarmCode}"))
def alarm_raised(bench: Bench, code: str) -> None:
    """Then the controller raises the alarm close failed"""
    _demand_alarm(bench, code, ALARM_WITHIN_MS)


@then(
    phrase("the controller raises the alarm {code:AlarmCode} within {limit:Duration}")
)
def alarm_raised_within(bench: Bench, code: str, limit: int) -> None:
    """Then the controller raises the alarm close exhausted within 9 days"""
    _demand_alarm(bench, code, limit)


@then(phrase("the controller raises an alarm within {limit:Duration}"))
def any_alarm_raised(bench: Bench, limit: int) -> None:
    """Then the controller raises an alarm within 60 seconds"""
    _demand_alarm(bench, "", limit)


def _demand_alarm(bench: Bench, code: str, limit: int) -> None:
    """An alarm with this code, or with any when it is empty.

    A late alarm is late, also where an earlier Then has let more time pass.
    """
    in_time = alarms_until(bench, bench.since_ms + limit + bench.world.slack_ms)
    demand(
        bench,
        f"an alarm {code!r}" if code else "an alarm",
        lambda: code in in_time() if code else bool(in_time()),
        within_ms=limit,
        seen=lambda: ", ".join(alarms(bench)) or "no alarm",
    )


@then(phrase("the controller raises no alarm"))
def no_alarm(bench: Bench) -> None:
    """Then the controller raises no alarm"""
    bench.run_for(ALARM_WITHIN_MS)
    if found := alarms(bench):
        raise Breach("no alarm", ", ".join(found))


@then(phrase("the controller has sent {number:Closes}"))
def closes_sent(bench: Bench, number: int) -> None:
    """Then the controller has sent one close"""
    found = count_messages(
        bench, "Commit Session", "Void Session", routes=("E9", "E10")
    )
    if found != number:
        raise Breach(f"{number} closes sent", f"{found}")


@then(phrase("the controller retries for {time:Duration} no faster than before"))
def retries_no_faster(bench: Bench, time: int) -> None:
    """Then the controller retries for 10 minutes no faster than before"""
    died_ms, started_ms = last_death(bench)
    bench.run_for(max(0, started_ms + time - bench.now_ms))
    before = closes_between(bench, died_ms - time, died_ms)
    now = closes_between(bench, started_ms, started_ms + time)
    if now > before + EXTRA_CLOSES:
        raise Breach(f"at most {before} closes, and {EXTRA_CLOSES}", f"{now} closes")


@then(phrase("no higher reservation is asked for"))
def no_increment(bench: Bench) -> None:
    """Then no higher reservation is asked for"""
    found = count_messages(bench, "Update Session", routes=("E14",))
    if found:
        raise Breach("no Update Session", f"{found} sent")
