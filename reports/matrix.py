"""The run as a matrix for the eye: scenarios down, P6X, Apollo and CPS across.

Each cell holds both verdicts, conduct and settlement; a dash stands where a scenario
does not apply or was not selected. Rows are grouped as in the catalogue, with the
number of scenarios in each group, and totals at the end. Several cases in one cell (the
rows of an outline) show the worst of them and their number.

Pure: ``matrix_text`` returns text, ``matrix`` something that rich can print. On 80
columns titles wrap and nothing is cut off; without a terminal there is no colour.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from rich.console import (
    Console,
    ConsoleOptions,
    Group,
    RenderableType,
    RenderResult,
)
from rich.table import Table
from rich.text import Text

from reports.results import (
    COLUMNS,
    FAIL,
    NOT_APPLICABLE,
    CaseResult,
    RunResult,
    conduct_counts,
    settlement_counts,
    worst_conduct,
    worst_settlement,
)
from reports.status import STATUS_WORDS

HEADINGS: Final[Mapping[str, str]] = {"p6x": "P6X", "apollo": "Apollo", "cps": "CPS"}

ID_WIDTH: Final = 5
#: Wide enough for the longest single word of a cell, INCONCLUSIVE.
CELL_WIDTH: Final = 12
#: Where less is left for titles, lines are longer than the terminal is wide.
NARROWEST_TITLE: Final = 12
ABSENT: Final = "–"
#: Most lines of the trace that a red case shows here; reports as files have them all.
TAIL: Final = 10

_STYLES: Final[Mapping[str, str]] = {
    "PASS": "green",
    "CLOSED": "green",
    "FAIL": "bold red",
    "LEFT OPEN": "bold red",
    "TWICE": "bold red",
    "WRONG AMOUNT": "bold red",
    "LATE": "bold red",
    "ERROR": "bold magenta",
    "INCONCLUSIVE": "yellow",
    "NOT RUN": "yellow",
    "UNKNOWN": "yellow",
}


def matrix(run: RunResult, groups: Mapping[str, str]) -> RenderableType:
    """Title, groups, breaches, questions, totals; ``groups``: letter -> title."""
    parts: list[RenderableType] = [_title(run)]
    for letter in sorted({case.group for case in run.cases}):
        cases = [case for case in run.cases if case.group == letter]
        parts += [Text(), _group_line(letter, groups, cases), _Table(cases)]
    parts += [Text(), *_breaches(run), *_late_as_said(run)]
    parts += [*_left_out(run), *_questions(run), *_totals(run)]
    return Group(*parts)


def matrix_text(
    run: RunResult, groups: Mapping[str, str], *, width: int = 80, colour: bool = False
) -> str:
    """The matrix as text of at most ``width`` columns; ANSI codes only with colour."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
        _environ={},  # NO_COLOR and COLUMNS belong to whoever calls
    )
    with console.capture() as capture:
        console.print(matrix(run, groups), crop=False)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _title(run: RunResult) -> Text:
    what = run.controller or "a controller"
    line = f"nohold {run.version} examined {what}, seed {run.seed}, {run.started_at}"
    return Text(line, style="bold")


def _group_line(
    letter: str, groups: Mapping[str, str], cases: Sequence[CaseResult]
) -> Text:
    title = groups.get(letter, "") if letter else "Scenarios of your own"
    name = f"{letter}  {title}".strip()
    return Text(f"{name} ({_scenarios(cases)})", style="bold cyan")


def _scenarios(cases: Sequence[CaseResult]) -> str:
    """Their number; one without an id of the catalogue is known by its title."""
    known = {c.scenario_id or (c.feature, c.title) for c in cases}
    return _many(len(known), "scenario")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class _Table:
    """Scenarios down, columns across; only titles wrap.

    Not rich's table, which measures and shapes every cell: that takes longer than ten
    cases.
    """

    def __init__(self, cases: Sequence[CaseResult]) -> None:
        self._cases = cases

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        others = (ID_WIDTH, *[CELL_WIDTH] * len(COLUMNS))
        room = options.max_width - sum(width + 1 for width in others) - 1
        room = max(room, NARROWEST_TITLE)
        headings = [[Text(HEADINGS[name], style="bold")] for name in COLUMNS]
        yield from _lines(
            Text("Id", style="bold"), [Text("Scenario", style="bold")], headings, room
        )
        for (scenario_id, title), found in _rows(self._cases):
            cells = [_cell([c for c in found if c.column == name]) for name in COLUMNS]
            titles = Text(title).wrap(console, room, overflow="fold")
            yield from _lines(Text(scenario_id), titles, cells, room)


def _lines(
    scenario_id: Text, title: Iterable[Text], cells: Sequence[Sequence[Text]], room: int
) -> Iterator[Text]:
    """The lines of a row, each as wide as its widths say."""
    widths = (ID_WIDTH, room, *[CELL_WIDTH] * len(cells))
    for parts in zip_longest([scenario_id], title, *cells, fillvalue=Text()):
        line = Text(no_wrap=True, overflow="ignore")
        for part, width in zip(parts, widths, strict=True):
            line.append_text(part).pad_right(width + 1 - part.cell_len)
        yield line


