"""Every reading that can change how a case ends, in few plays.

A play is a function of what it asks. A switch that nobody asked for under the default
reading cannot change that play; so only the others are tried, several at once:

1. Each switch puts one other value into a bundle; there are as many bundles as the
   switch with the most values needs.
2. What a bundle did not ask for, because another switch of it led elsewhere, goes into
   a further bundle. The first switch that a play asks for is always reached, so this
   comes to an end.
3. A bundle that is not green is halved until single switches stand there. When neither
   half is red alone, the switches are red together, and as few of them as will do are
   reported. A half in which the situation does not come about explains nothing: what
   was red stays to be explained.

What a bundle cannot show is two faults that hide each other; ``EACH`` plays every value
by itself.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from harness.readings import Alternative

R = TypeVar("R")
Bundle = tuple[Alternative, ...]

#: "moot": under this reading the situation of the scenario does not come about.
Standing = Literal["green", "red", "moot"]


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """One play: how it ended, what it asked for, and whatever else it left."""

    standing: Standing
    consulted: frozenset[str]
    result: R


@dataclass(frozen=True, slots=True)
class Culprit(Generic[R]):
    """A reading under which a case is not green, with its play."""

    reading: Bundle
    seen: Seen[R]


@dataclass(slots=True)
class Found(Generic[R]):
    """What a search has shown."""

    plays: int = 0
    #: Played and green, or culprits by themselves.
    tried: set[Alternative] = field(default_factory=set)
    culprits: list[Culprit[R]] = field(default_factory=list)
    #: Asked for under the default reading, and by no play under this value.
    unreached: Bundle = ()


class Search(Generic[R]):
    """See the module's text; ``play`` plays the case under a reading.

    ``apart``: pairs of values, in words, that never share a bundle.
    """

    def __init__(
        self,
        play: Callable[[Bundle], Seen[R]],
        *,
        apart: Collection[frozenset[str]] = (),
    ) -> None:
        self._play = play
        self._apart = apart
        self.found: Found[R] = Found()

    def run(self, alternatives: Sequence[Alternative]) -> Found[R]:
        """Try all of ``alternatives``; several values of a switch may be among them."""
        waiting: Sequence[Alternative] = alternatives
        while waiting:
            masked: list[Alternative] = []
            for bundle in bundles(waiting, self._apart):
                masked += self._try(bundle)
            if len(masked) == len(waiting):
                self.found.unreached = tuple(masked)
                break
            waiting = masked
        return self.found

    def run_each(self, alternatives: Sequence[Alternative]) -> Found[R]:
        """The same, each by itself."""
        for one in alternatives:
            self._try((one,))
        return self.found

    def _try(self, bundle: Bundle) -> list[Alternative]:
        """Play a bundle, and its parts where it is not green; what was not reached."""
        seen = self._seen(bundle)
        reached = tuple(one for one in bundle if one.name in seen.consulted)
        masked = [one for one in bundle if one not in reached]
        if seen.standing == "green":
            self.found.tried.update(reached)
        elif len(reached) < 2:
            self._blame(reached or bundle, seen)
        else:
            masked += self._halve(reached, seen)
        return masked

    def _halve(self, bundle: Bundle, seen: Seen[R]) -> list[Alternative]:
        middle = len(bundle) // 2
        known = len(self.found.culprits)
        masked = self._try(bundle[:middle]) + self._try(bundle[middle:])
        shown = [one.seen.standing for one in self.found.culprits[known:]]
        # A half that is moot does not explain a bundle that is red.
        if seen.standing not in shown and "red" not in shown:
            self._blame(*self._fewest(bundle, seen))
        return masked

    def _fewest(self, bundle: Bundle, seen: Seen[R]) -> tuple[Bundle, Seen[R]]:
        """As few switches as are not green together, and their play."""
        for one in bundle:
            rest = tuple(other for other in bundle if other != one)
            without = self._seen(rest)
            if without.standing == seen.standing:
                bundle, seen = rest, without
        return bundle, seen

    def _blame(self, reading: Bundle, seen: Seen[R]) -> None:
        self.found.culprits.append(Culprit(reading, seen))
        self.found.tried.update(reading)

    def _seen(self, bundle: Bundle) -> Seen[R]:
        self.found.plays += 1
        return self._play(bundle)


def bundles(
    alternatives: Sequence[Alternative], apart: Collection[frozenset[str]] = ()
) -> list[Bundle]:
    """The n-th value of each switch in the n-th bundle, or in the next that fits."""
    rows: list[list[Alternative]] = []
    for one in alternatives:
        row = next((row for row in rows if _fits(one, row, apart)), None)
        if row is None:
            rows.append([one])
        else:
            row.append(one)
    return [tuple(row) for row in rows]


def _fits(
    one: Alternative, row: Sequence[Alternative], apart: Collection[frozenset[str]]
) -> bool:
    return not any(
        other.name == one.name or frozenset({str(other), str(one)}) in apart
        for other in row
    )
