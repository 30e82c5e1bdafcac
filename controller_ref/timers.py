"""Every pending time-out of the controller, by name.

A timer is named by what it is for and whom it concerns: setting it again moves it, and
nothing can be left running twice. Due timers come out in the order of their times, and
for equal times in the order in which they were set.
"""

from enum import IntEnum, auto
from typing import Final

#: Far above what 32 connectors can need; more would be a leak.
MAX_TIMERS: Final = 4096


# Whole numbers, because those have a hash at once: timers move at every meter reading.
class For(IntEnum):
    """What a timer is for; the key beside it is a session, a connector or 0."""

    PLUG_IN = auto()
    NO_ENERGY = auto()
    UNPLUG_GRACE = auto()
    START_FEEDBACK = auto()
    STOP_FEEDBACK = auto()
    FINAL_METER = auto()
    CAP = auto()
    PARKED_FULL = auto()
    METER_SILENT = auto()
    METER_LOST = auto()
    CHARGER_LOSS = auto()
    UNLOCK = auto()
    CLOSE = auto()
    PROBE = auto()
    LOOK = auto()
    START_PRESSED = auto()
    STOP_PRESSED = auto()
    STORAGE = auto()


Name = tuple[For, int]


class Timers:
    """Named deadlines on the monotonic clock."""

    def __init__(self) -> None:
        self._due: dict[Name, int] = {}
        #: The first of them: asked for after every event, moved by few.
        self._first_ms: int | None = None

    def set(self, name: Name, due_ms: int) -> None:
        self._due.pop(name, None)
        self._due[name] = due_ms
        self._moved()
        assert len(self._due) <= MAX_TIMERS, "a timer leaks"

    def cancel(self, *names: Name) -> None:
        for name in names:
            if self._due.pop(name, None) is not None:
                self._moved()

    def is_set(self, name: Name) -> bool:
        return name in self._due

    def deadline_ms(self) -> int | None:
        return self._first_ms

    def _moved(self) -> None:
        self._first_ms = min(self._due.values(), default=None)

    def pop_due(self, now_ms: int) -> Name | None:
        """The timer that is due first, no longer set; None when none is due."""
        if self._first_ms is None or self._first_ms > now_ms:
            return None
        name = min(self._due, key=lambda each: self._due[each])
        del self._due[name]
        self._moved()
        return name
