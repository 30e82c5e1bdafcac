"""The card reader: one reader, which either face may start and the other then may not.

The reader knows cards and time, not protocols. Whoever starts it is its client until
the read is over and is told what happens: a card comes near, was read, was taken away
too early, nobody came in time, the card that was read has been dropped after 30 s.

Clauses: psp.md 3.2, 8 (card-detect time-out), requirements.md 3.2 (card kept 30 s).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol

from simulator.terminal.display import Display, money
from simulator.terminal.impairments import Impairments, Kind
from simulator.terminal.sessions import Face
from simulator.terminal.settings import TerminalSettings
from wire.machine import earliest
from wire.psp import CARD_KEPT_MS

#: After this share of ``read_ms`` a card that is pulled away early is gone.
_EARLY: Final = 2


class PresentedCard(Protocol):
    """What the terminal needs of a test card (``simulator.cards``)."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["emv", "rfid"]: ...
    @property
    def card_id(self) -> str: ...
    @property
    def masked_pan(self) -> str: ...
    @property
    def pin_ms(self) -> int: ...
    @property
    def removed_early(self) -> bool: ...
    @property
    def uid(self) -> str: ...


class ReaderClient(Protocol):
    """The face that has started the reader."""

    def reading_began(self, now_ms: int) -> None:
        """The reader scans now."""

    def reading_card(self, now_ms: int) -> None:
        """A card has come near; it is not read yet."""

    def card_read(self, card: PresentedCard, now_ms: int) -> None:
        """The card has been read and is kept for 30 s."""

    def read_expired(self, now_ms: int) -> None:
        """Nobody presented a card in time; the reader is idle again."""

    def card_dropped(self, now_ms: int) -> None:
        """The 30 s have passed; the reader is idle again."""

    def read_lost(self, now_ms: int) -> None:
        """The reader has stopped by a fault; the host must not be told."""


