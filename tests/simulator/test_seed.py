"""Chance is a function of the seed and of nothing else."""

import os
import subprocess
import sys

import pytest

from simulator.seed import Seed

DRAW = "from simulator.seed import Seed; print(Seed(7).stream('issuer').random())"


def test_the_same_name_gives_the_same_numbers() -> None:
    first, second = Seed(7).stream("issuer"), Seed(7).stream("issuer")
    assert [first.random() for _ in range(9)] == [second.random() for _ in range(9)]


def test_streams_are_independent_of_each_other() -> None:
    seed = Seed(7)
    alone = seed.stream("people").random()
    seed.stream("issuer").random()
    assert seed.stream("people").random() == alone
    assert seed.stream("issuer").random() != alone


def test_seeds_differ() -> None:
    draws = {Seed(value).stream("x").random() for value in range(200)}
    assert len(draws) == 200


def test_children_have_chance_of_their_own() -> None:
    children = [Seed(7).child(str(n)) for n in range(50)]
    assert len({child.value for child in children}) == 50
    assert Seed(7).child("0").value == children[0].value
    assert all(0 <= child.value < 1 << 64 for child in children)


def test_a_stream_is_not_a_child() -> None:
    assert Seed(7).stream("a").random() != Seed(7).child("a").stream("a").random()


@pytest.mark.parametrize("change", [{"PYTHONHASHSEED": "1"}, {"LC_ALL": "C"}])
def test_neither_process_nor_platform_shows(change: dict[str, str]) -> None:
    command = [sys.executable, "-c", DRAW]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **change}
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    assert float(ran.stdout) == Seed(7).stream("issuer").random()


def test_the_numbers_of_a_seed_never_change() -> None:
    """Replay tokens of older runs stay valid: these figures are written down."""
    chance = Seed(1).stream("issuer")
    assert [chance.randrange(1000) for _ in range(5)] == [577, 136, 875, 479, 992]
