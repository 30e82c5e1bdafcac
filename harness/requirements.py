"""``nohold requirements``: what answers each requirement, for people.

Two lines each: id, level and what it asks; then its answer, the scenarios that cover it
or why none does. Words on the command line must all occur, in any order, in what a line
shows: ids, levels (``must``), answers (``untestable``), scenarios, words of the title.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from harness.places import FEATURES
from reports.coverage import Played
from reports.feature_file import parse_feature
from reports.questions import QUESTIONS
from reports.register import load_register
from reports.standing import Answer, Standing, share, standings

_STYLES: Final = {
    Answer.COVERED: "green",
    Answer.NONE: "bold red",
}
#: More ids than this in a line hide the rest.
_MOST_IDS: Final = 6


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
    """Print the answers to all requirements that ``words`` fit; 2 when none does."""
    lines = standings(load_register(), played_scenarios(), QUESTIONS)
    shown = [line for line in lines if _fits(line, words.lower().split())]
    console = Console(highlight=False)
    if not shown:
        console.print(f"no requirement has the words {words!r}", markup=False)
        return 2
    console.print(_table(shown))
    console.print()
    for text in _totals(shown):
        console.print(text)
    return 0


def _fits(line: Standing, words: Sequence[str]) -> bool:
    row = line.requirement
    said = (row.id, row.level, row.title, line.answer, line.by, line.but_not)
    text = " ".join(map(str, said)).lower()
    return all(word in text for word in words)


def _table(lines: Sequence[Standing]) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(width=8)
    table.add_column(width=6)
    table.add_column(ratio=1, overflow="fold")
    for line in lines:
        row = line.requirement
        table.add_row(row.id, str(row.level), row.title)
        style = _STYLES.get(line.answer, "dim")
        table.add_row("", "", Text(_in_words(line), style=style))
    return table


def _in_words(line: Standing) -> str:
    match line.answer:
        case Answer.COVERED:
            ids = line.by.split(", ")
            more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
            rest = f". Not shown: {line.but_not}" if line.but_not else ""
            return f"covered by {', '.join(ids[:_MOST_IDS])}{more}{rest}"
        case Answer.DOCUMENTARY:
            return f"documentary: question {line.by}"
        case Answer.NONE:
            return "no answer"
        case _:
            return f"{line.answer}: {line.by}"


def _totals(lines: Sequence[Standing]) -> list[str]:
    counts = Counter(line.answer for line in lines)
    answered = sum(counts[answer] for answer in Answer if answer.is_one)
    parts = ", ".join(f"{counts[one]} {one}" for one in Answer if counts[one])
    totals = [f"{answered} of {len(lines)} requirements have an answer: {parts}"]
    if in_part := sum(bool(line.but_not) for line in lines):
        totals.append(f"Of those that are covered, {in_part} only in part")
    found = share(lines)
    if found.of:
        totals.append(
            f"MUSTs that are not documentary: {found.covered} of {found.of} covered by "
            f"a scenario ({found.per_cent} %)"
        )
    return totals
