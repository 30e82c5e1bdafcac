"""The card issuer: decides about each cardholder's money, after its own delay.

A machine. Requests of the terminal go in; after a delay the issuer decides, changes a
hold, notes it in the trace and answers. Every request is answered once at most; a
request number that was seen before is ignored. A hold that nobody closes drops off by
itself after days to months (``holds.py``).

What a card does by itself stands in ``cards.py``. What a test wants otherwise is set
here at run time: a ``Behaviour`` for one card or for all, silence, refused closes. The
issuer knows nothing of terminals, sessions or protocols.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, assert_never

from simulator.agenda import Agenda
from simulator.behaviour import Behaviour, granted_total
from simulator.cards import DeclineReason, Outcome, TestCard, card_named
from simulator.events import (
    Authorise,
    Capture,
    Increment,
    IssuerAnswered,
    Note,
    Release,
)
from simulator.holds import VALIDITY, Hold, Holds

if TYPE_CHECKING:
    from random import Random

__all__ = ["EVERY_ASK", "Action", "Ask", "Behaviour", "Event", "Issuer"]

Event = Authorise | Increment | Capture | Release
Action = IssuerAnswered | Note
Ask = Literal["authorise", "increment", "capture", "release"]

EVERY_ASK: Final[frozenset[Ask]] = frozenset(
    {"authorise", "increment", "capture", "release"}
)
_ASKS: Final[Mapping[type, Ask]] = {
    Authorise: "authorise",
    Increment: "increment",
    Capture: "capture",
    Release: "release",
}

#: A normal round trip to the host, and how much it varies to either side.
ROUND_TRIP_MS: Final = 400
JITTER_MS: Final = 100
#: Most requests under way, and most request numbers remembered.
MAX_PENDING: Final = 1000
MAX_REMEMBERED: Final = 4096

_NOTHING: Final = Behaviour()


class Issuer:
    """The machine; ``family`` picks the delays of cards that differ by terminal."""

    def __init__(self, chance: "Random", *, family: str = "apollo") -> None:
        self._chance = chance
        self._family = family
        self._holds = Holds()
        self._agenda: Agenda[Event | str] = Agenda(self._is_stale)
        self._pending = 0
        self._seen: set[int] = set()
        self._seen_order: deque[int] = deque()
        self._references = 0
        self._reference_head = chance.randrange(100_000, 1_000_000)
        self._behaviours: dict[str | None, Behaviour] = {}
        self._refused_captures = 0
        self._refused_releases = 0
        self._capture_limit_minor: int | None = None
        self._silent: frozenset[Ask] = frozenset()
        self._silent_after_effect = False

    # --- What a test may look at and set ---

    @property
    def holds(self) -> Mapping[str, Hold]:
        """The holds by name, open ones and the latest of the rest; read only."""
        return self._holds.all

    @property
    def is_deciding(self) -> bool:
        """A question waits for its answer."""
        return self._pending > 0

    def set_behaviour(self, card: str | None, behaviour: Behaviour | None) -> None:
        """Let one card, or all (None), behave otherwise; a Behaviour of None heals.

        A card's own outranks that of all. LookupError when there is no such card.
        """
        if card is not None:
            card_named(card)
        if behaviour is None:
            self._behaviours.pop(card, None)
        else:
            self._behaviours[card] = behaviour

    def refuse_next_capture(self, times: int = 1) -> None:
        """Refuse the next captures, whatever their amount; 0 heals."""
        self._refused_captures = times

    def refuse_next_release(self, times: int = 1) -> None:
        """Refuse the next releases; 0 heals."""
        self._refused_releases = times

    def refuse_captures_over(self, amount_minor: int | None) -> None:
        """Refuse captures above ``amount_minor``; None heals."""
        self._capture_limit_minor = amount_minor

    def answer_silence(
        self, asks: frozenset[Ask] = EVERY_ASK, *, after_effect: bool = False
    ) -> None:
        """Leave requests unanswered; an empty set heals.

        With ``after_effect`` the request does what it asks for and only the answer is
        missing; otherwise nothing happens.
        """
        self._silent = asks
        self._silent_after_effect = after_effect

    # --- The machine ---

    def handle(self, event: Event, now_ms: int) -> Sequence[Action]:
        """Take a request; the decision follows at a deadline."""
        if event.request in self._seen:
            return []
        self._remember(event.request)
        if self._pending >= MAX_PENDING:
            return [_note("silent", card=self._card_name(event), reason="overload")]
        self._pending += 1
        self._agenda.add(now_ms + self._delay_ms(event), event)
        return []

    def deadline_ms(self) -> int | None:
        """The next decision, or the next hold to drop."""
        return self._agenda.deadline_ms()

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        """Decide everything that is due, in the order in which it became due."""
        actions: list[Action] = []
        while (job := self._agenda.pop_due(now_ms)) is not None:
            if isinstance(job, str):
                actions.extend(self._drop(job, now_ms))
            else:
                self._pending -= 1
                actions.extend(self._decide(job, now_ms))
        self._agenda.prune()
        return actions

    def _is_stale(self, job: Event | str) -> bool:
        return isinstance(job, str) and self._holds.find_open(job) is None

    def _remember(self, request: int) -> None:
        self._seen.add(request)
        self._seen_order.append(request)
        if len(self._seen_order) > MAX_REMEMBERED:
            self._seen.discard(self._seen_order.popleft())

    def _card_name(self, event: Event) -> str:
        if isinstance(event, Authorise):
            return event.card
        hold = self._holds.find(event.hold)
        return "" if hold is None else hold.card

    def _delay_ms(self, event: Event) -> int:
        round_trip_ms = ROUND_TRIP_MS + self._chance.randint(-JITTER_MS, JITTER_MS)
        set_by = self._behaviour(self._card_name(event))
        if isinstance(event, Capture | Release):
            wanted_ms = set_by.close_delay_ms
        else:
            wanted_ms = set_by.delay_ms
        if wanted_ms is not None:
            return wanted_ms
        if isinstance(event, Authorise):
            own_ms = card_named(event.card).issuer_delay_ms(self._family)
            return own_ms or round_trip_ms
        return round_trip_ms

    def _behaviour(self, card: str) -> Behaviour:
        return self._behaviours.get(card, self._behaviours.get(None, _NOTHING))

    # --- Decisions ---

    def _decide(self, event: Event, now_ms: int) -> list[Action]:
        ask = _ASKS[type(event)]
        is_silent = ask in self._silent
        if is_silent and not self._silent_after_effect:
            return [_note("silent", card=self._card_name(event), reason=ask)]
        actions = self._effect(event, now_ms)
        if is_silent:
            return [action for action in actions if isinstance(action, Note)]
        return actions

    def _effect(self, event: Event, now_ms: int) -> list[Action]:
        match event:
            case Authorise():
                return self._authorise(event, now_ms)
            case Increment():
                return self._increment(event)
            case Capture():
                return self._capture(event, now_ms)
            case Release():
                return self._release(event, now_ms)
            case _:
                assert_never(event)

    def _authorise(self, event: Authorise, now_ms: int) -> list[Action]:
        card = card_named(event.card)
        behaviour = self._behaviour(card.name)
        outcome = card.outcome if behaviour.outcome is None else behaviour.outcome
        if card.kind == "rfid":
            outcome = Outcome.DECLINE
        if outcome == Outcome.SILENT:
            return [_note("silent", card=card.name, reason="authorise")]
        if outcome == Outcome.DECLINE:
            return self._decline(event.request, card, self._reason(card))
        granted_minor = event.amount_minor
        if outcome == Outcome.PARTIAL:
            part = behaviour.partial_minor
            granted_minor = min(
                granted_minor, card.partial_minor if part is None else part
            )
        if outcome == Outcome.PARTIAL and granted_minor <= 0:
            return self._decline(event.request, card, self._reason(card))
        hold = self._open(card, granted_minor, now_ms)
        note = _note_hold("hold_opened", hold)
        if outcome == Outcome.LOST:
            return [note]
        return [note, self._granted(event.request, hold, event.amount_minor)]

    def _open(self, card: TestCard, amount_minor: int, now_ms: int) -> Hold:
        valid_ms = self._chance.randint(*VALIDITY[card.scheme].span_ms)
        wanted_ms = self._behaviour(card.name).valid_ms
        if wanted_ms is not None:
            valid_ms = wanted_ms
        hold = self._holds.open(
            card, amount_minor=amount_minor, now_ms=now_ms, valid_ms=valid_ms
        )
        self._agenda.add(hold.drops_ms, hold.hold)
        return hold

    def _reason(self, card: TestCard) -> int:
        if card.kind == "rfid":
            return DeclineReason.INVALID_ACCOUNT
        reason = self._behaviour(card.name).decline_reason
        if reason is None:
            return card.decline_reason or DeclineReason.OTHER
        return reason

    def _increment(self, event: Increment) -> list[Action]:
        hold = self._holds.find_open(event.hold)
        if hold is None:
            return self._refuse(event, "increment of a hold that is not open")
        card = card_named(hold.card)
        behaviour = self._behaviour(card.name)
        if behaviour.increment == Outcome.SILENT:
            return [_note("silent", card=card.name, hold=hold.hold, reason="increment")]
        total_minor = granted_total(hold, event.total_minor, behaviour)
        if total_minor is None:
            return self._decline(
                event.request, card, self._reason(card), hold=hold.hold
            )
        moved = self._holds.move(
            hold,
            total_minor=total_minor,
            longer_ms=VALIDITY[card.scheme].increment_ms,
        )
        note = _note_hold("hold_raised", moved)
        if behaviour.increment == Outcome.LOST:
            return [note]
        return [note, self._granted(event.request, moved, event.total_minor)]

    def _capture(self, event: Capture, now_ms: int) -> list[Action]:
        hold = self._holds.find_open(event.hold)
        if hold is None:
            return self._refuse(event, "capture of a hold that is not open")
        if self._refused_captures > 0:
            self._refused_captures -= 1
            return self._refuse(event, "capture refused")
        if self._is_too_much(hold, event.amount_minor):
            return self._refuse(event, "capture above what is allowed")
        self._holds.end(
            hold, "captured", now_ms=now_ms, captured_minor=event.amount_minor
        )
        return self._closed(event.request, hold, "captured", event.amount_minor)

    def _is_too_much(self, hold: Hold, amount_minor: int) -> bool:
        limit = self._capture_limit_minor
        if limit is not None and amount_minor > limit:
            return True
        is_over = amount_minor > hold.held_minor
        return is_over and self._behaviour(hold.card).over_capture == "refuse"

    def _release(self, event: Release, now_ms: int) -> list[Action]:
        hold = self._holds.find_open(event.hold)
        if hold is None:
            return self._refuse(event, "release of a hold that is not open")
        if self._refused_releases > 0:
            self._refused_releases -= 1
            return self._refuse(event, "release refused")
        self._holds.end(hold, "released", now_ms=now_ms)
        return self._closed(event.request, hold, "released", hold.held_minor)

    def _drop(self, name: str, now_ms: int) -> list[Action]:
        hold = self._holds.find_open(name)
        if hold is None:
            return []
        if hold.drops_ms > now_ms:  # an increment has made it last longer
            self._agenda.add(hold.drops_ms, name)
            return []
        self._holds.end(hold, "dropped", now_ms=now_ms)
        return [_note_hold("dropped", hold, reason="nobody closed it in time")]

    # --- Answers ---

    def _granted(self, request: int, hold: Hold, asked_minor: int) -> IssuerAnswered:
        return IssuerAnswered(
            request=request,
            outcome="approved" if hold.held_minor == asked_minor else "partial",
            hold=hold.hold,
            amount_minor=hold.held_minor,
            host_reference=self._reference(),
        )

    def _decline(
        self, request: int, card: TestCard, reason: int, *, hold: str = ""
    ) -> list[Action]:
        return [
            _note("declined", card=card.name, hold=hold, reason=f"0x{reason:02X}"),
            IssuerAnswered(
                request=request,
                outcome="declined",
                reason=reason,
                host_reference=self._reference(),
            ),
        ]

    def _closed(
        self,
        request: int,
        hold: Hold,
        outcome: Literal["captured", "released"],
        amount_minor: int,
    ) -> list[Action]:
        return [
            _note(outcome, card=hold.card, hold=hold.hold, amount_minor=amount_minor),
            IssuerAnswered(
                request=request,
                outcome=outcome,
                hold=hold.hold,
                amount_minor=amount_minor,
                host_reference=self._reference(),
            ),
        ]

    def _refuse(self, event: Increment | Capture | Release, why: str) -> list[Action]:
        return [
            _note("declined", card=self._card_name(event), hold=event.hold, reason=why),
            IssuerAnswered(request=event.request, outcome="refused", hold=event.hold),
        ]

    def _reference(self) -> str:
        """Twelve digits, never the same twice in a run."""
        self._references += 1
        return f"{self._reference_head}{self._references % 1_000_000:06d}"


def _note_hold(event: str, hold: Hold, *, reason: str = "") -> Note:
    return _note(
        event,
        card=hold.card,
        hold=hold.hold,
        amount_minor=hold.held_minor,
        reason=reason,
    )


def _note(event: str, **fields: object) -> Note:
    """An ``issuer`` record; what is empty is left out, except the card."""
    kept = {
        name: value for name, value in fields.items() if value != "" or name == "card"
    }
    return Note(kind="issuer", fields={"event": event, **kept})
