"""Holds: money set aside on a cardholder's account, and how each of them ends.

The bookkeeping under the issuer, without requests and without time of its own. It keeps
one promise: a hold ends once, as captured, released or dropped, and never moves again.
Asking for more is a mistake of the caller and fails loudly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from simulator.cards import TestCard

State = Literal["open", "captured", "released", "dropped"]

_DAY_MS: Final = 86_400_000

#: Ended holds are kept for whoever looks on; beyond this the oldest are forgotten.
MAX_HOLDS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How long an unclosed hold lasts: drawn between the two, in days."""

    min_days: int
    max_days: int
    #: What an increment adds.
    increment_days: int = 0

    @property
    def span_ms(self) -> tuple[int, int]:
        """The two ends in milliseconds."""
        return self.min_days * _DAY_MS, self.max_days * _DAY_MS

    @property
    def increment_ms(self) -> int:
        """What an increment adds, in milliseconds."""
        return self.increment_days * _DAY_MS


#: Lower ends and increments: requirements 3.3 (Visa card-present 5 days, Amex 7,
#: Mastercard pre-authorisation 30). Upper ends: 3.4 (30 days at the latest for one
#: operator; "months" by Payter), so those are an ASSUMPTION.
VALIDITY: Final[Mapping[str, Validity]] = {
    "visa": Validity(min_days=5, max_days=30),
    "amex": Validity(min_days=7, max_days=30),
    "mastercard": Validity(min_days=30, max_days=60, increment_days=30),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Money set aside; ``captured_minor`` tops ``held_minor`` where accepted."""

    hold: str
    card: str
    account: str
    held_minor: int
    opened_ms: int
    #: When the issuer drops it, unless it is closed before.
    drops_ms: int
    state: State = "open"
    captured_minor: int = 0
    closed_ms: int | None = None

    @property
    def released_minor(self) -> int:
        """What went back to the cardholder, however the hold ended."""
        if self.state == "open":
            return 0
        return max(0, self.held_minor - self.captured_minor)


class Holds:
    """The holds, by name: all that are open, and those that ended last."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}
        self._opened = 0

    @property
    def all(self) -> Mapping[str, Hold]:
        """A view; the holds in it are values and never change."""
        return MappingProxyType(self._holds)

    def find(self, name: str) -> Hold | None:
        """A hold by name, in whatever state."""
        return self._holds.get(name)

    def find_open(self, name: str) -> Hold | None:
        """A hold by name; None when it does not exist or has ended."""
        hold = self._holds.get(name)
        return hold if hold is not None and hold.state == "open" else None

    def open(
        self, card: TestCard, *, amount_minor: int, now_ms: int, valid_ms: int
    ) -> Hold:
        """Set ``amount_minor`` aside until ``valid_ms`` from now."""
        self._forget_oldest()
        self._opened += 1
        hold = Hold(
            hold=f"H{self._opened:06d}",
            card=card.name,
            account=card.account,
            held_minor=amount_minor,
            opened_ms=now_ms,
            drops_ms=now_ms + valid_ms,
        )
        self._holds[hold.hold] = hold
        return hold

    def move(self, hold: Hold, *, total_minor: int, longer_ms: int) -> Hold:
        """Raise or lower what is held to ``total_minor``."""
        return self._replace(
            replace(hold, held_minor=total_minor, drops_ms=hold.drops_ms + longer_ms)
        )

    def end(
        self, hold: Hold, state: State, *, now_ms: int, captured_minor: int = 0
    ) -> Hold:
        """End a hold, for good."""
        return self._replace(
            replace(hold, state=state, captured_minor=captured_minor, closed_ms=now_ms)
        )

    def _forget_oldest(self) -> None:
        """Make room by the oldest hold that has ended; open ones are kept."""
        if len(self._holds) < MAX_HOLDS:
            return
        ended = (name for name, one in self._holds.items() if one.state != "open")
        oldest = next(ended, None)
        if oldest is not None:
            del self._holds[oldest]

    def _replace(self, changed: Hold) -> Hold:
        before = self._holds[changed.hold]
        assert before.state == "open", f"{before.hold}: found {before.state}"
        self._holds[changed.hold] = changed
        return changed
