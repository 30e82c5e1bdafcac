"""Mistakes in what is remembered over a death, and by which clock."""

from dataclasses import replace

from controller_ref.charger_facts import ChargerFacts
from controller_ref.core import build as build_reference
from controller_ref.timers import Name as TimerName
from tests.harness.mistakes.boundary import Mistaken, unchanged
from wire.machine import Controller, Place


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


def forgets_its_ledger(place: Place) -> Controller:
    """M3"""
    return Mistaken(replace(place, store=_Amnesia()), unchanged)


def keeps_time_by_the_calendar(place: Place) -> Controller:
    """M12"""
    core = build_reference(place)
    core._facts = _ByTheCalendar(core._desk, core._charging)  # type: ignore[attr-defined]  # a part of the reference controller is exchanged
    return core
