"""Mistakes that the reference controller really made, made again.

Each exchanges one part of it for what that part was before it was mended;
``docs/mistakes-we-made.md`` tells the stories.
"""

from collections.abc import Sequence
from typing import Any, Final

from controller_ref.bays import Connector
from controller_ref.charger_facts import ChargerFacts
from controller_ref.core import build as build_reference
from controller_ref.cps_side import CpsSide
from controller_ref.psp_closes import PspCloses
from controller_ref.psp_line import PspLine
from controller_ref.session import Session
from controller_ref.timers import For
from controller_ref.watch import Watch
from wire.machine import CallbackReceived, Controller, Place
from wire.psp import Message


class _TwiceEach(PspCloses):
    """Remembers the repeat at once with the attempt, and not with the session."""

    _last: object = None

    def _repeat(self, close: Any, detail: str, now_ms: int) -> None:
        if close is not self._last:
            self._last = close
            self._repeated.pop(close.request.session_id, None)
        super()._repeat(close, detail, now_ms)


class _BelievesRefusals(PspCloses):
    """Does not ask how the terminal is when it has refused without a reason."""

    def on_listed(self, said: Message, now_ms: int) -> None:
        line, has_status = self._line, self._line.status
        line.status = has_status or _NOT_NOW
        super().on_listed(said, now_ms)
        line.status = has_status


#: Stands for a question under way, so that none is asked.
_NOT_NOW: Final[Any] = object()


class _SaysResetOnce(PspLine):
    """Never thinks that its Reset may have been lost."""

    @property
    def _is_refused(self) -> bool:
        return False

    @_is_refused.setter
    def _is_refused(self, value: bool) -> None:
        """Forgotten."""


class _WantsACard(CpsSide):
    """Throws news away that names no card."""

    def _take_callback(self, fact: CallbackReceived, now_ms: int) -> bool:
        check_ms = self._check_ms
        is_taken = super()._take_callback(fact, now_ms)
        if not is_taken:
            self._check_ms = check_ms
        return is_taken


class _WaitsForTheCharger(ChargerFacts):
    """Believes that the charger will end every stop that a death has cut short."""

    def resume(self) -> None:
        super().resume()
        for session in self._desk.ledger.live():
            if not session.connector:
                self._desk.timers.cancel((For.FINAL_METER, session.key))


class _BillsTheCalendar(ChargerFacts):
    """Believes that the calendar knows how long it was dead."""

    def resume(self) -> None:
        live = self._desk.ledger.live()
        counted = [session.energised_wall_ms for session in live]
        super().resume()
        for session, wall_ms in zip(live, counted, strict=True):
            session.energised_wall_ms = wall_ms


class _WindsUpTheCap(Watch):
    """Lets whatever the charger says put off the stop at the reserved amount."""

    def look(self, session: Session, connector: Connector) -> None:
        self.read(session)
        super().look(session, connector)


def _exchange(owner: Any, name: str, part: type) -> None:
    getattr(owner, name).__class__ = part


def exchanged(place: Place, changes: Sequence[tuple[str, type]]) -> Controller:
    """The reference controller; ``changes``: a path of attributes, and what it is."""
    core: Controller = build_reference(place)
    for path, part in changes:
        *ways, name = path.split(".")
        owner: Any = core
        for way in ways:
            owner = getattr(owner, way)
        _exchange(owner, name, part)
    return core


def repeats_every_close(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal._closes", _TwiceEach)])


def believes_a_refusal(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal._closes", _BelievesRefusals)])


def says_reset_once(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal._line", _SaysResetOnce)])


def wants_a_card(place: Place) -> Controller:
    return exchanged(place, [("_desk.terminal", _WantsACard)])


def waits_for_the_charger(place: Place) -> Controller:
    return exchanged(place, [("_facts", _WaitsForTheCharger)])


def winds_up_the_cap(place: Place) -> Controller:
    return exchanged(place, [("_charging.watch", _WindsUpTheCap)])


def bills_the_calendar(place: Place) -> Controller:
    return exchanged(place, [("_facts", _BillsTheCalendar)])
