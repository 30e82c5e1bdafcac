"""What the controller believes that the terminal's reader does."""

from enum import Enum, auto

from wire.psp import State


class Reader(Enum):
    IDLE = auto()
    #: Waits for a card.
    WAITING = auto()
    #: A card was read and waits for our decision.
    HOLDING = auto()
    AUTHORISING = auto()


def is_astray(reader: Reader, state: int, *, is_running: bool) -> bool:
    """Whether a read goes on that is of no use: stalled, or its card was missed."""
    if state == State.WAIT_CARD:
        return reader is Reader.WAITING and not is_running
    return state == State.WAIT_AUTH and reader is not Reader.HOLDING
