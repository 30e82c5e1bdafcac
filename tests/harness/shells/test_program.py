"""A program on the bench: its deaths, its storage and its clock, in real time."""

import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS
from harness.deaths import names_in
from harness.declaration import NotClaimed, load
from harness.places import REFERENCE
from harness.shells.program import HEARD_AFTER_MS, ProgramDevice
from harness.shells.wall import Setup, WallWorld
from harness.watch import await_session, sessions_of
from harness.wishes import Wishes
from simulator.terminal import SessionState

TIME_SCALE = 20
#: Writes a line into its state for each line that it finds in its inbox, and tells.
SCRIBE = """
import os, pathlib, time
state = pathlib.Path(os.environ["NOHOLD_STATE_DIR"])
inbox, seen = pathlib.Path("inbox"), 0
while True:
    lines = inbox.read_text().split() if inbox.exists() else []
    for line in lines[seen:]:
        try:
            with (state / "log").open("a") as log:
                log.write(line * 2_000 + "\\n")
            print("wrote", line, flush=True)
        except OSError as error:
            print("cannot write", line, error.strerror, flush=True)
    seen = len(lines)
    time.sleep(0.01)
"""
REFERENCE_PROGRAM = (sys.executable, "-m", "controller_ref")
Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A bench in real time around a program; closed in the end."""
    made: list[Bench] = []

    def build(
        *command: str, column: str = "apollo", setup: Setup | None = None
    ) -> Bench:
        fits = next(one for one in COLUMNS if one.name == column)
        declaration = fits.fit(load(REFERENCE)).replaced(
            "reach", mode="process", command=command, time_scale=TIME_SCALE
        )
        path = tmp_path / "declaration.toml"
        text = REFERENCE.read_text("utf-8")
        text = text.replace('interface = "psp"', f'interface = "{fits.interface}"')
        path.write_text(text, encoding="utf-8")
        made.append(
            Bench(
                Wishes(declaration=declaration, configurable=False),
                column=fits,
                seed=1,
                case=CaseName(scenario="a program"),
                world=WallWorld(
                    tmp_path, path, time_scale=TIME_SCALE, setup=setup or Setup()
                ),
            )
        )
        return made[-1]

    yield build
    for bench in made:
        bench.close()


@pytest.fixture
def scribe(make: Make, tmp_path: Path) -> Callable[..., "Scribe"]:
    def build(*, small_disk: bool = False) -> "Scribe":
        script = tmp_path / "scribe.py"
        script.write_text(SCRIBE, encoding="utf-8")
        setup = Setup(small_disk=small_disk)
        bench = make(sys.executable, "scribe.py", setup=setup)
        bench.start_device()
        return Scribe(bench, tmp_path / "inbox")

    return build


def program(bench: Bench) -> ProgramDevice:
    assert isinstance(bench.device, ProgramDevice)
    return bench.device


class Scribe:
    """The program, and what it is asked to write down."""

    def __init__(self, bench: Bench, inbox: Path) -> None:
        self.bench = bench
        self._inbox = inbox

    def write(self, word: str) -> None:
        with self._inbox.open("a", encoding="utf-8") as inbox:
            inbox.write(f"{word}\n")

    def said(self, line: str) -> bool:
        """Whether it has printed ``line``, waited for."""
        return self.bench.run_until(
            lambda: line in self._log.read_text("utf-8"), 10_000 * TIME_SCALE
        )

    @property
    def device(self) -> ProgramDevice:
        return program(self.bench)

    @property
    def _log(self) -> Path:
        assert isinstance(self.bench.world, WallWorld)
        return self.bench.world.home / "controller.log"

    def seen(self) -> list[object]:
        records = self.bench.trace.records
        return [record["mark"] for record in records if record["kind"] == "seen"]


# --- storage ----------------------------------------------------------------------


def test_its_disk_fills_up_while_it_runs(scribe: Callable[..., Scribe]) -> None:
    writer = scribe(small_disk=True)
    writer.write("a")
    assert writer.said("wrote a")
    try:
        heal = writer.device.fail_storage("full")
    except NotClaimed as reason:
        pytest.skip(str(reason))
    writer.write("b")
    writer.write("c")
    assert writer.said("cannot write c No space left on device")
    heal()
    writer.write("d")
    assert writer.said("wrote d")


def test_what_it_wrote_last_is_lost_at_the_next_start(
    scribe: Callable[..., Scribe],
) -> None:
    writer = scribe()
    device = writer.device
    device.fail_storage("lost_write")
    writer.write("a")
    assert writer.said("wrote a")
    device.kill()
    assert not device.is_alive
    writer.bench.run_for(2 * HEARD_AFTER_MS * TIME_SCALE)
    device.start()
    assert writer.seen() == ["state lost_write: log"]
    assert device.is_alive


def test_a_start_at_once_spares_what_may_have_been_told(
    scribe: Callable[..., Scribe],
) -> None:
    """What it has sent may not have been read yet: it waits for the next start."""
    writer = scribe()
    writer.device.fail_storage("torn")
    writer.write("a")
    assert writer.said("wrote a")
    writer.device.kill()
    writer.device.start()
    assert writer.seen() == []


# --- clock ------------------------------------------------------------------------


def test_the_calendar_of_the_running_program_jumps(make: Make) -> None:
    code = "import time\nwhile True: print(int(time.time()), flush=True); time.sleep(1)"
    bench = make(sys.executable, "-c", code, setup=Setup(lying_clock=True))
    bench.start_device()
    bench.run_for(TIME_SCALE * 500)
    try:
        program(bench).shift_clock(-86_400)
    except NotClaimed as reason:
        pytest.skip(str(reason))
    assert isinstance(bench.world, WallWorld)
    log = bench.world.home / "controller.log"

    def jumped_back() -> bool:
        told = [int(word) for word in log.read_text("ascii").split()]
        return any(after < before - 80_000 for before, after in pairwise(told))

    assert bench.run_until(jumped_back, 20_000 * TIME_SCALE)


# --- deaths -----------------------------------------------------------------------


def test_it_can_be_killed_before_it_has_done_anything(make: Make) -> None:
    bench = make(*REFERENCE_PROGRAM)
    bench.start_device()
    for _ in range(3):
        bench.device.kill()
        assert not bench.device.is_alive
        bench.device.start()
    bench.wait_until_ready()
    assert bench.device.boots == 4


@pytest.mark.parametrize(
    ("column", "what"), [("p6x", "Auth Session"), ("cps", "E6"), ("apollo", "lock")]
)
def test_it_dies_as_what_it_says_arrives(make: Make, column: str, what: str) -> None:
    bench = make(*REFERENCE_PROGRAM, column=column)
    bench.open()
    bench.faults.put("controller_killed_at", moment="after", what=what, for_s=10)
    driver = bench.driver(1)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.drivers.tap(driver, driver.card)
    assert bench.run_until(lambda: bench.device.boots == 2, 120_000)
    records = bench.trace.records
    (hit,) = [r for r in records if r["kind"] == "fault" and r["event"] == "hit"]
    assert hit["detail"] == f"after {what}, number 1"
    said = [r["seq"] for r in records if what in names_in(r)]
    (killed,) = [r["seq"] for r in records if r.get("event") == "killed"]
    assert said[0] < hit["seq"] < killed  # type: ignore[operator]  # numbers


@pytest.mark.parametrize(
    ("moment", "what"), [("before", "E9"), ("before", "write"), ("after", "write")]
)
def test_what_no_bench_can_see_is_no_moment_to_die(
    make: Make, moment: str, what: str
) -> None:
    bench = make(*REFERENCE_PROGRAM)
    bench.start_device()
    with pytest.raises(NotClaimed, match=f"not {moment} a {what}"):
        bench.faults.put("controller_killed_at", moment=moment, what=what)
    with pytest.raises(NotClaimed, match="counter of milliseconds"):
        bench.faults.put("clock_wrap")


def test_one_that_ends_by_itself_is_found_out(make: Make) -> None:
    bench = make(sys.executable, "-c", "import sys; sys.exit('out of paper')")
    bench.start_device()
    assert bench.run_until(lambda: not bench.device.is_alive, 20_000 * TIME_SCALE)
    bench.device.start()
    (found,) = [r for r in bench.trace.records if r["kind"] == "finding"]
    assert found["seen"] == "it ended with status 1: out of paper"


@pytest.mark.parametrize("column", ["p6x", "cps"])
def test_the_site_loses_power_during_a_charge(make: Make, column: str) -> None:
    """All goes at once, all comes back together, and the driver pays once."""
    bench = make(*REFERENCE_PROGRAM, column=column)
    bench.open()
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.drivers.plug(driver, 1, driver.vehicle)
    station = bench.court.station
    assert bench.run_until(lambda: station.connector(1).power_w > 0, 120_000)
    bench.run_for(20_000)
    since = len(bench.trace.records)
    bench.faults.put("site_power_cut", for_s=0)
    assert not bench.device.is_alive
    assert not station.connector(1).contactor_closed
    bench.run_for(10_000)
    assert link_states(bench)["bay"] == "down"
    assert not bench.is_ready(since=since)
    bench.faults.heal("site_power_cut")
    bench.wait_until_ready(since=since)
    bench.run_until(lambda: bench.open_sessions() == 0, 600_000)
    (session,) = sessions_of(bench, driver)
    assert session.state is SessionState.COMMITTED
    assert session.final_minor


def link_states(bench: Bench) -> dict[object, object]:
    """The last word about each link."""
    links = [record for record in bench.trace.records if record["kind"] == "link"]
    return {record["link"]: record["state"] for record in links}
