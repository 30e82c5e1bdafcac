"""Mistakes that the reference really made, made again: about dying and the charger.

As in ``own.py``, each exchanges one part for what it was before it was mended;
``docs/mistakes-we-made.md`` tells the stories.
"""

from typing import Final

from controller_ref.bays import Connector
from controller_ref.charger_facts import ChargerFacts
from controller_ref.charger_side import Line
from controller_ref.charging import Charging
from controller_ref.desk import Desk
from controller_ref.metering import UNREAD
from controller_ref.recovery import Recovery
from controller_ref.session import Session
from controller_ref.timers import For
from controller_ref.transitions import State
from controller_ref.watch import Watch
from tests.harness.mistakes.own import exchanged
from wire.machine import Controller, Place

#: Any calendar time: 0 stands for none.
_SOME_WALL_MS: Final = 1

# --- About dying ----------------------------------------------------------------


class _SaysItOnce(Recovery):
    """Believes that whatever is written down has been said."""

    _written: frozenset[int] = frozenset()

    def boot(self) -> None:
        lost = self._desk.ledger.within(State.LOST)
        self._written = frozenset(session.key for session in lost)
        super().boot()

    def _say_lost(self, session: Session) -> None:
        if session.key not in self._written:
            super()._say_lost(session)


class _WritesWithTheNext(Desk):
    """Believes that there is always a next write."""

    def _store_later(self, *, is_durable: bool) -> None:
        """No timer."""


class _BillsTheMeter(ChargerFacts):
    """Takes a first reading that is missing for 0."""

    def _count(self, session: Session | None, connector: Connector) -> None:
        if session is None or session.state is not State.STOPPING:
            super()._count(session, connector)
            return
        plugged_wall_ms = session.plugged_wall_ms
        session.plugged_wall_ms = plugged_wall_ms or _SOME_WALL_MS
        super()._count(session, connector)
        session.plugged_wall_ms = plugged_wall_ms


class _ReleasesUnheard(ChargerFacts):
    """Ends a window that has passed before the charger has said a word."""

    def _rearm(self, name: tuple[For, int], since_wall_ms: int, window_ms: int) -> None:
        super()._rearm(name, since_wall_ms, window_ms)
        desk = self._desk
        if desk.wall_ms - since_wall_ms >= window_ms:
            desk.timers.set(name, desk.now_ms)


class _ForgetsTheStart(ChargerFacts):
    """Takes a charge whose contactor has opened again for one that never began."""

    def _reattach(
        self, session: Session, connector: Connector, lost_wall_ms: int
    ) -> None:
        session.is_commanded = False
        super()._reattach(session, connector, lost_wall_ms)


class _BelievesTheRegister(ChargerFacts):
    """Takes whatever a register has counted during a death for a charge."""

    def _reattach(
        self, session: Session, connector: Connector, lost_wall_ms: int
    ) -> None:
        session.is_commanded = True
        super()._reattach(session, connector, lost_wall_ms)


class _ReadsZero(ChargerFacts):
    """Counts at each welcome, with 0 where no register has been read."""

    def _reattach(
        self, session: Session, connector: Connector, lost_wall_ms: int
    ) -> None:
        if connector.register_wh == UNREAD:
            connector.register_wh = 0
        connector.is_read = True
        super()._reattach(session, connector, lost_wall_ms)


class _WritesOnceAMinute(Watch):
    """Does not see that more is owed: the next reading brings it back."""

    def owed(self, session: Session) -> int:
        return 0


class _EndsAtTheBoot(ChargerFacts):
    """Does not hear the charger first when its loss window is over."""

    def _on_lost(self, *, at_least_ms: int = 0) -> None:
        super()._on_lost()


# --- About the charger ----------------------------------------------------------


class _KeepsThePlace(Charging):
    """Keeps the connector for a driver whose vehicle has left unseen."""

    def end(self, session: Session) -> None:
        super().end(session)
        connector = self.connector_of(session)
        if connector is not None:
            connector.is_served = session.energy_wh > 0


class _TakesAnyReading(ChargerFacts):
    """Takes the last reading for the last one, whatever it is."""

    def _on_meter(self, connector: Connector, line: Line) -> None:
        super()._on_meter(connector, line)
        session = self._life.session_at(connector)
        waits = self._desk.timers.is_set
        if session is not None and waits((For.FINAL_METER, session.key)):
            self._life.end(session)


class _TakesAnyAnswer(ChargerFacts):
    """Takes every answer of a lock for one to its last question."""

    def _on_lock(self, connector: Connector, *, is_locked: bool) -> None:
        self._life.unanswered.clear()
        super()._on_lock(connector, is_locked=is_locked)


def says_it_once(place: Place) -> Controller:
    return exchanged(place, [("_recovery", _SaysItOnce)])


def writes_with_the_next(place: Place) -> Controller:
    return exchanged(place, [("_desk", _WritesWithTheNext)])


def bills_the_meter(place: Place) -> Controller:
    return exchanged(place, [("_facts", _BillsTheMeter)])


def releases_unheard(place: Place) -> Controller:
    return exchanged(place, [("_facts", _ReleasesUnheard)])


def forgets_the_start(place: Place) -> Controller:
    return exchanged(place, [("_facts", _ForgetsTheStart)])


def believes_the_register(place: Place) -> Controller:
    return exchanged(place, [("_facts", _BelievesTheRegister)])


def reads_zero(place: Place) -> Controller:
    return exchanged(place, [("_facts", _ReadsZero)])


def writes_once_a_minute(place: Place) -> Controller:
    return exchanged(place, [("_charging.watch", _WritesOnceAMinute)])


def ends_at_the_boot(place: Place) -> Controller:
    return exchanged(place, [("_facts", _EndsAtTheBoot)])


def keeps_the_place(place: Place) -> Controller:
    return exchanged(place, [("_charging", _KeepsThePlace)])


def takes_any_reading(place: Place) -> Controller:
    return exchanged(place, [("_facts", _TakesAnyReading)])


def takes_any_answer(place: Place) -> Controller:
    return exchanged(place, [("_facts", _TakesAnyAnswer)])
