"""The kernel: whose turn is it, and when.

Machines say when they want to be called (``deadline_ms``); lines schedule what arrives
later (``at``). The kernel takes whichever comes first, lets the clock wait for it, and
calls. It knows nothing of what the machines do, and order at one instant is the order
in which things were scheduled, so a run is a pure function of its inputs.

A machine's deadline is asked for when it has been handed an event or woken: asking
every machine at every event is what would cost most. Who changes a machine in any other
way says so (``Seat.refresh``).

Limits: a machine whose deadline does not move for ``MAX_CALLS_AT_ONE_INSTANT`` calls
has a bug that would stop time; that is an error, not a hang.
"""

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final, Generic, Never, TypeVar

from simulator.clock import Clock
from wire.machine import Machine

MAX_CALLS_AT_ONE_INSTANT: Final = 10_000
_NEVER: Final = 1 << 62

EventT_contra = TypeVar("EventT_contra", contravariant=True)
ActionT_co = TypeVar("ActionT_co", covariant=True)


class Seat(Generic[EventT_contra, ActionT_co]):
    """A machine's seat at the kernel: its next deadline, and who takes its actions."""

    def __init__(
        self,
        machine: Machine[EventT_contra, ActionT_co],
        take: Callable[[Sequence[ActionT_co]], None],
    ) -> None:
        self._machine = machine
        self._take = take
        #: When the machine wants to be called next.
        self.due_ms = _NEVER
        self.refresh()

    def hand(self, event: EventT_contra, now_ms: int) -> None:
        """Give the machine an event and let its actions be taken."""
        actions = self._machine.handle(event, now_ms)
        self.refresh()
        self._take(actions)

    def wake(self, now_ms: int) -> None:
        """The machine's deadline has come."""
        actions = self._machine.on_deadline(now_ms)
        self.refresh()
        self._take(actions)

    def refresh(self) -> None:
        """Ask the machine for its deadline again."""
        deadline_ms = self._machine.deadline_ms()
        self.due_ms = _NEVER if deadline_ms is None else deadline_ms


class TimeStandsStill(RuntimeError):
    """A machine keeps asking for a deadline that has passed: a bug in that machine."""


class Kernel:
    """Runs machines and deliveries in the order of their times."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # Seats of machines that have nothing in common but their deadlines.
        self._seats: list[Seat[Never, object]] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._ticket = count()
        self.events = 0

    def add(self, seat: Seat[Never, object]) -> None:
        """Let the machine of ``seat`` take part from now on."""
        self._seats.append(seat)

    def remove(self, seat: Seat[Never, object]) -> None:
        """The machine of ``seat`` takes no part any more; never while it runs."""
        self._seats.remove(seat)

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
        clock, calls_now, instant = self.clock, 0, -1
        due, seats = self._due, self._seats
        while True:
            if stop is not None and stop():
                return True
            # Whose turn it is; written out here, because it is asked at every event.
            at_ms, chosen = due[0][0] if due else _NEVER, None
            for seat in seats:
                if seat.due_ms < at_ms:
                    at_ms, chosen = seat.due_ms, seat
            target_ms = at_ms if at_ms < until_ms else until_ms
            clock.wait_until(target_ms)
            now_ms = clock.now_ms
            if now_ms < target_ms:
                continue  # a port had something before it was time
            if at_ms > until_ms:
                return False
            calls_now = calls_now + 1 if now_ms == instant else 0
            instant = now_ms
            if calls_now > MAX_CALLS_AT_ONE_INSTANT:
                raise TimeStandsStill(f"at {now_ms} ms: {chosen or 'deliveries'}")
            self.events += 1
            if chosen is None:
                heapq.heappop(due)[2]()
            else:
                chosen.wake(now_ms)
