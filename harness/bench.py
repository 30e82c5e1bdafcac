"""The bench: one forecourt, one controller, the lines between them, one trace.

The composition root of a case in virtual time. A bench is built cold, so that a
scenario can still choose claims and readings; the first thing that needs the world
opens it: the controller boots and must be ready before its time is up. What a scenario
did not say is the same for all: the epilogue (``harness.epilogue``) and the judgement.

The bench never looks inside the controller. What it knows of a case is the trace and
the machines of the forecourt.
"""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, Literal

from harness.bay_line import BayLine
from harness.cloud_line import CloudLine
from harness.columns import Column
from harness.declaration import Declaration, SetupError
from harness.device import Device, Lines
from harness.drivers import Drivers
from harness.faults import Faults
from harness.memory_store import MemoryStore
from harness.psp_line import PspLine
from harness.readings import Answers
from harness.unready import has_wrong_key, what_is_missing
from harness.wishes import Wishes
from harness.world import Desk, VirtualWorld, World
from simulator.forecourt import Forecourt, ForecourtSettings
from simulator.kernel import Kernel
from simulator.people import People, Person
from simulator.seed import Seed
from simulator.station import StationSettings
from simulator.terminal import TerminalSettings
from simulator.trace import Trace
from wire.bay import PONG_LIMIT_MS
from wire.machine import Place
from wire.psp import Family, Reading, State

VERSION: Final = "0.1.0"

#: Calendar time at the start of every run: a working day without a clock change.
STARTED_AT: Final = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)

#: A driver waits so long for a terminal that takes its time until it reads.
LATE_READING_MS: Final = 10_000
#: After the controller is ready, the time it is given to start reading cards.
WARM_UP_MS: Final = 5_000

SERIAL_NUMBERS: Final = {"p6x": "P6820260300042", "apollo": "APO20260300042"}
CALLBACK_URL: Final = "http://127.0.0.1:8299/callbacks"

_READY_STATES: Final = frozenset({State.ENABLED, State.WAIT_CARD, State.WAIT_AUTH})


class NotReached(Exception):
    """The situation that a case is about did not come about: INCONCLUSIVE."""


class WrongUse(Exception):
    """The feature file asks for what does not exist; it says nothing about anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseName:
    """Which case this is; goes into the trace's first record."""

    scenario: str = "bench"
    #: The row of an outline, its values in words; empty for a plain scenario.
    row: str = ""
    feature: str = ""
    requirements: tuple[str, ...] = ()


