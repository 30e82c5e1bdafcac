"""The fault engine, as the bench uses it.

``Engine`` is all that the desk knows of it. A fault that would have to be put into the
controller (its power, its store, its clock) is refused: the bench does not own the
controller. So is a fault of a TCP connection while the terminal is on a serial line.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

from simulator.faults import Fault, FaultKind, Seam

#: Faults that may be in force at the same time.
MAX_IN_FORCE: Final = 64

_NOT_OURS: Final = "the bench does not own the controller; do it there"
_SEAMS_OF_CONTROLLER: Final = frozenset({Seam.CONTROLLER, Seam.STORE, Seam.CLOCK})


class InForce(Protocol):
    """A fault that has not been healed."""

    @property
    def fault_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def params(self) -> Mapping[str, int | str]: ...
    @property
    def state(self) -> Literal["planned", "hit"]: ...


class Engine(Protocol):
    """Puts faults in and takes them out."""

    def inject(self, fault: Fault) -> str:
        """Put a fault in; its id."""

    def heal_one(self, fault_id: str) -> None:
        """Take one out. Raises KeyError when it is not in force."""

    def heal_all(self) -> None:
        """Take all out."""

    def in_force(self) -> Sequence[InForce]:
        """What has been put in and not taken out."""


def why_not(kind: FaultKind, *, link: str) -> str:
    """Why a fault is not possible at this bench; empty when it is."""
    if kind.seam in _SEAMS_OF_CONTROLLER:
        return _NOT_OURS
    if kind.seam is Seam.TCP and link == "serial":
        return "the terminal is on a serial line, which has no connection"
    return ""
