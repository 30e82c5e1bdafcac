"""Reading and authorising a card over CPS: start, card, stop, authorize (E3 to E6).

The client of the reader on this side. A success of start means accepted; the terminal
reads ``reading_delay_ms`` later (cps.md 3). A card that was read goes to the callback
of start and to every long poll that waits; reading it does not consume it. Authorize is
answered when the issuer has decided, or as offline when the line to the terminal
breaks; an approval that comes after that is late.
"""

from collections.abc import Callable
from typing import Final

from simulator.terminal.authorisations import Decision, Wish
from simulator.terminal.cps_answers import Answers, cps_card_id
from simulator.terminal.cps_desk import Ask, Desk
from simulator.terminal.cps_standing import Standing
from simulator.terminal.cps_transitions import CpsEvent, CpsState
from simulator.terminal.device import Device
from simulator.terminal.reader import Order, PresentedCard, ReaderState
from simulator.terminal.sessions import Expiry, Session
from wire.cps import Call, ErrorText, Response, SessionNotification, json_response

#: Long polls that may wait at the same time.
MAX_POLLS: Final = 32
#: How long a text of the controller stays when it does not say. ASSUMPTION.
MESSAGE_S: Final = 5
_HOUR_MS: Final = 3_600_000
_READS: Final = (CpsState.STARTING, CpsState.READING, CpsState.CARD)