class Bench:
    """See the module's text. Times are milliseconds of the run's clock."""

    def __init__(
        self,
        wishes: Wishes,
        *,
        column: Column,
        seed: int,
        case: CaseName,
        world: World | None = None,
    ) -> None:
        self.world = world or VirtualWorld()
        self.wishes = wishes
        self.column = column
        self.case = case
        self.seed = seed
        self.trace = Trace()
        #: The instant of the last When: limits of Then run from here.
        self.since_ms = 0
        self.is_open = False
        #: The case says that nobody could know of a session (verdict UNKNOWN).
        self.allow_unknown = False
        #: The case says that its outage outlasts this scheme's window (verdict LATE).
        self.scheme_late = ""
        self._cast: list[Person] = []

    # --- the world, built on first use ------------------------------------------

    @cached_property
    def kernel(self) -> Kernel:
        return Kernel(self.world.clock)

    @cached_property
    def _streams(self) -> Seed:
        return Seed(self.seed).child(f"{self.case.scenario}/{self.column.name}")

    @cached_property
    def people(self) -> People:
        return People(self._streams, names=self.wishes.names)

    @property
    def declaration(self) -> Declaration:
        return self.wishes.declaration

    @property
    def wish(self) -> Wishes:
        """What a step may still change. Raises WrongUse once the world is open."""
        if self.is_open:
            raise WrongUse(
                "found behind a step that has begun the story, allowed before all such "
                "steps: what holds for the whole case comes first"
            )
        return self.wishes

    @cached_property
    def answers(self) -> Answers:
        """The reading of this case."""
        wishes, face = self.wishes, self.column.interface
        own = {"profile": wishes.profile, "policy": wishes.policy}
        return Answers(wishes.asked, face, **own)

    @cached_property
    def court(self) -> Forecourt:
        self._note_run()
        settings = ForecourtSettings(
            terminal=self._terminal_settings(), station=self._station_settings()
        )
        return Forecourt(
            settings, kernel=self.kernel, trace=self.trace, seed=self._streams
        )

    @cached_property
    def lines(self) -> Lines:
        kind = self.psp_link
        profile = self.answers.profile
        reading = Reading(family=Family(self.column.terminal), profile=profile)
        return Lines(
            psp=PspLine(self.court, kind=kind, reading=reading),
            cloud=CloudLine(
                self.court, api_key=self.api_key, callback_hosts=self.callback_hosts
            ),
            bay=BayLine(self.court),
        )

    @cached_property
    def store(self) -> MemoryStore:
        return MemoryStore()

    @cached_property
    def device(self) -> Device:
        return self.world.build(self)

    @property
    def callback_hosts(self) -> tuple[str, ...]:
        return self.declaration.listed("reach", "callback_hosts") or ("127.0.0.1",)

    @cached_property
    def drivers(self) -> Drivers:
        self.open()
        return Drivers(self.court)

    @cached_property
    def faults(self) -> Faults:
        self.open()
        return Faults(self)

    @cached_property
    def api_key(self) -> str:
        # The same in all cases of a run: whoever configures a box does it once.
        return f"{Seed(self.seed).stream('api key').getrandbits(128):032x}"

    # --- life -------------------------------------------------------------------

    def open(self) -> None:
        """Boot the controller and wait until it is ready. Raises SetupError."""
        if self.is_open:
            return
        self.start_device()
        self.wait_until_ready()
        # A real program needs real time for it, however fast the run's time passes.
        reads = self.court.terminal.is_reading
        self.run_until(lambda: reads(self.column.interface), self.world.slack_ms)
        self.run_for(WARM_UP_MS)
        if not reads(self.column.interface):
            self.run_until(lambda: reads(self.column.interface), LATE_READING_MS)
        self.since_ms = self.now_ms

    def start_device(self) -> None:
        """Boot the controller. Raises SetupError when that is not possible."""
        self.is_open = True
        self.court.outbox = self.lines
        self.device.start()

    def wait_until_ready(self, *, since: int = 0) -> None:
        """Wait for a hello and a terminal set up, after record ``since``.

        Raises SetupError with what is missing, in the time that was declared.
        """
        within_s = self.declaration.number("reach", "ready_within")
        self.run_until(
            lambda: (
                self.is_ready(since=since)
                or not self.device.is_alive
                or has_wrong_key(self)
            ),
            within_s * 1000 * self.time_scale,
        )
        if not self.is_ready(since=since):
            raise SetupError(
                f"controller not ready within {within_s} s: "
                f"{what_is_missing(self, since=since)}"
            )
        self._note("controller", event="ready", boot=self.device.boots)

    def is_ready(self, *, since: int = 0) -> bool:
        """Whether the bay link has said hello and the terminal side is connected."""
        return self.is_reachable(since=since) and self.said_hello(since=since)

    def said_hello(self, *, since: int = 0) -> bool:
        return any(
            record["kind"] == "bay" and _line_type(record) == "hello"
            for record in self.trace.records[since:]
        )

    def is_reachable(self, *, since: int = 0) -> bool:
        """PSP: set up, on a link opened since; CPS: one call with the right key."""
        records = self.trace.records[since:]
        if self.column.interface == "cps":
            return any(r["kind"] == "http" and r["authorised"] for r in records)
        connected = any(
            r["kind"] == "link" and r["link"] == "psp" and r["state"] == "up"
            for r in records
        )
        is_wired = connected or self.psp_link == "serial"
        return is_wired and self.court.terminal.state in _READY_STATES

    def close(self) -> None:
        """Give back what the world holds; the trace stays."""
        self.world.close()

    # --- time -------------------------------------------------------------------

    @property
    def time_scale(self) -> int:
        """How many times faster than life this run's time passes; 1 in virtual time."""
        return self.declaration.number("reach", "time_scale")

    @property
    def now_ms(self) -> int:
        return self.kernel.now_ms

    def run_for(self, duration_ms: int) -> None:
        """Let time pass."""
        self.kernel.run_until(self.now_ms + duration_ms)

    def run_until(self, stop: Callable[[], bool], within_ms: int) -> bool:
        """Let time pass until ``stop`` holds; tells whether it did in time."""
        return self.kernel.run_until(self.now_ms + within_ms, stop=stop)

    # --- for everyone -----------------------------------------------------------

    def _note(self, kind: str, **fields: object) -> None:
        self.trace.append(self.now_ms, kind, fields)

    def saw(self, mark: str) -> None:
        """Note that something a case depends on did happen."""
        self._note("seen", mark=mark)

    def driver(self, number: int) -> Person:
        """Driver 1, 2, ... of this case: a person with a card and a vehicle."""
        while len(self._cast) < number:
            self._cast.append(self.people.meet())
        return self._cast[number - 1]

    def recast(self, number: int, **changes: str) -> None:
        """Give a driver another card or vehicle."""
        self._cast[number - 1] = replace(self.driver(number), **changes)

    def draw_number(self, what: str, low: int, high: int) -> int:
        """A number of this case's own, from the seed: another in every run."""
        return self._streams.stream(f"case {what}").randint(low, high)

    @property
    def psp_link(self) -> Literal["tcp", "serial"]:
        """How the controller is wired to a PSP terminal."""
        declared = self.declaration.text("reach", "psp_link")
        return "serial" if declared == "serial" else "tcp"

    @property
    def serial_number(self) -> str:
        return SERIAL_NUMBERS[self.column.terminal]

    def open_sessions(self) -> int:
        """How many sessions the terminal still holds open."""
        return sum(session.is_open for session in self.court.terminal.sessions.values())

    # --- settings ---------------------------------------------------------------

    def _note_run(self) -> None:
        self._note(
            "run",
            version=VERSION,
            scenario=self.case.scenario,
            feature=self.case.feature,
            column=self.column.name,
            seed=self.seed,
            declaration=self.declaration.plain(),
            started_at=STARTED_AT.isoformat(),
            requirements=list(self.case.requirements),
            profile=dict(self.answers.told),
        )

    def _terminal_settings(self) -> TerminalSettings:
        return TerminalSettings(
            family=Family(self.column.terminal),
            serial_number=self.serial_number,
            api_key=self.api_key,
            psp_profile=self.answers.profile,
            cps_policy=self.answers.policy,
            link=self.psp_link,
            card_detect_s=self.wishes.card_detect_s,
            currency=self.declaration.text("tariff", "currency"),
            started_at_ms=self.wall_ms,
        )

    def _station_settings(self) -> StationSettings:
        desk = self.world.desk or Desk()
        return StationSettings(
            connectors=self.declaration.number("claims", "connectors"),
            max_power_w=self.declaration.number("claims", "max_power_w"),
            bay_sensor=self.declaration.flag("claims", "bay_sensor"),
            pong_limit_ms=PONG_LIMIT_MS + self.world.slack_ms,
            initial_energy_wh=desk.registers_wh or self._draw_registers(),
            boot=desk.boot,
        )

    def _draw_registers(self) -> tuple[int, ...]:
        draw = self._streams.stream("registers").randrange
        connectors = range(self.declaration.number("claims", "connectors"))
        return tuple(draw(10_000, 9_000_000) for _ in connectors)

    @property
    def wall_ms(self) -> int:
        """Calendar time at the start of the run, milliseconds since 1970."""
        return calendar.timegm(STARTED_AT.timetuple()) * 1000

    @property
    def place(self) -> Place:
        """Where an in-process controller finds itself."""
        place = Place(
            declaration=self.declaration.plain(),
            psp_link=self.psp_link,
            store=self.store,
        )
        if self.column.interface == "psp":
            return place
        return replace(
            place,
            cps_url="http://127.0.0.1:8201",
            cps_api_key=self.api_key,
            terminal_serial=self.serial_number,
            callback_url=CALLBACK_URL,
        )


def _line_type(record: Mapping[str, object]) -> object:
    line = record["line"]
    return line.get("type") if isinstance(line, Mapping) else None