class ReaderState(StrEnum):
    """What the reader does."""

    IDLE = "idle"
    STARTING = "starting"
    WAITING = "waiting"
    HOLDING = "holding"
    AUTHORISING = "authorising"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One request to read a card."""

    face: Face
    client: ReaderClient
    amount_minor: int
    #: False: read only, the amount means nothing and cannot be authorised.
    is_payment: bool = True
    accepts_emv: bool = True
    hides_amount: bool = False
    #: What the driver is asked; empty: the terminal's own words.
    text: str = ""
    #: Life of the read; None: it never ends.
    detect_ms: int | None = None
    #: From the order until the reader scans.
    delay_ms: int = 0
    #: How long a card that was read waits for its authorisation.
    keep_ms: int = CARD_KEPT_MS


class Reader:
    """The reader's state and its timers."""

    def __init__(
        self, settings: TerminalSettings, display: Display, faults: Impairments
    ) -> None:
        self._settings = settings
        self._display = display
        self._faults = faults
        self.state = ReaderState.IDLE
        self.order: Order | None = None
        self.card: PresentedCard | None = None
        self._near: PresentedCard | None = None
        self._begins_at_ms: int | None = None
        self._read_at_ms: int | None = None
        self._expires_at_ms: int | None = None
        self._dropped_at_ms: int | None = None
        self._stalls_at_ms: int | None = None

    # --- What a face may ask ----------------------------------------------------

    def start(self, order: Order, now_ms: int) -> bool:
        """Begin to read; False when the reader is busy with somebody else's read."""
        if self.state is not ReaderState.IDLE:
            return False
        self._clear()
        self.state = ReaderState.STARTING
        self.order = order
        if order.delay_ms:
            self._begins_at_ms = now_ms + order.delay_ms
        else:
            self._begin(now_ms)
        return True

    def stop(self) -> None:
        """End whatever goes on; nobody is told."""
        if self.state is not ReaderState.IDLE:
            self._clear()
            self._display.release()

    def authorising(self) -> None:
        """The card in hand is being authorised: it is no longer dropped."""
        self.state = ReaderState.AUTHORISING
        self._dropped_at_ms = None

    # --- What people do ---------------------------------------------------------

    def tap(self, card: PresentedCard, now_ms: int) -> None:
        """A card is held to the reader; nothing happens unless it is scanning."""
        if self.state is not ReaderState.WAITING or self._near is not None:
            return
        assert self.order is not None
        self._near = card
        wait = self._settings.read_ms
        self._read_at_ms = now_ms + (wait // _EARLY if card.removed_early else wait)
        self._display.flow("reading", "Keep the card at the reader")
        self.order.client.reading_card(now_ms)

    def remove(self) -> None:
        """The card leaves; if it has not been read yet, scanning goes on."""
        if self._near is not None:
            self._turn_away("Card removed too early, please try again")

    def impaired(self, now_ms: int) -> None:
        """A fault was put in: it may concern a read that goes on already."""
        if self.state is ReaderState.WAITING:
            self._impair(now_ms)

    # --- Time -------------------------------------------------------------------

    def deadline_ms(self) -> int | None:
        if self.state is ReaderState.IDLE:
            return None
        # A card that is being read is read to the end, even past the read's life.
        return earliest(
            self._begins_at_ms,
            self._read_at_ms,
            self._expires_at_ms if self._near is None else None,
            self._dropped_at_ms,
            self._stalls_at_ms,
        )

    def on_deadline(self, now_ms: int) -> None:
        if _due(self._begins_at_ms, now_ms):
            self._begin(now_ms)
        elif _due(self._read_at_ms, now_ms):
            self._finish_read(now_ms)
        elif _due(self._dropped_at_ms, now_ms):
            self._end(now_ms).card_dropped(now_ms)
        elif _due(self._stalls_at_ms, now_ms):
            self._end(now_ms).read_lost(now_ms)
        elif _due(self._expires_at_ms, now_ms) and self._near is None:
            self._end(now_ms).read_expired(now_ms)

    # --- Inside -----------------------------------------------------------------

    def _begin(self, now_ms: int) -> None:
        order = self.order
        assert order is not None
        self.state = ReaderState.WAITING
        self._begins_at_ms = None
        if order.detect_ms is not None:
            self._expires_at_ms = now_ms + order.detect_ms
        self._impair(now_ms)
        self._ask_for_card()
        order.client.reading_began(now_ms)

    def _finish_read(self, now_ms: int) -> None:
        card, order = self._near, self.order
        assert card is not None
        assert order is not None
        if card.removed_early:
            self._turn_away("Card removed too early, please try again")
        elif not self._accepts(card, order):
            self._turn_away("Not accepted")
        else:
            self._clear()
            self.state, self.order, self.card = ReaderState.HOLDING, order, card
            self._dropped_at_ms = now_ms + order.keep_ms
            self._display.flow("card_read", "Please wait")
            order.client.card_read(card, now_ms)

    def _accepts(self, card: PresentedCard, order: Order) -> bool:
        if card.kind == "rfid":
            return not self._settings.refuses_rfid
        return order.accepts_emv

    def _turn_away(self, text: str) -> None:
        self._near = self._read_at_ms = None
        self._display.flow("not_read", text)

    def _ask_for_card(self) -> None:
        order = self.order
        assert order is not None
        words = [order.text or "Present card"]
        if order.is_payment and not order.hides_amount:
            words.append(money(order.amount_minor, self._settings.currency))
        self._display.flow("present_card", " ".join(words))

    def _impair(self, now_ms: int) -> None:
        if (fault := self._faults.hit(Kind.STOP_READING)) is not None:
            self._stalls_at_ms = now_ms + fault.delay_ms
        if (fault := self._faults.hit(Kind.READ_TIMEOUT)) is not None:
            self._expires_at_ms = now_ms + fault.delay_ms

    def _end(self, now_ms: int) -> ReaderClient:
        assert self.order is not None
        client = self.order.client
        self.stop()
        return client

    def _clear(self) -> None:
        self.state = ReaderState.IDLE
        self.order = self.card = self._near = None
        self._begins_at_ms = self._read_at_ms = self._expires_at_ms = None
        self._dropped_at_ms = self._stalls_at_ms = None


def _due(time_ms: int | None, now_ms: int) -> bool:
    return time_ms is not None and time_ms <= now_ms
