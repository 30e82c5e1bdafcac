# ruff: noqa: E501 - a table
"""The stories of wrong clocks can be red, and so can that of retries after a death.

For each scenario of ``controller_clock.feature`` a controller that is wrong about just
that. The reference controller behind the same wrapper is green (M12 and its control are
in ``test_known_mistakes.py``).
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.columns import COLUMNS
from harness.places import FEATURES
from reports.feature_file import parse_feature
from reports.results import CaseResult
from tests.harness.mistakes.examined import (
    MISTAKES,
    RIGHT,
    catch,
    declared,
    examined,
)

CLOCK = "controller_clock.feature"
DIES = "controller_dies.feature"
EVERY = [column.name for column in COLUMNS]


pytestmark = pytest.mark.usefixtures("impatient")


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
    catch(played(row, row.factory, column, tmp_path), row.told)


@pytest.mark.parametrize("column", EVERY)
def test_the_same_is_green_without_a_mistake(column: str, tmp_path: Path) -> None:
    for row in ROWS:
        assert played(row, RIGHT, column, tmp_path).is_green, row.title


def test_every_story_of_the_clock_has_a_controller_that_fails_it() -> None:
    text = (FEATURES / CLOCK).read_text("utf-8")
    titles = {one.title for one in parse_feature(text, CLOCK).scenarios}
    assert titles == {row.title for row in ROWS if row.feature == CLOCK}


def played(row: Row, factory: str, column: str, folder: Path) -> CaseResult:
    """What a program declares stays; stories that need a price for time get one."""
    price = {"per_minute": 10} if row.title in (MINUTES, OVERFLOWS) else {}
    path = declared(folder, f"{MISTAKES}:{factory}", column, **price)
    words = re.sub("<[a-z]+>", "", row.title) + f" {row.example}"
    return examined(path, row.feature, words)
