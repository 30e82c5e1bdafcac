"""One run of the examiner: select cases, play them, say what was seen.

The engine is pytest with the nohold plugin (an entry point), the same that a vendor's
own pytest project uses; here its terminal output is replaced by a progress bar and the
matrix. Results travel as plain values on the test reports, so it does not matter in
which process a case was played.

Exit statuses are those of device_under_test.md section 3: 0 conformant, 1 not, 2 wrong
use, 3 set-up error or nothing decided, 4 the examiner itself failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from harness.bench import VERSION
from harness.collector import Collector
from harness.declaration import SetupError
from harness.places import FEATURES
from harness.progress import ProgressDisplay, Tally
from harness.readings import playable, unplayed
from harness.shells.ahead import NOTHING, Made
from harness.shells.cores import can_fork, cores
from harness.shells.crew import Crew
from harness.wire_coverage import wire_lines
from reports.basis_text import basis_text
from reports.json_report import json_report
from reports.junit import junit_xml
from reports.matrix import matrix_text
from reports.readings_text import readings_text
from reports.register import load_catalogue, load_register
from reports.results import (
    NOT_APPLICABLE,
    CaseResult,
    LeftOut,
    QuestionLine,
    RunResult,
)
from reports.status import UNDECIDED, troubles
from reports.wire_table import wire_text
from simulator.clock import wall_time_s

#: A case whose story needs more real time than this is left out unless asked for.
LONGEST_STORY_S: Final = 120
#: What the epilogue adds in real time, in milliseconds of the run: leaving, a last look
#: and the rest at the end (``harness.epilogue``, ``harness.shells.wall``).
EPILOGUE_MS: Final = 120_000
#: Starting a program and hanging up on it.
STARTING_S: Final = 3

_INI: Final = Path(__file__).with_name("pytest.ini")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the person at the command line asked for."""

    paths: tuple[Path, ...] = ()
    declaration: Path | None = None
    interface: str | None = None
    terminal: str | None = None
    seed: int = 1
    requirements: tuple[str, ...] = ()
    words: str = ""
    junit: Path | None = None
    json: Path | None = None
    trace_dir: Path | None = None
    #: Who is examined, in the words of the declaration.
    controller: str = ""
    #: Calendar time, ISO 8601; goes into the reports and nowhere else.
    started_at: str = ""
    #: Processes that share the cases; 1 plays them in this one.
    jobs: int = 1
    #: How many times faster than life a program is examined; 0: virtual time.
    time_scale: int = 0
    #: Also run what takes a wall clock long.
    long: bool = False
    #: Play the reference controller, with the claims declared, in virtual time.
    rehearsal: bool = False
    #: Node ids of cases to leave out.
    leave_out: tuple[str, ...] = ()
    #: Where ports listen in real time.
    host: str = "127.0.0.1"
    #: What no case decides, with what the declaration says to it.
    questions: tuple[QuestionLine, ...] = ()
    #: ``name=value[,name=value]``, "all" or "each"; empty: the default reading.
    readings: str = ""
    #: Say what happened on the wire, and what never did.
    coverage: bool = False

    def for_pytest(self) -> list[str]:
        """The same as arguments of pytest."""
        arguments = [str(path) for path in self.paths or (FEATURES,)]
        arguments += ["-c", str(_INI), "--rootdir", str(Path.cwd())]
        # Plain: where nohold is installed, pytest warns that its modules, which are
        # imported already, cannot have their assertions rewritten.
        arguments += ["-p", "no:cacheprovider", "--assert=plain"]
        # Only what a run needs: other plugins cost their start, and may change it.
        arguments += ["--disable-plugin-autoload", "-p", "pytest-bdd", "-p", "nohold"]
        arguments += ["-p", "no:unraisableexception", "-p", "no:threadexception"]
        arguments += ["-p", "no:logging"]
        arguments += [f"--nohold-seed={self.seed}", f"--nohold-host={self.host}"]
        options = {
            "declaration": self.declaration,
            "interface": self.interface,
            "terminal": self.terminal,
            "words": self.words or None,
            "trace-dir": self.trace_dir,
        }
        arguments += [
            f"--nohold-{name}={value}"
            for name, value in options.items()
            if value is not None
        ]
        if self.readings:
            arguments.append(f"--nohold-readings={self.readings}")
        if self.coverage:
            arguments.append("--nohold-coverage")
        if self.rehearsal:
            arguments.append("--nohold-rehearsal")
        arguments += [f"--nohold-leave-out={node}" for node in self.leave_out]
        arguments += [f"--nohold-requirement={one}" for one in self.requirements]
        return arguments


