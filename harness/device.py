"""The device under test, in process: a controller object in virtual time.

It sees what a real controller sees and nothing else: facts at its boundary, its own
monotonic clock (0 at each boot), a durable store. Death is the loss of the object; what
survives is the image that the store last acknowledged.

Death may come between any two things that it sends or writes (``harness.deaths``). What
it had sent by then is on its way and arrives; after that its lines close.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from harness.bay_line import BayLine
from harness.cloud_line import CloudLine
from harness.deaths import WRITE, Died, Doom, Moment, names_of
from harness.guarded import Crashed, Guarded
from harness.memory_store import FAILURES, MemoryStore
from harness.psp_line import LATENCY_MS, PspLine
from simulator import events
from simulator.forecourt import Forecourt
from simulator.kernel import Kernel, Seat
from wire.cps import Response
from wire.machine import (
    Action,
    AnswerCallback,
    CallHttp,
    CloseLink,
    ControllerFactory,
    Fact,
    Link,
    OpenLink,
    Place,
    SendBytes,
    Started,
)

#: Where a counter of milliseconds in 32 bits begins again.
WRAP_MS: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shift:
    """How a calendar clock is wrong, from ``since_ms`` of the run on."""

    seconds: int
    ppm: int
    epoch: bool
    since_ms: int

    def moved(self, wall_ms: int, now_ms: int) -> int:
        """What the clock shows instead of ``wall_ms``."""
        if self.epoch:
            return 0
        drift_ms = (now_ms - self.since_ms) * self.ppm // 1_000_000
        return wall_ms + self.seconds * 1000 + drift_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The three lines that end at a controller; the forecourt's outbox."""

    psp: PspLine
    cloud: CloudLine
    bay: BayLine

    def psp_out(self, data: bytes) -> None:
        self.psp.receive(data)

    def psp_hang_up(self, reason: str) -> None:
        self.psp.hang_up(reason)

    def cloud_answer(self, call: int, response: Response) -> None:
        self.cloud.answer(call, response)

    def callback(self, what: str, url: str, body: bytes) -> None:
        self.cloud.callback(what, url, body)

    def bay_out(self, data: bytes) -> None:
        self.bay.receive(data)


class Device(Protocol):
    """A device under test, wherever it runs."""

    #: How often it has been started.
    boots: int

    @property
    def is_alive(self) -> bool:
        """Whether it runs, as far as the bench knows."""

    def start(self) -> None:
        """Boot it, with the state that its last life has left."""

    def kill(self) -> None:
        """End it at once, without a warning."""

    @property
    def has_state(self) -> bool:
        """Whether it has left anything for its next life."""

    def why_unready(self) -> str:
        """What is known about a device that is not ready in time; may be empty."""

    def fail_storage(self, kind: str) -> Callable[[], None]:
        """Let its storage fail: full, read_only; torn, lost_write, corrupt at death.

        Returns what heals it. Raises NotClaimed when this device cannot.
        """

    def shift_clock(
        self, seconds: int, *, ppm: int = 0, epoch: bool = False
    ) -> Callable[[], None]:
        """Let its calendar clock jump, drift, or (``epoch``) begin in 1970 at a boot.

        Returns what heals it. Raises NotClaimed when this device cannot.
        """

    def wrap_counter(
        self, in_ms: int, *, passed: Callable[[str], None]
    ) -> Callable[[], None]:
        """From the next boot, let its counter of milliseconds pass 2^32 after in_ms.

        ``passed`` is told in words when it does. Returns what heals it. Raises
        NotClaimed when this device cannot.
        """

    def die_at(self, doom: Doom) -> Callable[[], None]:
        """Let it die at a moment of its own; returns what takes that back.

        Whoever planned it starts it again. Raises NotClaimed when this device cannot.
        """


def note_life(court: Forecourt, event: str, boot: int) -> None:
    """Write a moment of a device's life into the trace."""
    fields = {"event": event, "boot": boot}
    court.note(events.Note(kind="controller", fields=fields))


