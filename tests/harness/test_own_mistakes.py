"""The examiner finds the mistakes that our own controller has made once.

Each is made again (``mistakes/own.py``) and played where ``docs/mistakes-we-made.md``
says that it shows: in a scenario of features/, some of them only under another reading
of an open point. The reference controller is green there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.bench import Bench
from harness.case import Case, conclude
from harness.columns import COLUMNS
from harness.watch import await_session
from reports.results import CaseResult
from tests.harness.mistakes import own
from tests.harness.mistakes.examined import catch, declared, examined

DOCUMENT = Path(__file__).parents[2] / "docs" / "mistakes-we-made.md"
Make = Callable[..., Bench]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A mistake, the scenario that shows it, and what has to be said of it."""

    factory: str
    feature: str
    title: str
    requirement: str
    columns: tuple[str, ...]
    reading: str = ""
    #: A price per minute, in cents.
    per_minute: int = 0
    #: What is reserved, in cents.
    reserve: int = 5_000


# fmt: off
ROWS = (
    Row(factory="repeats_every_close", feature="damaged_blocks", title="No commit arrives whole", requirement="R-RTY-04", columns=("apollo",)),  # noqa: E501
    Row(factory="believes_a_refusal", feature="terminal_fails", title="The terminal restarts during the charge, and the driver leaves", requirement="R-TRM-08", columns=("p6x",), reading="undocumented_states=any"),  # noqa: E501
    Row(factory="says_reset_once", feature="terminal_line_fails", title="The cable is cut for an hour, and the driver leaves meanwhile", requirement="R-TRM-06", columns=("p6x",), reading="synchronize_while_reading=refuse"),  # noqa: E501
    Row(factory="wants_a_card", feature="paying_for_a_charge", title="Tap, plug in, charge, unplug", requirement="", columns=("cps",), reading="card_callback=stub,card_timeout_s=10,wait_max_s=0"),  # noqa: E501
    Row(factory="bills_the_calendar", feature="controller_clock", title="The calendar is put <way> by 60 minutes that would cost money forward", requirement="R-SES-12", columns=("p6x", "apollo", "cps"), per_minute=10),  # noqa: E501
    Row(factory="winds_up_the_cap", feature="charger_fails", title="The meter is never to be trusted, and little is reserved", requirement="R-AMT-02", columns=("p6x", "apollo", "cps"), reserve=20),  # noqa: E501
)
# fmt: on
PLAYS = [
    pytest.param(row, column, id=f"{row.factory}-{column}")
    for row in ROWS
    for column in row.columns
]


pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize(("row", "column"), PLAYS)
def test_an_own_mistake_is_red(row: Row, column: str, tmp_path: Path) -> None:
    factory = f"tests.harness.mistakes.own:{row.factory}"
    case = played(row, column, tmp_path, factory)
    if row.requirement:
        catch(case, row.requirement)
    else:
        # No card is ever heard of: the story does not come about.
        assert case.conduct == "INCONCLUSIVE"


@pytest.mark.parametrize(("row", "column"), PLAYS)
def test_mended_it_is_green(row: Row, column: str, tmp_path: Path) -> None:
    case = played(row, column, tmp_path, "controller_ref.core:build")
    assert case.is_green, case.findings


def played(row: Row, column: str, folder: Path, factory: str) -> CaseResult:
    prices = {"per_minute": row.per_minute, "reserve": row.reserve}
    path = declared(folder, factory, column, **prices)
    feature, words = f"{row.feature}.feature", f'"{row.title}"'
    return examined(path, feature, words, readings=row.reading)


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
@pytest.mark.parametrize("is_wrong", [True, False])
def test_a_stop_that_nobody_finishes(
    make_bench: Make, column: str, *, is_wrong: bool
) -> None:
    """Dead between "it is being stopped" and "it is to be released"."""
    factory = own.waits_for_the_charger if is_wrong else None
    bench = make_bench(column, factory=factory)
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    await_session(bench, driver)
    bench.faults.put("controller_killed_at", moment="after", what="write", for_s=60)
    bench.run_for(600_000)
    case = conclude(Case(bench=bench, tags=(), path=Path("x")), None)
    assert case.is_green is not is_wrong, case.findings
    if is_wrong:
        assert case.settlement == "LEFT OPEN"


def test_the_document_names_each() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    names = [row.factory for row in ROWS] + ["waits_for_the_charger"]
    assert [name for name in names if f"`{name}`" not in text] == []