def play(
    options: RunOptions,
    console: Console,
    *,
    needs_s: Mapping[str, int] | None = None,
    made: Made = NOTHING,
) -> tuple[RunResult, Collector]:
    """Play the cases; says on ``console`` what is going on, quietly in a log.

    ``needs_s``: what each case is expected to take, real seconds. ``made``: what has
    been made ahead.
    """
    tally = Tally(now_s=wall_time_s, jobs=options.jobs, needs_s=needs_s or {})
    display = ProgressDisplay(tally, console)
    collector = Collector(display, made=made)
    plugins: list[object] = [collector]
    if options.jobs > 1:
        plugins.append(Crew(options.jobs, needs_s or {}, listener=collector))
    try:
        status = pytest.main(options.for_pytest(), plugins=plugins)
    finally:
        display.stop()
    if status == pytest.ExitCode.INTERNAL_ERROR and not collector.crashes:
        collector.crashes.append("pytest failed without saying why")
    if status == pytest.ExitCode.USAGE_ERROR and not collector.wrong_use:
        collector.wrong_use.append("pytest refused the arguments")
    return replace(_nothing(options), cases=_sorted(collector.cases)), collector


def _nothing(options: RunOptions) -> RunResult:
    """The result of a run in which no case has been played."""
    return RunResult(
        version=VERSION,
        seed=options.seed,
        started_at=options.started_at,
        controller=options.controller,
        questions=options.questions,
    )


def _sorted(cases: Sequence[CaseResult]) -> tuple[CaseResult, ...]:
    return tuple(sorted(cases, key=_place))


def play_in_real_time(
    options: RunOptions, console: Console, *, made: Made
) -> tuple[RunResult, Collector]:
    """Look at the set-up, rehearse in virtual time, play what can be played in time.

    The rehearsal plays the reference controller with the claims of the declaration: it
    takes seconds, and tells how much real time each case will need.
    """
    ready = Collector(None)
    if not _is_set_up(options, console, ready):
        return _nothing(options), ready
    at_once = cores() if can_fork() else 1
    rehearsal = replace(options, rehearsal=True, jobs=at_once, trace_dir=None)
    result, heard = play(rehearsal, console, made=made)
    if heard.wrong_use or heard.setup_errors or heard.crashes:
        return replace(result, cases=()), heard
    needs_s = {node: _needs_s(case, options) for node, case in heard.by_node.items()}
    left_out = {node for node, case in heard.by_node.items() if _is_long(case, options)}
    kept_s = {node: s for node, s in needs_s.items() if node not in left_out}
    jobs = max(1, min(options.jobs, len(kept_s)))
    _announce(console, kept_s, jobs)
    kept = replace(options, leave_out=tuple(sorted(left_out)), jobs=jobs)
    result, collector = play(kept, console, needs_s=kept_s, made=made)
    lines = [
        LeftOut(
            scenario_id=heard.by_node[node].scenario_id,
            title=heard.by_node[node].title,
            column=heard.by_node[node].column,
            needs_s=needs_s[node],
        )
        for node in sorted(left_out)
    ]
    return replace(result, left_out=tuple(lines)), collector


def _is_set_up(options: RunOptions, console: Console, heard: Collector) -> bool:
    """A set-up mistake is said once, before any case is played with it."""
    # Late: ports and a web server are nothing that a virtual run needs.
    from harness.check import preflight

    def say(name: str, found: str) -> None:
        console.print(f"nohold: {name}: {found}", markup=False, soft_wrap=True)

    assert options.declaration is not None
    try:
        preflight(options.declaration, say, host=options.host, seed=options.seed)
    except SetupError as error:
        heard.setup_errors.append(str(error))
    return not heard.setup_errors


