"""Where the parts of a terminal put what follows from the fact at hand.

The parts share one outbox, so that actions keep the order in which they came about,
whichever part caused them. ``Terminal`` empties it at the end of every fact.
"""

from typing import Final

from simulator.events import (
    Authorise,
    Capture,
    CloudAnswer,
    Increment,
    Note,
    PostCallback,
    PspHangUp,
    PspToHost,
    Release,
)

TerminalAction = (
    Note
    | PspToHost
    | PspHangUp
    | CloudAnswer
    | PostCallback
    | Authorise
    | Increment
    | Capture
    | Release
)


class Outbox:
    """Collects the actions of one fact, in order."""

    def __init__(self) -> None:
        self._actions: list[TerminalAction] = []

    @property
    def is_waiting(self) -> bool:
        """Something was put in outside of a fact, and nobody has taken it yet."""
        return bool(self._actions)

    def put(self, action: TerminalAction) -> None:
        self._actions.append(action)

    def note(self, kind: str, **fields: object) -> None:
        """Record something; fields that are None are left out."""
        kept: Final = {key: value for key, value in fields.items() if value is not None}
        self._actions.append(Note(kind=kind, fields=kept))

    def take(self) -> list[TerminalAction]:
        """Everything put since the last call."""
        actions, self._actions = self._actions, []
        return actions
