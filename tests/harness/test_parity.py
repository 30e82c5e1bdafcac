"""The same scenario means the same in every world that it is played in.

One scenario of each group (those tagged @sample) is played six times: in virtual time
on a TCP line, on a serial line and over HTTP, and with the reference controller as a
program on real TCP, a pseudo-terminal and a real web server. The verdicts have to
agree, and the events that matter (``meaning``), to the line. A difference is a mistake
of the examiner, or of the reference controller.

The declaration asks for a minimum of EUR 3.00, more than any of these charges costs, so
that no amount follows the clock. What is left of a difference is not.
"""

import io
import json
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

from harness.judge import load
from harness.places import REFERENCE
from harness.run import RunOptions, play
from reports.results import CaseResult
from tests.harness.meaning import Meaning
from wire.records import Record

TIME_SCALE: Final = 20
#: Cases at once in each of the three real worlds.
JOBS: Final = 6

#: Real time by which the examiner may be late: a fraction of what a controller waits
#: for an answer (5 s of the run), so that nothing has begun to follow the machine.
LATE_MS: Final = 150
#: How often a case is played again on a machine that is busy elsewhere.
PATIENCE: Final = 3
TOO_BUSY: Final = f"this machine was late by over {LATE_MS} ms every time"
#: The groups in which there is a scenario tagged @sample.
GROUPS: Final = "ABCDEGHIJKLMN"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where a scenario is played; ``line`` is how the declaration has it."""

    name: str
    interface: str
    line: str
    is_real: bool


WORLDS: Final = tuple(
    World(name=f"{name}, {time}", interface=interface, line=line, is_real=is_real)
    for time, is_real in (("virtual time", False), ("real time", True))
    for name, interface, line in (
        ("TCP", "psp", "tcp"),
        ("serial", "psp", "serial"),
        ("HTTP", "cps", "tcp"),
    )
)


def declared(world: World) -> str:
    """The reference controller as a program, wired for a world."""
    text = REFERENCE.read_text(encoding="utf-8")
    for old, new in (
        ('interface = "psp"', f'interface = "{world.interface}"'),
        ("per_kwh = 59", "per_kwh = 59\nminimum = 300"),
        ('mode = "in_process"', 'mode = "process"'),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    command = json.dumps([sys.executable, "-m", "controller_ref"])
    return (
        f'{text}\npsp_link = "{world.line}"\ntime_scale = {TIME_SCALE}\n'
        f"command = {command}\n"
    )


def played(folder: Path, world: World) -> Mapping[str, Meaning]:
    """What each scenario means in a world, by its S-id.

    A case during which this machine was busy elsewhere says nothing, whatever it shows:
    it is played again, alone.
    """
    home = folder / world.name
    home.mkdir()
    path = home / "declaration.toml"
    path.write_text(declared(world), encoding="utf-8")
    options = RunOptions(
        words="sample",
        declaration=path,
        trace_dir=home / "traces",
        jobs=JOBS if world.is_real else 1,
        rehearsal=not world.is_real,
    )
    found: dict[str, Meaning] = {}
    for case in cases(options):
        again = case
        for _ in range(PATIENCE):
            if not was_late(home / "traces", again):
                break
            [again] = cases(replace(options, words=f'"{case.title.lower()}"', jobs=1))
        assert not was_late(home / "traces", again), f"{case.title}: {TOO_BUSY}"
        found[case.scenario_id] = told(home / "traces", again)
    return found


def cases(options: RunOptions) -> Sequence[CaseResult]:
    result, heard = play(options, Console(file=io.StringIO()))
    troubles = [*heard.wrong_use, *heard.setup_errors, *heard.crashes]
    assert not troubles, f"{options.trace_dir}: {troubles}"
    return result.cases


def records_of(traces: Path, case: CaseResult) -> Sequence[Record]:
    [trace] = traces.glob(f"{case.scenario_id}-*.jsonl")
    with trace.open(encoding="ascii") as lines:
        return load(lines)


def was_late(traces: Path, case: CaseResult) -> bool:
    """Whether the examiner itself was late, which the end of a trace tells."""
    late_ms = records_of(traces, case)[-1].get("late_ms", 0)
    return isinstance(late_ms, int) and late_ms > LATE_MS * TIME_SCALE


def told(traces: Path, case: CaseResult) -> Meaning:
    verdict = [case.conduct, *(session.settlement for session in case.sessions)]
    return Meaning.of(records_of(traces, case), verdict=verdict)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """World -> S-id -> meaning; three worlds side by side, virtual time first.

    Virtual time needs the processor, and real time a processor that is free.
    """
    folder = tmp_path_factory.mktemp("parity")
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=fresh) as pool:
        found = pool.map(partial(played, folder), WORLDS)
        return dict(zip((world.name for world in WORLDS), found, strict=True))


def test_every_group_is_played(stories: Mapping[str, Mapping[str, Meaning]]) -> None:
    for world, found in stories.items():
        assert "".join(sorted(name[2] for name in found)) == GROUPS, world


def test_every_case_is_green(stories: Mapping[str, Mapping[str, Meaning]]) -> None:
    first = stories[WORLDS[0].name]
    for scenario, story in first.items():
        assert set(story.verdict) <= {"PASS", "CLOSED"}, scenario
        assert story.money, scenario


@pytest.mark.parametrize("world", WORLDS[1:], ids=[w.name for w in WORLDS[1:]])
def test_a_world_tells_the_same_stories(
    stories: Mapping[str, Mapping[str, Meaning]], world: World
) -> None:
    first = stories[WORLDS[0].name]
    found = []
    for scenario, story in first.items():
        if lines := story.against(stories[world.name][scenario]):
            found += [f"{scenario}: {WORLDS[0].name} (-), {world.name} (+)", *lines]
    assert not found, "\n" + "\n".join(found)
