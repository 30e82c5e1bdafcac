"""How a wrong controller is examined: declared as a vendor's would be, in one story."""

import io
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.columns import COLUMNS
from harness.declaration import TABLES
from harness.places import FEATURES, REFERENCE
from harness.run import RunOptions, play
from reports.results import CaseResult

MISTAKES = "tests.harness.mistakes"
RIGHT = "makes_no_mistake"


def declared(folder: Path, controller: str, column: str, **values: int) -> Path:
    """The reference's declaration for one column, naming ``controller`` instead.

    ``values``: keys of [claims], [timing] or [tariff] that the story needs otherwise.
    """
    found = next(one for one in COLUMNS if one.name == column)
    tables: dict[str, dict[str, Any]] = tomllib.loads(REFERENCE.read_text("utf-8"))
    tables["claims"] |= {"interface": found.interface, "terminal": found.terminal}
    tables["reach"] |= {"controller": controller, "psp_link": found.psp_link}
    for key, value in values.items():
        (table,) = (one for one in ("claims", "timing", "tariff") if key in TABLES[one])
        tables[table][key] = value
    path = folder / f"{controller.rpartition(':')[2]}-{column}.toml"
    path.write_text(_written(tables), encoding="utf-8")
    return path


def _written(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """As TOML: what JSON writes of a text, a number or a list of them is the same."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def examined(
    declaration: Path, feature: str, words: str, *, readings: str = ""
) -> CaseResult:
    """The one case of ``feature`` that ``words`` select, as ``nohold run -k`` does."""
    options = RunOptions(
        paths=(FEATURES / feature,),
        declaration=declaration,
        words=words,
        readings=readings,
    )
    run, heard = play(options, Console(file=io.StringIO()))
    assert not heard.setup_errors
    assert not heard.wrong_use
    assert len(run.cases) == 1, [case.title for case in run.cases]
    return run.cases[0]


def said_of(case: CaseResult) -> list[str]:
    """What the examiner found: requirement, expected, seen."""
    return [f"{one.requirement}: {one.expected}; {one.seen}" for one in case.findings]


def catch(case: CaseResult, told: str) -> list[str]:
    """Demand that the case is red and says ``told``; a crash is not a catch."""
    said = said_of(case)
    assert case.conduct == "FAIL", said
    assert not any(line.startswith("process:") for line in said), "a crash"
    assert any(told in line for line in said), said
    return said
