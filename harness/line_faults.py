"""What can be wrong with a line, as the lines know it: outages, and faults of blocks.

Values that ``harness.faults`` puts into a line's lists and takes out again. They decide
whom they strike and say so through ``hit`` (each time) or ``strike``; the bytes are
moved by the line.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.cable import Arrivals

Way = Literal["to_terminal", "to_controller"]
#: (block, byte) -> what arrives of it: (delay_ms, bytes); ``simulator.cable``.
Manipulator = Callable[[bytes, int], Arrivals]


@dataclass(slots=True, kw_only=True, eq=False)
class Outage:
    """Nothing passes in these directions, on every connection or on one."""

    #: Told of each thing that was stopped, in words.
    strike: Callable[[str], None]
    ways: Collection[Way] = ()
    #: New connections fail as well (TCP).
    refuses: bool = False
    #: Only this connection is dead; None: every one.
    connection: int | None = None

    def stops(self, way: Way, connection: int) -> bool:
        return way in self.ways and self.connection in (None, connection)


@dataclass(slots=True, kw_only=True, eq=False)
class Turn:
    """Whose turn it is: ``after`` pass unharmed, then ``count`` are hit (None: all)."""

    after: int = 0
    count: int | None = 1

    @property
    def is_over(self) -> bool:
        return self.count == 0

    def comes(self) -> bool:
        """Count one that fits; tell whether this one is hit."""
        if self.is_over:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass(slots=True, kw_only=True, eq=False)
class LineFault:
    """Bytes of one direction (either: None) are put through ``change``.

    Either blocks that carry ``message`` (any when empty), at ``byte`` of each, or
    whatever carries byte number ``byte`` of the stream, counted from now on.
    """

    way: Way | None
    change: Manipulator
    #: Told of each hit, in words: of what, at which byte.
    hit: Callable[[str], None]
    turn: Turn
    message: str = ""
    byte: int = 0
    in_stream: bool = False
    #: The block is kept for so long at most, until the next one comes along.
    hold_ms: int = 0
    #: What becomes of the line, once the bytes before ``byte`` have arrived.
    then: Callable[[], object] | None = None

    def wants_block(self, way: Way) -> bool:
        """Whether it waits for a whole block of this direction."""
        return not (self.in_stream or self.turn.is_over) and self.way in (None, way)

    def strikes(self, way: Way, names: Collection[str], size: int) -> int | None:
        """At which of these ``size`` bytes it strikes; None when it does not."""
        if self.way not in (None, way) or self.turn.is_over:
            return None
        if self.in_stream:
            if self.byte >= size:
                self.byte -= size
                return None
        elif self.message and self.message not in names:
            return None
        return self.byte if self.turn.comes() else None


def telling_pieces(way: Way, data: bytes, pieces: Sequence[bytes]) -> Sequence[int]:
    """Which of the pieces say what ``data`` says.

    The controller has said it once, however often it arrives; it hears it as often as
    it arrives whole.
    """
    whole = [index for index, piece in enumerate(pieces) if piece == data]
    if way == "to_terminal":
        return whole[:1] or (len(pieces) - 1,)
    return whole or (len(pieces) - 1,)
