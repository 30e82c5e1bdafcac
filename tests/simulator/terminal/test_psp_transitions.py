"""The PSP table: complete, and the same as the published permissions say."""

import itertools

import pytest

from simulator.terminal.psp_transitions import (
    STATES,
    Fate,
    Happening,
    Phase,
    transitions,
)
from wire.psp import PERMISSION_ROWS, Name, Profile, State, is_permitted

PROFILES = [
    Profile(),
    Profile.from_mapping({"synchronize_while_reading": "refuse"}),
    Profile.from_mapping({"setup_states": "also_set_up"}),
]
PHASES = [phase for phase in Phase if phase is not Phase.AUTHORISING]


def test_every_pair_is_decided() -> None:
    table = transitions(Profile())
    triggers = [*PERMISSION_ROWS, *Happening]
    assert set(table) == set(itertools.product(Phase, triggers))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", PERMISSION_ROWS)
@pytest.mark.parametrize("phase", PHASES)
def test_requests_are_taken_where_they_are_permitted(
    phase: Phase, name: Name, profile: Profile
) -> None:
    cell = transitions(profile)[phase, name]
    assert cell is not Fate.IGNORED
    assert (cell is not Fate.REFUSED) == is_permitted(name, STATES[phase], profile)


def test_undocumented_states_open_up_under_the_other_reading() -> None:
    profile = Profile.from_mapping({"undocumented_states": "any"})
    for name, phase in itertools.product(PERMISSION_ROWS, PHASES):
        is_taken = transitions(profile)[phase, name] is not Fate.REFUSED
        assert is_taken == is_permitted(name, STATES[phase], profile)


@pytest.mark.parametrize("name", PERMISSION_ROWS)
@pytest.mark.parametrize("phase", PHASES)
def test_accepted_requests_lead_where_the_rows_say(phase: Phase, name: Name) -> None:
    cell = transitions(Profile())[phase, name]
    if not isinstance(cell, Phase) or name is Name.AUTH_SESSION:
        return
    leads_to = PERMISSION_ROWS[name].leads_to or STATES[phase]
    assert STATES[cell] is leads_to


def test_only_three_requests_are_taken_during_an_authorisation() -> None:
    table = transitions(Profile())
    taken = {
        name
        for name in PERMISSION_ROWS
        if table[Phase.AUTHORISING, name] is not Fate.REFUSED
    }
    assert taken == {Name.GET_STATUS, Name.RESET, Name.SYNCHRONIZE}


def test_happenings_are_never_refused() -> None:
    table = transitions(Profile())
    for phase, happening in itertools.product(Phase, Happening):
        assert table[phase, happening] is not Fate.REFUSED


def test_losing_line_or_power_always_ends_offline() -> None:
    table = transitions(Profile())
    for phase in Phase:
        assert table[phase, Happening.LINE_LOST] is Phase.OFFLINE
        assert table[phase, Happening.POWER_LOST] is Phase.OFFLINE


def test_every_state_of_the_wire_is_shown_by_some_phase() -> None:
    assert set(STATES) == set(Phase)
    assert set(STATES.values()) == set(State)
