"""Mistakes on the charger's side: whose card, whose window, which bound, after a death.

Each exchanges one part of the reference controller for one that is wrong about just
that; the table of ``charger_table.py`` says what it does and what catches it.
"""

from dataclasses import replace
from typing import Any

from controller_ref.charger_facts import ChargerFacts
from controller_ref.charging import Charging
from controller_ref.closing import Closing
from controller_ref.core import build as build_reference
from controller_ref.desk import Desk
from controller_ref.port import CardRead
from controller_ref.reception import Reception
from controller_ref.session import Session
from controller_ref.settings import MAX_AMOUNT_MINOR
from controller_ref.timers import For
from controller_ref.transitions import State
from wire.machine import Controller, Place


class _ForgetsCards(ChargerFacts):
    """Keeps sessions over a death, but not by which card they were started."""

    def resume(self) -> None:
        super().resume()
        for session in self._desk.ledger.live():
            session.card_id = ""


class _ForgetsBounds(ChargerFacts):
    """Keeps sessions over a death, but not how much is held for them."""

    def resume(self) -> None:
        super().resume()
        for session in self._desk.ledger.live():
            session.limit_minor = MAX_AMOUNT_MINOR


class _WaitsAnew(ChargerFacts):
    """Does not keep when the charger was lost: a death begins the window again."""

    def resume(self) -> None:
        for session in self._desk.ledger.live():
            session.lost_wall_ms = 0
        super().resume()


class _NothingIsTheSame(Reception):
    """Compares hashes also where there is none: two cards without one are the same."""

    def _decide(self, card: CardRead) -> Any:
        live = self._desk.ledger.live()
        nameless = [session for session in live if not session.card_id]
        if nameless and not card.card_id:
            return self._decide_running(nameless)
        return super()._decide(card)


class _LastCard(Reception):
    """Notes the card that it has turned away as that of the running charge."""

    def _decide_start(self, card: CardRead) -> Any:
        decision = super()._decide_start(card)
        if not decision.is_start:
            for session in self._desk.ledger.within(State.CHARGING):
                session.card_id = card.card_id
        return decision


class _OneWindow(Charging):
    """Has one timer for the plug of a driver who has paid, and not one for each."""

    def place(self, session: Session, *, selected: int) -> None:
        for other in self._desk.ledger.live():
            self._desk.timers.cancel((For.PLUG_IN, other.key))
        super().place(session, selected=selected)


class _FeeForNothing(Closing):
    """Adds fixed parts and minimum without a look at whether energy was delivered."""

    def finish(self, session: Session) -> None:
        energy_wh = session.energy_wh
        # One Wh costs nothing by itself, and makes a charge of what was none.
        session.energy_wh = energy_wh or 1
        super().finish(session)
        session.energy_wh = energy_wh


class _Timeless:
    """A desk whose tariff has no price for time."""

    def __init__(self, desk: Desk) -> None:
        tariff = replace(desk.settings.tariff, per_minute=0)
        self._desk = desk
        self.settings = replace(desk.settings, tariff=tariff)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)


def _part(place: Place, name: str, part: type) -> Controller:
    """The reference controller with one part exchanged."""
    core = build_reference(place)
    getattr(core, name).__class__ = part
    return core


def forgets_the_card(place: Place) -> Controller:
    return _part(place, "_facts", _ForgetsCards)


def forgets_the_bound(place: Place) -> Controller:
    return _part(place, "_facts", _ForgetsBounds)


def waits_anew_for_the_charger(place: Place) -> Controller:
    return _part(place, "_facts", _WaitsAnew)


def takes_nothing_for_the_same(place: Place) -> Controller:
    return _part(place, "_reception", _NothingIsTheSame)


def notes_the_last_card(place: Place) -> Controller:
    return _part(place, "_reception", _LastCard)


def has_one_plug_in_window(place: Place) -> Controller:
    return _part(place, "_charging", _OneWindow)


def charges_a_fee_for_nothing(place: Place) -> Controller:
    core: Any = build_reference(place)
    core._closing.__class__ = _FeeForNothing
    return core  # type: ignore[no-any-return]  # its parts are nobody else's business


def bounds_energy_only(place: Place) -> Controller:
    core: Any = build_reference(place)
    core._charging.watch._desk = _Timeless(core._desk)
    return core  # type: ignore[no-any-return]  # as above
