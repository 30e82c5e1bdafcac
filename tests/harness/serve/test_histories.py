"""A bench that runs for days: what it remembers has a bound."""

import gc

import pytest

from simulator.terminal.terminal import Terminal
from tests.harness.serve.conftest import Stand

BOUND = 300
AT_ONCE = 200


def let_expire(stand: Stand, rounds: int) -> None:
    """Sessions by the hundred, which the terminal ends by itself."""
    for _ in range(rounds):
        stand.play.court.change_terminal(_open_many)
        stand.pass_ms(10_000)


def _open_many(terminal: Terminal) -> None:
    terminal.limit_sessions(5, "void")
    terminal.open_old_sessions(AT_ONCE)


def pay(stand: Stand, sessions: int) -> None:
    """Sessions one after another, committed and cancelled in turn by a controller."""
    for number in range(sessions):
        session_id = stand.authorise()
        if number % 2:
            stand.cps("E10", session_id=session_id)
        else:
            stand.cps("E9", session_id=session_id, commitAmount=100)
    # Until the last time-out of a call has passed.
    stand.pass_ms(61_000)


def objects_after(stand: Stand, rounds: int) -> int:
    """How many objects there are after so many more sessions."""
    let_expire(stand, rounds)
    pay(stand, 10)
    gc.collect()
    return len(gc.get_objects())


def test_thousands_of_sessions_leave_no_more_than_hundreds(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.terminal.sessions.MAX_SESSIONS", BOUND)
    monkeypatch.setattr("simulator.holds.MAX_HOLDS", BOUND)
    monkeypatch.setattr("simulator.issuer.MAX_REMEMBERED", BOUND)
    stand.play.tail._max_records = BOUND
    before = objects_after(stand, 5)
    after = objects_after(stand, 10)
    opened = [one for one in stand.records("session") if one["event"] == "opened"]
    assert len(opened) < len(stand.sessions()) == BOUND
    assert len(stand.play.court.issuer.holds) == BOUND
    assert stand.play.trace.records == []
    # 2,000 sessions more, each of which is several objects.
    assert after - before < 1_000
