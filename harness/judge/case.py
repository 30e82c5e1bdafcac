"""One session with all that bears on it, and the words for why its close is due.

Rules about time (``triggers``) and money (``settlement``) look at the same case, so
that they cannot disagree about where a session's vehicle is or when energy flowed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.judge.bay import DRAWING, Bay, Story, last, since, until
from harness.judge.binding import Interval
from harness.judge.facts import At
from harness.judge.promises import Promises
from harness.judge.sessions import Session
from harness.judge.spans import FOREVER, Span, covering
from harness.judge.timeline import Timeline


class Kind(StrEnum):
    """Why a close is due, in words that can be printed."""

    UNPLUGGED = "vehicle unplugged"
    FAULT = "charger fault"
    EMERGENCY = "emergency stop"
    PILOT = "pilot error"
    BAY_EMPTY = "bay empty"
    ABORT = "driver pressed cancel"
    TAP = "tap to stop"
    STOPPED = "charge ended"
    PLUG_WINDOW = "plug-in window over"
    ENERGY_WINDOW = "no-energy window over"
    FULL_WINDOW = "parked-full window over"
    REJECTED = "charger rejected the start"
    UNAVAILABLE = "connector out of service"
    CHARGER_LOST = "charger-loss window over"
    SURPLUS = "late or surplus approval"
    ORPHAN = "session found again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(At):
    kind: Kind
    #: Whether energy had been delivered by then: commit, else release.
    energy: bool


@dataclass(slots=True, kw_only=True)
class Case:
    """One session with all that bears on it."""

    session: Session
    #: When the controller knew of the session.
    told: At
    promises: Promises
    bay: Bay
    timeline: Timeline
    intervals: list[Interval]
    #: Where its vehicle is or was; None when it never plugged in anywhere.
    connector: int | None
    driver: str
    plugged: At | None
    #: When the controller was dead.
    deaths: Sequence[Span] = ()
    #: Other sessions of the same card, for tap-to-stop.
    twins: bool = False
    #: Found once, on first use.
    first_energy: int | None = None

    @property
    def story(self) -> Story:
        return self.bay.story(self.connector or 0)

    def energy_at(self) -> int | None:
        """When energy first flowed, as far as the controller was told."""
        if self.first_energy is None:
            times = (t for i in self.intervals for t in _energy_in(self, i))
            self.first_energy = min(times, default=FOREVER)
        return None if self.first_energy == FOREVER else self.first_energy

    @property
    def end_ms(self) -> int:
        """After this the session is no longer open, or the trace ends."""
        ended = self.session.ended
        return self.timeline.end_ms if ended is None else ended.t_ms

    def had_energy(self, t_ms: int) -> bool:
        first = self.energy_at()
        return first is not None and first < t_ms

    def resumed(self, t_ms: int, within_ms: int) -> bool:
        """Whether the charge went on soon after ``t_ms``."""
        return any(t_ms < i.start.t_ms <= t_ms + within_ms for i in self.intervals)

    def awake(self, t_ms: int) -> int:
        """``t_ms``, or the end of the boot if the controller was dead then."""
        death = covering(self.deaths, t_ms)
        return t_ms if death is None else death.end_ms

    def trigger(self, kind: Kind, at: At, t_ms: int | None = None) -> Trigger:
        when = max(self.awake(at.t_ms if t_ms is None else t_ms), self.told.t_ms)
        return Trigger(
            seq=at.seq, t_ms=when, kind=kind, energy=self.had_energy(when + 1)
        )


#: "Windows have +- 2 s": a plug this long after the end still starts the charge.
SLACK_MS: Final = 2_000
#: A fact that is taken back within this time, with the charge going on, is a flicker.
FLICKER_MS: Final = 60_000


def _energy_in(case: Case, interval: Interval) -> Iterator[int]:
    """Times at which energy first flowed in an interval, by meter and by pilot."""
    story, start = case.bay.story(interval.connector), interval.start
    before = reversed(until(story.readings, start.t_ms))
    register = next((r.energy_wh for r in before if r.good), None)
    for reading in since(story.readings, start.seq):
        moved = register is not None and reading.good
        moved = moved and reading.energy_wh > (register or 0)
        if moved or reading.power_w > 0:
            yield reading.t_ms
            break
        if reading.seq >= interval.end_seq:
            break
    # A meter may be silent or frozen: a closed contactor in state C is energy too.
    if last(story.pilots, start.t_ms, "A") in DRAWING:
        yield start.t_ms
    for said in since(story.pilots, start.seq):
        if said.seq > interval.end_seq:
            return
        if said.value in DRAWING:
            yield said.t_ms
            return
