"""The payment cloud: calls that fail, answers that mislead, news that comes twice.

``commit`` and ``cancel`` are the cloud's own words for the two closes (E9, E10). What
the cloud does where Payter's pages are silent (a callback posted again, a success that
did nothing) is an assumption, and the features say so.
"""

from functools import partial
from typing import Final

from pytest_bdd import given, then, when

from harness.bench import Bench
from harness.case import Breach
from harness.watch import (
    authorisations,
    await_session,
    is_reading,
    last_session,
    most_at_once,
    require_within_reach,
    statuses_of,
)
from simulator.cards import ORDINARY_CARDS
from steps.words import phrase

CLOSES: Final = ("E9", "E10")
#: How long a host waits for a commit (psp.md 4.1).
COMMIT_LIMIT_MS: Final = 60_000
#: Long enough for a second authorisation to leave after the first (requirements 3.9).
LOOK_MS: Final = 15_000

# --- News -----------------------------------------------------------------------


@given(phrase("the next card callback {fate:CallbackFate}"))
def callback_befallen(bench: Bench, fate: str) -> None:
    """Given the next card callback comes twice

    Also: webhook, duplicate, out of order.
    """
    bench.faults.put(fate, what="card")


@given(phrase("the next card callback is posted again after {time:Duration}"))
def callback_again(bench: Bench, time: int) -> None:
    """Given the next card callback is posted again after 20 seconds"""
    bench.faults.put("callback_twice", what="card", gap_ms=time)


@given(phrase("the news of a card is late by {time:Duration}"))
def card_news_late(bench: Bench, time: int) -> None:
    """Given the news of a card is late by 45 seconds"""
    # Later than the terminal keeps a card: 30 seconds is one reading of an open point.
    bench.wish.policy = {**bench.wish.policy, "card_timeout_s": 30}
    bench.faults.put("card_news_late", delay_ms=time)


@when(phrase("a callback about somebody else's session arrives"))
def callback_foreign(bench: Bench) -> None:
    """When a callback about somebody else's session arrives"""
    bench.faults.put("callback_foreign")
    bench.run_for(1_000)


@given(phrase("the approval of the next session comes twice"))
def approval_twice(bench: Bench) -> None:
    """Given the approval of the next session comes twice"""
    if bench.column.interface == "psp":
        bench.faults.put("cable_duplicate", message="Session Approved", gap_ms=2_000)
        return
    # One reading of an open point: the session is also told to the callback address.
    bench.wish.policy = {**bench.wish.policy, "session_notification": "on"}
    bench.faults.put("callback_twice", what="session")


@given(phrase("the answer to the next commit is held back beyond its limit"))
def commit_held_back(bench: Bench) -> None:
    """Given the answer to the next commit is held back beyond its limit"""
    bench.faults.put("cable_hold", message="Result", hold_ms=COMMIT_LIMIT_MS)


@given(phrase("the payment cloud keeps no closes for a terminal that is away"))
def keeps_no_closes(bench: Bench) -> None:
    """Given the payment cloud keeps no closes for a terminal that is away"""
    # In the other reading such a close is confirmed at once, and nothing is owed.
    bench.wish.policy = {**bench.wish.policy, "offline_close": "error"}


# --- Answers --------------------------------------------------------------------


@given(
    phrase(
        "the payment cloud answers every {call:Call} with {status:Status} for "
        "{time:Duration}"
    )
)
def every_call_answered_for(bench: Bench, call: str, status: int, time: int) -> None:
    """Given the payment cloud answers every cancel with 500 for 26 hours"""
    bench.faults.put(
        "http_status",
        route=call,
        status=status,
        count=0,
        for_s=time // 1000,
    )


@given(
    phrase(
        "the payment cloud answers the next {times:Count} {calls:Calls} with "
        "{status:Status}"
    )
)
def next_calls_answered(bench: Bench, times: int, calls: str, status: int) -> None:
    """Given the payment cloud answers the next four cancels with 500"""
    bench.faults.put("http_status", route=calls, status=status, count=times)


@given(phrase("the payment cloud answers the next commit with a failed session"))
def commit_failed(bench: Bench) -> None:
    """Given the payment cloud answers the next commit with a failed session"""
    bench.faults.put("http_failed_state")


@given(phrase("the payment cloud does the next {call:Call} and {how:Unanswered}"))
def call_done(bench: Bench, call: str, how: str) -> None:
    """Given the payment cloud does the next authorisation and never answers"""
    bench.faults.put(how, route=call)


@given(
    phrase(
        "the payment cloud does not do the next {call:Call} and answers {status:Status}"
    )
)
def call_hollow(bench: Bench, call: str, status: int) -> None:
    """Given the payment cloud does not do the next commit and answers 204"""
    bench.faults.put("http_hollow", route=call, status=status)


