"""What a run has shown: cases, sessions, findings, and the exit status they add up to.

Two axes that are never mixed (device-under-test contract, section 3): *conduct* says
whether the controller did what a requirement asks; *settlement* says, per session,
what became of the driver's money. A case is green only when conduct is PASS and every
session in it is CLOSED, or UNKNOWN where the case allows that. What was skipped is NOT
RUN, and what was not run has not passed.

Plain frozen values and their JSON; no file, no clock, no colour. Knows neither the
trace nor the judge: the caller fills these in. Times are virtual milliseconds, amounts
are minor units. Words from outside are checked where they enter, and the error names
what was found and what is allowed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeVar

from reports.status import (
    CONFORMANT,
    EXAMINER_FAILED,
    NOT_CONFORMANT,
    UNDECIDED,
    Trouble,
    status_of,
)

T = TypeVar("T")

Column = Literal["p6x", "apollo", "cps"]
COLUMNS: Final[tuple[Column, ...]] = ("p6x", "apollo", "cps")

PASS: Final = "PASS"
FAIL: Final = "FAIL"
INCONCLUSIVE: Final = "INCONCLUSIVE"
NOT_APPLICABLE: Final = "NOT APPLICABLE"
ERROR: Final = "ERROR"
NOT_RUN: Final = "NOT RUN"

#: Worst first. NOT RUN is no verdict of the judge: a selected case was skipped.
CONDUCTS: Final = (ERROR, FAIL, INCONCLUSIVE, NOT_RUN, PASS, NOT_APPLICABLE)

CLOSED: Final = "CLOSED"
UNKNOWN: Final = "UNKNOWN"
LATE: Final = "LATE"

#: Worst first.
SETTLEMENTS: Final = (
    "LEFT OPEN",
    "TWICE",
    "WRONG AMOUNT",
    LATE,
    UNKNOWN,
    CLOSED,
)

JSON_FORMAT: Final = 1


class ResultError(ValueError):
    """A result does not fit: the message says what was found and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One breach: the requirement, what it asks, and what was seen instead."""

    requirement: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """What became of one session. Amounts in minor units; None: there was none."""

    session_id: str
    settlement: str
    authorised_minor: int | None = None
    #: What was committed; None when it was released or left open.
    committed_minor: int | None = None
    #: What energy and tariff ask for; 0 asks for a release.
    expected_minor: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        _check("settlement", self.settlement, SETTLEMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReadings:
    """The same case under other readings of ambiguous clauses: ``name=value``."""

    #: How often the case was played for them; one play tries several at once.
    plays: int
    #: Those that could change how the case ends, all of them tried.
    tried: tuple[str, ...] = ()
    #: Those that no play came to, behind another one.
    unreached: tuple[str, ...] = ()
    #: Results under each reading (``CaseResult.reading``) that is not green.
    not_green: tuple["CaseResult", ...] = ()

    @property
    def red(self) -> tuple["CaseResult", ...]:
        """Readings under which the controller, or the examiner, went wrong."""
        return tuple(one for one in self.not_green if one.is_red)

    @property
    def moot(self) -> tuple["CaseResult", ...]:
        """Readings under which the situation of the scenario does not come about."""
        return tuple(one for one in self.not_green if one.is_moot)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One scenario played in one column: both verdicts, and the evidence for them."""

    scenario_id: str
    group: str
    title: str
    feature: str
    column: str
    conduct: str
    #: The worst of its sessions; None when no session was opened.
    settlement: str | None
    requirements: tuple[str, ...] = ()
    findings: tuple[FindingLine, ...] = ()
    sessions: tuple[SessionLine, ...] = ()
    #: Virtual time from the first record to the last.
    duration_ms: int = 0
    #: Of that, the scenario itself, before the epilogue that all cases share.
    story_ms: int = 0
    #: The one line that plays this case again.
    replay: str = ""
    #: The last records of the trace, in words.
    trace_tail: tuple[str, ...] = ()
    #: The case says that nobody can tell, so UNKNOWN is allowed.
    unknown_allowed: bool = False
    #: The case's outage outlasts a card scheme's window, so LATE by that rule, which
    #: the session's note names, is how it has to end.
    late_allowed: bool = False
    #: Only for ERROR: whether the set-up failed, or the examiner itself.
    error: Literal["", "setup", "examiner"] = ""
    #: Why it is not applicable, inconclusive, not run or in error; in words.
    reason: str = ""
    #: The reading it was played under, ``name=value[,name=value]``; empty: the default.
    reading: str = ""
    #: Only where they were asked for.
    other_readings: OtherReadings | None = None

    def __post_init__(self) -> None:
        _check("column", self.column, COLUMNS)
        _check("conduct", self.conduct, CONDUCTS)
        if self.settlement is not None:
            _check("settlement", self.settlement, SETTLEMENTS)
        _check("error", self.error, ("", "setup", "examiner"))

    @property
    def is_settled(self) -> bool:
        """No session in it is anything but CLOSED, or what the case allows."""
        good = [CLOSED]
        good += [UNKNOWN] * self.unknown_allowed
        good += [LATE] * self.late_allowed
        return all(one in good for one in self._settlements())

    @property
    def is_green(self) -> bool:
        return self.conduct == PASS and self.is_settled

    @property
    def is_moot(self) -> bool:
        """Nothing was shown: the situation did not come about, or is not claimed."""
        return self.conduct in (INCONCLUSIVE, NOT_APPLICABLE) and self.is_settled

    @property
    def is_red(self) -> bool:
        """Something went wrong, which is more than not having been shown."""
        return not self.is_green and not self.is_moot

    @property
    def red_readings(self) -> tuple["CaseResult", ...]:
        return self.other_readings.red if self.other_readings else ()

    @property
    def was_played(self) -> bool:
        return self.conduct not in (NOT_APPLICABLE, NOT_RUN)

    def _settlements(self) -> list[str]:
        every = [session.settlement for session in self.sessions]
        return every if self.settlement is None else [*every, self.settlement]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A case that was not run, because a wall clock would need too long for it."""

    scenario_id: str
    title: str
    column: str
    #: Real time that it would need, seconds.
    needs_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionLine:
    """What no case decides. It has no verdict: an answer is only what a vendor says."""

    scenario_id: str
    text: str
    requirements: tuple[str, ...]
    #: What somebody who reads the answer wants to find in it.
    good_answer: str
    #: Empty: the declaration does not answer it.
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLine:
    """How often something happened on the wire; 0: it could have, and never did."""

    #: psp | cps
    interface: str
    #: PSP: a command in a state of the terminal, and its answer. CPS: route and status.
    ask: str
    state: str
    result: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """One run of the examiner. ``started_at``: calendar time, ISO 8601 with zone."""

    version: str
    seed: int
    started_at: str
    cases: tuple[CaseResult, ...] = ()
    #: Selected, and not run; none of them has passed.
    left_out: tuple[LeftOut, ...] = ()
    #: What was examined, as the declaration names it.
    controller: str = ""
    #: Asked of the vendor; they are no cases and change no verdict.
    questions: tuple[QuestionLine, ...] = ()
    #: Only where it was asked for.
    wire: tuple[WireLine, ...] = ()
    #: What could not be played at all; it has no case, and none of it has passed.
    troubles: tuple[Trouble, ...] = ()

    @property
    def answered(self) -> int:
        """How many of the questions the declaration answers."""
        return sum(question.answer != "" for question in self.questions)

    def exit_status(self) -> int:
        """0 conformant, 1 not, 2 some cannot run, 3 undecided, 4 the examiner failed.

        What could not be played outranks what was, because nobody knows how it would
        have ended; then the examiner's own failure, then a breach.
        """
        if (status := status_of(self.troubles)) is not None:
            return status
        red = [one for case in self.cases for one in case.red_readings]
        played = (*self.cases, *red)
        if any(case.conduct == ERROR and case.error != "setup" for case in played):
            return EXAMINER_FAILED
        if any(case.conduct == FAIL or not case.is_settled for case in played):
            return NOT_CONFORMANT
        green = any(case.is_green for case in self.cases)
        rest = [c for c in played if c.conduct not in (PASS, NOT_APPLICABLE)]
        return CONFORMANT if green and not rest else UNDECIDED


def worst_conduct(conducts: Iterable[str]) -> str | None:
    """The worst of them; None when there are none."""
    return min(conducts, key=CONDUCTS.index, default=None)


def worst_settlement(settlements: Iterable[str]) -> str | None:
    """The worst of them; None when there are none."""
    return min(settlements, key=SETTLEMENTS.index, default=None)


def conduct_counts(cases: Sequence[CaseResult]) -> Mapping[str, int]:
    """How often each conduct occurs, worst first, without those that do not."""
    counted = Counter(case.conduct for case in cases)
    return {name: counted[name] for name in CONDUCTS if counted[name]}


def settlement_counts(cases: Sequence[CaseResult]) -> Mapping[str, int]:
    """How many sessions ended how, worst first, without what does not occur."""
    counted = Counter(one.settlement for case in cases for one in case.sessions)
    return {name: counted[name] for name in SETTLEMENTS if counted[name]}


def requirement_outcomes(cases: Sequence[CaseResult]) -> Mapping[str, str]:
    """Requirement id -> PASS, or the worst that a case with it has shown.

    A case whose conduct passed but whose sessions are not settled counts as FAIL; cases
    that are not applicable count only where there is nothing else.
    """
    shown: dict[str, list[str]] = {}
    for case in cases:
        conduct = FAIL if case.conduct == PASS and not case.is_green else case.conduct
        for requirement in case.requirements:
            shown.setdefault(requirement, []).append(conduct)
    return {key: worst_conduct(shown[key]) or NOT_RUN for key in sorted(shown)}


def to_json(run: RunResult) -> str:
    """The run as one JSON document, the same text for the same run."""
    document = {"format": JSON_FORMAT, **asdict(run)}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> RunResult:
    """Read what ``to_json`` wrote; ResultError says what does not fit."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ResultError(f"not a JSON document: {error}") from error
    if not isinstance(document, dict) or document.pop("format", None) != JSON_FORMAT:
        raise ResultError(f"found another document, allowed format {JSON_FORMAT}")
    return run_from(document)


