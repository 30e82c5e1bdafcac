"""The run as a JSON report for machines: a summary in front, the whole run behind.

The summary is derived and may be thrown away; ``run`` alone is read back. Pure text in
and out: the caller writes the file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from reports.results import (
    ResultError,
    RunResult,
    conduct_counts,
    requirement_outcomes,
    run_from,
    settlement_counts,
)
from reports.status import STATUS_WORDS

#: Named in each report, so that a later reader knows what it holds.
FORMAT: Final = "nohold-report-1"


def summary(run: RunResult) -> Mapping[str, object]:
    """Counts by conduct, settlement and requirement, and the exit status in words."""
    status = run.exit_status()
    return {
        "exit_status": status,
        "verdict": STATUS_WORDS[status],
        "cases": len(run.cases),
        "green": sum(case.is_green for case in run.cases),
        "conduct": conduct_counts(run.cases),
        "settlement": settlement_counts(run.cases),
        "readings": _readings(run),
        "requirements": requirement_outcomes(run.cases),
        "questions": {"asked": len(run.questions), "answered": run.answered},
    }


def _readings(run: RunResult) -> Mapping[str, int]:
    """How many readings besides the default were tried, and how many are red."""
    others = [case.other_readings for case in run.cases if case.other_readings]
    return {
        "tried": sum(len(one.tried) for one in others),
        "plays": sum(one.plays for one in others),
        "red": sum(len(one.red) for one in others),
        "moot": sum(len(one.moot) for one in others),
    }


def json_report(run: RunResult) -> str:
    """The report as one JSON document, the same text for the same run."""
    document = {"format": FORMAT, "summary": summary(run), "run": asdict(run)}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def read_json_report(text: str) -> RunResult:
    """The run that a report was made of; ResultError when it is none."""
    try:
        document: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise ResultError(f"not a JSON document: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ResultError(f"found another document, allowed {FORMAT}")
    run = document.get("run")
    if not isinstance(run, dict):
        raise ResultError(f"run: found {run!r}, allowed an object")
    return run_from(run)
