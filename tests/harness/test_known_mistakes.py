"""The examiner finds the mistakes that it was built to find.

Each wrong controller is the reference controller with one mistake (requirements.md,
end of section 2, and some of ours), declared and examined as a vendor's would be, in
scenarios of features/ that are named in ``mistakes/table.py``. The same wrapper without
a mistake, and one that only renames what it says, are green in every scenario used
here, so what turns red is the mistake. A controller that crashed would prove nothing:
that has a finding of its own (``process``), and no row allows it.
"""

from pathlib import Path

import pytest

from tests.harness import mistakes
from tests.harness.mistakes.examined import MISTAKES, catch, declared, examined
from tests.harness.mistakes.table import KNOWN, Caught, Known

DOCUMENT = Path(__file__).parents[2] / "docs" / "known-mistakes.md"


pytestmark = pytest.mark.usefixtures("impatient")


ROWS = [
    pytest.param(known.factory, caught, column, id=f"{known.factory}-{n}-{column}")
    for known in KNOWN
    for n, caught in enumerate(known.caught)
    for column in caught.columns
]
#: Each scenario once for each column in which a mistake is caught.
SCENARIOS = {
    (caught.title, column): caught
    for known in KNOWN
    for caught in known.caught
    for column in caught.columns
}


@pytest.mark.parametrize(("factory", "caught", "column"), ROWS)
def test_a_known_mistake_is_red(
    factory: str, caught: Caught, column: str, tmp_path: Path
) -> None:
    path = declared(tmp_path, f"{MISTAKES}:{factory}", column)
    case = examined(path, caught.feature, f'"{caught.title}"')
    said = catch(case, caught.requirement)
    assert case.settlement == caught.settlement, said


@pytest.mark.parametrize("control", ["makes_no_mistake", "renames_a_log_line"])
@pytest.mark.parametrize(("title", "column"), sorted(SCENARIOS))
def test_without_a_mistake_the_same_is_green(
    title: str, column: str, control: str, tmp_path: Path
) -> None:
    path = declared(tmp_path, f"{MISTAKES}:{control}", column)
    case = examined(path, SCENARIOS[title, column].feature, f'"{title}"')
    assert case.is_green, case.findings


def test_all_fifteen_and_ours_are_there_and_can_be_named_in_a_declaration() -> None:
    assert [known.number for known in KNOWN] == list(range(1, 23))
    for known in KNOWN:
        assert known.factory in mistakes.__all__


# --- The page for people ----------------------------------------------------------

COLUMN_WORDS = {"p6x": "P6X", "apollo": "Apollo", "cps": "CPS"}


def rows_of(known: Known) -> list[str]:
    """The rows of one mistake in the page: what it does, once; what catches it."""
    rows = []
    what = f"`{known.factory}` | {known.what}"
    for caught in known.caught:
        where = ", ".join(COLUMN_WORDS[column] for column in caught.columns)
        by = f"{caught.title} ({where})"
        red = f"{caught.requirement}, {caught.settlement}"
        rows.append(f"| M{known.number} | {what} | {by} | {red} |")
        what = " | "
    return rows


def test_the_page_has_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    wanted = [row for known in KNOWN for row in rows_of(known)]
    found = [line for line in text.splitlines() if line.startswith("| M")]
    assert found == wanted, "\n".join(wanted)
