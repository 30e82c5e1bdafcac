"""A part with two positions that may not obey: the contactor and the cable lock.

What was ordered and where the part stands are two facts, and feedback always reports
the second (S-D05, S-D08, S-B09). Healing a part never closes it: only an order does.
"""


class Switch:
    """``position`` is where it stands; True is closed, or locked."""

    __slots__ = ("cannot_leave", "cannot_reach", "ordered", "position")

    def __init__(self) -> None:
        self.ordered = False
        self.position = False
        #: Stays at True once it is there: a welded contactor.
        self.cannot_leave = False
        #: Never gets to True: a dead contactor.
        self.cannot_reach = False

    def drive(self, *, to: bool) -> bool:
        """Order a position; whether the part moved.

        An order to close that fails is forgotten, so that a part that works again
        does not close late.
        """
        stuck = self.cannot_reach if to else self.cannot_leave
        moves = to != self.position and not stuck
        if moves:
            self.position = to
        self.ordered = to and self.position
        return moves
