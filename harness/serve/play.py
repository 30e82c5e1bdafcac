"""One forecourt that people play with, and the lines on which a controller may come.

The same forecourt, lines and faults as in a case, without a controller of ours: it may
be there or not, die and come back, and nobody judges. Time is the wall clock's. The
trace has no end, so only its tail is kept; ``followers`` get each record as it happens,
as a record and as its line of JSON.

``reset`` makes the forecourt new: the machines, not the lines, because ports stand
behind them. Time and the numbers of the trace go on, so a listener misses nothing; ids
of sessions come from another part of the seed, because a controller that remembers the
old ones would take new ones for those.
"""

from collections.abc import Callable
from typing import Final

from harness.bay_line import BayLine
from harness.cloud_line import CloudLine
from harness.deaths import Doom
from harness.declaration import NotClaimed
from harness.device import Device, Lines
from harness.drivers import Drivers
from harness.faults import Faults
from harness.psp_line import PspLine
from harness.serve.bindings import Bindings
from harness.serve.settings import Settings
from harness.serve.tail import Tail
from simulator.clock import Clock
from simulator.events import Note
from simulator.forecourt import Forecourt
from simulator.kernel import Kernel
from simulator.people import Person
from simulator.seed import Seed
from simulator.trace import Trace, render_record
from wire.records import Record

#: Whoever acts at the bench: it cannot know how many people stand there.
SOMEBODY: Final = Person(name="the driver", card="", vehicle="", plate="")

Follower = Callable[[Record, str], None]


class NoDevice:
    """The controller, as far as the bench can do something to it: nothing."""

    boots = 0
    is_alive = False
    has_state = False

    def start(self) -> None:
        """Whoever owns it starts it."""

    def kill(self) -> None:
        """Whoever owns it ends it."""

    def why_unready(self) -> str:
        return ""

    def fail_storage(self, kind: str) -> Callable[[], None]:
        raise NotClaimed(f"storage fault {kind!r} of a controller that is not ours")

    def shift_clock(
        self, seconds: int, *, ppm: int = 0, epoch: bool = False
    ) -> Callable[[], None]:
        raise NotClaimed("the clock of a controller that is not ours")

    def wrap_counter(
        self, in_ms: int, *, passed: Callable[[str], None]
    ) -> Callable[[], None]:
        raise NotClaimed("the counter of a controller that is not ours")

    def die_at(self, doom: Doom) -> Callable[[], None]:
        raise NotClaimed("the death of a controller that is not ours")


class Play:
    """See the module's text."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self.settings = settings
        self.kernel = Kernel(clock)
        self.trace = Trace()
        self.trace.watchers.append(self._happened)
        self.tail = Tail()
        self.bindings = Bindings()
        self.followers: list[Follower] = []
        #: Hangs up on whoever is connected; set by whoever opens the ports.
        self.drop_controllers: Callable[[], None] = lambda: None
        self._lives = 0
        seed = self._next_life()
        self.court = Forecourt(
            settings.forecourt(), kernel=self.kernel, trace=self.trace, seed=seed
        )
        self.lines = Lines(
            psp=PspLine(self.court, kind=settings.link, reading=settings.reading),
            cloud=CloudLine(
                self.court,
                api_key=settings.key,
                callback_hosts=settings.callback_hosts,
            ),
            bay=BayLine(self.court),
        )
        self.court.outbox = self.lines
        self.drivers = Drivers(self.court)
        self.device: Device = NoDevice()
        self.faults = Faults(self)

    @property
    def api_key(self) -> str:
        return self.settings.key

    @property
    def serial_number(self) -> str:
        return self.settings.serial

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def now_ms(self) -> int:
        return self.kernel.now_ms

    def note(self, kind: str, **fields: object) -> None:
        """Write one record of what happens now."""
        self.court.note(Note(kind=kind, fields=fields))

    def reset(self) -> None:
        """A new forecourt with the same settings; never while the kernel runs."""
        self.faults.heal_all()
        self.lines.psp.close("reset")
        self.lines.bay.close("reset")
        self.lines.cloud.drop_calls()
        self.drop_controllers()
        # What a fault has still to mend later, it will not.
        self.lines.bay.restore()
        self.trace.watchers[:] = [self._happened]
        self.bindings.clear()
        self.court.start_over(self._next_life())
        self.drivers = Drivers(self.court)
        self.faults = Faults(self)
        if self.settings.link == "serial":
            # A cable has no connection: the controller's end is plugged in still.
            self.lines.psp.open()

    def _next_life(self) -> Seed:
        """The seed of the next forecourt; its first record says so."""
        self._lives += 1
        #: Number of the record with which the forecourt that stands now begins.
        self.first_seq = self.tail.next_seq
        self.trace.append(self.now_ms, "run", self.settings.note())
        return Seed(self.settings.seed).child(f"bench {self._lives}")

    def _happened(self, record: Record) -> None:
        line = render_record(record)
        self.tail.keep(line)
        self.trace.forget()
        self.bindings.see(record)
        for follower in tuple(self.followers):
            follower(record, line)
