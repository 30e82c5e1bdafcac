"""The program against a real-time forecourt: over sockets, killed, started again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.controller_ref.shells.world import Interface, World


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[Interface], World]]:
    made: list[World] = []

    def make(interface: Interface) -> World:
        made.append(World(tmp_path, interface))
        return made[-1]

    yield make
    for world in made:
        world.close()


def charge(world: World) -> None:
    """A driver taps, plugs in and charges."""
    world.until_ready()
    world.tap()
    world.until(lambda: world.count("session", event="opened") == 1)
    world.plug(1)
    world.until(lambda: world.count("charger", event="contactor", closed=True) == 1)
    world.pass_ms(12_000)


@pytest.mark.parametrize("interface", ["tcp", "serial", "cps"])
def test_a_charge_is_paid_for(
    worlds: Callable[[Interface], World], interface: Interface
) -> None:
    world = worlds(interface)
    world.start()
    charge(world)
    world.unplug(1)
    world.until(lambda: world.count("session", event="committed") == 1)
    assert 0 < world.fields("session", event="committed")["amount_minor"] < 5000
    world.until(lambda: "closed: commit" in world.said())
    assert world.stop() == 0
    assert world.count("finding") == 0
    assert world.closes() == 1


@pytest.mark.parametrize("interface", ["tcp", "cps"])
def test_a_kill_while_charging_closes_the_session_once(
    worlds: Callable[[Interface], World], interface: Interface
) -> None:
    world = worlds(interface)
    world.start()
    charge(world)
    world.kill()
    world.pass_ms(2_000)
    assert world.closes() == 0
    world.start()
    world.until(lambda: "boot 2" in world.said())
    world.until_ready()
    world.unplug(1)
    world.until(lambda: world.closes() == 1)
    # Past the first retry, which is where a second close would come.
    world.pass_ms(34_000)
    assert world.closes() == 1
    assert world.count("session", event="refused") == 0
    assert world.stop() == 0


def test_a_damaged_ledger_is_an_alarm_and_opens_nothing(
    worlds: Callable[[Interface], World],
) -> None:
    world = worlds("tcp")
    (world.state / "ledger.db").write_bytes(b"not what it was" * 1_000)
    world.start()
    world.until(lambda: "alarm ledger: The ledger cannot be read" in world.said())
    assert world.stop() == 0
    assert (world.state / "ledger.db").read_bytes().startswith(b"not what it was")


def test_a_charger_and_a_terminal_that_come_back_are_found_again(
    worlds: Callable[[Interface], World],
) -> None:
    world = worlds("tcp")
    world.start()
    charge(world)
    for wire in (world.bay, world.psp):
        wire.hang_up()
    world.until(lambda: "not ready" in world.said())
    world.until(lambda: world.said().endswith("\nready\n"))
    world.unplug(1)
    world.until(lambda: world.closes() == 1)
    world.until(lambda: "closed: commit" in world.said())
    assert world.stop() == 0
