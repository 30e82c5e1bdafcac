"""Which open questions somebody asked for, in one play of one case.

A run under another reading can only end differently if somebody asked for the switch
that reads differently. A watched profile or policy answers like the plain one and notes
the name of every switch it is asked for. What answers from a cache has to ``note`` the
switches that the cached answer rests on; a plain profile ignores that.
"""

from collections.abc import Collection, Iterable
from typing import Any, ClassVar


class Watching:
    """Put in front of a table of switches: its names are noted when they are read."""

    __slots__ = ()

    NAMES: ClassVar[Collection[str]] = ()
    #: Names of the switches asked for so far.
    consulted: set[str]

    def _copy(self, plain: object) -> None:
        # Past the frozen front, and before anybody watches.
        object.__setattr__(self, "consulted", set())
        for name in self.NAMES:
            object.__setattr__(self, name, getattr(plain, name))

    def __getattribute__(self, name: str) -> Any:
        if name in type(self).NAMES:
            self.consulted.add(name)
        return object.__getattribute__(self, name)

    # To compare and to look up in a cache is not to ask.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def note(self, names: Iterable[str]) -> None:
        """Somebody has used an answer that rests on these switches."""
        self.consulted.update(names)
