"""The payment terminal: what befalls it, what it shows, whether it is ready."""

from typing import Final

from pytest_bdd import given, then, when

from harness.bench import Bench, NotReached
from harness.case import Breach
from harness.told import before_tap
from harness.watch import (
    authorisations,
    await_situation,
    began_reading,
    count_messages,
    demand,
    end_fault,
    is_reading,
    reading_pauses,
    sessions_of,
)
from simulator.terminal import SessionState
from steps.words import phrase
from wire.psp import Reason

#: "Immediately after the last activity" (R-STP-08), with a close to be confirmed first.
READY_WITHIN_MS: Final = 15_000
#: By then a card that was tapped has been read.
CARD_READ_MS: Final = 1_000
#: The terminal starts in a quarter of a minute; then it waits to be found.
STARTED_MS: Final = 30_000


@given(phrase("the terminal ends every reading after {limit:Duration}, and says so"))
def card_detect(bench: Bench, limit: int) -> None:
    """Given the terminal ends every reading after 60 seconds, and says so"""
    # One that does not say so is a terminal that stops without a word (S-F05).
    said = {"card_detect_expiry": "session_cancelled"}
    bench.wish.profile = {**bench.wish.profile, **said}
    bench.wish.card_detect_s = limit // 1000


@given(phrase("the terminal cannot reach its host"))
@when(phrase("the terminal cannot reach its host"))
def host_lost(bench: Bench) -> None:
    """Given the terminal cannot reach its host
    When the terminal cannot reach its host
    """
    bench.faults.put("host_down")


@given(phrase("the terminal refuses every close"))
def refuses_every_close(bench: Bench) -> None:
    """Given the terminal refuses every close"""
    bench.faults.put("refuse_close", count=0)


