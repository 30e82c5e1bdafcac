"""The payment terminal: what befalls it, what it shows, whether it is ready."""

from typing import Final

from pytest_bdd import given, then, when

from harness.bench import Bench
from harness.case import Breach
from harness.watch import (
    authorisations,
    count_messages,
    demand,
    is_reading,
    sessions_of,
)
from steps.words import phrase
from wire.psp import Reason

#: "Immediately after the last activity" (R-STP-08), with a close to be confirmed first.
READY_WITHIN_MS: Final = 15_000


@given(phrase("the terminal ends every reading after {limit:Duration}"))
def card_detect(bench: Bench, limit: int) -> None:
    """Given the terminal ends every reading after 60 seconds"""
    bench.wishes.card_detect_s = limit // 1000


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
    bench.faults.heal("refuse_close")


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


@then(phrase("the terminal is ready for the next card"))
def terminal_ready(bench: Bench) -> None:
    """Then the terminal is ready for the next card"""
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
        for record in bench.trace.records
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
