"""The device under test, in process: a controller object in virtual time.

It sees what a real controller sees and nothing else: facts at its boundary, its own
monotonic clock (0 at each boot), a durable store. Death is the loss of the object; what
survives is the image that the store last acknowledged.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from harness.bay_line import BayLine
from harness.cloud_line import CloudLine
from harness.declaration import SetupError
from harness.psp_line import PspLine
from simulator import events
from simulator.forecourt import Forecourt
from simulator.kernel import Kernel, Seat
from wire.cps import Response
from wire.machine import (
    Action,
    AnswerCallback,
    CallHttp,
    CloseLink,
    Controller,
    ControllerFactory,
    Fact,
    Link,
    OpenLink,
    Place,
    SendBytes,
    Started,
)


class MemoryStore:
    """A durable store in memory, which can fail as a disk does.

    ``failures`` are reasons for which nothing can be written. ``at_death`` is what
    becomes of the image when the power goes: ``torn`` (its end is missing), ``corrupt``
    (its end is overwritten) or ``lost_write`` (it is the one before).
    """

    def __init__(self) -> None:
        self.image: bytes | None = None
        self.failures: list[str] = []
        self.at_death: list[str] = []
        self.saves = 0
        self._before: bytes | None = None
        #: What a death has damaged, and after how many saves.
        self._whole: tuple[int, bytes] | None = None

    def load(self) -> bytes | None:
        return self.image

    def save(self, image: bytes) -> None:
        if self.failures:
            raise OSError(self.failures[-1])
        self.saves += 1
        self._before, self.image = self.image, image

    def die(self) -> list[str]:
        """The power goes; tells in words what befell the image."""
        kinds, self.at_death = self.at_death, []
        if kinds and self.image is not None:
            self._whole = (self.saves, self.image)
        told = []
        for kind in kinds:
            hit = "nothing was at risk"
            if self.image is not None:
                hit = f"the image of {len(self.image)} bytes"
                self.image = _DAMAGES[kind](self.image, self._before)
            told.append(f"state {kind}: {hit}")
        return told

    def mend(self) -> None:
        """Put back what a death has damaged, unless it was written over since."""
        whole, self._whole = self._whole, None
        if whole is not None and whole[0] == self.saves:
            self.image = whole[1]


_DAMAGES: Final[Mapping[str, Callable[[bytes, bytes | None], bytes | None]]] = {
    "torn": lambda image, _before: image[: len(image) // 2],
    "corrupt": lambda image, _before: (
        image[: len(image) // 2] + b"\xff" * (len(image) - len(image) // 2)
    ),
    "lost_write": lambda _image, before: before,
}
_FAILURES: Final[Mapping[str, str]] = {
    "full": "no space left on device",
    "read_only": "read-only file system",
}


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


def find_factory(name: str) -> ControllerFactory:
    """``package.module:factory`` as written in ``[reach] controller``."""
    module_name, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SetupError(
            f"[reach] controller: found {name!r}, allowed is package.module:factory "
            f"of something that can be imported ({error})"
        ) from None
    # The declaration promises the type; a wrong one shows at the first call.
    return cast(ControllerFactory, factory)


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
        self._controller: Controller | None = None
        self._shifts: list[_Shift] = []
        self._born_ms = 0
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
        self.boots += 1
        self._born_ms = self._kernel.now_ms
        note_life(self._court, "started", self.boots)
        self._controller = self._factory(self._place)
        self._lines.cloud.listening = True
        wall_ms = self._wall_ms + self._born_ms
        for shift in self._shifts:
            wall_ms = shift.moved(wall_ms, self._born_ms)
        self.deliver(Started(boot=self.boots, wall_ms=wall_ms))

    def kill(self) -> None:
        """Kill the process: its sockets close, its memory is gone."""
        self._controller = None
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
        return ""

    # --- faults -----------------------------------------------------------------

    @property
    def _store(self) -> MemoryStore:
        store = self._place.store
        assert isinstance(store, MemoryStore), "an object keeps its state in memory"
        return store

    def fail_storage(self, kind: str) -> Callable[[], None]:
        """Let its storage fail; what is damaged can be put back until it is written."""
        store = self._store
        if kind in _FAILURES:
            store.failures.append(_FAILURES[kind])
            return lambda: store.failures.remove(_FAILURES[kind])
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

    # --- a machine at the kernel ------------------------------------------------

    def deadline_ms(self) -> int | None:
        if self._controller is None:
            return None
        deadline_ms = self._controller.deadline_ms()
        return None if deadline_ms is None else deadline_ms + self._born_ms

    def on_deadline(self, now_ms: int) -> Sequence[Action]:
        if self._controller is None:
            return ()
        return self._controller.on_deadline(now_ms - self._born_ms)

    def handle(self, event: Fact, now_ms: int) -> Sequence[Action]:
        if self._controller is None:
            return ()
        return self._controller.handle(event, now_ms - self._born_ms)

    def deliver(self, fact: Fact) -> None:
        """Hand a fact to the controller, if it lives."""
        self.seat.hand(fact, self._kernel.now_ms)

    def _carry(self, actions: Sequence[Action]) -> None:
        for action in actions:
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
