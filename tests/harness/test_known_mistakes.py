"""The examiner finds the mistakes that it was built to find.

Each wrong controller is the reference controller with one mistake (requirements.md,
end of section 2), declared and examined as a vendor's would be. The same wrapper
without a mistake is green in every scenario used here, so what turns red is the
mistake.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

import harness.world
from harness.columns import COLUMNS
from harness.run import FEATURES, REFERENCE, RunOptions, play
from reports.results import CaseResult

#: Long enough for a session to be left open; eight days add nothing but time.
PATIENCE_MS = 2 * 3_600_000

REFUSED_COMMIT = """
Feature: Refused
  Scenario: The commit is refused twice
    Given the driver is charging at connector 1
    And the terminal refuses the next two closes
    When the driver unplugs at connector 1
    Then the driver's session is committed within 200 seconds
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", PATIENCE_MS)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def declared(folder: Path, factory: str, column: str) -> Path:
    """A declaration that names one of ``wrong_controllers``, for one column."""
    found = next(one for one in COLUMNS if one.name == column)
    text = REFERENCE.read_text(encoding="utf-8")
    for old, new in (
        ('interface = "psp"', f'interface = "{found.interface}"'),
        ('terminal = "apollo"', f'terminal = "{found.terminal}"'),
        ("controller_ref.core:build", f"wrong_controllers:{factory}"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / f"{factory}-{column}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def found(feature: str, folder: Path) -> Path:
    """A feature of the suite, or that of this file."""
    if feature != "refused.feature":
        return FEATURES / feature
    path = folder / feature
    path.write_text(REFUSED_COMMIT, encoding="utf-8")
    return path


def examined(declaration: Path, feature: Path, words: str) -> CaseResult:
    """The one case that ``feature`` and ``words`` select."""
    options = RunOptions(paths=(feature,), declaration=declaration, words=words)
    run, collector = play(options, Console(file=io.StringIO()))
    assert not collector.setup_errors
    assert not collector.wrong_use
    assert len(run.cases) == 1, [case.title for case in run.cases]
    return run.cases[0]


@dataclass(frozen=True)
class Row:
    """A mistake, where it shows, and what the examiner must say."""

    factory: str
    feature: str
    words: str
    settlement: str
    requirement: str
    columns: tuple[str, ...] = ("p6x", "apollo", "cps")


NO_START = ("charge_never_starts.feature", "walks away without plugging in")
CHARGE = ("paying_for_a_charge.feature", "Tap, plug in, charge, unplug")
STOP_TAP = ("paying_for_a_charge.feature", "taps the same card to stop")
REFUSED = ("refused.feature", "The commit is refused twice")
POWER_CUT = ("charger_fails.feature", "no power for ten minutes")
PSP = ("p6x", "apollo")
TWO = ("several_drivers.feature", "start and stop interleaved")

# fmt: off
ROWS = [
    Row("never_cancels", *NO_START, "LEFT OPEN", "R-NOS-01"),
    Row("drops_instead_of_voiding", *NO_START, "LEFT OPEN", "R-SES-10"),
    Row("commits_nothing", *NO_START, "CLOSED", "R-AMT-05"),
    Row("commits_the_reserve", *CHARGE, "WRONG AMOUNT", "R-SES-12"),
    Row("authorises_every_card", *STOP_TAP, "CLOSED", "R-NOS-09"),
    Row("forgets_its_ledger", *POWER_CUT, "LEFT OPEN", "R-RTY-03", ("apollo", "cps")),
    # A P6X tells which sessions are open, but not what they owe.
    Row("forgets_its_ledger", *POWER_CUT, "WRONG AMOUNT", "R-SES-06", ("p6x",)),
    Row("commits_another_session", *TWO, "LEFT OPEN", "R-SES-08"),
    # PSP refuses without effect; after a 500 of the cloud nobody knows (R-RTY-09).
    Row("retries_with_a_new_amount", *REFUSED, "WRONG AMOUNT", "R-SES-12", PSP),
    Row("retries_with_a_new_amount", *REFUSED, "TWICE", "R-RTY-09", ("cps",)),
    Row("voids_after_a_commit", *REFUSED, "WRONG AMOUNT", "R-SES-12", PSP),
    Row("voids_after_a_commit", *REFUSED, "TWICE", "R-RTY-09", ("cps",)),
    Row("moves_on_after_a_failed_commit", *REFUSED, "LEFT OPEN", "R-SES-06"),
]
# fmt: on
CASES = [
    pytest.param(row, column, id=f"{row.factory}-{column}")
    for row in ROWS
    for column in row.columns
]


@pytest.mark.parametrize(("row", "column"), CASES)
def test_a_known_mistake_is_red(row: Row, column: str, tmp_path: Path) -> None:
    path = declared(tmp_path, row.factory, column)
    case = examined(path, found(row.feature, tmp_path), row.words)
    said = {(one.requirement, one.expected, one.seen) for one in case.findings}
    assert not case.is_green
    assert case.conduct == "FAIL", said
    assert case.settlement == row.settlement, said
    assert any(row.requirement in name for name, _, _ in said), said


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
@pytest.mark.parametrize(
    ("feature", "words"),
    sorted({(row.feature, row.words) for row in ROWS}),
    ids=lambda value: value.partition(".")[0].replace(" ", "-"),
)
def test_without_a_mistake_the_same_is_green(
    feature: str, words: str, column: str, tmp_path: Path
) -> None:
    path = declared(tmp_path, "makes_no_mistake", column)
    case = examined(path, found(feature, tmp_path), words)
    assert case.is_green, case.findings
