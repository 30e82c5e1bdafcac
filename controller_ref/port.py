"""What the controller needs from a terminal, whatever protocol it speaks.

The terminal's side is told what is wanted (commands, below) and says what has happened
(reports). It owns the dialogue: set-up, keep-alive, restarts of the reader, answer
limits. It decides nothing about money: a close is one attempt with exactly one answer,
and whether there is another is the business of ``closing``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Protocol

from controller_ref.session import Op
from wire.machine import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What this terminal can do beyond the common set."""

    #: Can tell which sessions are open: an unknown outcome can be found out.
    can_list: bool
    #: Can raise what is held (R-AMT-06).
    can_raise: bool
    #: Others may use the terminal too: a session that we do not know may be theirs.
    is_shared: bool
    #: Closes that may be under way at once.
    closes_at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequest:
    """One attempt."""

    session_id: str
    op: Op
    amount_minor: int


# --- Reports: the terminal's side says ------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The terminal can be used; after a boot, a set-up or an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The terminal cannot be used any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """A card waits for ``authorise`` or ``drop_card``."""

    #: Unique for the card; empty when the card tells none.
    card_id: str
    masked_pan: str
    #: False: a card that no issuer knows, such as the operator's own.
    is_payment: bool
    #: Whatever else may identify it, upper case; for the operator's whitelist.
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Money is held. ``was_asked``: as the answer to the authorisation under way."""

    session_id: str
    #: None: as much as was asked for.
    amount_minor: int | None
    was_asked: bool
    receipt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The authorisation has ended without a session, as far as the terminal knows."""

    #: False: it took so long that an approval may still be on its way (S-I02).
    is_certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The authorisation has ended and nobody knows how (R-RTY-07)."""

    #: A session id that could be read in a damaged answer.
    suspect: str = ""


class Outcome(Enum):
    """How an attempt to close has ended."""

    #: Done, says the terminal.
    CONFIRMED = auto()
    #: Closed already, by whomever and for whatever amount.
    CLOSED_ALREADY = auto()
    #: The terminal does not know the session.
    NOT_KNOWN = auto()
    #: The amount (or the operation) was refused, and the session is still open.
    REFUSED = auto()
    #: Not now: an authorisation is running.
    BUSY = auto()
    #: It failed and has had no effect.
    FAILED = auto()
    #: It never left.
    NOT_SENT = auto()
    #: It left, and may have had its effect.
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAnswered:
    session_id: str
    outcome: Outcome
    detail: str = ""
    receipt: Mapping[str, str] = field(default_factory=dict)
    #: Something is wrong that no repeat will mend.
    for_operator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationOver:
    """Whatever had to wait for the authorisation can be tried now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitAnswered:
    """The answer to ``raise_limit``; 0 when nothing is known to have changed."""

    session_id: str
    limit_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that the terminal says is open."""

    session_id: str
    card_id: str = ""
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSessions:
    sessions: tuple[OpenSession, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something for the operator, by the alarm codes of the bay link."""

    code: str
    text: str


Report = (
    Ready
    | Lost
    | CardRead
    | Approved
    | Declined
    | NoAnswer
    | CloseAnswered
    | AuthorisationOver
    | LimitAnswered
    | OpenSessions
    | Trouble
)


#: A host answers within seconds; a decline after this may have been a time-out.
SWIFT_DECLINE_MS: Final = 28_000


class TerminalPort(Protocol):
    """Commands; facts and time come in, reports pile up in ``reports``."""

    capabilities: Capabilities
    reports: list[Report]

    def begin(self, boot: int, now_ms: int) -> None:
        """The controller has booted: connect."""

    def handle(self, fact: Fact, now_ms: int) -> None:
        """A fact of the world; those that concern others are ignored."""

    def deadline_ms(self) -> int | None: ...

    def on_deadline(self, now_ms: int) -> None: ...

    def want_reading(self, now_ms: int, *, wanted: bool) -> None:
        """Whether cards are to be read whenever the terminal is idle."""

    def stand_down(self, now_ms: int, *, is_down: bool) -> None:
        """Use the terminal only for closes until told otherwise."""

    def authorise(self, now_ms: int) -> None:
        """Ask for the reserved amount for the card that was read last."""

    def drop_card(self, text: str, now_ms: int) -> None:
        """Do not use the card that was read last; tell its holder why."""

    def close(self, request: CloseRequest, now_ms: int) -> None:
        """Try once to close; answered by exactly one CloseAnswered."""

    def raise_limit(self, session_id: str, total_minor: int, now_ms: int) -> None:
        """Ask for a new total to be held; answered by LimitAnswered."""

    def list_open(self, now_ms: int) -> None:
        """Ask which sessions are open; answered by OpenSessions, or not at all."""

    def tell(self, text: str, now_ms: int) -> None:
        """Show the driver a few words on the terminal, if it has a screen."""
