"""Questions about a whole case that no single event answers."""

from typing import Final

from pytest_bdd import then

from harness.audit import card_number_written, untraceable
from harness.bench import Bench
from harness.case import Breach
from harness.watch import count_messages, demand, last_session, setups
from steps.words import phrase

#: Windows have +- 2 s; so much before the end nothing is due, and so much after it all.
NOT_YET_MS: Final = 10_000
LATEST_MS: Final = 60_000


def declared_ms(bench: Bench, window: str) -> int:
    """How long a window of the declaration is, by its key."""
    return bench.declaration.number("timing", window) * 1000


@then(phrase("{whose:Whose} session stays open until the {window:Window} window ends"))
def open_until(bench: Bench, whose: int, window: str) -> None:
    """Then the driver's session stays open until the plug-in window ends"""
    session_id = last_session(bench, bench.driver(whose)).session_id
    sessions = bench.court.terminal.sessions
    end_ms = bench.since_ms + declared_ms(bench, window) - NOT_YET_MS
    left_ms = max(0, end_ms - bench.now_ms)
    if bench.run_until(lambda: not sessions[session_id].is_open, left_ms):
        raise Breach("the session open to the end of the window", "an early close")


@then(phrase("{whose:Whose} session is closed once the {window:Window} window ends"))
def closed_after(bench: Bench, whose: int, window: str) -> None:
    """Then the driver's session is closed once the plug-in window ends"""
    session = last_session(bench, bench.driver(whose))
    demand(
        bench,
        "the session closed",
        lambda: not bench.court.terminal.sessions[session.session_id].is_open,
        within_ms=declared_ms(bench, window) + LATEST_MS,
        seen=lambda: "still open",
    )


@then(phrase("forgotten sessions will be released, and no charge is cut short"))
def net_is_sane(bench: Bench) -> None:
    """Then forgotten sessions will be released, and no charge is cut short"""
    # What each Setup may say is the judge's to say, in every scenario (R-PER-05).
    if not setups(bench):
        raise Breach("a Setup of the terminal", "none was sent")


@then(phrase("no session has been wiped from the terminal"))
def nothing_wiped(bench: Bench) -> None:
    """Then no session has been wiped from the terminal"""
    if found := count_messages(bench, "Remove Sessions"):
        raise Breach("no Remove Sessions", f"{found} sent")


@then(phrase("every reading of cards asks for the declared amount"))
def declared_amount(bench: Bench) -> None:
    """Then every reading of cards asks for the declared amount"""
    if not count_messages(bench, "Start Session", routes=("E3",)):
        raise Breach("a reading of cards", "none was started")


@then(phrase("every session can be traced from the card to its close"))
def traceable(bench: Bench) -> None:
    """Then every session can be traced from the card to its close"""
    for session in bench.court.terminal.sessions.values():
        if gap := untraceable(bench, session):
            raise Breach("a session's life from card to close", gap)


@then(phrase("no card number has been said or written"))
def no_card_number(bench: Bench) -> None:
    """Then no card number has been said or written"""
    if found := card_number_written(bench):
        raise Breach("masked card numbers only", found)
