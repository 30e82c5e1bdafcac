"""Which request where, written down a second time from psp.md 3.3."""

import pytest

from wire.psp import (
    PERMISSION_ROWS,
    PERMISSIONS,
    PROFILE_SWITCHES,
    Mark,
    Name,
    Profile,
    State,
    is_permitted,
)

OFF, ON, DIS, ENA, CARD, AUTH = State
ALL = set(State)


def test_every_state_is_decided_for_every_request() -> None:
    for name, row in PERMISSION_ROWS.items():
        assert len(row.states) == len(State), name
        assert set(row.states) <= set("YyNn+-"), name
        assert len(row.else_states) == (len(State) if row.switch else 0), name
        assert {row.mark(state) for state in State} <= set(Mark)


def test_switches_exist() -> None:
    for row in PERMISSION_ROWS.values():
        if row.switch:
            assert row.switch[1] in PROFILE_SWITCHES[row.switch[0]].allowed


@pytest.mark.parametrize(
    ("name", "states"),
    [
        (Name.GET_STATUS, ALL),
        (Name.SELECT_LANGUAGE, ALL),
        (Name.SYNCHRONIZE, ALL),
        (Name.RESET, ALL),
        (Name.PROTOCOL, {ON}),
        (Name.SETUP, {ON}),
        (Name.ENABLE, {DIS, ENA}),
        (Name.DISABLE, {DIS, ENA}),
        (Name.START_SESSION, {ENA}),
        (Name.READ_CARD, {ENA}),
        (Name.AUTH_SESSION, {AUTH}),
        (Name.CANCEL_SESSION, {CARD, AUTH}),
        (Name.VOID_SESSION, {DIS, ENA, CARD, AUTH}),
        (Name.COMMIT_SESSION, {DIS, ENA, CARD, AUTH}),
        (Name.GET_RECEIPT, {DIS, ENA, CARD, AUTH}),
        (Name.UI_REQUEST, {ENA, CARD, AUTH}),
        (Name.REMOVE_SESSIONS, {ENA}),
        (Name.UPDATE_SESSION, {DIS, ENA, CARD, AUTH}),
        (Name.LIST_SESSIONS, {DIS, ENA, CARD, AUTH}),
        (Name.CONTROL, ALL - {OFF}),
        (Name.REQUEST_IDS, ALL - {OFF}),
        (Name.MIFARE, {AUTH}),
    ],
)
def test_default_permissions(name: Name, states: set[State]) -> None:
    assert PERMISSIONS[name] == states


def test_switches_change_permissions() -> None:
    strict = Profile(synchronize_while_reading="refuse")
    assert not is_permitted(Name.SYNCHRONIZE, CARD, strict)
    assert is_permitted(Name.SYNCHRONIZE, OFF, strict)
    assert is_permitted(Name.SETUP, ENA, Profile(setup_states="also_set_up"))
    assert is_permitted(Name.CONTROL, OFF, Profile(undocumented_states="any"))
    assert not is_permitted(Name.CONTROL, OFF, Profile())


def test_switches_leave_documented_states_alone() -> None:
    for row in PERMISSION_ROWS.values():
        for old, new in zip(row.states, row.else_states, strict=False):
            assert old == new or old in "+-"


def test_what_is_no_request_is_never_permitted() -> None:
    assert not is_permitted(Name.CARD_READ, ENA, Profile())


def test_marks() -> None:
    assert PERMISSION_ROWS[Name.COMMIT_SESSION].mark(OFF) is Mark.DOC
    assert PERMISSION_ROWS[Name.SYNCHRONIZE].mark(ON) is Mark.INF
    assert PERMISSION_ROWS[Name.SETUP].mark(ENA) is Mark.ASSUMPTION
