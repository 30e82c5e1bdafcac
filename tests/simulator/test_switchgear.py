"""A part with two positions: what is ordered is not where it stands."""

from simulator.switchgear import Switch


def test_a_switch_moves_once_for_one_order() -> None:
    switch = Switch()
    assert switch.drive(to=True)
    assert not switch.drive(to=True)
    assert switch.drive(to=False)
    assert not switch.drive(to=False)


def test_a_switch_that_cannot_close_forgets_the_order() -> None:
    switch = Switch()
    switch.cannot_reach = True
    assert not switch.drive(to=True)
    assert (switch.position, switch.ordered) == (False, False)


def test_a_switch_that_cannot_open_remembers_that_it_should() -> None:
    switch = Switch()
    switch.drive(to=True)
    switch.cannot_leave = True
    assert not switch.drive(to=False)
    assert (switch.position, switch.ordered) == (True, False)