# Any: what a JSON document holds is not known before it has been checked.
Node = Mapping[str, Any]


def run_from(document: Node) -> RunResult:
    """A run from its dictionary form; ResultError says what does not fit."""
    left_out = tuple(_made(LeftOut, node) for node in _nodes(document, "left_out"))
    questions = tuple(
        _made(QuestionLine, node, requirements=tuple(node.get("requirements", ())))
        for node in _nodes(document, "questions")
    )
    return _made(
        RunResult,
        document,
        cases=tuple(case_from(node) for node in _nodes(document, "cases")),
        left_out=left_out,
        questions=questions,
        wire=tuple(_made(WireLine, node) for node in _nodes(document, "wire")),
        troubles=tuple(_made(Trouble, node) for node in _nodes(document, "troubles")),
    )


def case_from(node: Node) -> CaseResult:
    """A case from its dictionary form; ResultError says what does not fit."""
    return _made(
        CaseResult,
        node,
        requirements=tuple(node.get("requirements", ())),
        trace_tail=tuple(node.get("trace_tail", ())),
        findings=tuple(_made(FindingLine, n) for n in _nodes(node, "findings")),
        sessions=tuple(_made(SessionLine, n) for n in _nodes(node, "sessions")),
        other_readings=_other_readings(node.get("other_readings")),
    )


