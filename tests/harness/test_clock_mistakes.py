# ruff: noqa: E501 - a table
"""The stories of wrong clocks can be red, and so can that of retries after a death.

For each scenario of ``controller_clock.feature`` a controller that is wrong about just
that. The reference controller behind the same wrapper is green (M12 and its control are
in ``test_known_mistakes.py``).
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

import harness.world
from harness.columns import COLUMNS
from harness.places import FEATURES, REFERENCE
from harness.run import RunOptions, play
from reports.feature_file import parse_feature
from reports.results import CaseResult

#: Long enough for a session to be left open; eight days add nothing but time.
PATIENCE_MS = 2 * 3_600_000

CLOCK = "controller_clock.feature"
DIES = "controller_dies.feature"
EVERY = [column.name for column in COLUMNS]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", PATIENCE_MS)


@dataclass(frozen=True)
class Row:
    factory: str
    feature: str
    title: str
    #: What selects one example of an outline.
    example: str = ""
    #: A requirement, or words of what was seen.
    told: str = "R-RTY-08"


PLUGS_IN = "The clock is put <way> by <time> before the driver plugs in"
CHARGES = "The clock is put <way> by 1 hour during the charge"
MINUTES = "The calendar is put <way> by 60 minutes that would cost money"
OVERFLOWS = "The counter of milliseconds overflows during the charge"
RETRIES = "The clock is put <way> by 1 hour while a close is retried"

# fmt: off
ROWS = [
    Row("subtracts_without_sign", CLOCK, PLUGS_IN, "summer"),
    Row("subtracts_without_sign", CLOCK, PLUGS_IN, "setting"),
    Row("keeps_time_by_the_calendar", CLOCK, PLUGS_IN, "winter"),
    Row("keeps_time_by_the_calendar", CLOCK, PLUGS_IN, "corrected"),
    Row("believes_it_overslept", CLOCK, CHARGES, "forward", "WRONG AMOUNT"),
    Row("believes_it_is_early", CLOCK, CHARGES, "back", "WRONG AMOUNT"),
    Row("bills_the_calendar", CLOCK, MINUTES, "forward", "WRONG AMOUNT"),
    Row("subtracts_without_sign", CLOCK, "The clock runs too <way>", "fast"),
    Row("begins_its_windows_anew", CLOCK, "The clock runs too <way>", "slow"),
    Row("counts_in_32_bits", CLOCK, "The counter of milliseconds overflows while a window runs"),
    Row("counts_in_32_bits", CLOCK, OVERFLOWS, told="WRONG AMOUNT"),
    Row("subtracts_without_sign", CLOCK, RETRIES, "forward"),
    Row("subtracts_without_sign", CLOCK, RETRIES, "back"),
    Row("keeps_time_by_the_calendar", CLOCK, "The clock begins in 1970 while a session waits for a vehicle"),
    Row("subtracts_without_sign", CLOCK, "The clock begins in 1970 while a close is retried"),
    Row("believes_it_overslept", CLOCK, "The clock is right again after a charge that began in 1970", told="WRONG AMOUNT"),
    Row("begins_its_retries_anew", DIES, "A death is no reason to begin the retries anew", told="6 closes"),
]
# fmt: on


@pytest.mark.parametrize("column", EVERY)
@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{n}-{row.factory}" for n, row in enumerate(ROWS)]
)
def test_a_mistake_is_red(row: Row, column: str, tmp_path: Path) -> None:
    case = examined(row, column, tmp_path)
    said = [f"{one.requirement}: {one.expected}; {one.seen}" for one in case.findings]
    assert case.conduct == "FAIL", said
    assert not any(line.startswith("process:") for line in said), "a crash"
    assert any(row.told in line for line in said), said


@pytest.mark.parametrize("column", EVERY)
def test_the_same_is_green_without_a_mistake(column: str, tmp_path: Path) -> None:
    for row in ROWS:
        right = Row("makes_no_mistake", row.feature, row.title, row.example)
        assert examined(right, column, tmp_path).is_green, row.title


def test_every_story_of_the_clock_has_a_controller_that_fails_it() -> None:
    text = (FEATURES / CLOCK).read_text("utf-8")
    titles = {one.title for one in parse_feature(text, CLOCK).scenarios}
    assert titles == {row.title for row in ROWS if row.feature == CLOCK}


def examined(row: Row, column: str, folder: Path) -> CaseResult:
    words = re.sub("<[a-z]+>", "", row.title) + f" {row.example}"
    options = RunOptions(
        paths=(FEATURES / row.feature,),
        declaration=declared(row, column, folder),
        words=words,
    )
    run, collector = play(options, Console(file=io.StringIO()))
    assert not collector.setup_errors
    assert len(run.cases) == 1, [case.title for case in run.cases]
    return run.cases[0]


def declared(row: Row, column: str, folder: Path) -> Path:
    """A declaration that names a mistake, for one column.

    What a program declares stays as it is, so stories that need a price for time get
    one here.
    """
    found = next(one for one in COLUMNS if one.name == column)
    is_timed = row.title in (MINUTES, OVERFLOWS)
    per_minute = "\nper_minute = 10" if is_timed else ""
    text = REFERENCE.read_text(encoding="utf-8")
    for old, new in (
        ('interface = "psp"', f'interface = "{found.interface}"'),
        ('terminal = "apollo"', f'terminal = "{found.terminal}"'),
        ("per_kwh = 59", f"per_kwh = 59{per_minute}"),
        ("controller_ref.core:build", f"tests.harness.mistakes:{row.factory}"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / f"{row.factory}-{column}.toml"
    path.write_text(text, encoding="utf-8")
    return path
