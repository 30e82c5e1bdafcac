"""Reading and authorising a card over PSP: Start Session, Read Card, Auth, Cancel.

The client of the reader on this side. Order of events and answers, what is sent when a
read ends by itself, and which tags a card answers are readings of the profile (psp.md
9, A9 to A12, A26; C9). Tags whose content nobody knows are never answered.
"""

from collections.abc import Callable
from typing import Final

from simulator.terminal.authorisations import Decision, Verdict, Wish
from simulator.terminal.device import Device
from simulator.terminal.psp_sessions import OK, Answer, PspSessions
from simulator.terminal.psp_talk import Talk
from simulator.terminal.psp_transitions import Happening, Phase
from simulator.terminal.reader import Order, PresentedCard, ReaderState
from simulator.terminal.sessions import Expiry, Session
from wire.psp import (
    CARD_HASH_TAG,
    DEFAULT_TAGS,
    MASKED_PAN_TAG,
    TWO_DEFAULT_TAGS,
    Message,
    Name,
    PaymentMethod,
    Reason,
    TransactionEvent,
    message,
)

_HOST_CODE: Final = 0xDFCA02
_HOST_REFERENCE: Final = 0xDFCA03
_ITEM_REFERENCE: Final = 0xDFCA09
_ALL_METHODS: Final = (0x00, 0xFF)
_CANCELLED: Final = message(Name.SESSION_CANCELLED)
_ANSWERS: Final = {
    Verdict.APPROVED: Name.SESSION_APPROVED,
    Verdict.PARTIAL: Name.SESSION_PARTIALLY_APPROVED,
}

Tags = tuple[tuple[int, bytes], ...]