@given(phrase("the payment cloud does not do the next {call:Call} and {how:Undone}"))
def call_undone(bench: Bench, call: str, how: str) -> None:
    """Given the payment cloud does not do the next start and hangs up"""
    bench.faults.put(how, route=call)


@then(phrase("the last close finds the session closed already"))
def last_close_was_late(bench: Bench) -> None:
    """Then the last close finds the session closed already"""
    found = statuses_of(bench, *CLOSES)
    # 409, or what this reading of the open point answers to a second cancel (4.3).
    said = (409, bench.court.terminal.settings.cps_policy.cancel_repeat)
    if not found or found[-1] not in said:
        raise Breach("409 as the last answer to a close", f"{found[-3:]}")


@then(phrase("never more than {number:Closes} wait for an answer at once"))
def closes_at_once(bench: Bench, number: int) -> None:
    """Then never more than eight closes wait for an answer at once"""
    most = most_at_once(bench, *CLOSES)
    if most > number:
        raise Breach(f"at most {number} closes at once", f"{most}")


@then(phrase("no more than {times:AuthorisationsHave} been attempted"))
def authorisations_at_most(bench: Bench, times: int) -> None:
    """Then no more than one authorisation has been attempted"""
    bench.run_for(LOOK_MS)
    found = authorisations(bench)
    if found > times:
        raise Breach(f"at most {times} authorisations", f"{found}")


# --- Who is there ---------------------------------------------------------------


@given(phrase("the payment cloud cannot be reached for {time:Duration}"))
@when(phrase("the payment cloud cannot be reached for {time:Duration}"))
def cloud_refuses_for(bench: Bench, time: int) -> None:
    """Given the payment cloud cannot be reached for 26 hours
    When the payment cloud cannot be reached for 3 minutes

    Also: outage, network.
    """
    bench.faults.put("http_refused", for_s=time // 1000)


@given(phrase("the API key is revoked for {time:Duration}"))
def key_revoked(bench: Bench, time: int) -> None:
    """Given the API key is revoked for 20 minutes"""
    bench.faults.put("http_key_rejected", for_s=time // 1000)


@given(phrase("the terminal is offline in the payment cloud for {time:Duration}"))
def terminal_offline(bench: Bench, time: int) -> None:
    """Given the terminal is offline in the payment cloud for 2 minutes"""
    bench.faults.put("cloud_down", for_s=time // 1000)


@given(phrase("the terminal has rebooted without its callback addresses"))
def callbacks_forgotten(bench: Bench) -> None:
    """Given the terminal has rebooted without its callback addresses"""
    bench.faults.put("terminal_reboot")
    bench.faults.put("terminal_forgets_callbacks")


@given(phrase("the payment cloud has failed to commit {number:Count} sessions"))
def sessions_owed(bench: Bench, number: int) -> None:
    """Given the payment cloud has failed to commit 50 sessions"""
    # One reading of an open point: with ten cards there would be ten sessions at most.
    bench.wish.policy = {**bench.wish.policy, "same_card_open": "accept"}
    bench.faults.put("http_status", route="E9", count=0)
    for first in range(1, number + 1, len(ORDINARY_CARDS)):
        _charge_and_leave(bench, range(first, first + len(ORDINARY_CARDS)))
    bench.faults.heal("http_status")


def _charge_and_leave(bench: Bench, drivers: range) -> None:
    """Drivers with a card each charge for some seconds and leave together."""
    for connector, who in enumerate(drivers, start=1):
        driver = bench.driver(who)
        bench.run_until(partial(is_reading, bench), LOOK_MS)
        bench.drivers.tap(driver, driver.card)
        await_session(bench, driver)
        bench.drivers.plug(driver, connector, driver.vehicle)
    bench.run_for(LOOK_MS)
    for connector, who in enumerate(drivers, start=1):
        bench.drivers.leave(bench.driver(who), connector)
    bench.run_for(5_000)


# --- Long outages ---------------------------------------------------------------


@given(phrase("the outage outlasts the {window:SchemeWindow}"))
def outlasts(bench: Bench, window: str) -> None:
    """Given the outage outlasts the 24 hours of a reversal"""
    bench.scheme_late = window


@when(phrase("the operator cancels {whose:Whose} session by hand"))
def cancelled_by_hand(bench: Bench, whose: int) -> None:
    """When the operator cancels the driver's session by hand"""
    session = last_session(bench, bench.driver(whose))
    require_within_reach(bench, session)
    bench.faults.put("foreign_cancel", session=session.session_id)
    bench.run_for(1_000)
