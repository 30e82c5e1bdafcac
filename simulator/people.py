"""The drivers: a name, a card, a vehicle and its plate.

Names make a story of a trace that would otherwise be numbers. They are drawn once per
process (building the name source costs more than a whole run) and then dealt by the
seed, so that a run has the same people again. Nothing depends on a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simulator.cards import ORDINARY_CARDS, card_named
from simulator.seed import Seed

if TYPE_CHECKING:
    from random import Random

#: How many names the source gives; a run with more drivers reuses them.
_POOL: Final = 64
#: Letters that a British plate uses where it could be misread otherwise.
_PLATE_LETTERS: Final = "ABCDEFGHJKLMNOPRSTUVWXY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A driver; ``card`` and ``vehicle`` are names in their tables."""

    name: str
    card: str
    vehicle: str
    plate: str


class People:
    """Deals drivers, each with the next ordinary card and vehicle unless told."""

    def __init__(
        self,
        seed: Seed,
        *,
        vehicles: Sequence[str] = ("hatchback",),
        names: Sequence[str] = (),
    ) -> None:
        """``names`` are those of ``draw_names``, if they have been drawn already."""
        self._chance: Random = seed.stream("people")
        self._vehicles = tuple(vehicles)
        self._pool = names
        #: Where in the pool the first driver's name stands; drawn when one comes.
        self._first: int | None = None
        self._met = 0

    def meet(self, *, card: str | None = None, vehicle: str | None = None) -> Person:
        """The next driver. The eleventh gets the first ordinary card again.

        Raises LookupError when there is no card of that name.
        """
        turn = self._met
        self._met += 1
        chosen = card or ORDINARY_CARDS[turn % len(ORDINARY_CARDS)]
        return Person(
            name=self._name(turn),
            card=card_named(chosen).name,
            vehicle=vehicle or self._vehicles[turn % len(self._vehicles)],
            plate=_plate(self._chance),
        )

    def _name(self, turn: int) -> str:
        pool = self._pool or draw_names()
        if self._first is None:
            self._first = self._chance.randrange(len(pool))
        return pool[(self._first + turn) % len(pool)]


def _plate(chance: "Random") -> str:
    letters = "".join(chance.choice(_PLATE_LETTERS) for _ in range(5))
    return f"{letters[:2]}{chance.randrange(51, 76)} {letters[2:]}"


@lru_cache(maxsize=1)
def draw_names() -> tuple[str, ...]:
    """Distinct names, the same in every process; imported late because it is slow."""
    from faker import Faker

    source = Faker("en_GB", providers=["faker.providers.person"])
    source.seed_instance(0)
    names: dict[str, None] = {}
    while len(names) < _POOL:
        names[f"{source.first_name()} {source.last_name()}"] = None
    return tuple(names)
