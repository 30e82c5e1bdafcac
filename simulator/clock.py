"""The one clock. Nothing else in nohold imports ``time``.

Milliseconds since the start of the run, as integers. The virtual clock jumps to the
next deadline, so an eight-day retry plan costs what its events cost; the wall clock
waits for it. Both are the same to whoever drives them: ask ``now_ms``, then
``wait_until``.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Time that only moves forward."""

    @property
    def now_ms(self) -> int:
        """Milliseconds since the start of the run."""

    def wait_until(self, at_ms: int) -> None:
        """Return at ``at_ms``, at once when that is in the past."""


class VirtualClock:
    """Stands still until told to jump."""

    def __init__(self) -> None:
        self._now_ms = 0

    @property
    def now_ms(self) -> int:
        return self._now_ms

    def wait_until(self, at_ms: int) -> None:
        self._now_ms = max(self._now_ms, at_ms)


class WallClock:
    """The machine's monotonic clock, immune to steps of the calendar (R-RTY-08)."""

    def __init__(self) -> None:
        self._origin_ns = time.monotonic_ns()

    @property
    def now_ms(self) -> int:
        return (time.monotonic_ns() - self._origin_ns) // 1_000_000

    def wait_until(self, at_ms: int) -> None:
        while (left_ms := at_ms - self.now_ms) > 0:
            time.sleep(left_ms / 1000)


def wall_time_s() -> float:
    """Seconds on the machine's own clock, to measure how long a run really took."""
    return time.perf_counter()