def _other_readings(node: Node | None) -> OtherReadings | None:
    if node is None:
        return None
    return _made(
        OtherReadings,
        node,
        tried=tuple(node.get("tried", ())),
        unreached=tuple(node.get("unreached", ())),
        not_green=tuple(case_from(one) for one in _nodes(node, "not_green")),
    )


def _nodes(node: Node, key: str) -> list[Node]:
    found = node.get(key, [])
    if not isinstance(found, list | tuple) or not all(
        isinstance(n, dict) for n in found
    ):
        raise ResultError(f"{key}: found {found!r}, allowed a list of objects")
    return list(found)


def _made(of: type[T], node: Node, **parts: object) -> T:
    """Build a dataclass from a JSON object; keys it does not have are refused."""
    allowed = [field.name for field in fields(of)]  # type: ignore[arg-type]
    for key in node:
        _check(f"{of.__name__} key", key, allowed)
    try:
        return of(**{**node, **parts})
    except ResultError:
        raise
    except (TypeError, ValueError) as error:
        raise ResultError(f"{of.__name__}: {error}") from error


def _check(what: str, found: str, allowed: Sequence[str]) -> None:
    if found not in allowed:
        names = ", ".join(repr(one) for one in allowed)
        raise ResultError(f"{what}: found {found!r}, allowed {names}")
