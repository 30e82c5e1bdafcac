"""Which faults are possible at a bench that does not own the controller.

A fault that would have to be put into the controller (its power, its store, its clock)
is refused. So is a fault of a TCP connection while the terminal is on a serial line.
"""

from typing import Final

from simulator.faults import FaultKind, Seam

_NOT_OURS: Final = "the bench does not own the controller; do it there"
_SEAMS_OF_CONTROLLER: Final = frozenset({Seam.CONTROLLER, Seam.STORE, Seam.CLOCK})


def why_not(kind: FaultKind, *, link: str) -> str:
    """Why a fault is not possible at this bench; empty when it is."""
    if kind.seam in _SEAMS_OF_CONTROLLER:
        return _NOT_OURS
    if kind.seam is Seam.TCP and link == "serial":
        return "the terminal is on a serial line, which has no connection"
    return ""
