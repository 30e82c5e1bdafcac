"""The CPS table: complete, and true to what is known of cps.md 3."""

import itertools

import pytest

from simulator.terminal.cps_transitions import (
    TRANSITIONS,
    CpsEvent,
    CpsFate,
    CpsState,
)

E, S = CpsEvent, CpsState
CALLS = (E.START, E.STOP, E.AUTHORIZE, E.SHOW)


def test_every_pair_is_decided() -> None:
    assert set(TRANSITIONS) == set(itertools.product(CpsState, CpsEvent))


@pytest.mark.parametrize(
    ("state", "event", "then"),
    [
        (S.IDLE, E.START, S.STARTING),
        (S.STARTING, E.READING_BEGAN, S.READING),
        (S.READING, E.CARD_READ, S.CARD),
        (S.READING, E.STOP, S.IDLE),
        (S.CARD, E.AUTHORIZE, S.AUTHORIZING),
        (S.CARD, E.STOP, S.IDLE),
        (S.CARD, E.CARD_DROPPED, S.IDLE),
        (S.AUTHORIZING, E.DECIDED, S.IDLE),
        (S.OFFLINE, E.LINE_BACK, S.IDLE),
    ],
)
def test_known_steps(state: CpsState, event: CpsEvent, then: CpsState) -> None:
    assert TRANSITIONS[state, event] is then


@pytest.mark.parametrize("event", CALLS)
def test_an_offline_terminal_refuses_every_call(event: CpsEvent) -> None:
    assert TRANSITIONS[S.OFFLINE, event] is CpsFate.REFUSED


def test_calls_are_refused_never_ignored_and_happenings_the_other_way() -> None:
    for (_, event), cell in TRANSITIONS.items():
        wrong = CpsFate.IGNORED if event in CALLS else CpsFate.REFUSED
        assert cell is not wrong


def test_losing_the_line_ends_offline_from_everywhere() -> None:
    for state in CpsState:
        cell = TRANSITIONS[state, E.LINE_LOST]
        assert cell in (S.OFFLINE, CpsFate.IGNORED)
