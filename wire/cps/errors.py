"""The texts and statuses of a refusal, and the two protocol error roots.

The error object itself (``GlobalExceptionResult``, cps.md 1.5) is built in ``http.py``.
Only two texts are known from Payter's interface (grade CODE); the rest is ours.
"""

from dataclasses import dataclass
from enum import StrEnum

from wire.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["ErrorText", "LocalProtocolError", "Refusal", "RemoteProtocolError"]


class ErrorText(StrEnum):
    """``message`` of the error object, cps.md 9.3; CODE for the first two."""

    #: 409: the session is settled, how is not said.
    ALREADY_CLOSED = "Session already committed or cancelled"
    #: 500: try again.
    GENERAL_ERROR = "General error"
    UNAUTHORIZED = "Unauthorized"
    TERMINAL_UNKNOWN = "Terminal not found"
    TERMINAL_OFFLINE = "Terminal offline"
    TERMINAL_BUSY = "Terminal is not idle"
    NO_CARD = "No active card"
    NOT_AUTHORISABLE = "Card cannot be authorised"
    CARD_IN_USE = "Card has an open session"
    OVER_COMMIT = "commitAmount exceeds the authorised amount"
    ZERO_COMMIT = "commitAmount must be at least 1"
    NO_WEBHOOK = "No webhook set"
    NO_SCREENS = "Terminal has no screens"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that no route takes, with the status and text to answer.

    ``routes`` are those it is about: that of a wrong parameter (400), or all that stand
    at the address when none of them has the verb (405).
    """

    status: int
    message: str
    routes: tuple[str, ...] = ()
