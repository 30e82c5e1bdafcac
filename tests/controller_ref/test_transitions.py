"""The table of states, without any controller."""

import pytest

from controller_ref.transitions import (
    FINAL,
    IGNORED,
    LIVE,
    NO_MONEY_KNOWN,
    TRANSITIONS,
    Event,
    RefusedTransitionError,
    State,
    after,
)


def reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for event in Event:
            following = TRANSITIONS[state, event]
            if isinstance(following, State) and following not in found:
                found.add(following)
                todo.append(following)
    return found


def test_every_pair_is_decided() -> None:
    assert set(TRANSITIONS) == {(state, event) for state in State for event in Event}


def test_every_state_can_be_reached() -> None:
    assert reachable(State.INTENT) == set(State)


@pytest.mark.parametrize("state", [s for s in State if s not in FINAL])
def test_every_session_can_be_closed(state: State) -> None:
    assert State.CLOSED in reachable(state)


@pytest.mark.parametrize("state", State)
def test_money_is_decided_on_in_one_state_only(state: State) -> None:
    is_decided = TRANSITIONS[state, Event.DECIDED] is State.CLOSING
    assert is_decided is (state is State.STOPPING)


@pytest.mark.parametrize("state", State)
def test_closed_needs_a_confirmation(state: State) -> None:
    leads = [e for e in Event if TRANSITIONS[state, e] is State.CLOSED]
    assert leads in ([], [Event.CONFIRMED])


def test_closed_stays_closed() -> None:
    assert reachable(State.CLOSED) == {State.CLOSED}


def test_an_approval_without_a_driver_ends_at_once() -> None:
    lost = [s for s in NO_MONEY_KNOWN if s is not State.INTENT]
    assert {after(state, Event.APPROVED) for state in lost} == {State.STOPPING}


def test_ignored_keeps_the_state() -> None:
    assert TRANSITIONS[State.CLOSING, Event.STOP] == IGNORED
    assert after(State.CLOSING, Event.STOP) is State.CLOSING


def test_a_refusal_is_a_mistake_of_ours() -> None:
    with pytest.raises(RefusedTransitionError, match="found decided in state closing"):
        after(State.CLOSING, Event.DECIDED)


def test_groups_do_not_overlap() -> None:
    assert not set(LIVE) & set(FINAL)
    assert not set(LIVE) & set(NO_MONEY_KNOWN)
