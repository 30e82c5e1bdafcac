"""A death between two writes: the last one that was kept decides what is remembered."""

from collections.abc import Callable
from typing import Any

import pytest

from controller_ref.ledger import restore
from controller_ref.transitions import State

Make = Callable[..., Any]


def remembers(rig: Any) -> list[tuple[State, bytes]]:
    """From now on: the state of the session in each image that is stored."""
    images: list[tuple[State, bytes]] = []
    save = rig.store.save

    def keep(image: bytes) -> None:
        save(image)
        sessions = list(restore(rig.store).sessions.values())
        images.append((sessions[-1].state, image))

    rig.store.save = keep
    return images


def dies_with(rig: Any, images: list[tuple[State, bytes]], state: State) -> None:
    """Nothing that was written after the session had left this state is kept."""
    rig.die()
    rig.store.image = [image for found, image in images if found is state][-1]


@pytest.mark.parametrize("interface", ["psp", "cps"])
@pytest.mark.parametrize("connectors", [1, 2])
def test_a_stop_that_was_not_yet_decided_on_is_released_at_the_start(
    rig_of: Make, interface: str, connectors: int
) -> None:
    """With two connectors it has none, and no charger will say anything about it.

    With one it is bound to it: what the register showed before is not its energy.
    """
    rig = rig_of(interface=interface, connectors=connectors).boot()
    images = remembers(rig)
    rig.tap().run(305_000)
    dies_with(rig, images, State.STOPPING)
    assert [op for op, _ in rig.closes] in (["void"], ["cancel"])
    rig.boot()
    assert len(rig.closes) == 2
    assert rig.closes[0] == rig.closes[1]


@pytest.mark.parametrize("dead_ms", [1_000, 3_600_000])
def test_energy_that_flowed_while_dead_is_billed(rig_of: Make, dead_ms: int) -> None:
    """The contactor was told to close, and nobody was there to hear that it did."""
    rig = rig_of().boot()
    images = remembers(rig)
    rig.tap().plug()
    dies_with(rig, images, State.STARTING)
    rig.run(dead_ms)
    row = rig.charger.rows[1]
    row.update(pilot="A", contactor_closed=False, energy_wh=row["energy_wh"] + 15)
    rig.boot().run(5_000)
    assert [op for op, _ in rig.closes] == ["commit"]


def test_a_start_that_no_energy_followed_is_released(rig_of: Make) -> None:
    rig = rig_of().boot()
    images = remembers(rig)
    rig.tap().plug()
    dies_with(rig, images, State.STARTING)
    rig.run(3_600_000)
    rig.charger.rows[1].update(pilot="A", contactor_closed=False)
    rig.boot().run(5_000)
    assert [op for op, _ in rig.closes] == ["void"]
