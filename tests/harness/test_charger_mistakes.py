"""The examiner finds mistakes on the charger's side (``mistakes/charger.py``).

They were made to see whether any scenario would notice, and next to none did. The
reference controller, declared alike, is green in the story that catches each.
"""

import io
from pathlib import Path

import pytest
from rich.console import Console

import harness.world
from harness.columns import COLUMNS
from harness.places import FEATURES, REFERENCE
from harness.run import RunOptions, play
from reports.results import CaseResult
from tests.harness import mistakes
from tests.harness.mistakes.charger_table import WRONG, Wrong

#: Long enough for a session to be left open; eight days add nothing but time.
PATIENCE_MS = 2 * 3_600_000
DOCUMENT = Path(__file__).parents[2] / "docs" / "known-mistakes.md"
EVERY = [column.name for column in COLUMNS]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", PATIENCE_MS)


@pytest.mark.parametrize("column", EVERY)
@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.factory for wrong in WRONG])
def test_a_mistake_is_red(wrong: Wrong, column: str, tmp_path: Path) -> None:
    case = examined(wrong, wrong.factory, column, tmp_path)
    said = {(one.requirement, one.expected, one.seen) for one in case.findings}
    assert case.conduct == "FAIL", said
    assert case.settlement == wrong.settlement, said
    assert any(wrong.requirement in name for name, _, _ in said), said


@pytest.mark.parametrize("column", EVERY)
def test_the_same_is_green_without_a_mistake(column: str, tmp_path: Path) -> None:
    for wrong in WRONG:
        case = examined(wrong, "makes_no_mistake", column, tmp_path)
        assert case.is_green, (wrong.title, case.findings)


def examined(wrong: Wrong, factory: str, column: str, folder: Path) -> CaseResult:
    """The one case of a row, played by the controller that ``factory`` builds."""
    options = RunOptions(
        paths=(FEATURES / f"{wrong.feature}.feature",),
        declaration=declared(wrong, factory, column, folder),
        words=f'"{wrong.title}"',
    )
    run, collector = play(options, Console(file=io.StringIO()))
    assert not collector.setup_errors
    assert len(run.cases) == 1, [case.title for case in run.cases]
    return run.cases[0]


def declared(wrong: Wrong, factory: str, column: str, folder: Path) -> Path:
    """A declaration that names the factory and says what the story needs."""
    found = next(one for one in COLUMNS if one.name == column)
    text = REFERENCE.read_text(encoding="utf-8")
    for old, new in (
        ('interface = "psp"', f'interface = "{found.interface}"'),
        ('terminal = "apollo"', f'terminal = "{found.terminal}"'),
        ("controller_ref.core:build", f"tests.harness.mistakes:{factory}"),
        *((_line(text, key), f"{key} = {n}") for key, n in wrong.declared.items()),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new if old != _LAST else f"{old}\n{new}")
    path = folder / f"{wrong.number}-{factory}-{column}.toml"
    path.write_text(text, encoding="utf-8")
    return path


#: What the reference controller leaves out is said behind this line.
_LAST = "per_kwh = 59"


def _line(text: str, key: str) -> str:
    """The line of a key, or the one behind which it may stand."""
    found = (line for line in text.splitlines() if line.startswith(f"{key} = "))
    return next(found, _LAST)


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