def _rows(
    cases: Sequence[CaseResult],
) -> Iterator[tuple[tuple[str, str], list[CaseResult]]]:
    """Cases by scenario id and title, sorted by id, titles in the order of the run."""
    rows: dict[tuple[str, str], list[CaseResult]] = {}
    for case in cases:
        rows.setdefault((case.scenario_id, case.title), []).append(case)
    yield from sorted(rows.items(), key=lambda row: row[0][0])


def _cell(cases: Sequence[CaseResult]) -> list[Text]:
    """Both verdicts, the worst of several; on two lines when one is too narrow."""
    conduct = worst_conduct(case.conduct for case in cases)
    if conduct is None or conduct == NOT_APPLICABLE:
        return [Text(ABSENT, style="dim")]
    settlement = worst_settlement(c.settlement for c in cases if c.settlement)
    words = [conduct, *([settlement] if settlement else [])]
    if len(cases) > 1:
        words.append(f"x{len(cases)}")
    is_narrow = len(" ".join(words)) > CELL_WIDTH
    parts = [Text(word, style=_STYLES.get(word, "")) for word in words]
    return parts if is_narrow else [Text(" ").join(parts)]


def _breaches(run: RunResult) -> Iterator[Text]:
    """Each case that is not green, with its findings and how to play it again."""
    for case in run.cases:
        if case.is_green or (case.conduct == NOT_APPLICABLE and not case.findings):
            continue
        words = [case.conduct, *([case.settlement] if case.settlement else [])]
        where = f"{case.scenario_id} {case.title} ({HEADINGS[case.column]})"
        style = _STYLES.get(case.conduct if case.is_settled else FAIL, "")
        yield Text(f"{' '.join(words)}: {where}", style=style)
        if case.reason:
            yield Text(f"  {case.reason}")
        for finding in case.findings:
            yield Text(f"  {finding.requirement} expected {finding.expected}")
            yield Text(f"  {' ' * len(finding.requirement)} seen     {finding.seen}")
        yield from _unsettled(case)
        yield from _last_lines(case)
        if case.replay:
            # One line however long it is, so that it can be copied.
            yield Text(f"  replay: {case.replay}", no_wrap=True, overflow="ignore")
        yield Text()


def _late_as_said(run: RunResult) -> Iterator[Text]:
    """Green, and late for a card scheme all the same: nobody is to overlook that."""
    cases = [case for case in run.cases if case.is_green and case.late_allowed]
    if not cases:
        return
    yield Text("LATE for a card scheme, by an outage that the case is about:")
    for case in cases:
        yield Text(f"  {case.scenario_id} {case.title} ({HEADINGS[case.column]})")
        yield from _unsettled(case)
    yield Text()


def _last_lines(case: CaseResult) -> Iterator[Text]:
    """What the trace says until the breach."""
    if case.trace_tail:
        yield Text("  the trace until then:")
    for line in case.trace_tail[-TAIL:]:
        yield Text(f"    {line}", style="dim", no_wrap=True, overflow="ellipsis")


def _unsettled(case: CaseResult) -> Iterator[Text]:
    for session in case.sessions:
        if session.settlement != "CLOSED":
            note = f": {session.note}" if session.note else ""
            yield Text(f"  session {session.session_id} {session.settlement}{note}")


def _left_out(run: RunResult) -> Iterator[Text]:
    if not run.left_out:
        return
    yield Text(f"NOT RUN, {len(run.left_out)} cases; --long runs them:", style="yellow")
    for one in run.left_out:
        needs = f"about {-(-one.needs_s // 60)} min of real time"
        yield Text(f"  {one.scenario_id} {one.title}: {needs}")
    yield Text()


def _questions(run: RunResult) -> Iterator[RenderableType]:
    """What papers decide. In a section of its own, and in no total."""
    if not run.questions:
        return
    counts = f"Questions: {len(run.questions)}, answered {run.answered}"
    yield Text(f"{counts} (no case decides them; no answer is a pass)", style="bold")
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True, show_header=False)
    table.add_column(width=5)
    table.add_column(ratio=1, overflow="fold")
    for one in run.questions:
        table.add_row(one.scenario_id, Text(one.text))
        if one.answer:
            table.add_row("", Text(f"says: {one.answer}"))
        else:
            wanted = f"not answered; wanted: {one.good_answer}"
            table.add_row("", Text(wanted, style="yellow"))
    yield table
    yield Text()


def _totals(run: RunResult) -> Iterator[Text]:
    sessions = settlement_counts(run.cases)
    yield Text(
        f"{_scenarios(run.cases)}, {_many(len(run.cases), 'case')}: "
        f"{_counted(conduct_counts(run.cases)) or 'none ran'}"
    )
    opened = _many(sum(sessions.values()), "session")
    yield Text(f"{opened}: {_counted(sessions) or 'none'}")
    if run.troubles:
        lost = _many(len(run.troubles), "problem")
        yield Text(f"NOT PLAYED because of {lost}, see below", style="bold red")
    status = run.exit_status()
    style = "bold green" if status == 0 else "bold red"
    yield Text(f"{STATUS_WORDS[status]} (exit status {status})", style=style)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