class PspReads:
    """The card flow of one conversation."""

    def __init__(
        self,
        device: Device,
        talk: Talk,
        *,
        sessions: PspSessions,
        expiry: Callable[[int], Expiry | None],
    ) -> None:
        self._device = device
        self._profile = device.settings.psp_profile
        self._talk = talk
        self._sessions = sessions
        self._expiry = expiry
        self._request = message(Name.CANCEL_SESSION)
        #: Told when an authorisation is over: requests may have waited for it.
        self.on_decided: Callable[[int], None] = lambda now_ms: None

    # --- What the host asks -----------------------------------------------------

    def start(self, request: Message, now_ms: int) -> Answer:
        """Start Session or Read Card; answered by the card."""
        if self._device.reader.state is not ReaderState.IDLE:
            # The cloud has started it: one reader, one owner.
            return Reason.INVALID_APPLICATION_STATE
        refuses_twice = self._profile.duplicate_reference == "refuse"
        reference = request.number("reference", 0)
        if refuses_twice and self._sessions.has_reference(reference):
            return Reason.DUPLICATE_SESSION_ID
        self._request = request
        self._talk.move(request.name)
        if self._profile.start_session_ack == "result_ok":
            self._talk.say(OK, request.name, now_ms)
        self._talk.event(TransactionEvent.STARTED, now_ms)
        self._device.reader.start(self._order(request), now_ms)
        return None

    def _order(self, request: Message) -> Order:
        methods = request.number("payment_methods", 0)
        text = request.text("present_card_message", "")
        return Order(
            face="psp",
            client=self,
            amount_minor=request.number("amount_minor", 0),
            is_payment=request.name is Name.START_SESSION,
            accepts_emv=methods in _ALL_METHODS or bool(methods & PaymentMethod.EMV),
            hides_amount=request.number("hide_amount", 0) != 0,
            text=text,
            detect_ms=self._device.settings.card_detect_ms,
        )

    def authorise(self, request: Message, now_ms: int) -> Answer:
        """Auth Session: ask the bank for the amount of Start Session."""
        reader = self._device.reader
        card, order = reader.card, reader.order
        assert card is not None
        assert order is not None
        if card.kind != "emv":
            return Reason.UNKNOWN_CARD
        if not order.is_payment:
            return Reason.INVALID_APPLICATION_STATE
        self._talk.move(request.name)
        reader.authorising()
        self._device.authorisations.authorise(self._wish(card, order), now_ms)
        self._device.show_authorising()
        return None

    def _wish(self, card: PresentedCard, order: Order) -> Wish:
        return Wish(
            face="psp",
            card=card,
            card_id=card.card_id,
            amount_minor=order.amount_minor,
            then=self._decided,
            expiry=self._expiry,
            reference=self._request.number("reference", 0),
            connection=self._talk.line.connection,
        )

    def cancel(self) -> Answer:
        """Cancel Session: drop the read or the card."""
        self._device.reader.stop()
        return _CANCELLED

    def abandon(self) -> None:
        """The host starts anew or is gone: no read goes on, an approval is late."""
        if self._talk.phase is Phase.AUTHORISING:
            self._device.authorisations.abandon()
        order = self._device.reader.order
        if order is not None and order.face == "psp":
            self._device.reader.stop()

    # --- What the issuer says ---------------------------------------------------

    def _decided(self, decision: Decision, now_ms: int) -> None:
        self._device.show_decision(decision, now_ms)
        self._device.reader.stop()
        self._talk.move(Happening.DECIDED)
        is_before = self._profile.complete_event == "before_answer"
        if is_before:
            self._talk.event(TransactionEvent.COMPLETE, now_ms)
        self._talk.say(self._outcome(decision), Name.AUTH_SESSION, now_ms)
        if not is_before:
            self._talk.event(TransactionEvent.COMPLETE, now_ms)
        self.on_decided(now_ms)

    def late(self, wish: Wish, decision: Decision, now_ms: int) -> None:
        """An approval nobody waits for; told on the connection that asked, or never."""
        if wish.connection == self._talk.line.connection:
            self._talk.say(self._outcome(decision), None, now_ms)

    def _outcome(self, decision: Decision) -> Message:
        session = decision.session
        if session is None:
            if decision.verdict is Verdict.CANCELLED:
                return _CANCELLED
            return message(Name.SESSION_DECLINED, reason=decision.reason)
        return message(
            _ANSWERS[decision.verdict],
            session_id=session.psp_session_id,
            amount_minor=session.authorised_minor
            if decision.verdict is Verdict.PARTIAL
            else None,
            data=self._auth_tags(session),
        )

    # --- What the reader tells --------------------------------------------------

    def reading_began(self, now_ms: int) -> None:
        """PSP has said so before: Start Session is accepted when the reader scans."""

    def reading_card(self, now_ms: int) -> None:
        self._talk.event(TransactionEvent.READING_CARD, now_ms)

    def card_read(self, card: PresentedCard, now_ms: int) -> None:
        self._talk.move(Happening.CARD_READ)
        is_first = self._profile.event_order == "events_first"
        if is_first:
            self._talk.event(TransactionEvent.CARD_READ_COMPLETE, now_ms)
        self._talk.say(self._card(card), self._request.name, now_ms)
        if not is_first:
            self._talk.event(TransactionEvent.CARD_READ_COMPLETE, now_ms)

    def read_expired(self, now_ms: int) -> None:
        self._talk.move(Happening.READ_EXPIRED)
        self._ended(self._profile.card_detect_expiry, now_ms)

    def card_dropped(self, now_ms: int) -> None:
        self._talk.move(Happening.CARD_DROPPED)
        self._ended(self._profile.wait_auth_expiry, now_ms)

    def read_lost(self, now_ms: int) -> None:
        self._talk.move(Happening.READ_LOST)
        self._talk.line.touch(now_ms)

    def _ended(self, reading: str, now_ms: int) -> None:
        if reading == "silent":
            self._talk.line.touch(now_ms)
        else:
            self._talk.say(_CANCELLED, self._request.name, now_ms)

    # --- Tags -------------------------------------------------------------------

    def _card(self, card: PresentedCard) -> Message:
        is_payment = card.kind == "emv"
        is_proprietary = (
            not is_payment and self._device.settings.traits.has_proprietary_read
        )
        known = {
            # The UID of a card that is no payment card. ASSUMPTION.
            CARD_HASH_TAG: card.card_id if is_payment else card.uid,
            MASKED_PAN_TAG: card.masked_pan if is_payment else "",
            _ITEM_REFERENCE: self._request.text("reference_text", ""),
        }
        two = self._profile.card_read_default_tags == "two"
        return message(
            Name.PROPRIETARY_CARD_READ if is_proprietary else Name.CARD_READ,
            data=self._tags(known, TWO_DEFAULT_TAGS if two else DEFAULT_TAGS),
        )

    def _auth_tags(self, session: Session) -> Tags:
        known = {
            CARD_HASH_TAG: session.card_id,
            MASKED_PAN_TAG: session.masked_pan,
            _ITEM_REFERENCE: self._request.text("reference_text", ""),
            _HOST_REFERENCE: session.host_reference,
            _HOST_CODE: "00",
        }
        return self._tags(known, DEFAULT_TAGS)

    def _tags(self, known: dict[int, str], default: tuple[int, ...]) -> Tags:
        wanted = self._request.numbers("dol") or default
        return tuple(
            (tag, known[tag].encode("utf-8")) for tag in wanted if known.get(tag)
        )
