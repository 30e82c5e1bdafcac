"""What becomes of the driver's money: sessions opened, committed, released.

"Committed" is a Commit on either interface; "released" is a Void over PSP and a cancel
over CPS. The amount is judged for every session of every scenario from the meter lines
and the tariff, so a scenario says an amount only where the amount is its subject.
"""

from typing import Final

from pytest_bdd import given, then

from harness.bench import Bench
from harness.case import Breach
from harness.watch import (
    await_situation,
    demand,
    demand_state,
    last_session,
    sessions_of,
)
from simulator.terminal import Session, SessionState
from steps.words import phrase

#: What must not happen is watched for this long.
WATCH_MS: Final = 60_000


@then(phrase("{whose:Whose} session is committed within {limit:Duration}"))
def session_committed(bench: Bench, whose: int, limit: int) -> None:
    """Then the driver's session is committed within 10 seconds"""
    driver = bench.driver(whose)
    demand_state(bench, driver, SessionState.COMMITTED, within_ms=limit)


@then(phrase("{whose:Whose} session is committed for {amount:Money}"))
def session_committed_for(bench: Bench, whose: int, amount: int) -> None:
    """Then the driver's session is committed for EUR 6.21"""
    session = _commit(bench, whose)
    if session.final_minor != amount:
        raise Breach(f"a commit of {amount}", f"{session.final_minor}")


@then(phrase("{whose:Whose} session is committed for at most {amount:Money}"))
def session_committed_at_most(bench: Bench, whose: int, amount: int) -> None:
    """Then the driver's session is committed for at most EUR 10.00"""
    session = _commit(bench, whose)
    if session.final_minor is None or session.final_minor > amount:
        raise Breach(f"a commit of at most {amount}", f"{session.final_minor}")


def _commit(bench: Bench, whose: int) -> Session:
    """The driver's committed session; a minute from now is soon enough."""
    within_ms = bench.now_ms - bench.since_ms + WATCH_MS
    driver = bench.driver(whose)
    return demand_state(bench, driver, SessionState.COMMITTED, within_ms=within_ms)


@then(phrase("{whose:Whose} session is released within {limit:Duration}"))
def session_released(bench: Bench, whose: int, limit: int) -> None:
    """Then the driver's session is released within 10 seconds

    Also: void, cancel, refund.
    """
    driver = bench.driver(whose)
    demand_state(bench, driver, SessionState.CANCELLED, within_ms=limit)


@then(phrase("{whose:Whose} first session is released within {limit:Duration}"))
def first_session_released(bench: Bench, whose: int, limit: int) -> None:
    """Then the driver's first session is released within 30 seconds"""
    driver = bench.driver(whose)
    last_session(bench, driver)
    first = sessions_of(bench, driver)[0].session_id
    sessions = bench.court.terminal.sessions
    demand(
        bench,
        "the first session released",
        lambda: sessions[first].state is SessionState.CANCELLED,
        within_ms=limit,
        seen=lambda: f"session {first} {sessions[first].state}",
    )


@given(phrase("{whose:Whose} session has been released"))
def session_has_been_released(bench: Bench, whose: int) -> None:
    """Given the driver's session has been released"""
    driver = bench.driver(whose)
    session_id = last_session(bench, driver).session_id
    sessions = bench.court.terminal.sessions
    bench.run_until(lambda: not sessions[session_id].is_open, 700_000)
    bench.saw("released")


@then(phrase("{whose:Whose} session stays open"))
def session_stays_open(bench: Bench, whose: int) -> None:
    """Then the driver's session stays open"""
    session_id = last_session(bench, bench.driver(whose)).session_id
    sessions = bench.court.terminal.sessions
    if bench.run_until(lambda: not sessions[session_id].is_open, WATCH_MS):
        raise Breach("the session open", f"{sessions[session_id].state}")


@then(phrase("no session is opened"))
def no_session(bench: Bench) -> None:
    """Then no session is opened"""
    sessions = bench.court.terminal.sessions
    if bench.run_until(lambda: len(sessions) > 0, WATCH_MS):
        raise Breach("no session", f"{len(sessions)} sessions")


@then(phrase("{number:SessionsHave} been opened"))
def sessions_opened(bench: Bench, number: int) -> None:
    """Then two sessions have been opened"""
    bench.run_for(WATCH_MS)
    found = len(bench.court.terminal.sessions)
    if found != number:
        raise Breach(f"{number} sessions", f"{found} sessions")


@then(phrase("{number:SessionsAre} open within {limit:Duration}"))
def sessions_open_within(bench: Bench, number: int, limit: int) -> None:
    """Then one session is open within 60 seconds"""
    demand(
        bench,
        f"{number} open sessions",
        lambda: bench.open_sessions() == number,
        within_ms=limit,
        seen=lambda: f"{bench.open_sessions()} open sessions",
    )


@then(phrase("never more than {number:SessionsAre} open at once"))
def sessions_at_once(bench: Bench, number: int) -> None:
    """Then never more than one session is open at once"""
    bench.run_for(WATCH_MS)
    most = now = 0
    for record in bench.trace.records:
        if record["kind"] == "session":
            event = record["event"]
            now += event == "opened"
            now -= event in ("committed", "cancelled", "expired")
            most = max(most, now)
    if most > number:
        raise Breach(f"at most {number} open at once", f"{most} open at once")


@then(phrase("every session is closed within {limit:Duration}"))
def every_session_closed(bench: Bench, limit: int) -> None:
    """Then every session is closed within 60 seconds"""
    demand(
        bench,
        "no session open",
        lambda: bench.open_sessions() == 0,
        within_ms=limit,
        seen=lambda: f"{bench.open_sessions()} open",
    )


@then(phrase("the reservation has been raised"))
def reservation_raised(bench: Bench) -> None:
    """Then the reservation has been raised"""
    raised = [
        record
        for record in bench.trace.records
        if record["kind"] == "session" and record["event"] == "updated"
    ]
    if not raised:
        raise Breach("a reservation that was raised", "no session updated")


@given(phrase("another system has cancelled {whose:Whose} session"))
def cancelled_elsewhere(bench: Bench, whose: int) -> None:
    """Given another system has cancelled the driver's session"""
    session = last_session(bench, bench.driver(whose))
    bench.faults.put("foreign_cancel", session=session.session_id)
    sessions = bench.court.terminal.sessions
    await_situation(
        bench,
        "the session cancelled by another system",
        lambda: not sessions[session.session_id].is_open,
        within_ms=WATCH_MS,
    )