class CpsReads:
    """The card flow of one terminal in the cloud."""

    def __init__(
        self, device: Device, standing: Standing, *, answers: Answers, desk: Desk
    ) -> None:
        self._device = device
        self._policy = device.settings.cps_policy
        self._standing = standing
        self._answers = answers
        self._desk = desk
        self._card_url = ""
        self._polls: list[tuple[int, Ask]] = []
        self._authorising: Ask | None = None

    # --- Start, card, stop ------------------------------------------------------

    def start(self, call: Call, now_ms: int) -> Response:
        """E3."""
        if self._standing.state in _READS and self._policy.start_busy == "restart":
            self._end(now_ms)
        refusal = self._standing.refusal(CpsEvent.START, now_ms)
        if refusal is not None:
            return refusal
        if self._device.reader.state is not ReaderState.IDLE:
            return self._answers.error(409, ErrorText.TERMINAL_BUSY, now_ms)
        self._standing.move(CpsEvent.START)
        self._card_url = call.text("callbackUrl")
        self._device.reader.start(self._order(call), now_ms)
        return self._answers.accepted()

    def _order(self, call: Call) -> Order:
        words = (call.text("uiMessageTitle"), call.text("uiMessage"))
        methods = call.lines("supportedPaymentMethods")
        seconds = self._policy.read_timeout_s
        amount = call.number("authorizedAmount")
        return Order(
            face="cps",
            client=self,
            amount_minor=amount,
            is_payment=amount > 0,
            accepts_emv=not methods or "EMV" in methods,
            hides_amount=call.params.get("hideAmount") is True,
            text=" | ".join(word for word in words if word),
            detect_ms=seconds * 1000 if seconds else None,
            delay_ms=self._policy.reading_delay_ms,
            keep_ms=self._policy.card_timeout_s * 1000,
        )

    def card(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        """E4; None: a long poll, answered by a card, by its end or by the read's."""
        card = self._card()
        if card is not None:
            return self._card_answer(card)
        seconds = min(call.number("waitTime"), self._policy.wait_max_s)
        if seconds and self._standing.is_online and len(self._polls) < MAX_POLLS:
            self._polls.append((now_ms + seconds * 1000, ask))
            return None
        return self._no_card(now_ms)

    def hung_up(self, call: int) -> None:
        """A long poll has nobody at its other end any more."""
        self._polls = [poll for poll in self._polls if poll[1].call != call]

    def stop(self, call: Call, now_ms: int) -> Response:
        """E5: end the read or drop the card; sessions stay."""
        refusal = self._standing.refusal(CpsEvent.STOP, now_ms)
        if refusal is not None:
            return refusal
        is_idle = self._standing.state is CpsState.IDLE
        if is_idle and self._policy.stop_idle == 409:
            return self._answers.error(409, "Terminal is idle", now_ms)
        self._end(now_ms)
        self.show(call, now_ms)
        if self._policy.stop_body == "session":
            return json_response(200, {"state": "CANCELLED"})
        return self._answers.accepted()

    def _end(self, now_ms: int) -> None:
        if self._owns_reader():
            self._device.reader.stop()
        self._standing.move(CpsEvent.STOP)
        self._answer_polls(lambda: self._no_card(now_ms), now_ms)

    # --- Authorize --------------------------------------------------------------

    def authorize(self, ask: Ask, call: Call, now_ms: int) -> Response | None:
        """E6; None: answered when the issuer has decided."""
        refusal = self._standing.refusal(CpsEvent.AUTHORIZE, now_ms)
        if refusal is not None:
            return refusal
        card, order = self._device.reader.card, self._device.reader.order
        assert card is not None
        assert order is not None
        refusal = self._unfit(card, now_ms)
        if refusal is not None:
            return refusal
        self._standing.move(CpsEvent.AUTHORIZE)
        self._authorising = ask
        self._device.reader.authorising()
        wish = Wish(
            face="cps",
            card=card,
            card_id=cps_card_id(card),
            amount_minor=order.amount_minor,
            then=lambda decision, at_ms: self._decided(ask, call, decision, at_ms),
            expiry=self._expiry,
        )
        self._device.authorisations.authorise(wish, now_ms)
        self._device.show_authorising()
        return None

    def _unfit(self, card: PresentedCard, now_ms: int) -> Response | None:
        policy = self._policy
        if card.kind != "emv":
            return self._answers.error(
                policy.not_authorisable, ErrorText.NOT_AUTHORISABLE, now_ms
            )
        if policy.same_card_open == "409" and self._open_sessions(card):
            return self._answers.error(409, ErrorText.CARD_IN_USE, now_ms)
        return None

    def _decided(self, ask: Ask, call: Call, decision: Decision, now_ms: int) -> None:
        self._authorising = None
        self._device.show_decision(decision, now_ms)
        self.show(call, now_ms)
        self._device.reader.stop()
        self._standing.move(CpsEvent.DECIDED)
        if decision.session is None:
            response = self._answers.declined(now_ms)
        else:
            response = self._answers.session_ok(decision.session)
            self._notify(decision.session)
        self._desk.reply(ask, response, now_ms)

    def late(self, decision: Decision) -> None:
        """A session that no call waits for any more: E7 and E8 show it."""
        if decision.session is not None:
            self._notify(decision.session)

    def _notify(self, session: Session) -> None:
        if self._policy.session_notification == "on":
            body = SessionNotification(session=self._answers.session(session))
            self._desk.post("session", self._card_url, body.to_json())

    def _expiry(self, now_ms: int) -> Expiry | None:
        hours = self._policy.session_expiry_h
        if not hours:
            return None
        return Expiry(at_ms=now_ms + hours * _HOUR_MS, action="void")

    # --- What the reader tells --------------------------------------------------

    def reading_began(self, now_ms: int) -> None:
        self._standing.move(CpsEvent.READING_BEGAN)

    def reading_card(self, now_ms: int) -> None:
        """CPS shows nothing of a read before it is complete."""

    def card_read(self, card: PresentedCard, now_ms: int) -> None:
        self._standing.move(CpsEvent.CARD_READ)
        body = self._answers.card_callback(card, self._open_sessions(card))
        self._desk.post("card", self._card_url, body)
        self._answer_polls(lambda: self._card_answer(card), now_ms)

    def read_expired(self, now_ms: int) -> None:
        self._standing.move(CpsEvent.READ_EXPIRED)

    def card_dropped(self, now_ms: int) -> None:
        self._standing.move(CpsEvent.CARD_DROPPED)

    def read_lost(self, now_ms: int) -> None:
        self._standing.move(CpsEvent.READ_EXPIRED)

    def line_lost(self, now_ms: int) -> None:
        """The cloud has lost the terminal: no read, no card, no answer to authorize."""
        if self._owns_reader():
            self._device.reader.stop()
        self._answer_polls(lambda: self._no_card(now_ms), now_ms)
        ask, self._authorising = self._authorising, None
        if ask is not None:
            self._device.authorisations.abandon()
            self._desk.reply(ask, self._standing.offline(now_ms), now_ms)

    def forget_callback(self) -> None:
        self._card_url = ""

    # --- Inside -----------------------------------------------------------------

    def show(self, call: Call, now_ms: int) -> None:
        """``uiMessage``: shown for a while once the payment flow leaves the display."""
        if message := call.text("uiMessage"):
            seconds = call.number("uiMessageTimeout") or MESSAGE_S
            self._device.display.passing(
                "message", message, now_ms=now_ms, for_ms=seconds * 1000
            )

    def _owns_reader(self) -> bool:
        order = self._device.reader.order
        return order is not None and order.face == "cps"

    def _card(self) -> PresentedCard | None:
        return self._device.reader.card if self._owns_reader() else None

    def _card_answer(self, card: PresentedCard) -> Response:
        answer = self._answers.card(card, self._open_sessions(card))
        return json_response(200, answer.to_json())

    def _no_card(self, now_ms: int) -> Response:
        return self._answers.error(self._policy.no_card, ErrorText.NO_CARD, now_ms)

    def _open_sessions(self, card: PresentedCard) -> list[Session]:
        return self._device.store.open_of_card(cps_card_id(card))

    def _answer_polls(self, response: Callable[[], Response], now_ms: int) -> None:
        polls, self._polls = self._polls, []
        for _, ask in polls:
            self._desk.reply(ask, response(), now_ms)

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        if not self._polls:
            return None
        return min(at_ms for at_ms, _ in self._polls)

    def on_deadline(self, now_ms: int) -> None:
        due = [ask for at_ms, ask in self._polls if at_ms <= now_ms]
        self._polls = [poll for poll in self._polls if poll[0] > now_ms]
        for ask in due:
            self._desk.reply(ask, self._no_card(now_ms), now_ms)