@given(phrase("the terminal refuses every close for {time:Duration}"))
def refuses_closes_for(bench: Bench, time: int) -> None:
    """Given the terminal refuses every close for 5.5 days"""
    bench.faults.put("refuse_close", count=0, for_s=time // 1000)


@given(phrase("the terminal refuses the next {times:Closes}"))
def refuses_closes(bench: Bench, times: int) -> None:
    """Given the terminal refuses the next three closes"""
    bench.faults.put("refuse_close", count=times)


@given(phrase("the terminal refuses the commit after the next"))
def refuses_second_commit(bench: Bench) -> None:
    """Given the terminal refuses the commit after the next"""
    bench.faults.put("refuse_close", operation="commit", after=1)


@given(phrase("the terminal holds {number:Count} sessions of an earlier life"))
def stale_sessions(bench: Bench, number: int) -> None:
    """Given the terminal holds 70 sessions of an earlier life"""
    bench.faults.put("terminal_stale_sessions", count=number)


@when(phrase("the terminal accepts closes again"))
def accepts_closes(bench: Bench) -> None:
    """When the terminal accepts closes again"""
    end_fault(bench, "refuse_close")


@given(phrase("nobody could know of the session"))
def nobody_could_know(bench: Bench) -> None:
    """Given nobody could know of the session"""
    bench.allow_unknown = True


@given(phrase("the answer to the next authorisation never arrives"))
def swallow_authorisation(bench: Bench) -> None:
    """Given the answer to the next authorisation never arrives"""
    message = "Auth Session" if bench.column.interface == "psp" else "E6"
    bench.faults.put("swallow_answer", message=message)


@given(phrase("the next authorisation opens two sessions"))
def surplus_session(bench: Bench) -> None:
    """Given the next authorisation opens two sessions"""
    bench.faults.put("surplus_session")


@given(phrase("the terminal answers the next authorisation with a duplicate sessionId"))
def duplicate_session_id(bench: Bench) -> None:
    """Given the terminal answers the next authorisation with a duplicate sessionId"""
    bench.faults.put(
        "refuse_command",
        message="Auth Session",
        reason=int(Reason.DUPLICATE_SESSION_ID),
    )


@given(phrase("the terminal does not find the session of the next {times:Closes}"))
def does_not_find(bench: Bench, times: int) -> None:
    """Given the terminal does not find the session of the next two closes"""
    reason = int(Reason.SESSION_ID_NOT_FOUND)
    bench.faults.put("refuse_close", count=times, reason=reason)


@given(phrase("the terminal finds the next Commit Session incorrect"))
def finds_incorrect(bench: Bench) -> None:
    """Given the terminal finds the next Commit Session incorrect"""
    reason = int(Reason.INCORRECT_MESSAGE)
    bench.faults.put("refuse_command", message="Commit Session", reason=reason)


@given(phrase("the next Commit Session is refused after {time:Duration}"))
def commit_refused_late(bench: Bench, time: int) -> None:
    """Given the next Commit Session is refused after 40 seconds"""
    bench.faults.put("refuse_close", operation="commit")
    bench.faults.put("delay_answer", message="Commit Session", delay_ms=time)


@given(phrase("the answer to the next Commit Session takes {time:Duration}"))
def commit_answered_late(bench: Bench, time: int) -> None:
    """Given the answer to the next Commit Session takes 55 seconds"""
    bench.faults.put("delay_answer", message="Commit Session", delay_ms=time)


@given(phrase("the terminal sends its status under the header of a Result"))
def status_as_result(bench: Bench) -> None:
    """Given the terminal sends its status under the header of a Result"""
    bench.wish.profile = {**bench.wish.profile, "get_status_header": 0x00}


# --- power and set-up -------------------------------------------------------------


@when(phrase("the terminal restarts"))
def terminal_restarts(bench: Bench) -> None:
    """When the terminal restarts

    Also: reboot.
    """
    bench.faults.put("terminal_reboot")


@given(phrase("the terminal is restarting"))
def terminal_is_restarting(bench: Bench) -> None:
    """Given the terminal is restarting"""
    bench.faults.put("terminal_reboot")
    bench.run_for(1_000)


@given(phrase("the terminal has restarted"))
def terminal_has_restarted(bench: Bench) -> None:
    """Given the terminal has restarted"""
    bench.faults.put("terminal_reboot")
    bench.run_for(STARTED_MS)


@given(phrase("the terminal will restart as it works on the next commit"))
def restarts_at_commit(bench: Bench) -> None:
    """Given the terminal will restart as it works on the next commit"""
    bench.faults.put("terminal_reboot_at", message=_commit(bench))


@given(phrase("the terminal will restart before it sees the next commit"))
def restarts_before_commit(bench: Bench) -> None:
    """Given the terminal will restart before it sees the next commit"""
    bench.faults.put("terminal_reboot_at", message=_commit(bench), effect="lost")


def _commit(bench: Bench) -> str:
    return "Commit Session" if bench.column.interface == "psp" else "E9"


@given(phrase("the terminal is out of order"))
def out_of_order(bench: Bench) -> None:
    """Given the terminal is out of order"""
    bench.faults.put("terminal_off")


@when(phrase("the terminal is repaired"))
def repaired(bench: Bench) -> None:
    """When the terminal is repaired"""
    end_fault(bench, "terminal_off")


@given(phrase("the terminal is not ready for {time:Duration}"))
def not_ready(bench: Bench, time: int) -> None:
    """Given the terminal is not ready for 2 minutes"""
    bench.faults.put("terminal_not_ready", for_s=time // 1000)


@given(phrase("the terminal will be {state:Fallen} when the next Commit Session comes"))
def falls_back(bench: Bench, state: str) -> None:
    """Given the terminal will be offline when the next Commit Session comes"""
    bench.faults.put("terminal_falls_back", message="Commit Session", state=state)


@given(phrase("the terminal forgets all options when its line is hung up"))
def forgets_options(bench: Bench) -> None:
    """Given the terminal forgets all options when its line is hung up"""
    # In the other reading nobody could find out in which form it reads blocks.
    bench.wish.profile = {**bench.wish.profile, "host_hangup": "offline"}


@given(phrase("the terminal has changed to extended blocks"))
def extended_blocks(bench: Bench) -> None:
    """Given the terminal has changed to extended blocks"""
    bench.faults.put("terminal_extended_blocks")


@when(phrase("the terminal stops reading without a word"))
def stops_reading(bench: Bench) -> None:
    """When the terminal stops reading without a word"""
    bench.faults.put("stop_reading", delay_ms=1)
    await_situation(
        bench, "an idle reader", lambda: not is_reading(bench), within_ms=1_000
    )


@given(phrase("sessions are {end:Expiry} by the terminal itself after {time:Duration}"))
def terminal_ends_sessions(bench: Bench, end: str, time: int) -> None:
    """Given sessions are released by the terminal itself after 5 minutes"""
    # Where a second close is simply OK, nobody can tell that there was a first.
    bench.wish.profile = {**bench.wish.profile, "repeated_close": "not_found"}
    bench.faults.put("terminal_session_timeout", after_s=time // 1000, action=end)
    # What the terminal did by itself, no controller could have settled.
    bench.allow_unknown = True


@given(phrase("the terminal has ended {whose:Whose} session by itself"))
def ended_by_itself(bench: Bench, whose: int) -> None:
    """Given the terminal has ended the driver's session by itself"""
    driver = bench.driver(whose)
    await_situation(
        bench,
        "a session ended by the terminal",
        lambda: sessions_of(bench, driver)[-1].state is SessionState.EXPIRED,
        within_ms=3_600_000,
    )


@when(phrase("the terminal is offline in the payment cloud"))
@given(phrase("the terminal is offline in the payment cloud"))
def offline_in_cloud(bench: Bench) -> None:
    """Given the terminal is offline in the payment cloud
    When the terminal is offline in the payment cloud
    """
    bench.faults.put("cloud_down")


@when(phrase("the terminal is online again in the payment cloud"))
def online_in_cloud(bench: Bench) -> None:
    """When the terminal is online again in the payment cloud"""
    end_fault(bench, "cloud_down")


@given(phrase("news of the terminal's state is lost"))
def state_news_lost(bench: Bench) -> None:
    """Given news of the terminal's state is lost"""
    if count_messages(bench, routes=("E12-set",)):
        bench.faults.put("callback_lost", what="state", count=0)
    else:
        bench.saw("a controller that has not asked for such news")


# --- what is seen of it -----------------------------------------------------------


@then(phrase("the terminal reads cards again within {limit:Duration}"))
def reads_again(bench: Bench, limit: int) -> None:
    """Then the terminal reads cards again within 60 seconds"""
    demand(
        bench,
        "the terminal reading cards again",
        lambda: is_reading(bench) and began_reading(bench, since_ms=bench.since_ms),
        within_ms=limit,
        seen=lambda: f"terminal {bench.court.terminal.state!s}",
    )


@then(phrase("the terminal is never idle for more than {limit:Duration}"))
def never_idle(bench: Bench, limit: int) -> None:
    """Then the terminal is never idle for more than 5 seconds"""
    pauses = reading_pauses(bench)
    longest_ms = max(pauses, default=0)
    if longest_ms > limit + bench.world.slack_ms:
        raise Breach(f"no pause over {limit / 1000:g} s", f"{longest_ms / 1000:g} s")
    if len(pauses) < 3:
        raise NotReached(f"three readings that end by themselves: {len(pauses)} ended")


@then(phrase("the terminal is ready for the next card"))
def terminal_ready(bench: Bench) -> None:
    """Then the terminal is ready for the next card"""
    # A card that has just been tapped is not the next one: it still has to be read.
    bench.run_for(CARD_READ_MS)
    demand(
        bench,
        "the terminal reading cards again",
        lambda: is_reading(bench),
        within_ms=READY_WITHIN_MS,
        seen=lambda: f"terminal {bench.court.terminal.state!s}",
    )


@then(phrase("the terminal is not asked for a card"))
def terminal_idle(bench: Bench) -> None:
    """Then the terminal is not asked for a card"""
    if bench.run_until(lambda: is_reading(bench), READY_WITHIN_MS):
        raise Breach("no reading of cards", f"terminal {bench.court.terminal.state!s}")


@then(phrase("no authorisation is attempted"))
def no_authorisation(bench: Bench) -> None:
    """Then no authorisation is attempted"""
    bench.run_for(READY_WITHIN_MS)
    found = authorisations(bench)
    if found:
        raise Breach("no authorisation", f"{found} authorisations")


@then(phrase("{times:AuthorisationsHave} been attempted"))
def authorisations_attempted(bench: Bench, times: int) -> None:
    """Then one authorisation has been attempted"""
    bench.run_for(READY_WITHIN_MS)
    found = authorisations(bench)
    if found != times:
        raise Breach(f"{times} authorisations", f"{found}")


@then(phrase("the amount shown before the tap is the amount reserved"))
def amount_shown(bench: Bench) -> None:
    """Then the amount shown before the tap is the amount reserved"""
    reserve = bench.declaration.number("tariff", "reserve")
    wanted = f"{reserve // 100}.{reserve % 100:02d}"
    screens = [
        str(record["text"])
        for record in before_tap(bench)
        if record["kind"] == "display"
    ]
    if not any(wanted in text for text in screens):
        raise Breach(f"a screen with {wanted} before the tap", "; ".join(screens[-5:]))
    for session in sessions_of(bench, bench.driver(1)):
        if session.authorised_minor != reserve:
            raise Breach(f"{reserve} reserved", f"{session.authorised_minor}")


@then(phrase("the line to the terminal is never idle for 20 seconds"))
def line_never_idle(bench: Bench) -> None:
    """Then the line to the terminal is never idle for 20 seconds"""
    for record in bench.trace.records:
        if record["kind"] == "link" and record.get("reason") == "idle":
            raise Breach("a keep-alive at least every 20 s", f"idle at {record}")
    if not count_messages(bench, "Get Status"):
        raise Breach("Get Status as keep-alive", "none was sent")
