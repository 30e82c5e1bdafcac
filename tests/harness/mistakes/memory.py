"""Mistakes in what is remembered over a death, and by which clock."""

from collections.abc import Sequence
from dataclasses import replace

from controller_ref.charger_facts import ChargerFacts
from controller_ref.closing import Closing
from controller_ref.core import build as build_reference
from controller_ref.desk import Desk
from controller_ref.session import Session
from controller_ref.timers import For
from controller_ref.timers import Name as TimerName
from controller_ref.transitions import State
from tests.harness.mistakes.boundary import Mistaken, unchanged
from wire.machine import Action, Controller, Fact, Place


class _Amnesia:
    """A store that forgets."""

    def load(self) -> bytes | None:
        return None

    def save(self, image: bytes) -> None:
        """Nothing is kept."""


class _ByTheCalendar(ChargerFacts):
    """Believes that the calendar has passed as much time as there was."""

    def _rearm(self, name: TimerName, since_wall_ms: int, window_ms: int) -> None:
        desk = self._desk
        desk.timers.set(name, desk.now_ms + since_wall_ms + window_ms - desk.wall_ms)


class _Unsigned(_ByTheCalendar):
    """Has no number below nothing: a window that is over lasts for seven weeks."""

    def _rearm(self, name: TimerName, since_wall_ms: int, window_ms: int) -> None:
        desk = self._desk
        left_ms = (since_wall_ms + window_ms - desk.wall_ms) % 2**32
        desk.timers.set(name, desk.now_ms + left_ms)


class _FromTheStart(ChargerFacts):
    """A window begins when it has been started, however long it has lasted before."""

    def _rearm(self, name: TimerName, since_wall_ms: int, window_ms: int) -> None:
        self._desk.timers.set(name, self._desk.now_ms + window_ms)


class _Waits(Closing):
    """The same with retries: what is overdue by the calendar is far away."""

    def _arm(self, session: Session, *, within_ms: int | None = None) -> None:
        desk = self._desk
        left_ms = (session.due_wall_ms - desk.wall_ms) % 2**32
        left_ms = left_ms if within_ms is None else min(left_ms, within_ms)
        desk.timers.set((For.CLOSE, session.key), desk.now_ms + left_ms)


def _last_heard(desk: Desk) -> dict[int, int]:
    """When each live session's time was last counted, as it was written down."""
    return {one.key: one.energised_wall_ms for one in desk.ledger.live()}


class _Overslept(ChargerFacts):
    """Takes a charge whose last reading is an hour old for one that has ended."""

    def resume(self) -> None:
        heard = _last_heard(self._desk)
        super().resume()
        for session in self._desk.ledger.live():
            aged_ms = self._desk.wall_ms - heard[session.key]
            if session.state is State.CHARGING and aged_ms > _HOUR_MS:
                self._life.stop(session, "Nothing was heard for an hour")
                self._life.end(session)


class _Early(ChargerFacts):
    """Takes a charge that begins in the future for one that has not begun."""

    def resume(self) -> None:
        heard = _last_heard(self._desk)
        super().resume()
        for session in self._desk.ledger.live():
            if heard[session.key] > self._desk.wall_ms:
                self._life.stop(session, "The charge has not begun")
                self._life.end(session)


class _In32Bits:
    """Meets ``wire.machine.Controller``: its counter of milliseconds has 32 bits."""

    def __init__(self, inner: Controller) -> None:
        self._inner = inner
        self._round_ms = 0

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        return self._inner.handle(event, self._count(now_ms))

    def deadline_ms(self) -> int | None:
        due_ms = self._inner.deadline_ms()
        return None if due_ms is None else self._round_ms + due_ms

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return self._inner.on_deadline(self._count(now_ms))

    def _count(self, now_ms: int) -> int:
        counted = now_ms % 2**32
        self._round_ms = now_ms - counted
        return counted


class _Anew(Closing):
    """Does not remember how often it has tried."""

    def resume(self) -> None:
        for session in self._desk.ledger.within(State.CLOSING):
            session.attempts = session.due_wall_ms = 0
        super().resume()


_HOUR_MS = 3_600_000


def forgets_its_ledger(place: Place) -> Controller:
    """M3"""
    return Mistaken(replace(place, store=_Amnesia()), unchanged)


def _with_parts(place: Place, *parts: type[ChargerFacts] | type[Closing]) -> Controller:
    """The reference controller with parts of it exchanged for wrong ones."""
    core = build_reference(place)
    for part in parts:
        is_facts = issubclass(part, ChargerFacts)
        name = "_facts" if is_facts else "_closing"
        getattr(core, name).__class__ = part
    return core


def keeps_time_by_the_calendar(place: Place) -> Controller:
    """M12"""
    return _with_parts(place, _ByTheCalendar)


def subtracts_without_sign(place: Place) -> Controller:
    """A window or a retry that is over by the calendar begins again, for 49 days."""
    return _with_parts(place, _Unsigned, _Waits)


def begins_its_windows_anew(place: Place) -> Controller:
    """After a death, the whole window once more."""
    return _with_parts(place, _FromTheStart)


def believes_it_overslept(place: Place) -> Controller:
    """A charge that began an hour ago by the calendar is over after a death."""
    return _with_parts(place, _Overslept)


def believes_it_is_early(place: Place) -> Controller:
    """A charge that began later than now is no charge."""
    return _with_parts(place, _Early)


def begins_its_retries_anew(place: Place) -> Controller:
    """After a death, the minutes of the schedule once more."""
    return _with_parts(place, _Anew)


def counts_in_32_bits(place: Place) -> Controller:
    """Its clock starts at 0 again after 49 days, and it does not expect that."""
    return _In32Bits(build_reference(place))
