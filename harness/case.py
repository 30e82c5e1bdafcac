"""A case: one scenario in one column, from its first step to its verdict.

What a step raises says whose fault it is. An assertion is the controller's (FAIL); a
situation that was not reached, or a fault that did not hit, leaves the case
INCONCLUSIVE; a claim that the declaration does not make is NOT APPLICABLE; anything
else is ours (ERROR). The judge adds what it reads in the trace, and the worst wins. A
set-up that fails ends the case: it is an ERROR of the set-up, never a FAIL.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from harness.bench import Bench, NotClaimed, NotReached
from harness.declaration import SetupError
from harness.epilogue import run_epilogue
from harness.judge import Conduct, Expectations, Finding, Judgement, judge, worst
from reports.results import CaseResult, FindingLine, SessionLine
from reports.words import in_words

_TAIL: Final = 14
_S_ID: Final = re.compile(r"S-([A-Z])\d\d$")


class Breach(AssertionError):
    """The controller did not do what a step demands."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen


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
    #: What must have been seen for the verdict to mean anything.
    expectations: Expectations = field(default_factory=Expectations)

    @property
    def scenario_id(self) -> str:
        """The S-id of the catalogue; empty for a scenario of one's own."""
        return next((tag for tag in self.tags if _S_ID.match(tag)), "")

    def begin_step(self, kind: str, text: str) -> None:
        """Note the step; a Then's time limits run from the end of the last When."""
        if self.bench.is_open:
            fields = {"keyword": kind.capitalize(), "text": text}
            self.bench.trace.append(self.bench.now_ms, "step", fields)

    def end_step(self, kind: str) -> None:
        if kind in ("given", "when") and self.bench.is_open:
            self.bench.since_ms = self.bench.now_ms

    def file_name(self) -> str:
        """Name of the trace's file: scenario and column, unique in a run."""
        name = self.scenario_id or self.path.stem
        title = self.bench.case.scenario.encode()
        mark = hashlib.sha256(title).hexdigest()[:8]
        return f"{name}-{mark}-{self.bench.column.name}.jsonl"


def conclude(case: Case, error: BaseException | None) -> CaseResult:
    """Play the epilogue, judge the trace, and put the verdict into words."""
    if _is_not_applicable(error):
        return _result(case, Judgement.empty(Conduct.NOT_APPLICABLE), ())
    judgement = Judgement.empty(Conduct.ERROR)
    if not isinstance(error, SetupError) and case.bench.is_open:
        run_epilogue(case.bench)
        judgement = judge(case.bench.trace.records, expectations=case.expectations)
    found = _finding(case, error)
    if not case.bench.is_open and found is None:
        found = _own_fault(case, "steps that use the bench", "none did")
    extra = () if found is None else (found,)
    return _result(case, judgement, extra)


def _is_not_applicable(error: BaseException | None) -> bool:
    return isinstance(error, NotClaimed) or type(error).__name__ == "Skipped"


def _own_fault(case: Case, expected: str, seen: str) -> Finding:
    return Finding(
        conduct=Conduct.ERROR,
        requirement="",
        expected=expected,
        seen=seen,
        t_ms=case.bench.now_ms if case.bench.is_open else 0,
        seqs=(),
    )


def _finding(case: Case, error: BaseException | None) -> Finding | None:
    """What the step that stopped the scenario says about the controller."""
    if error is None:
        return None
    found = _own_fault(case, "the bench to play the scenario", repr(error))
    requirement = ", ".join(case.bench.case.requirements)
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
            expected="the situation that the scenario is about",
            seen=str(error),
        )
    return found


def _result(case: Case, judgement: Judgement, extra: tuple[Finding, ...]) -> CaseResult:
    conduct = worst(judgement.conduct, *(finding.conduct for finding in extra))
    bench = case.bench
    group = _S_ID.match(case.scenario_id)
    settlement = judgement.settlement
    return CaseResult(
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
                requirement=finding.requirement,
                expected=finding.expected,
                seen=finding.seen,
            )
            for finding in (*extra, *judgement.findings)
        ),
        sessions=_session_lines(judgement),
        duration_ms=bench.now_ms if bench.is_open else 0,
        unknown_allowed=case.expectations.allow_unknown,
        replay=replay_line(case),
        trace_tail=tuple(in_words(r) for r in bench.trace.records[-_TAIL:]),
    )


def _session_lines(judgement: Judgement) -> tuple[SessionLine, ...]:
    return tuple(
        SessionLine(
            session_id=session.session_id,
            settlement=str(session.settlement),
            note=session.why,
        )
        for session in judgement.sessions
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
    words = bench.case.scenario
    return f"nohold run {path} -k {words!r} {column} --seed {bench.seed}"


__all__ = ["Breach", "Case", "CaseNotGreen", "conclude", "replay_line"]