def _announce(console: Console, needs_s: Mapping[str, int], jobs: int) -> None:
    minutes = -(-sum(needs_s.values()) // jobs // 60)
    console.print(f"{len(needs_s)} cases, about {minutes} min with {jobs} at once")


def _is_long(case: CaseResult, options: RunOptions) -> bool:
    """Whether its story is too long for a wall clock; all share the epilogue."""
    return not options.long and (
        case.story_ms > LONGEST_STORY_S * 1000 * options.time_scale
    )


def _needs_s(case: CaseResult, options: RunOptions) -> int:
    """Real seconds that a case will need; none when it will not be played."""
    if case.conduct == NOT_APPLICABLE:
        return 0
    play_s = (case.story_ms + EPILOGUE_MS) // 1000 // options.time_scale + STARTING_S
    others = case.other_readings
    return play_s * (1 + (others.plays if others else 0))


def _place(case: CaseResult) -> tuple[str, ...]:
    """Catalogue order, whichever process was faster."""
    return (case.scenario_id, case.feature, case.title, case.column, case.replay)


def examine(options: RunOptions, made: Made = NOTHING) -> int:
    """Play, print, write the files asked for; the exit status of ``nohold run``.

    ``made``: what has been made ahead.
    """
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    began_s = wall_time_s()
    if options.time_scale:
        result, collector = play_in_real_time(options, err, made=made)
    else:
        result, collector = play(options, err, made=made)
    result = replace(
        result,
        wire=wire_lines(collector.wire) if options.coverage else (),
        troubles=troubles(
            crashes=collector.crashes,
            wrong_use=collector.wrong_use,
            setup_errors=collector.setup_errors,
        ),
    )
    groups = load_catalogue().groups
    for name, text in _files(options, result, groups):
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_text(text, encoding="utf-8")
    if result.cases:
        width = out.width if out.is_terminal else 100
        out.print(
            matrix_text(result, groups, width=width, colour=out.is_terminal),
            markup=False,
            end="",
            soft_wrap=True,
        )
        for text in (
            basis_text(result, load_register()),
            readings_text(result, unplayed=unplayed(), switches=playable()),
            wire_text(result.wire),
        ):
            out.print(text, markup=False, end="", soft_wrap=True)
        out.print(f"{wall_time_s() - began_s:.1f} s")
    return _status(result, err, options)


def _files(
    options: RunOptions, result: RunResult, groups: Any
) -> Sequence[tuple[Path, str]]:
    files = []
    if options.junit is not None:
        files.append((options.junit, junit_xml(result, groups)))
    if options.json is not None:
        files.append((options.json, json_report(result)))
    return files


def _status(result: RunResult, err: Console, options: RunOptions) -> int:
    """The exit status; what went wrong outside the cases is said on standard error."""
    for one in result.troubles:
        err.print(f"nohold: {one.kind}: {one.text}", markup=False, soft_wrap=True)
    if not result.cases and not result.troubles:
        reason = f"nohold: no case ran: {_why_nothing(options, result)}"
        err.print(reason, markup=False, soft_wrap=True)
        return UNDECIDED
    return result.exit_status()


def _why_nothing(options: RunOptions, result: RunResult) -> str:
    """What was asked for, in the words of the command line."""
    if result.left_out:
        return f"{len(result.left_out)} need long in real time; --long runs them"
    paths = options.paths or (FEATURES,)
    if not any(p.is_file() or next(p.rglob("*.feature"), None) for p in paths):
        return f"no file below {', '.join(map(str, paths))} ends in .feature"
    flags = {
        "-k": options.words,
        "--requirement": ", ".join(options.requirements),
        "--interface": options.interface,
        "--terminal": options.terminal,
    }
    asked = [f"{flag} {value}" for flag, value in flags.items() if value]
    asked += ["what the declaration claims"] if options.declaration else []
    return f"no scenario there has {' and '.join(asked) or 'a column to run in'}"


def show_vocabulary(words: str) -> int:
    """Print the phrases that contain ``words``; the plugin knows them."""
    return int(
        pytest.main(
            ["-c", str(_INI), "--assert=plain", f"--nohold-steps={words}"],
            plugins=[Collector(None)],
        )
    )
