"""Authorising a card, and changing what is held: the terminal as the issuer's customer.

One authorisation at a time. The answer comes once, through the wish's ``then``; a face
that has gone (reset, line lost) calls ``abandon`` and is not called back. Nothing here
knows a protocol; decline reasons are the bytes of psp.md 5.2.

Without a line to the host every authorisation is declined (psp.md 7.7). The terminal
gives up by itself at its family's limit (psp.md 4.1). An approval that arrives when
nobody waits for it any more is *late*: by the reading ``late_approval`` it is reversed
here, or becomes a session and goes to ``on_late`` (requirements.md 4.13).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from simulator.events import Authorise, Increment, IssuerAnswered, Release
from simulator.terminal.host_line import HostLine
from simulator.terminal.impairments import Impairments, Kind
from simulator.terminal.reader import PresentedCard
from simulator.terminal.sessions import Expiry, Face, Session, SessionStore, Via
from simulator.terminal.settings import TerminalSettings
from wire.psp import Decline


class Verdict(Enum):
    """How an authorisation or an increase ended."""

    APPROVED = "approved"
    PARTIAL = "partial"
    DECLINED = "declined"
    #: The driver pressed cancel while the PIN was asked for.
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The end of an authorisation; ``session`` unless declined or cancelled."""

    verdict: Verdict
    session: Session | None = None
    #: Decline reason, psp.md 5.2.
    reason: int = 0


