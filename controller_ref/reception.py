"""What a card means: a start, a stop, or nothing; and what an authorisation brought.

A card is either used for exactly one thing or dropped with a word to its holder, and
only a card that will be used is authorised (R-NOS-09, R-NOS-10). The rules stand in
their order in ``_decide``; each is a situation of a driver at the terminal.
Money may be held from the moment of asking, so the intent is on disk before that.

Approvals are matched to the one authorisation that is under way. Whatever else arrives
(late, twice, for a driver who has gone) becomes a session too, and is released at once:
an approval that nobody wants is still somebody's money (R-SES-11).
"""

from dataclasses import dataclass
from typing import Final

from controller_ref.charger_side import Line
from controller_ref.charging import Charging
from controller_ref.closing import Closing
from controller_ref.desk import Desk, add_receipt
from controller_ref.port import Approved, CardRead
from controller_ref.session import Op, Session
from controller_ref.timers import For
from controller_ref.transitions import FINAL, Event, State

#: The same card again within this time is the same tap (S-C07).
_DEBOUNCE_MS: Final = 3_000
#: A press of start or stop waits this long for its card.
_PRESS_MS: Final = 60_000
_UNAVAILABLE: Final = "Not available at the moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """What to do with a card: authorise it, or drop it and do something else."""

    text: str = ""
    code: str = ""
    stop: Session | None = None
    release: Session | None = None
    is_start: bool = False
    connector: int = 0


class Reception:
    def __init__(self, desk: Desk, charging: Charging, closing: Closing) -> None:
        self._desk = desk
        self._charging = charging
        self._closing = closing
        #: The authorisation under way.
        self.intent: Session | None = None
        #: Connectors at which start or stop was pressed; 0: none.
        self._start_at = 0
        self._stop_at = 0
        #: The card that was used last, when, and the session it has started.
        self._last_use: tuple[str, int, Session | None] = ("", 0, None)
        #: A card whose last hold is just being closed, and its connector.
        self._held: tuple[CardRead, int] | None = None

    def wants_reading(self) -> bool:
        """Whether the terminal should read cards whenever it is idle (R-STP-08)."""
        if self._closing.is_overdue:
            return False
        if self._desk.settings.is_always_scanning or self._start_at or self._stop_at:
            return True
        if any(connector.is_plugged for connector in self._charging.free()):
            return True
        is_charging = bool(self._desk.ledger.within(State.CHARGING))
        return is_charging and "tap" in self._desk.settings.stop

    # --- Cards ------------------------------------------------------------------

    def on_card(self, card: CardRead) -> None:
        decision = self._decide(card)
        if decision.is_start and card.is_payment:
            self._held = (card, decision.connector)
            self.on_close_answered()
            return
        self._desk.terminal.drop_card(decision.text, self._desk.now_ms)
        if decision.text:
            kind = "info" if decision.stop or decision.is_start else "error"
            where = decision.connector
            show = self._desk.show
            show(decision.text, code=decision.code, kind=kind, connector=where)
        if decision.is_start:
            self._start_for_free(card)
        elif decision.stop is not None:
            self._remember(card.card_id)
            self._charging.stop(decision.stop, "Stopped by card")
        elif decision.release is not None:
            self._remember(card.card_id)
            self._charging.stop(decision.release, "Cancelled by card")

    def _remember(self, card_id: str, started: Session | None = None) -> None:
        self._last_use = (card_id, self._desk.now_ms, started)

    def _decide(self, card: CardRead) -> _Decision:
        if self._is_same_tap(card):
            return _Decision()
        if self._stop_at:
            return self._decide_stop(card)
        mine = [
            session
            for session in self._desk.ledger.live()
            if card.card_id and session.card_id == card.card_id
        ]
        for session in mine:
            if session.state in (State.RESERVED, State.STARTING):
                # Start anew, or not at all: never two holds (R-NOS-12).
                return _Decision(text="Cancelled. Tap again to start", release=session)
        if mine and not (self._desk.settings.takes_card_twice and self._can_start()):
            return self._decide_running(mine)
        return self._decide_start(card)

    def _is_same_tap(self, card: CardRead) -> bool:
        """The second half of a double tap; a failed start in between makes it new."""
        last_id, last_ms, started = self._last_use
        is_same = bool(card.card_id) and card.card_id == last_id
        has_failed = started is not None and started.op is Op.RELEASE
        is_soon = self._desk.now_ms - last_ms < _DEBOUNCE_MS
        return is_same and is_soon and not has_failed

    def _decide_stop(self, card: CardRead) -> _Decision:
        """Stop was pressed: only the card of that session may (R-STP-05)."""
        connector = self._charging.bays[self._stop_at]
        self._forget_presses()
        session = self._charging.session_at(connector)
        number = connector.number
        if session is None:
            return _Decision(text="Nothing to stop", connector=number)
        if not card.card_id or session.card_id != card.card_id:
            text = "This is not the card that started here"
            return _Decision(text=text, code="wrong_card", connector=number)
        return _Decision(text="Stopping", stop=session, connector=number)

    def _decide_running(self, mine: list[Session]) -> _Decision:
        charging = [each for each in mine if each.state is State.CHARGING]
        if not charging:
            return _Decision(text="Already stopping")
        if "tap" not in self._desk.settings.stop:
            return _Decision(text="Charging; unplug or press stop to end")
        if len(charging) > 1:
            return _Decision(text="Press stop at your connector, then tap")
        [session] = charging
        return _Decision(text="Stopping", stop=session, connector=session.connector)

    def _decide_start(self, card: CardRead) -> _Decision:
        if not card.is_payment and not self._is_welcome(card):
            return _Decision(text="Card not accepted", code="declined")
        if not self._can_start():
            return _Decision(text=_UNAVAILABLE, code="unavailable")
        free = self._charging.free()
        chosen = self._charging.bays.choose(
            free, selected=self._start_at, card_id=card.card_id
        )
        start = self._desk.settings.start
        is_waiting = chosen is not None and chosen.is_plugged
        if start == ("plug",) and not is_waiting:
            return _Decision(text="Plug in first, then tap")
        if start == ("ui",) and chosen is None:
            return _Decision(text="Press start at your connector first")
        number = chosen.number if chosen else 0
        return _Decision(text="Card accepted", is_start=True, connector=number)

    def _is_welcome(self, card: CardRead) -> bool:
        known = self._desk.settings.rfid_whitelist
        names = (card.card_id.upper(), *card.labels)
        return self._desk.settings.takes_rfid and any(name in known for name in names)

    def _can_start(self) -> bool:
        """A connector for one more driver, and a ledger to write him down in."""
        if not self._desk.ledger.is_healthy and not self._desk.ledger.flush():
            return False
        is_taken = len(self._charging.free()) <= len(self._charging.unbound())
        return not (is_taken or self._closing.is_overdue)

    # --- Authorising ------------------------------------------------------------

    def on_close_answered(self) -> None:
        """Authorise the card in hand, once its last hold is not in the way any more.

        The same driver after a failed start: never two holds at once (R-NOS-12).
        """
        if self._held is None:
            return
        card, connector = self._held
        closing = [
            session
            for session in self._desk.ledger.within(State.CLOSING)
            if card.card_id and session.card_id == card.card_id
        ]
        if any(session.is_in_flight for session in closing):
            return
        self._held = None
        if any(session.op is Op.RELEASE for session in closing):
            self._desk.terminal.drop_card(_UNAVAILABLE, self._desk.now_ms)
            self._desk.show(_UNAVAILABLE, code="unavailable", kind="error")
        else:
            self._authorise(card, connector)

    def _authorise(self, card: CardRead, connector: int) -> None:
        desk = self._desk
        intent = desk.ledger.new(State.INTENT, wall_ms=desk.wall_ms)
        intent.card_id, intent.masked_pan = card.card_id, card.masked_pan
        intent.requested_minor = desk.settings.reserve_minor
        desk.note(intent, f"card read; authorising {intent.requested_minor}")
        if not desk.put(intent):
            intent.apply(Event.DECLINED)
            desk.terminal.drop_card(_UNAVAILABLE, desk.now_ms)
            desk.show(_UNAVAILABLE, code="unavailable", kind="error")
            return
        self.intent = intent
        self._remember(card.card_id, intent)
        desk.show("One moment please", connector=connector)
        desk.terminal.authorise(desk.now_ms)

    def _start_for_free(self, card: CardRead) -> None:
        """The operator's own card: no session at the terminal, no money (R-UI-02)."""
        desk = self._desk
        session = desk.ledger.new(State.INTENT, wall_ms=desk.wall_ms)
        session.is_paid, session.card_id = False, card.card_id
        session.apply(Event.APPROVED)
        self._remember(card.card_id, session)
        if desk.put(session):
            self._charging.place(session, selected=self._take_start())
        else:
            self._charging.stop(session, _UNAVAILABLE)

    def on_approved(self, report: Approved) -> None:
        desk = self._desk
        known = desk.ledger.by_session_id(report.session_id)
        if known is not None and not (report.was_asked and known.state in FINAL):
            return
        session = self._whose(report)
        session.session_id = report.session_id
        requested = session.requested_minor or desk.settings.reserve_minor
        amount = requested if report.amount_minor is None else report.amount_minor
        session.limit_minor = amount
        session.apply(Event.APPROVED)
        add_receipt(session, {"maskedPan": session.masked_pan, **report.receipt})
        desk.note(session, f"approved {amount} as {report.session_id}")
        is_durable = desk.put(session)
        if session.state is State.STOPPING:
            session.reason = session.reason or "The approval came too late"
            self._closing.finish(session)
        elif not is_durable:
            self._charging.stop(session, "The session cannot be recorded")
        else:
            self._remember(session.card_id, session)
            self._charging.place(session, selected=self._take_start())

    def _whose(self, report: Approved) -> Session:
        """The session that an approval belongs to; a new one for a surplus."""
        if report.was_asked and self.intent is not None:
            session, self.intent = self.intent, None
            return session
        open_questions = self._desk.ledger.within(State.UNRESOLVED, State.LOST)
        if open_questions:
            return open_questions[-1]
        return self._desk.ledger.new(State.LOST, wall_ms=self._desk.wall_ms)

    def on_declined(self, *, is_certain: bool) -> Session | None:
        """The driver hears no more than this, whatever the reason (R-UI-05).

        The session, when an approval may still follow and can be looked for.
        """
        text = "Payment declined. Please ask your card issuer"
        can_look = self._desk.terminal.capabilities.can_list
        event = Event.DECLINED if is_certain or not can_look else Event.NO_ANSWER
        session = self._without_session(event, text, code="declined")
        return session if event is Event.NO_ANSWER else None

    def on_no_answer(self) -> Session | None:
        """Nobody knows whether money is held now; never taken for a refusal."""
        text = "Payment not possible at the moment"
        return self._without_session(Event.NO_ANSWER, text, code="unavailable")

    def _without_session(self, event: Event, text: str, *, code: str) -> Session | None:
        if (session := self._take_intent()) is not None:
            session.apply(event)
            self._desk.note(session, f"authorisation: {event}")
            self._desk.put(session)
            self._desk.show(text, code=code, kind="error")
        return session

    def _take_intent(self) -> Session | None:
        session, self.intent = self.intent, None
        return session

    # --- Buttons ----------------------------------------------------------------

    def on_press(self, line: Line) -> None:
        number = int(str(line["connector"]))
        if number not in self._charging.bays.by_number:
            return
        session = self._charging.session_at(self._charging.bays[number])
        match line["button"]:
            case "start":
                self._press_start(number, session)
            case _ if session is None:
                self._abort_unbound()
            case _ if session.state in (State.RESERVED, State.STARTING):
                # Before energy has flowed nobody can lose by it (R-NOS-03, S-C04).
                self._charging.stop(session, "Cancelled by the driver")
            case _ if "ui" in self._desk.settings.stop or self._is_ambiguous(session):
                self._press_stop(number)
            case _:
                text = "Tap your card or unplug to stop"
                self._desk.show(text, connector=number)

    def _is_ambiguous(self, session: Session) -> bool:
        """The same card charges twice: the button says which one it means."""
        same = [s for s in self._desk.ledger.live() if s.card_id == session.card_id]
        return len(same) > 1

    def _press_start(self, number: int, session: Session | None) -> None:
        desk = self._desk
        connector = self._charging.bays[number]
        if session is not None or not self._charging.bays.can_begin(connector):
            desk.show(_UNAVAILABLE, code="unavailable", kind="error", connector=number)
        elif not self._charging.choose_for_unbound(number):
            self._start_at = number
            desk.timers.set((For.START_PRESSED, 0), desk.now_ms + _PRESS_MS)
            desk.show("Tap your card", connector=number)

    def _press_stop(self, number: int) -> None:
        desk = self._desk
        self._stop_at = number
        desk.timers.set((For.STOP_PRESSED, 0), desk.now_ms + _PRESS_MS)
        desk.show("Tap the card that started this charge", connector=number)

    def _abort_unbound(self) -> None:
        """The driver gives up before or after the answer of the issuer."""
        unbound = self._charging.unbound()
        if self.intent is not None:
            self.intent.reason = "Cancelled by the driver"
            self.intent.apply(Event.STOP)
            self._desk.put(self.intent)
        elif len(unbound) == 1:
            self._charging.stop(unbound[0], "Cancelled by the driver")

    def _take_start(self) -> int:
        number, self._start_at = self._start_at, 0
        self._desk.timers.cancel((For.START_PRESSED, 0))
        return number

    def _forget_presses(self) -> None:
        self._start_at = self._stop_at = 0
        self._desk.timers.cancel((For.START_PRESSED, 0), (For.STOP_PRESSED, 0))

    def on_timer(self, what: For) -> None:
        """A press that no card has followed is forgotten."""
        if what is For.START_PRESSED:
            self._start_at = 0
        else:
            self._stop_at = 0
