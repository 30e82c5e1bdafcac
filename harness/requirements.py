"""``nohold requirements``: what covers each requirement, or why nothing does."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from harness.run import FEATURES
from reports.coverage import (
    Played,
    RequirementCoverage,
    parse_reasons,
    requirement_coverage,
)
from reports.feature_file import parse_feature
from reports.register import load_catalogue, load_register


def played_scenarios() -> Sequence[Played]:
    """Every scenario of the suite with its tags."""
    return [
        one
        for path in sorted(FEATURES.rglob("*.feature"))
        for one in parse_feature(
            path.read_text(encoding="utf-8"), str(path.relative_to(FEATURES.parent))
        ).played()
    ]


def show_requirements(words: str) -> int:
    """Print the coverage of all requirements that contain ``words``."""
    register, catalogue = load_register(), load_catalogue()
    text = (FEATURES / "not_automated.toml").read_text(encoding="utf-8")
    lines = requirement_coverage(
        register, catalogue, played_scenarios(), reasons=parse_reasons(text)
    )
    table = Table("id", "level", "requirement", "covered by", box=None, pad_edge=False)
    covered = 0
    shown: list[RequirementCoverage] = []
    for line in lines:
        row = register.requirements[line.requirement_id]
        if words.lower() in f"{row.id} {row.title}".lower():
            shown.append(line)
            covered += bool(line.played)
            table.add_row(row.id, str(row.level), row.title, _covered_by(line))
    console = Console(highlight=False)
    console.print(table)
    total = len(shown)
    console.print(f"{total} requirements, {covered} covered by a scenario")
    return 0 if shown else 2


def _covered_by(line: RequirementCoverage) -> str:
    if not line.played:
        return f"– {line.why_none}"
    ids = [one.ids("S-")[0] for one in line.played if one.ids("S-")]
    return ", ".join(dict.fromkeys(ids)) or f"{len(line.played)} scenarios"
