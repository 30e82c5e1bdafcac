"""What an issuer is told to do otherwise than the card says.

Values only: a fault, a scenario or the bench sets one on the issuer at run time, for
one card or for all, and takes it away again. A field left out keeps the card's own way.
"""

from dataclasses import dataclass
from typing import Final, Literal

from simulator.cards import Outcome
from simulator.holds import Hold

_OUTCOMES: Final = tuple(str(outcome) for outcome in Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What an issuer does otherwise than the card says; None leaves it as it is."""

    #: For a request to authorise.
    outcome: Outcome | None = None
    #: A byte of psp.md 5.2, for declines of every kind.
    decline_reason: int | None = None
    partial_minor: int | None = None
    #: From request to decision, authorise and increment; the other for closes.
    delay_ms: int | None = None
    close_delay_ms: int | None = None
    increment: Outcome = Outcome.APPROVE
    #: The total that a partial increment grants; None: half of the raise.
    increment_minor: int | None = None
    over_capture: Literal["refuse", "accept"] = "refuse"
    #: From approval until the hold drops off; None: drawn by scheme.
    valid_ms: int | None = None

    def __post_init__(self) -> None:
        """ValueError for an outcome that does not exist; its plain text is taken."""
        for word in (self.outcome, self.increment):
            if word is not None and word not in _OUTCOMES:
                raise ValueError(
                    f"outcome: found {word!r}, allowed {', '.join(_OUTCOMES)}"
                )


def granted_total(hold: Hold, asked_minor: int, behaviour: Behaviour) -> int | None:
    """The new total of an increment; None when it is declined. Lowering is free."""
    held_minor = hold.held_minor
    if asked_minor <= held_minor:
        return asked_minor
    match behaviour.increment:
        case Outcome.DECLINE:
            return None
        case Outcome.PARTIAL:
            part = behaviour.increment_minor
            half = held_minor + (asked_minor - held_minor) // 2
            granted_minor = min(asked_minor, half if part is None else part)
            return granted_minor if granted_minor > held_minor else None
        case _:
            return asked_minor