Decided = Callable[[Decision, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a face wants authorised, and who is to be told."""

    face: Face
    card: PresentedCard
    #: The card's hash as this face shows it.
    card_id: str
    amount_minor: int
    then: Decided
    #: When the session would end by itself, given the time at which it opens.
    expiry: Callable[[int], Expiry | None]
    reference: int = 0
    #: The connection that asked; a late approval is never told to another one.
    connection: int = 0


@dataclass(slots=True, kw_only=True)
class _Sent:
    """An Authorise that the issuer has not answered."""

    wish: Wish
    is_awaited: bool
    #: A second authorisation of the same tap that nobody asked for (a fault).
    is_surplus: bool = False


class Authorisations:
    """PIN entry, the issuer's answer, the limit, and what comes late."""

    def __init__(
        self,
        settings: TerminalSettings,
        *,
        host: HostLine,
        store: SessionStore,
        faults: Impairments,
    ) -> None:
        self._settings = settings
        self._host = host
        self._store = store
        self._faults = faults
        self._current: Wish | None = None
        self._sent: _Sent | None = None
        self._send_at_ms: int | None = None
        self._give_up_at_ms: int | None = None
        #: Told of a session that nobody waits for; set by the terminal.
        self.on_late: Callable[[Wish, Decision, int], None] = _tell_nobody

    # --- Asking -----------------------------------------------------------------

    def authorise(self, wish: Wish, now_ms: int) -> None:
        """Ask the issuer; PIN entry first where the card and the terminal have it."""
        assert self._current is None, "one authorisation at a time"
        if not self._host.can_send:
            wish.then(_declined(self._unreachable), now_ms)
            return
        traits = self._settings.traits
        self._current = wish
        self._give_up_at_ms = now_ms + traits.authorise_limit_ms
        if traits.has_pin_pad and wish.card.pin_ms:
            self._send_at_ms = now_ms + wish.card.pin_ms
        else:
            self._send(wish)

    @property
    def is_busy(self) -> bool:
        """One is under way: the driver enters a PIN, or the issuer is asked."""
        return self._current is not None

    @property
    def is_asking_pin(self) -> bool:
        return self._send_at_ms is not None

    def cancel_pin(self, now_ms: int) -> None:
        """The driver presses cancel on the PIN screen."""
        if self.is_asking_pin:
            self._decide(Decision(verdict=Verdict.CANCELLED), now_ms)

    def abandon(self) -> None:
        """Whoever wanted the authorisation is gone; an approval now is late."""
        self._current = self._send_at_ms = self._give_up_at_ms = None
        if self._sent is not None:
            self._sent.is_awaited = False
            self._sent = None

    def line_lost(self, now_ms: int) -> None:
        """The host cannot be asked any more; what was asked may still be answered."""
        if self.is_asking_pin:
            self._decide(_declined(self._unreachable), now_ms)

    @property
    def _unreachable(self) -> int:
        return self._settings.psp_profile.host_unreachable_reason

    def open_unasked(self, wish: Wish) -> None:
        """Open a session that no host has asked for: one of an earlier life."""
        self._ask(_Sent(wish=wish, is_awaited=False, is_surplus=True))

    def increase(
        self, session: Session, total_minor: int, *, via: Via, then: Decided
    ) -> bool:
        """Ask for a new total, up or down; False when the host cannot be reached."""
        if not self._host.can_send:
            return False

        def answered(event: IssuerAnswered, now_ms: int) -> None:
            then(self._increased(session.psp_session_id, event, via), now_ms)

        self._host.ask(
            lambda request: Increment(
                request=request, hold=session.hold, total_minor=total_minor
            ),
            answered,
            needs_power=True,
        )
        return True

    # --- Inside -----------------------------------------------------------------

    def _send(self, wish: Wish) -> None:
        self._send_at_ms = None
        self._sent = _Sent(wish=wish, is_awaited=True)
        self._ask(self._sent)
        if self._faults.hit(Kind.SURPLUS_SESSION):
            self._ask(_Sent(wish=wish, is_awaited=False, is_surplus=True))

    def _ask(self, sent: _Sent) -> None:
        self._host.ask(
            lambda request: Authorise(
                request=request,
                card=sent.wish.card.name,
                amount_minor=sent.wish.amount_minor,
            ),
            lambda event, now_ms: self._answered(sent, event, now_ms),
            needs_power=True,
        )

    def _answered(self, sent: _Sent, event: IssuerAnswered, now_ms: int) -> None:
        decision = self._decision(sent, event, now_ms)
        if sent.is_awaited:
            self._decide(decision, now_ms)
        elif decision.session is not None:
            self.on_late(sent.wish, decision, now_ms)

    def _decision(self, sent: _Sent, event: IssuerAnswered, now_ms: int) -> Decision:
        if event.outcome not in ("approved", "partial"):
            return _declined(event.reason)
        is_partial = event.outcome == "partial"
        face = sent.wish.face
        is_late = not sent.is_awaited and not sent.is_surplus
        if (is_late and self._reverses_late(face)) or (
            is_partial and not self._takes_partial(face)
        ):
            self._reverse(event.hold)
            return _declined(Decline.INSUFFICIENT_FUNDS)
        return Decision(
            verdict=Verdict.PARTIAL if is_partial else Verdict.APPROVED,
            session=self._open(sent.wish, event, now_ms),
        )

    def _reverses_late(self, face: Face) -> bool:
        settings = self._settings
        of_face = settings.cps_policy if face == "cps" else settings.psp_profile
        return of_face.late_approval == "reverse"

    def _takes_partial(self, face: Face) -> bool:
        if face == "cps":
            return self._settings.cps_policy.partial_approval == "authorized"
        return self._settings.traits.takes_partial

    def _open(self, wish: Wish, event: IssuerAnswered, now_ms: int) -> Session:
        return self._store.open(
            Session(
                session_id="",
                psp_session_id=0,
                hold=event.hold,
                card=wish.card.name,
                card_id=wish.card_id,
                masked_pan=wish.card.masked_pan,
                via=wish.face,
                authorised_minor=event.amount_minor,
                opened_at_ms=now_ms,
                host_reference=event.host_reference,
                expiry=wish.expiry(now_ms),
                reference=wish.reference,
            )
        )

    def _reverse(self, hold: str) -> None:
        """Give back a hold that no session was opened for."""
        self._host.ask(
            lambda request: Release(request=request, hold=hold), lambda event, now: None
        )

    def _decide(self, decision: Decision, now_ms: int) -> None:
        wish = self._current
        assert wish is not None
        self.abandon()
        wish.then(decision, now_ms)

    def _increased(
        self, psp_session_id: int, event: IssuerAnswered, via: Via
    ) -> Decision:
        session = self._store.by_psp_id(psp_session_id)
        if session is None or not session.is_open:
            return Decision(verdict=Verdict.DECLINED, reason=Decline.OTHER)
        if event.outcome not in ("approved", "partial"):
            return Decision(
                verdict=Verdict.DECLINED, session=session, reason=event.reason
            )
        is_partial = event.outcome == "partial"
        return Decision(
            verdict=Verdict.PARTIAL if is_partial else Verdict.APPROVED,
            session=self._store.updated(session, event.amount_minor, via=via),
        )

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        if self._send_at_ms is None or self._give_up_at_ms is None:
            return self._give_up_at_ms
        return min(self._send_at_ms, self._give_up_at_ms)

    def on_deadline(self, now_ms: int) -> None:
        if self._give_up_at_ms is not None and self._give_up_at_ms <= now_ms:
            silent = self._settings.psp_profile.auth_timeout_reason
            reason = Decline.PIN_FAILURE if self.is_asking_pin else silent
            self._decide(_declined(reason), now_ms)
        elif self._send_at_ms is not None and self._send_at_ms <= now_ms:
            assert self._current is not None
            self._send(self._current)


def _declined(reason: int) -> Decision:
    return Decision(verdict=Verdict.DECLINED, reason=reason)


def _tell_nobody(wish: Wish, decision: Decision, now_ms: int) -> None:
    """Before the terminal is wired up nobody can be told."""
