"""The one clock. Nothing else in nohold imports ``time``.

Milliseconds since the start of the run, as integers. The virtual clock jumps to the
next deadline, so an eight-day retry plan costs what its events cost; the wall clock
waits for it. Both are the same to whoever drives them: ask ``now_ms``, then
``wait_until``.
"""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Time that only moves forward."""

    @property
    def now_ms(self) -> int:
        """Milliseconds since the start of the run."""

    @property
    def late_ms(self) -> int:
        """How late it was at worst, in milliseconds of the run."""

    def wait_until(self, at_ms: int) -> None:
        """Return at ``at_ms``, or earlier when something else has happened."""


class VirtualClock:
    """Stands still until told to jump."""

    def __init__(self) -> None:
        self.now_ms = 0

    @property
    def late_ms(self) -> int:
        return 0

    def wait_until(self, at_ms: int) -> None:
        self.now_ms = max(self.now_ms, at_ms)


class WallClock:
    """The machine's monotonic clock, immune to steps of the calendar (R-RTY-08).

    ``scale`` (1 to 20) is how many times faster than life the run's time passes, for
    devices that are built to run all their timers faster. ``wait`` is given seconds; it
    may return before they are over, when a port has something.
    """

    def __init__(
        self, *, scale: int = 1, wait: Callable[[float], object] = time.sleep
    ) -> None:
        self._scale = scale
        self._wait = wait
        self._origin_ns = time.monotonic_ns()
        self._late_ms = 0

    @property
    def now_ms(self) -> int:
        return (time.monotonic_ns() - self._origin_ns) * self._scale // 1_000_000

    @property
    def late_ms(self) -> int:
        return self._late_ms

    def wait_until(self, at_ms: int) -> None:
        left_ms = at_ms - self.now_ms
        # Asked even when it is late already: ports must not starve.
        self._wait(max(0.0, left_ms / 1000 / self._scale))
        self._late_ms = max(self._late_ms, self.now_ms - at_ms)


def wall_time_s() -> float:
    """Seconds on the machine's own clock, to measure how long a run really took."""
    return time.perf_counter()
