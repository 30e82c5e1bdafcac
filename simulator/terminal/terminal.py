"""The virtual payment terminal: one device, two faces, one session store.

A machine (``wire.machine``): facts of people, lines and the issuer go in, bytes, HTTP
answers, callbacks, requests to the issuer and notes come out. PSP (``psp_face``) and
CPS (``cps_face``) are two views of the same reader, display and sessions; whoever
starts the reader owns it until the read is over.

Power: without it nothing is answered; with it the terminal needs ``boot_ms`` before PSP
is OFFLINE and answers, and before the cloud sees it online. Sessions, stored closes and
the cloud's account survive. The bench delivers every answer of the issuer, also while
the host link is down: what came down a dead line waits here for the line.

Clauses: psp.md, cps.md; what they leave open is ``Profile`` and ``Policy``.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from simulator.cards import CARDS
from simulator.events import (
    CardRemoved,
    CardTapped,
    CloudCalled,
    CloudHungUp,
    CloudLinkMoved,
    HostLinkMoved,
    IssuerAnswered,
    PspBytes,
    PspConnected,
    PspDisconnected,
    TerminalButtonPressed,
    TerminalPower,
)
from simulator.terminal.authorisations import Decision, Wish
from simulator.terminal.cps_face import CpsFace
from simulator.terminal.device import assemble
from simulator.terminal.display import OFF, STARTING, Screen
from simulator.terminal.impairments import Impairment
from simulator.terminal.outbox import TerminalAction
from simulator.terminal.psp_face import PspFace
from simulator.terminal.reader import PresentedCard
from simulator.terminal.sessions import Session
from simulator.terminal.settings import TerminalSettings
from wire.cps import TerminalInfo, TerminalState
from wire.machine import earliest
from wire.psp import State

TerminalEvent = (
    PspBytes
    | CardTapped
    | CardRemoved
    | TerminalButtonPressed
    | PspConnected
    | PspDisconnected
    | CloudCalled
    | CloudHungUp
    | TerminalPower
    | HostLinkMoved
    | CloudLinkMoved
    | IssuerAnswered
)
#: The button that ends PIN entry.
CANCEL_BUTTON: Final = "cancel"


class Terminal:
    """See the module's text. ``ids`` is the chance for identifiers, nothing else."""

    def __init__(
        self,
        settings: TerminalSettings,
        *,
        ids: random.Random,
        cards: Mapping[str, PresentedCard] = CARDS,
    ) -> None:
        self.settings = settings
        self._device = assemble(settings, cards, ids)
        self._psp = PspFace(self._device, self._restart)
        self._cps = CpsFace(self._device)
        self._device.authorisations.on_late = self._late
        self._is_on = True
        self._booted_at_ms: int | None = None
        self._is_cloud_linked = True
        self._now_ms = 0

    # --- For whoever looks on ---------------------------------------------------

    @property
    def sessions(self) -> Mapping[str, Session]:
        """All sessions by UUID, in the order in which they opened; read only."""
        return self._device.store

    def is_reading(self, face: Literal["psp", "cps"]) -> bool:
        """Whether it waits for a card, as PSP or as CPS sees it."""
        if face == "psp":
            return self.state is State.WAIT_CARD
        return self.info.state == TerminalState.READING

    @property
    def is_authorising(self) -> bool:
        """A driver enters a PIN, or the issuer is being asked."""
        return self._device.authorisations.is_busy

    @property
    def state(self) -> State:
        """The state that PSP shows."""
        return self._psp.state

    @property
    def info(self) -> TerminalInfo:
        """The terminal as the cloud shows it."""
        return self._cps.info()

    @property
    def online(self) -> bool:
        """Whether the cloud reaches the terminal."""
        return self._cps.is_online

    @property
    def is_running(self) -> bool:
        """Powered, and past its start."""
        return self._is_on and self._booted_at_ms is None

    @property
    def screen(self) -> Screen:
        """What the driver sees."""
        return self._device.display.visible

    # --- The machine ------------------------------------------------------------

    def handle(self, event: TerminalEvent, now_ms: int) -> Sequence[TerminalAction]:
        """Take one fact; return what follows from it."""
        self._now_ms = now_ms
        match event:
            case PspBytes():
                if self.is_running:
                    self._psp.received(event.data, now_ms)
            case PspConnected() | PspDisconnected():
                self._line(event, now_ms)
            case CloudCalled():
                self._cps.called(event, now_ms)
            case CloudHungUp():
                self._cps.hung_up(event.call)
            case IssuerAnswered():
                self._device.host.answered(event, now_ms)
            case CardTapped() | CardRemoved() | TerminalButtonPressed():
                if self.is_running:
                    self._person(event, now_ms)
            case TerminalPower() | HostLinkMoved() | CloudLinkMoved():
                self._moved(event, now_ms)
        return self._device.out.take()

    def deadline_ms(self) -> int | None:
        device = self._device
        if device.out.is_waiting:
            return self._now_ms
        return earliest(
            self._psp.deadline_ms(),
            device.reader.deadline_ms(),
            device.authorisations.deadline_ms(),
            device.closings.deadline_ms(),
            device.display.deadline_ms(),
            self._cps.deadline_ms(),
            self._booted_at_ms,
            device.store.next_expiry_ms() if self.is_running else None,
        )

    def on_deadline(self, now_ms: int) -> Sequence[TerminalAction]:
        """Do everything that is due; called again at once if there is more."""
        self._now_ms = now_ms
        device = self._device
        if self._booted_at_ms is not None and self._booted_at_ms <= now_ms:
            self._booted(now_ms)
        device.reader.on_deadline(now_ms)
        device.authorisations.on_deadline(now_ms)
        device.closings.on_deadline(now_ms)
        device.display.on_deadline(now_ms)
        self._psp.on_deadline(now_ms)
        self._cps.on_deadline(now_ms)
        if self.is_running:
            self._expire(now_ms)
        return device.out.take()

    # --- Faults -----------------------------------------------------------------

    def impair(self, impairment: Impairment) -> None:
        """Put a fault in; it may concern a read that goes on already."""
        self._device.faults.add(impairment)
        self._device.reader.impaired(self._now_ms)

    def heal(self, fault: str) -> bool:
        """Take a fault out; False when it can no longer hit."""
        return self._device.faults.heal(fault)

    def limit_sessions(self, life_s: int, action: Literal["commit", "void"]) -> None:
        """End sessions by itself after ``life_s`` seconds, whatever Setup says."""
        self._device.store.limit_life(life_s * 1000, action)

    def unlimit_sessions(self) -> None:
        self._device.store.unlimit_life()

    def open_old_sessions(
        self, count: int, *, card: str = "visa", amount_minor: int = 5000
    ) -> None:
        """Remember sessions of an earlier life, each with a hold at the issuer.

        They are authorised without a host, so they open when the issuer answers.
        """
        wish = Wish(
            face="psp",
            card=self._device.cards[card],
            card_id=self._device.cards[card].card_id,
            amount_minor=amount_minor,
            then=_nobody_waits,
            expiry=lambda now_ms: None,
            connection=-1,
        )
        for _ in range(count):
            self._device.authorisations.open_unasked(wish)

    def replace_api_key(self, api_key: str) -> None:
        """Another API key is valid from now on, and only that."""
        self._cps.account.replace_key(api_key)

    def forget_callbacks(self) -> None:
        """The cloud loses the callback addresses of the reads and screens."""
        self._cps.forget_callbacks()

    def reboot(self) -> None:
        """Restart by itself."""
        self._restart(self._now_ms)

    def fall_back(self, *, online: bool) -> None:
        """Lose the set-up of the PSP line and say nothing; sessions stay."""
        self._psp.fall_back(online=online)

    def speak_extended(self) -> bool:
        """Extended blocks from now on; False for a family that has none."""
        return self._psp.speak_extended()

    # --- Inside -----------------------------------------------------------------

    def _line(self, event: PspConnected | PspDisconnected, now_ms: int) -> None:
        if isinstance(event, PspDisconnected):
            self._psp.disconnected()
        elif self.is_running:
            self._psp.connected(now_ms)
        else:
            self._psp.turn_away(now_ms)

    def _person(
        self, event: CardTapped | CardRemoved | TerminalButtonPressed, now_ms: int
    ) -> None:
        match event:
            case CardTapped():
                self._device.reader.tap(self._card(event.card), now_ms)
            case CardRemoved():
                self._device.reader.remove()
            case TerminalButtonPressed():
                self._pressed(event.button, now_ms)

    def _card(self, name: str) -> PresentedCard:
        card = self._device.cards.get(name)
        if card is None:
            names = ", ".join(self._device.cards)
            raise LookupError(f"card: found {name!r}, allowed {names}")
        return card

    def _pressed(self, button: str, now_ms: int) -> None:
        screen = self.screen
        if button == CANCEL_BUTTON and self._device.authorisations.is_asking_pin:
            self._device.authorisations.cancel_pin(now_ms)
        elif button in screen.buttons:
            if screen.face == "psp":
                self._psp.pressed(button, now_ms)
            else:
                self._cps.pressed(button, screen.screen_id)

    def _moved(
        self, event: TerminalPower | HostLinkMoved | CloudLinkMoved, now_ms: int
    ) -> None:
        match event:
            case TerminalPower(on=True):
                self._power_on(now_ms)
            case TerminalPower():
                self._power_off(now_ms)
            case HostLinkMoved():
                self._host_moved(up=event.up, now_ms=now_ms)
            case CloudLinkMoved():
                self._is_cloud_linked = event.up
                self._tell_online(now_ms)

    def _host_moved(self, *, up: bool, now_ms: int) -> None:
        device = self._device
        device.host.is_up = up
        if up:
            device.host.catch_up(now_ms)
            device.closings.forward_stored()
        else:
            device.authorisations.line_lost(now_ms)
            device.closings.line_lost(now_ms)

    def _tell_online(self, now_ms: int) -> None:
        online = self.is_running and self._is_cloud_linked
        self._cps.online_moved(online=online, now_ms=now_ms)
        if online:
            self._device.closings.forward_stored()

    def _restart(self, now_ms: int) -> None:
        if self._is_on:
            self._psp.rebooting()
            self._power_off(now_ms)
            self._power_on(now_ms)

    def _power_off(self, now_ms: int) -> None:
        if not self._is_on:
            return
        device = self._device
        self._is_on = False
        self._booted_at_ms = None
        device.host.is_powered = False
        self._psp.power_lost()
        self._tell_online(now_ms)
        self._cps.forget_callbacks()
        device.authorisations.abandon()
        device.closings.power_lost()
        device.reader.stop()
        device.display.device(OFF)

    def _power_on(self, now_ms: int) -> None:
        if self._is_on:
            return
        self._is_on = True
        self._booted_at_ms = now_ms + self.settings.boot_ms
        self._device.display.device(STARTING)

    def _booted(self, now_ms: int) -> None:
        device = self._device
        self._booted_at_ms = None
        device.host.is_powered = True
        device.display.device(None)
        device.host.catch_up(now_ms)
        device.closings.forward_stored()
        self._tell_online(now_ms)

    def _late(self, wish: Wish, decision: Decision, now_ms: int) -> None:
        if wish.face == "psp":
            self._psp.late(wish, decision, now_ms)
        else:
            self._cps.late(decision)

    def _expire(self, now_ms: int) -> None:
        next_ms = self._device.store.next_expiry_ms()
        if next_ms is None or next_ms > now_ms:
            return
        for session in self._device.store.expired(now_ms):
            self._device.closings.expire(session, now_ms)


def _nobody_waits(decision: Decision, now_ms: int) -> None:
    """An old session's host is long gone."""
