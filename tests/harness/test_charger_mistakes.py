"""The examiner finds mistakes on the charger's side (``mistakes/charger.py``).

They were made to see whether any scenario would notice, and next to none did. The
reference controller, declared alike, is green in the story that catches each.
"""

from pathlib import Path

import pytest

from harness.columns import COLUMNS
from reports.results import CaseResult
from tests.harness import mistakes
from tests.harness.mistakes.charger_table import WRONG, Wrong
from tests.harness.mistakes.examined import (
    MISTAKES,
    RIGHT,
    catch,
    declared,
    examined,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "known-mistakes.md"
EVERY = [column.name for column in COLUMNS]


pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize("column", EVERY)
@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.factory for wrong in WRONG])
def test_a_mistake_is_red(wrong: Wrong, column: str, tmp_path: Path) -> None:
    case = played(wrong, wrong.factory, column, tmp_path)
    said = catch(case, wrong.requirement)
    assert case.settlement == wrong.settlement, said


@pytest.mark.parametrize("column", EVERY)
def test_the_same_is_green_without_a_mistake(column: str, tmp_path: Path) -> None:
    for wrong in WRONG:
        case = played(wrong, RIGHT, column, tmp_path)
        assert case.is_green, (wrong.title, case.findings)


def played(wrong: Wrong, factory: str, column: str, folder: Path) -> CaseResult:
    path = declared(folder, f"{MISTAKES}:{factory}", column, **wrong.declared)
    return examined(path, f"{wrong.feature}.feature", f'"{wrong.title}"')


# --- The page for people ----------------------------------------------------------


def test_the_page_has_the_table_as_it_is() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    wanted = [
        f"| C{one.number} | `{one.factory}` | {one.what} | {one.title} "
        f"| {one.requirement}, {one.settlement} |"
        for one in WRONG
    ]
    found = [line for line in lines if line.startswith("| C")]
    assert found == wanted, "\n".join(wanted)


def test_all_can_be_named_in_a_declaration() -> None:
    for wrong in WRONG:
        assert wrong.factory in mistakes.__all__
