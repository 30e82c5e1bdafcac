"""A case: one scenario in one column, from its first step to its verdict.

What a step raises says whose fault it is. An assertion is the controller's (FAIL); a
situation that was not reached, or a fault that did not hit, leaves the case
INCONCLUSIVE; a claim that the declaration does not make is NOT APPLICABLE; anything
else is ours (ERROR). The judge adds what it reads in the trace, and the worst wins. A
set-up that fails ends the case: it is an ERROR of the set-up, never a FAIL.
"""

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from harness.bench import Bench, NotReached
from harness.declaration import Declined, NotClaimed, SetupError
from harness.epilogue import run_epilogue
from harness.judge import (
    Conduct,
    Expectations,
    Finding,
    Judgement,
    SessionVerdict,
    judge,
    worst_conduct,
)
from harness.readings import in_words
from harness.watch import Breach
from harness.world import Desk
from reports.results import CaseResult, FindingLine, SessionLine
from reports.words import tail_in_words, without_chatter
from simulator.trace import TraceFull
from wire.records import Record

_TAIL: Final = 14
_S_ID: Final = re.compile(r"S-([A-Z])\d\d$")


class CaseNotGreen(Exception):
    """Carries the verdict of a case that is not green, in words."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(_in_words(result))
        self.result = result


def _in_words(result: CaseResult) -> str:
    """What a person needs who reads a red case."""
    lines = [f"{result.conduct} / {result.settlement or 'no session'}"]
    for found in result.findings:
        lines.append(f"{found.requirement}: expected {found.expected}")
        lines.append(f"    seen {found.seen}")
    for session in result.sessions:
        lines.append(
            f"session {session.session_id} {session.settlement}: {session.note}"
        )
    return "\n".join([*lines, *result.trace_tail, result.replay])


@dataclass(slots=True)
class Case:
    """One case under way."""

    bench: Bench
    tags: tuple[str, ...]
    path: Path
    #: The file that declares the controller; None for the reference.
    declaration: Path | None = None
    #: The step under way, in its words.
    step: str = ""
    #: Its line in the file.
    line: int = 0
    #: How long the scenario took, before the epilogue.
    story_ms: int = 0

    @property
    def scenario_id(self) -> str:
        """The S-id of the catalogue; empty for a scenario of one's own."""
        return next((tag for tag in self.tags if _S_ID.match(tag)), "")

    def begin_step(self, kind: str, text: str, *, line: int = 0) -> None:
        """Note the step; a Then's time limits run from the end of the last When."""
        self.line = line
        self.step = f"{kind.capitalize()} {text}"
        if self.bench.is_open:
            fields = {"keyword": kind.capitalize(), "text": text}
            self.bench.trace.append(self.bench.now_ms, "step", fields)

    def end_step(self, kind: str) -> None:
        if kind in ("given", "when") and self.bench.is_open:
            self.bench.since_ms = self.bench.now_ms

    def file_name(self) -> str:
        """Name of the trace's file: scenario, row and column, unique in a run."""
        name = self.scenario_id or self.path.stem
        case = self.bench.case
        title = "/".join((self.path.name, case.scenario, case.row))
        if self.bench.wishes.asked.is_inner:
            title += "/" + in_words(self.bench.wishes.asked.reading)
        mark = hashlib.sha256(title.encode()).hexdigest()[:8]
        return f"{name}-{mark}-{self.bench.column.name}.jsonl"


def conclude(case: Case, error: BaseException | None) -> CaseResult:
    """Play the epilogue, judge the trace, and put the verdict into words."""
    try:
        result = _concluded(case, error)
    except TraceFull as full:
        result = _overflown(case, full)
    desk = case.bench.world.desk
    return _left_behind(case, result, desk) if desk and case.bench.is_open else result


def _overflown(case: Case, full: TraceFull) -> CaseResult:
    """Too much has happened to be kept: nobody is to blame without another look."""
    hours = case.bench.now_ms // 3_600_000
    reason = (
        f"{full} in {hours} h: the story is too long for one case, or somebody never "
        "stops talking (the last lines of the trace say who)"
    )
    return _result(case, None, Conduct.ERROR, reason=reason)


def _left_behind(case: Case, result: CaseResult, desk: Desk) -> CaseResult:
    """What the next case on the same box has to know, and what this one had to."""
    station = case.bench.court.station
    now_ms = case.bench.now_ms
    desk.registers_wh = tuple(c.energy_wh for c in station.connectors(now_ms=now_ms))
    desk.boot = station.boot
    if desk.stained_by and not result.is_green and result.was_played:
        stain = (
            f"played after {desk.stained_by!r}, which left a session open: the box may "
            "have been busy with it"
        )
        result = replace(result, reason=f"{result.reason}; {stain}".lstrip("; "))
    if case.bench.open_sessions() and not desk.stained_by:
        desk.stained_by = case.bench.case.scenario
    return result


def _concluded(case: Case, error: BaseException | None) -> CaseResult:
    bench = case.bench
    if isinstance(error, NotClaimed):
        if bench.is_open and bench.world.desk:
            run_epilogue(bench)  # a box goes on with what has been begun
        found = _declined(case, error) if isinstance(error, Declined) else None
        return _result(case, None, Conduct.NOT_APPLICABLE, found, reason=str(error))
    if isinstance(error, SetupError):
        return _result(case, None, Conduct.ERROR, reason=str(error))
    if isinstance(error, TraceFull):
        return _overflown(case, error)
    case.story_ms = bench.now_ms if bench.is_open else 0
    found = _finding(case, error)
    if found is not None and found.conduct is Conduct.ERROR:
        return _result(case, None, Conduct.ERROR, found)
    if not bench.is_open:
        idle = _ours(case, "steps that use the bench", "none did")
        return _result(case, None, Conduct.ERROR, found or idle)
    run_epilogue(bench)
    expectations = Expectations(
        allow_unknown=bench.allow_unknown, scheme_late=bench.scheme_late
    )
    judgement = judge(bench.trace.records, expectations=expectations)
    conducts = [judgement.conduct, *([found.conduct] if found else [])]
    return _result(case, judgement, worst_conduct(conducts), found)


