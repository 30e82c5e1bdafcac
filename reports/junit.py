"""The run as JUnit XML, for whoever collects test results.

One suite per scenario group, one case per scenario and column. What JUnit has no word
for goes into properties: requirement ids, settlement, virtual time. Wall time is always
0, since a run in virtual time has none worth comparing.

FAIL, and a session that is not settled, become ``failure``. INCONCLUSIVE, NOT RUN and
ERROR become ``error``, because a tool that counts only failures must not take them for
passes. NOT APPLICABLE alone becomes ``skipped``.

What could not be played at all has no case; each reason is an ``error``, in a suite of
its own, so that nobody reads the rest as the whole.

Questions to the vendor are properties of a suite without cases, so that nothing counts
them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from reports.results import (
    ERROR,
    FAIL,
    NOT_APPLICABLE,
    CaseResult,
    RunResult,
)

#: Characters that XML 1.0 cannot carry.
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(run: RunResult, groups: Mapping[str, str]) -> str:
    """The run as an XML document; ``groups``: letter -> title."""
    lost = len(run.troubles)
    root = ET.Element("testsuites", {"name": "nohold", **_counts(run.cases, lost)})
    for letter in sorted({case.group for case in run.cases}):
        cases = [case for case in run.cases if case.group == letter]
        name = f"{letter} {groups.get(letter, '')}".strip() or "Scenarios of your own"
        about = {"name": name, "timestamp": run.started_at, **_counts(cases)}
        suite = ET.SubElement(root, "testsuite", about)
        _properties(suite, [("version", run.version), ("seed", str(run.seed))])
        for case in cases:
            _case(suite, case)
    if run.troubles:
        _troubles(root, run)
    if run.questions:
        about = {"name": "Questions", "timestamp": run.started_at, **_counts(())}
        suite = ET.SubElement(root, "testsuite", about)
        _properties(suite, _question_properties(run))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def outcome(case: CaseResult) -> str:
    """The JUnit word for a case: passed, failure, error or skipped."""
    if case.is_green and not case.red_readings:
        return "passed"
    if case.is_green:
        errors = [one.conduct == ERROR for one in case.red_readings]
        return "error" if all(errors) else "failure"
    if case.conduct == FAIL or (case.conduct != ERROR and not case.is_settled):
        return "failure"
    return "skipped" if case.conduct == NOT_APPLICABLE else "error"


def _troubles(root: ET.Element, run: RunResult) -> None:
    """What could not be played, as errors that a tool counts."""
    counts = _counts((), len(run.troubles))
    about = {"name": "Not played", "timestamp": run.started_at, **counts}
    suite = ET.SubElement(root, "testsuite", about)
    for one in run.troubles:
        first_line = _clean(one.text.partition("\n")[0])
        element = ET.SubElement(
            suite, "testcase", classname="not played", name=first_line, time="0"
        )
        error = ET.SubElement(element, "error", type=one.kind, message=first_line)
        error.text = _clean(one.text)


def _counts(cases: Sequence[CaseResult], errors: int = 0) -> dict[str, str]:
    """``errors``: those that belong to no case."""
    outcomes = [outcome(case) for case in cases] + ["error"] * errors
    return {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
        "time": "0",
    }


def _case(suite: ET.Element, case: CaseResult) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(f"{case.group or 'own'}.{case.column}"),
        name=_clean(f"{case.scenario_id} {case.title}".strip()),
        file=_clean(case.feature),
        time="0",
    )
    _properties(element, _case_properties(case))
    word = outcome(case)
    if word != "passed":
        child = ET.SubElement(element, word, type=case.conduct, message=_headline(case))
        child.text = _clean("\n".join(_evidence(case)))


def _case_properties(case: CaseResult) -> list[tuple[str, str]]:
    return [
        *(("requirement", requirement) for requirement in case.requirements),
        ("column", case.column),
        ("conduct", case.conduct),
        ("settlement", case.settlement or "no session"),
        ("virtual_ms", str(case.duration_ms)),
        *_reading_properties(case),
    ]


def _question_properties(run: RunResult) -> list[tuple[str, str]]:
    pairs = [("asked", str(len(run.questions))), ("answered", str(run.answered))]
    for one in run.questions:
        pairs.append((f"{one.scenario_id} question", one.text))
        pairs.append((f"{one.scenario_id} answer", one.answer or "not answered"))
    return pairs


def _reading_properties(case: CaseResult) -> list[tuple[str, str]]:
    if case.other_readings is None:
        return [("reading", case.reading)] if case.reading else []
    found = [("readings_tried", str(len(case.other_readings.tried)))]
    found += [("red_reading", one.reading) for one in case.other_readings.red]
    return found + [("moot_reading", one.reading) for one in case.other_readings.moot]


def _properties(parent: ET.Element, pairs: Sequence[tuple[str, str]]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in pairs:
        ET.SubElement(properties, "property", name=name, value=_clean(value))


def _headline(case: CaseResult) -> str:
    """One line: the first finding, else what the verdicts and the reason say."""
    if case.is_green and case.red_readings:
        first_red = case.red_readings[0]
        return _clean(f"under {first_red.reading}: {_headline(first_red)}")
    verdicts = case.conduct
    if case.settlement is not None:
        verdicts += f", session {case.settlement}"
    if case.findings:
        first = case.findings[0]
        return _clean(f"{verdicts}: {first.requirement}: expected {first.expected}")
    return _clean(f"{verdicts}: {case.reason}" if case.reason else verdicts)


def _evidence(case: CaseResult) -> list[str]:
    """All that is known about a case that is not green, line by line."""
    lines = [f"reason: {case.reason}"] if case.reason else []
    for finding in case.findings:
        lines.append(f"{finding.requirement}")
        lines += [f"  expected: {finding.expected}", f"  seen:     {finding.seen}"]
    for session in case.sessions:
        note = f"  {session.note}" if session.note else ""
        lines.append(f"session {session.session_id}: {session.settlement}{note}")
    if case.trace_tail:
        lines += ["last records:", *(f"  {line}" for line in case.trace_tail)]
    if case.replay:
        lines.append(f"replay: {case.replay}")
    for other in case.red_readings:
        lines += [f"under {other.reading}:", *(f"  {one}" for one in _evidence(other))]
    return lines


def _clean(text: str) -> str:
    return _ILLEGAL.sub("�", text)
