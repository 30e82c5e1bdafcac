"""Whose word a red case rests on: Payter's, a scheme's, or a conclusion of our own.

A finding names a requirement by its id. What an id asks for, how binding it is and
whether a source says so or we have concluded it, is said here once for each.

Pure: results and the register in, lines out.
"""

from collections.abc import Iterator

from reports.register import Register, Requirement
from reports.results import RunResult

_HEAD = (
    "What was asked for, and whose word it is. Seconds that no source gives are the "
    "declaration's or ours.\n"
)


def basis_text(run: RunResult, register: Register) -> str:
    """A line for each requirement that a red case names; empty when none is red."""
    named = set(_named(run))
    rows = [row for key, row in register.requirements.items() if key in named]
    lines = [f"  {_told(row)}. {_sources(row, register)}\n" for row in rows]
    return "".join([_HEAD, *lines, "\n"]) if rows else ""


def _named(run: RunResult) -> Iterator[str]:
    for case in run.cases:
        for red in (*([] if case.is_green else [case]), *case.red_readings):
            for finding in red.findings:
                yield from finding.requirement.split(", ")


def _told(row: Requirement) -> str:
    return f"{row.id} {row.level}, {row.basis.words}"


def _sources(row: Requirement, register: Register) -> str:
    keys = dict.fromkeys(source.partition(":")[0] for source in row.source)
    return "; ".join(register.sources[key] for key in keys)