class InProcessDevice:
    """A controller at the ends of three lines, taking part in the kernel's turns."""

    def __init__(
        self,
        factory: ControllerFactory,
        place: Place,
        *,
        lines: Lines,
        court: Forecourt,
        wall_ms: int,
    ) -> None:
        self._factory = factory
        self._place = place
        self._lines = lines
        self._court = court
        self._wall_ms = wall_ms
        self._controller: Guarded | None = None
        self._shifts: list[_Shift] = []
        #: The run's time at which the controller's own clock shows 0.
        self._zero_ms = 0
        #: How long after a boot the counter passes 2^32, and who is told.
        self._wraps: list[tuple[int, Callable[[str], None]]] = []
        self._dooms: list[Doom] = []
        #: Dead, and what it has said is still on its way.
        self._is_dying = False
        #: How its last life ended, where that was its own doing.
        self._crash = ""
        self.boots = 0
        for line in (lines.psp, lines.cloud, lines.bay):
            line.deliver = self.deliver
        self.seat = Seat(self, self._carry)
        court.kernel.add(self.seat)

    @property
    def is_alive(self) -> bool:
        return self._controller is not None

    @property
    def _kernel(self) -> Kernel:
        return self._court.kernel

    # --- life -------------------------------------------------------------------

    def start(self) -> None:
        """Boot: a new object on the same store."""
        self._bury()
        self.boots += 1
        born_ms = self._kernel.now_ms
        self._zero_ms = born_ms
        for in_ms, passed in self._wraps:
            self._zero_ms = born_ms + in_ms - WRAP_MS
            tell = partial(self._has_wrapped, self.boots, passed)
            self._kernel.at(born_ms + in_ms, tell)
        note_life(self._court, "started", self.boots)
        self._lines.cloud.listening = True
        try:
            self._controller = Guarded(self._factory, self._place)
        except Died:
            return
        except Crashed as error:
            self._has_crashed(error)
            return
        wall_ms = self._wall_ms + born_ms
        for shift in self._shifts:
            wall_ms = shift.moved(wall_ms, born_ms)
        self.deliver(Started(boot=self.boots, wall_ms=wall_ms))

    def _has_wrapped(self, boot: int, passed: Callable[[str], None]) -> None:
        if self.is_alive and self.boots == boot:
            passed(f"the counter of boot {boot} passes {WRAP_MS} ms")

    def kill(self) -> None:
        """Kill the process: its sockets close, its memory is gone."""
        self._is_dying = True
        self._bury()

    def _die(self, doom: Doom, what: str, number: int) -> None:
        self._dooms.remove(doom)
        self._drop()
        doom.strike(f"{doom.moment} {what}, number {number}")

    def _has_crashed(self, error: Crashed) -> None:
        """It has ended its life itself, as a program does that crashes."""
        self._crash = str(error)
        fields = {
            "requirement": "process",
            "expected": "a controller that runs until it is told to stop",
            "seen": self._crash,
        }
        self._court.note(events.Note(kind="finding", fields=fields))
        self._drop()

    def _drop(self) -> None:
        """It is gone at once; its lines close behind what it has said last."""
        self._controller = None
        self.seat.refresh()
        self._is_dying = True
        self._kernel.at(self._kernel.now_ms + LATENCY_MS, self._bury)

    def _bury(self) -> None:
        if not self._is_dying:
            return
        self._is_dying = False
        self._controller = None
        self.seat.refresh()
        note_life(self._court, "killed", self.boots)
        for told in self._store.die():
            self._court.note(events.Note(kind="seen", fields={"mark": told}))
        self._lines.psp.close("death")
        self._lines.cloud.forget()
        self._lines.bay.close("death")

    @property
    def has_state(self) -> bool:
        return self._place.store.load() is not None

    def why_unready(self) -> str:
        return self._crash

    @property
    def call(self) -> int | None:
        """The call that the controller is in, by number; None while it waits."""
        return self._controller.call if self._controller else None

    # --- faults -----------------------------------------------------------------

    @property
    def _store(self) -> MemoryStore:
        store = self._place.store
        assert isinstance(store, MemoryStore), "an object keeps its state in memory"
        return store

    def fail_storage(self, kind: str) -> Callable[[], None]:
        """Let its storage fail; what was damaged is replaced when it heals."""
        store = self._store
        if kind in FAILURES:
            store.failures.append(FAILURES[kind])
            return lambda: store.failures.remove(FAILURES[kind])
        store.at_death.append(kind)

        def heal() -> None:
            if kind in store.at_death:
                store.at_death.remove(kind)
            elif kind != "lost_write":
                store.mend()

        return heal

    def shift_clock(
        self, seconds: int, *, ppm: int = 0, epoch: bool = False
    ) -> Callable[[], None]:
        """A controller object is told the calendar at its start: from the next one."""
        shift = _Shift(
            seconds=seconds, ppm=ppm, epoch=epoch, since_ms=self._kernel.now_ms
        )
        self._shifts.append(shift)
        return lambda: self._shifts.remove(shift)

    def wrap_counter(
        self, in_ms: int, *, passed: Callable[[str], None]
    ) -> Callable[[], None]:
        """The next life counts from shortly before the wrap."""
        wrap = (in_ms, passed)
        self._wraps.append(wrap)
        return lambda: self._wraps.remove(wrap)

    def die_at(self, doom: Doom) -> Callable[[], None]:
        self._store.on_write = self._writes
        self._dooms.append(doom)

        def take_back() -> None:
            if doom in self._dooms:
                self._dooms.remove(doom)

        return take_back

    def _writes(self, moment: Moment) -> None:
        """A moment of a write; in its middle a doomed controller does not come back."""
        for doom in tuple(self._dooms):
            if doom.moment == moment and doom.comes_with(WRITE):
                saves = self._store.saves
                self._die(doom, WRITE, saves + (moment == "before"))
                raise Died

    # --- a machine at the kernel ------------------------------------------------

    def deadline_ms(self) -> int | None:
        if self._controller is None:
            return None
        try:
            deadline_ms = self._controller.deadline_ms()
        except Crashed as error:
            self._has_crashed(error)
            return None
        return None if deadline_ms is None else deadline_ms + self._zero_ms

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        return self._turn(lambda alive: alive.on_deadline(now_ms - self._zero_ms))

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        return self._turn(lambda alive: alive.handle(event, now_ms - self._zero_ms))

    def _turn(self, call: Callable[[Guarded], Sequence[Action]]) -> Sequence[Action]:
        """What it does in one turn; nothing when it is dead, or dies of it."""
        if self._controller is None:
            return ()
        try:
            actions = call(self._controller)
        except Died:
            return ()
        except Crashed as error:
            self._has_crashed(error)
            return ()
        return () if self._is_dying else actions

    def deliver(self, fact: Fact) -> None:
        """Hand a fact to the controller, if it lives."""
        self.seat.hand(fact, self._kernel.now_ms)

    def _carry(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if not self._dooms:
                self._let_out(action)
            elif not self._let_out_alive(action):
                return

    def _let_out_alive(self, action: Action) -> bool:
        """Whether it still lives after an action; the rest of its turn is lost."""
        names = names_of(action, self._lines.psp)
        doomed = [doom for doom in self._dooms if doom.comes_with(*names)]
        before = [doom for doom in doomed if doom.moment == "before"]
        if not before:
            self._let_out(action)
        for doom in (before or doomed)[:1]:
            self._die(doom, " and ".join(names), doom.seen)
        return not doomed

    def _let_out(self, action: Action) -> None:
        match action:
            case OpenLink():
                self._line(action.link).open()
            case CloseLink():
                self._line(action.link).close()
            case SendBytes():
                self._line(action.link).send(action.data)
            case CallHttp():
                self._lines.cloud.call(action)
            case AnswerCallback():
                self._lines.cloud.answer_callback(action)

    def _line(self, link: Link) -> PspLine | BayLine:
        return self._lines.psp if link is Link.PSP else self._lines.bay