def _declined(case: Case, error: Declined) -> Finding:
    """The controller does not do what the declaration claims."""
    return replace(
        _ours(case, "a controller that does what its declaration claims", str(error)),
        conduct=Conduct.NOT_APPLICABLE,
        requirement="declaration",
    )


def _ours(case: Case, expected: str, seen: str) -> Finding:
    """A finding about the examiner itself, at the end of what is known."""
    last = len(case.bench.trace.records) - 1
    return Finding(
        conduct=Conduct.ERROR,
        requirement="examiner",
        expected=expected,
        seen=seen,
        t_ms=case.bench.now_ms,
        seqs=(last,) if last >= 0 else (),
    )


def _finding(case: Case, error: BaseException | None) -> Finding | None:
    """What the step that stopped the scenario says about the controller."""
    if error is None:
        return None
    found = _ours(case, "the bench to play the scenario", repr(error))
    requirement = ", ".join(case.bench.case.requirements) or "scenario"
    if isinstance(error, Breach):
        return replace(
            found,
            conduct=Conduct.FAIL,
            requirement=requirement,
            expected=error.expected,
            seen=error.seen,
        )
    if isinstance(error, NotReached):
        return replace(
            found,
            conduct=Conduct.INCONCLUSIVE,
            requirement=requirement,
            expected=f"the situation of {case.step!r}" if case.step else "a situation",
            seen=str(error),
        )
    return found


def _result(
    case: Case,
    judgement: Judgement | None,
    conduct: Conduct,
    found: Finding | None = None,
    *,
    reason: str = "",
) -> CaseResult:
    bench = case.bench
    group = _S_ID.match(case.scenario_id)
    findings = [found] if found else []
    if judgement is not None:
        findings += judgement.findings
    settlement = judgement.settlement if judgement else None
    result = CaseResult(
        scenario_id=case.scenario_id,
        group=group.group(1) if group else "",
        title=bench.case.scenario,
        feature=bench.case.feature,
        column=bench.column.name,
        conduct=str(conduct),
        settlement=str(settlement) if settlement else None,
        requirements=bench.case.requirements,
        findings=tuple(
            FindingLine(
                requirement=one.requirement, expected=one.expected, seen=one.seen
            )
            for one in findings
        ),
        sessions=tuple(_session_line(one) for one in _sessions(judgement)),
        unknown_allowed=bench.allow_unknown,
        late_allowed=_is_late_as_said(judgement),
        duration_ms=bench.now_ms if bench.is_open else 0,
        story_ms=case.story_ms,
        replay=replay_line(case),
        error=_whose_error(conduct, reason),
        reason=reason,
        reading=in_words(bench.wishes.asked.reading),
    )
    if result.is_green:
        return result
    return replace(result, trace_tail=_tail(bench, findings))


def _is_late_as_said(judgement: Judgement | None) -> bool:
    """Late for a scheme because of an outage that the case itself is about."""
    if judgement is None or not judgement.expectations.scheme_late:
        return False
    return judgement.is_settled


def _tail(bench: Bench, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What led to the first breach; without one, how the trace ends."""
    records: Sequence[Record] = bench.trace.records
    breaches = [one for one in findings if one.conduct is not Conduct.PASS]
    if breaches and breaches[0].seqs:
        records = records[: max(breaches[0].seqs) + 1]
    elif breaches:
        records = [r for r in records if _time(r) <= breaches[0].t_ms]
    return tail_in_words(without_chatter(records), _TAIL)


def _time(record: Record) -> int:
    at_ms = record["t_ms"]
    assert isinstance(at_ms, int)
    return at_ms


def _whose_error(conduct: Conduct, reason: str) -> Literal["", "setup", "examiner"]:
    if conduct is not Conduct.ERROR:
        return ""
    return "setup" if reason else "examiner"


def _sessions(judgement: Judgement | None) -> tuple[SessionVerdict, ...]:
    return judgement.sessions if judgement else ()


def _session_line(session: SessionVerdict) -> SessionLine:
    expected = session.expected_minor
    return SessionLine(
        session_id=session.session_id,
        settlement=str(session.settlement),
        authorised_minor=session.authorised_minor,
        committed_minor=session.closed_minor,
        expected_minor=expected[0] if expected else None,
        note=session.why,
    )


def replay_line(case: Case) -> str:
    """The command that plays this very case again."""
    bench = case.bench
    path = case.path
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    column = f"--interface {bench.column.interface}"
    if bench.column.interface == "psp":
        column += f" --terminal {bench.column.terminal}"
    words = f"{bench.case.scenario} {bench.case.row}".strip()
    parts = [f"nohold run {shlex.quote(str(path))}"]
    if case.declaration is not None:
        parts.append(f"-d {shlex.quote(str(case.declaration))}")
    quoted = shlex.quote(f'"{words}"')
    parts += [f"-k {quoted}", column, f"--seed {bench.seed}"]
    if bench.wishes.asked.reading:
        parts.append(f"--readings {in_words(bench.wishes.asked.reading)}")
    return " ".join(parts)


__all__ = ["Breach", "Case", "CaseNotGreen", "conclude", "replay_line"]
