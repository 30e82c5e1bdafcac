"""The kernel: whose turn is it, and when.

Machines say when they want to be called (``deadline_ms``); lines schedule what arrives
later (``at``). The kernel takes whichever comes first, lets the clock wait for it, and
calls. It knows nothing of what the machines do, and order at one instant is the order
in which things were scheduled, so a run is a pure function of its inputs.

Limits: a machine whose deadline does not move for ``MAX_CALLS_AT_ONE_INSTANT`` calls
has a bug that would stop time; that is an error, not a hang.
"""

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final, Generic, Protocol, TypeVar

from simulator.clock import Clock
from wire.machine import Machine

MAX_CALLS_AT_ONE_INSTANT: Final = 10_000
_NEVER: Final = 1 << 62


class Timed(Protocol):
    """A machine together with whoever takes its actions."""

    def deadline_ms(self) -> int | None:
        """When it wants to be called next."""

    def wake(self, now_ms: int) -> None:
        """Its deadline has come."""


ActionT = TypeVar("ActionT")


class Seat(Generic[ActionT]):
    """A machine's seat at the kernel: its deadlines, and who takes its actions."""

    def __init__(
        self, machine: Machine[Any, ActionT], take: Callable[[Sequence[ActionT]], None]
    ) -> None:
        # Any: a seat never hands events in, so it need not know their type.
        self.deadline_ms = machine.deadline_ms
        self._on_deadline = machine.on_deadline
        self._take = take

    def wake(self, now_ms: int) -> None:
        self._take(self._on_deadline(now_ms))


class TimeStandsStill(RuntimeError):
    """A machine keeps asking for a deadline that has passed: a bug in that machine."""


class Kernel:
    """Runs machines and deliveries in the order of their times."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._machines: list[Timed] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._ticket = count()
        self.events = 0

    def add(self, machine: Timed) -> None:
        """Let ``machine`` take part from now on."""
        self._machines.append(machine)

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms

    def at(self, at_ms: int, call: Callable[[], None]) -> None:
        """Call ``call`` at ``at_ms``; calls of one instant keep their order."""
        heapq.heappush(self._due, (at_ms, next(self._ticket), call))

    def run_until(
        self, until_ms: int, *, stop: Callable[[], bool] | None = None
    ) -> bool:
        """Run to ``until_ms``, or until ``stop`` holds; tells whether it held.

        ``stop`` is asked before the first event and after each one.
        """
        calls_now, instant = 0, -1
        while True:
            if stop is not None and stop():
                return True
            at_ms, machine = self._next()
            if at_ms > until_ms:
                self.clock.wait_until(until_ms)
                return False
            self.clock.wait_until(at_ms)
            now_ms = self.clock.now_ms
            calls_now = calls_now + 1 if now_ms == instant else 0
            instant = now_ms
            if calls_now > MAX_CALLS_AT_ONE_INSTANT:
                raise TimeStandsStill(f"at {now_ms} ms: {machine or 'deliveries'}")
            self.events += 1
            if machine is None:
                heapq.heappop(self._due)[2]()
            else:
                machine.wake(now_ms)

    def _next(self) -> tuple[int, Timed | None]:
        best_ms, best = (self._due[0][0], None) if self._due else (_NEVER, None)
        chosen: Timed | None = best
        for machine in self._machines:
            deadline_ms = machine.deadline_ms()
            if deadline_ms is not None and deadline_ms < best_ms:
                best_ms, chosen = deadline_ms, machine
        return best_ms, chosen
