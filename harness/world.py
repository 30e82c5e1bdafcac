"""Where a case is played: in virtual time, or against a real box in real time.

The forecourt, the lines, the faults, the steps and the judge are the same in every
world. A world gives the clock, builds the device under test at the ends of the lines,
and says how much real time every deadline needs on top, because a real program has to
be scheduled by a real machine. The wall-clock world is in ``harness.shells.wall``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from harness.device import Device, InProcessDevice
from harness.guarded import find_factory
from simulator.clock import Clock, VirtualClock

if TYPE_CHECKING:
    from harness.bench import Bench


#: Longer than any issuer takes to answer (240 s).
LONGEST_ANSWER_MS: Final = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long the end of a case may take, in milliseconds of the run."""

    #: After healing, until no session is open.
    settle_ms: int
    #: After that, at a station that goes on serving; longer while an issuer is asked.
    look_ms: int
    #: After that, at a station that is out of service.
    rest_ms: int


@dataclass(slots=True)
class Desk:
    """What outlives a case where the controller does: a box goes on, case after case.

    The forecourt of each case is new. To the box it is the same charger, whose link
    was down for a moment, and a terminal that has started again.
    """

    #: Import registers of the connectors, Wh; empty before the first case.
    registers_wh: tuple[int, ...] = ()
    #: How often the charger has started.
    boot: int = 1
    #: The case after which a session was left open; empty: none.
    stained_by: str = ""


class World(Protocol):
    """See the module's text."""

    clock: Clock
    #: None where each case has a controller of its own.
    desk: Desk | None
    #: Added to every limit: at least a second of real time (the contract, section 2).
    slack_ms: int
    limits: Limits

    #: What a controller in real time has to be told to find us: placeholder -> value.
    wiring: Mapping[str, str]
    #: The rate of the terminal's own end of a serial line.
    terminal_baud: int

    @property
    def baud(self) -> int | None:
        """The rate that the controller has set; None where there is no serial line."""

    def build(self, bench: "Bench") -> Device:
        """The device under test, at the ends of the bench's lines."""

    def written(self, bench: "Bench") -> Sequence[bytes]:
        """What the controller has written where we can read it: state and output."""

    def close(self) -> None:
        """Give back ports, processes and files."""


#: 5 x 60 s + 24 x 3,600 s + 7 x 86,400 s (requirements.md 3.1).
RETRY_PLAN_MS: Final = 691_500_000
#: An attempt may take its time-out (60 s), a start-up and a reconnect.
MARGIN_MS: Final = 600_000


#: As long as a retry by the minute takes.
LOOK_MS: Final = 60_000


class VirtualWorld:
    """Everything in one process; time jumps from one event to the next."""

    def __init__(self) -> None:
        self.clock: Clock = VirtualClock()
        self.desk: Desk | None = None
        self.terminal_baud = 0
        self.wiring: Mapping[str, str] = {}
        self.slack_ms = 0
        longest_ms = RETRY_PLAN_MS + MARGIN_MS
        self.limits = Limits(settle_ms=longest_ms, look_ms=LOOK_MS, rest_ms=longest_ms)

    @property
    def baud(self) -> int | None:
        return None

    def build(self, bench: "Bench") -> InProcessDevice:
        """A controller object. Raises SetupError when it cannot be imported."""
        named = bench.declaration.text("reach", "controller")
        return InProcessDevice(
            bench.wishes.factory or find_factory(named),
            bench.place,
            lines=bench.lines,
            court=bench.court,
            wall_ms=bench.wall_ms,
        )

    def written(self, bench: "Bench") -> Sequence[bytes]:
        """The image in its store; an object has no output of its own."""
        return (bench.store.load() or b"",)

    def close(self) -> None:
        """Nothing to give back."""
