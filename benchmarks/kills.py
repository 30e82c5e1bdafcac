"""Kills the reference controller, again and again, while drivers charge.

The controller is a program of its own at the ends of real ports, run ``TIME_SCALE``
times faster than life. In each case two drivers come and go, one at each connector;
they tap until energy flows, charge for a while and leave. Meanwhile the program gets
SIGKILL at random moments while money is held, stays dead for a while and is started
again with the state that it has left. Then the epilogue, and the judge on the trace:
every session closed once, in time, for the right amount. One more case is the control:
a program that forgets everything when it dies has to be found out.

On an Apollo over PSP nobody can list sessions, so of an approval that is lost together
with the controller nobody could ever know. There the kill waits until the approval is
written down; P6X and CPS are killed in the middle of authorisations too.

    python -m benchmarks.kills            200 kills, some cases at once
    python -m benchmarks.kills --column cps --seed 7 --kills 8 --each 8
                                          one case again
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from harness.bench import Bench, CaseName
from harness.columns import COLUMNS, Column
from harness.declaration import load
from harness.epilogue import run_epilogue
from harness.judge import Expectations, judge
from harness.places import REFERENCE
from harness.shells.wall import WallWorld
from harness.watch import is_reading
from harness.wishes import Wishes
from reports.words import tail_in_words, without_chatter
from simulator.people import Person

TIME_SCALE: Final = 20
KILLS: Final = 200
KILLS_A_CASE: Final = 8
JOBS: Final = 6
_TAIL: Final = 25

#: A driver looks again after this long, and taps if there still is no energy.
_LOOK_MS: Final = 10_000
#: From an approval to the moment at which it surely has been written down.
_WRITTEN_MS: Final = 5_000
#: For what has to come before a kill, at most.
_PATIENCE_MS: Final = 120_000
_LONGEST_CALM_MS: Final = 20_000
#: From something that happens to the kill that follows it.
_LONGEST_DELAY_MS: Final = 1_500
_LONGEST_DEATH_MS: Final = 15_000
_OFTEN: Final = 0.8
_HALF: Final = 0.5
#: Enough for all repeats by the minute.
_SETTLE_MS: Final = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; the same numbers draw the same plan, though never the same race."""

    column: str
    seed: int
    kills: int
    #: The control: a program that begins each life with nothing must turn out red.
    forgets: bool = False
    trace_dir: Path | None = None

    @property
    def again(self) -> str:
        return (
            f"python -m benchmarks.kills --column {self.column} "
            f"--seed {self.seed} --kills {self.kills} --each {self.kills}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the judge says of one case."""

    case: Case
    kills: int
    #: How many kills came while the contactor of a connector was closed.
    while_charging: int
    #: Settlement -> how many sessions.
    sessions: dict[str, int]
    is_green: bool
    #: In words, for a case that is not green.
    why: str

    def __str__(self) -> str:
        found = ", ".join(f"{n} {name}" for name, n in sorted(self.sessions.items()))
        case = self.case
        line = (
            f"{case.column:<7} seed {case.seed:<4} {self.kills:>3} kills "
            f"({self.while_charging} with energy flowing)  sessions: {found}"
        )
        if case.forgets:
            return f"{line}  (the control{', IS NOT RED' * self.is_green})"
        return line if self.is_green else f"{line}\n{self.why}\n{case.again}"

    @property
    def is_as_it_should(self) -> bool:
        return self.is_green is not self.case.forgets


# --- One case -----------------------------------------------------------------------


def play(case: Case) -> Outcome:
    """Play one case to its verdict. Raises SetupError when it cannot be played."""
    with tempfile.TemporaryDirectory(prefix="nohold-kills-") as folder:
        bench = _bench(case, Path(folder))
        try:
            charging = _story(bench, Random(case.seed), case.kills)
            run_epilogue(bench)
        finally:
            bench.close()
            _keep(case, bench)
    return _judged(case, bench, charging)


def _bench(case: Case, folder: Path) -> Bench:
    column = next(one for one in COLUMNS if one.name == case.column)
    path = folder / "declaration.toml"
    path.write_text(_declared(column, forgets=case.forgets), encoding="utf-8")
    wishes = Wishes(declaration=load(path), configurable=False)
    name = CaseName(scenario=f"{case.kills} kills", requirements=("R-PER-02",))
    world = WallWorld(folder, path, time_scale=TIME_SCALE)
    world.limits = replace(world.limits, settle_ms=_SETTLE_MS)
    bench = Bench(wishes, column=column, seed=case.seed, case=name, world=world)
    bench.allow_unknown = _cannot_list(column)
    return bench


def _declared(column: Column, *, forgets: bool) -> str:
    """The reference's own declaration, wired for a column, as a program."""
    text = REFERENCE.read_text(encoding="utf-8")
    for old, new in (
        ('interface = "psp"', f'interface = "{column.interface}"'),
        ('terminal = "apollo"', f'terminal = "{column.terminal}"'),
        ('mode = "in_process"', 'mode = "process"'),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    command = ["-c", _FORGETFUL] if forgets else ["-m", "controller_ref"]
    return (
        f'{text}\npsp_link = "{column.psp_link}"\ntime_scale = {TIME_SCALE}\n'
        f"command = {json.dumps([sys.executable, *command])}\n"
    )


#: The program with another state directory for each of its lives.
_FORGETFUL: Final = """
import os, sys, tempfile
os.environ["NOHOLD_STATE_DIR"] = tempfile.mkdtemp(dir=os.environ["NOHOLD_STATE_DIR"])
os.execv(sys.executable, [sys.executable, "-m", "controller_ref"])
"""


def _cannot_list(column: Column) -> bool:
    return column.name == "apollo"


def _story(bench: Bench, chance: Random, kills: int) -> int:
    """Drivers come and go while the controller dies; how often it charged then."""
    bench.open()
    visits = Visits(bench, chance)
    charging = 0
    for _ in range(kills):
        _await_moment(bench, chance)
        charging += any(_is_closed(bench, connector) for connector in (1, 2))
        bench.device.kill()
        bench.run_for(chance.randrange(_LONGEST_DEATH_MS))
        bench.device.start()
    visits.are_over = True
    bench.run_for(_LONGEST_CALM_MS)
    return charging


def _await_moment(bench: Bench, chance: Random) -> None:
    """Let time pass until the next kill.

    While money is held; as a rule after the start that the last kill made necessary,
    sometimes in the middle of it; and half of the time just after something happened.
    """
    born = len(bench.trace.records)
    bench.run_until(lambda: bench.open_sessions() > 0, _PATIENCE_MS)
    if chance.random() < _OFTEN:
        bench.run_until(lambda: bench.is_ready(since=born), _PATIENCE_MS)
    bench.run_for(chance.randrange(_LONGEST_CALM_MS))
    if chance.random() < _HALF:
        calm = len(bench.trace.records)
        bench.run_until(lambda: _has_happened(bench, calm), _PATIENCE_MS)
        bench.run_for(chance.randrange(_LONGEST_DELAY_MS))
    if _cannot_list(bench.column):
        bench.run_until(lambda: _all_written(bench), _PATIENCE_MS)


def _has_happened(bench: Bench, since: int) -> bool:
    """Whether money has moved, or the charger, or a person."""
    kinds = ("act", "session", "charger")
    return any(record["kind"] in kinds for record in bench.trace.records[since:])


def _is_closed(bench: Bench, connector: int) -> bool:
    """Whether the contactor is."""
    return bench.court.station.connector(connector).contactor_closed


def _all_written(bench: Bench) -> bool:
    """No authorisation is under way, nor has one just been approved."""
    newest_ms = max(
        (
            _number(record["t_ms"])
            for record in reversed(bench.trace.records)
            if record["kind"] == "session" and record["event"] == "opened"
        ),
        default=0,
    )
    return is_reading(bench) and bench.now_ms >= newest_ms + _WRITTEN_MS


def _number(found: object) -> int:
    assert isinstance(found, int)
    return found


class Visits:
    """Drivers at two connectors; a driver comes when the other one has energy."""

    def __init__(self, bench: Bench, chance: Random) -> None:
        self._bench = bench
        self._chance = chance
        self.are_over = False
        #: Whoever holds a card to the terminal at the moment: one at a time.
        self._payer: Person | None = None
        for connector in (1, 2):
            self._go_on(self._visits(connector))

    def _go_on(self, script: Iterator[int]) -> None:
        """Let a script do what is next; it yields how long it then waits."""
        if not self.are_over:
            at_ms = self._bench.now_ms + next(script)
            self._bench.kernel.at(at_ms, partial(self._go_on, script))

    def _visits(self, connector: int) -> Iterator[int]:
        drivers = self._bench.drivers
        while True:
            while self._payer is not None:
                yield _LOOK_MS
            self._payer = driver = self._bench.people.meet()
            drivers.plug(driver, connector, driver.vehicle)
            while not _is_closed(self._bench, connector):
                if is_reading(self._bench) and not self._holds(driver):
                    drivers.tap(driver, driver.card)
                yield _LOOK_MS
            self._payer = None
            yield self._chance.randrange(10_000, 90_000)
            drivers.leave(driver, connector)
            while self._holds(driver):
                yield _LOOK_MS

    def _holds(self, driver: Person) -> bool:
        """Whether money of the driver's card is held."""
        sessions = self._bench.court.terminal.sessions.values()
        return any(one.card == driver.card and one.is_open for one in sessions)


# --- The verdict --------------------------------------------------------------------


def _judged(case: Case, bench: Bench, charging: int) -> Outcome:
    records = bench.trace.records
    expectations = Expectations(allow_unknown=bench.allow_unknown, sessions_at_least=1)
    judgement = judge(records, expectations=expectations)
    names = [str(session.settlement) for session in judgement.sessions]
    why = [
        f"  {f.requirement}: expected {f.expected}, seen {f.seen}"
        for f in judgement.findings
    ]
    why += tail_in_words(without_chatter(records), _TAIL)
    return Outcome(
        case=case,
        kills=sum(
            r["kind"] == "controller" and r["event"] == "killed" for r in records
        ),
        while_charging=charging,
        sessions={name: names.count(name) for name in set(names)},
        is_green=judgement.green,
        why="\n".join(why),
    )


def _keep(case: Case, bench: Bench) -> None:
    if case.trace_dir is not None:
        case.trace_dir.mkdir(parents=True, exist_ok=True)
        name = "control" if case.forgets else f"kills-{case.column}-{case.seed}"
        path = case.trace_dir / f"{name}.jsonl"
        path.write_text(bench.trace.render(), encoding="ascii", newline="\n")


# --- Many cases ---------------------------------------------------------------------


def plan(kills: int, columns: Sequence[str], *, seed: int, each: int) -> list[Case]:
    """So many kills, ``each`` in a case, over the columns in turn; then the control."""
    cases: list[Case] = []
    while kills > 0:
        number = len(cases)
        column = columns[number % len(columns)]
        cases.append(Case(column=column, seed=seed + number, kills=min(each, kills)))
        kills -= each
    return [*cases, Case(column="p6x", seed=seed, kills=2, forgets=True)]


def play_all(cases: Sequence[Case], *, jobs: int) -> Iterator[Outcome]:
    """Each case in a process of its own, ``jobs`` at once; in their order."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        yield from pool.map(play, cases)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills")
    names = [column.name for column in COLUMNS]
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--column", choices=names, action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=KILLS_A_CASE, help="in one case")
    parser.add_argument("-j", "--jobs", type=int, default=JOBS)
    parser.add_argument("--trace-dir", type=Path)
    given = parser.parse_args()
    cases = [
        replace(case, trace_dir=given.trace_dir)
        for case in plan(
            given.kills, given.column or names, seed=given.seed, each=given.each
        )
    ]
    outcomes = []
    for outcome in play_all(cases, jobs=given.jobs):
        print(outcome, flush=True)
        outcomes.append(outcome)
    wrong = sum(not outcome.is_as_it_should for outcome in outcomes)
    counted = [outcome for outcome in outcomes if not outcome.case.forgets]
    kills = sum(outcome.kills for outcome in counted)
    charging = sum(outcome.while_charging for outcome in counted)
    print(f"{kills} kills, {charging} with energy flowing; {wrong} cases went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
