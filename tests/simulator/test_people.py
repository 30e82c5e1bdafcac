"""The drivers of a run come from its seed."""

import re
import subprocess
import sys

import pytest

from simulator.cards import ORDINARY_CARDS
from simulator.people import People, Person
from simulator.seed import Seed


def crowd(seed: int, size: int = 12) -> list[Person]:
    people = People(Seed(seed), vehicles=("hatchback", "van"))
    return [people.meet() for _ in range(size)]


def test_the_same_seed_has_the_same_people() -> None:
    assert crowd(3) == crowd(3)
    assert crowd(3) != crowd(4)


def test_everybody_has_another_name_card_and_plate() -> None:
    people = crowd(3, len(ORDINARY_CARDS))
    assert [person.card for person in people] == list(ORDINARY_CARDS)
    assert len({person.name for person in people}) == len(people)
    assert len({person.plate for person in people}) == len(people)
    assert [person.vehicle for person in people[:3]] == [
        "hatchback",
        "van",
        "hatchback",
    ]


def test_the_eleventh_driver_has_the_first_card_again() -> None:
    assert crowd(3, 11)[10].card == ORDINARY_CARDS[0]


def test_a_run_can_have_more_drivers_than_names() -> None:
    assert len(crowd(3, 200)) == 200


def test_a_plate_is_a_british_one() -> None:
    for person in crowd(5, 50):
        assert re.fullmatch(r"[A-HJ-PR-Y]{2}\d{2} [A-HJ-PR-Y]{3}", person.plate)


def test_a_driver_may_be_told_what_to_bring() -> None:
    person = People(Seed(1)).meet(card="declined", vehicle="full")
    assert (person.card, person.vehicle) == ("declined", "full")
    with pytest.raises(LookupError, match="found 'gold'"):
        People(Seed(1)).meet(card="gold")


def test_the_name_source_is_not_loaded_before_someone_comes() -> None:
    code = (
        "import sys; from simulator.people import People; "
        "from simulator.seed import Seed; People(Seed(1)); "
        "assert 'faker' not in sys.modules"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
