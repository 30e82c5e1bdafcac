"""What a function of the table is given: one fault, the bench, and a way to say "hit".

A function puts its fault in and returns how to take it out again (None: there is
nothing to take out). It calls ``hit`` when the fault strikes: at once for what simply
happens, otherwise when the byte, call or fact that it waits for has come. ``hold`` is
for what is off as long as any fault in force keeps it off: two cuts of the power are
one, and it comes back with the last of them.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from simulator.faults import Fault, Value
from wire.records import Record

if TYPE_CHECKING:
    from harness.faults.ground import Ground

Heal = Callable[[], None]
Shows = Callable[[Record], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A fault in force, for whoever looks on."""

    fault_id: str
    name: str
    params: Mapping[str, Value]
    state: Literal["planned", "hit"]


@dataclass(slots=True, kw_only=True)
class Life:
    """One fault in the hands of the engine."""

    fault: Fault
    heal: Heal | None = None
    is_planned: bool = False
    is_hit: bool = False
    #: The records that show that it has struck, while it waits for one.
    shows: Shows | None = None
    #: Words about that hit, and what it does.
    detail: str = ""
    act: Callable[[], object] | None = None

    def matches(self, name: str, params: Mapping[str, Value]) -> bool:
        return self.fault.name == name and params.items() <= self.fault.params.items()


@dataclass(slots=True)
class Holds:
    """What is kept off, and by which faults, in their order."""

    _off: dict[Hashable, dict[str, Callable[[], object]]] = field(default_factory=dict)

    def hold(
        self,
        what: Hashable,
        *,
        by: str,
        off: Callable[[], object],
        on: Callable[[], object],
    ) -> Heal:
        """Turn ``what`` off; the answer lets go of it."""
        self._off.setdefault(what, {})[by] = off
        off()

        def let_go() -> None:
            holders = self._off[what]
            del holders[by]
            if holders:
                list(holders.values())[-1]()
            else:
                on()

        return let_go


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """See the module's text."""

    bench: "Ground"
    fault: Fault
    #: Note a hit; each one, with words about it.
    hit: Callable[[str], None]
    #: Note the first hit only.
    first_hit: Callable[[str], None]
    #: The hit is the first record that shows it.
    hit_when: Callable[[Shows], None]
    #: The same, and it does something then: before whoever is told of it is told.
    act_when: Callable[[Shows, str, Callable[[], object]], None]
    holds: Holds
    #: The faults of this seam that are in force, this one included.
    siblings: Callable[[], Sequence[Fault]]

    def hold(
        self, what: Hashable, off: Callable[[], object], on: Callable[[], object]
    ) -> Heal:
        """``off`` may be called again while others hold it too."""
        return self.holds.hold(what, by=self.fault.fault_id, off=off, on=on)

    def strike(
        self, what: Hashable, off: Callable[[], object], on: Callable[[], object]
    ) -> Heal:
        """``hold`` for what simply happens: it hits at once."""
        heal = self.hold(what, off, on)
        self.hit("")
        return heal

    def number(self, name: str) -> int:
        return self.fault.number(name)

    def text(self, name: str) -> str:
        return self.fault.text(name)


Put = Callable[[Injection], Heal | None]
