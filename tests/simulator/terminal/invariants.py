"""What must hold of money at every instant, whatever hosts and people do."""

from collections import Counter

from simulator.terminal import SessionState
from tests.simulator.terminal.pair import Court

_ENDS = ("committed", "cancelled", "expired")
_CLOSED = {SessionState.COMMITTED, SessionState.CANCELLED, SessionState.EXPIRED}


def no_session_ends_twice(court: Court) -> None:
    ends = Counter(
        note["session_id"] for note in court.noted("session") if note["event"] in _ENDS
    )
    assert all(count == 1 for count in ends.values()), ends
    closed = {one.session_id for one in court.sessions() if one.state in _CLOSED}
    assert closed == set(ends)


def open_sessions_hold_money(court: Court) -> None:
    for session in court.sessions():
        hold = court.bank.holds[session.hold]
        if session.state in (SessionState.OPEN, SessionState.FAILED):
            assert hold.is_open, session
        if hold.captured_minor is not None and session.final_minor is not None:
            assert hold.captured_minor == session.final_minor


def holds_have_one_session(court: Court) -> None:
    owners = Counter(session.hold for session in court.sessions())
    assert all(count == 1 for count in owners.values())


def everything_settles(court: Court) -> None:
    """Once all is well again: a hold is open exactly as long as its session."""
    kept = {one.hold: one for one in court.sessions() if one.is_open}
    assert court.bank.open_holds() == set(kept)
    for name, session in kept.items():
        assert court.bank.holds[name].held_minor == session.authorised_minor


def all_hold(court: Court) -> None:
    no_session_ends_twice(court)
    open_sessions_hold_money(court)
    holds_have_one_session(court)
