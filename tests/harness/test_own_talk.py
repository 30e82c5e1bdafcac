"""The examiner finds what our own controller did wrong with closes, cards and readers.

Each mistake is made again (``mistakes/own_talk.py``) and played where
``docs/mistakes-we-made.md`` says that it shows. The reference is green there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.bench import Bench, CaseName
from harness.case import Case, conclude
from harness.deaths import names_in
from harness.watch import Breach
from reports.results import CaseResult
from steps.driver import start_charging
from steps.money import every_session_closed
from tests.harness.mistakes import own_talk
from tests.harness.mistakes.examined import catch, declared, examined
from tests.harness.test_found_stories import (
    a_question_is_damaged,
    an_error_hides_an_approval,
    taps_again,
    taps_while_calls_fail,
    two_closes_wait,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "mistakes-we-made.md"
SECTIONS = ("About closing", "About cards and readers")
#: Until a question to the cloud has its answer.
ANSWERED_MS = 50
Make = Callable[..., Bench]

pytestmark = pytest.mark.usefixtures("impatient")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A mistake, the scenario over CPS that shows it, and what has to be said of it."""

    factory: str
    title: str
    requirement: str
    reading: str


@dataclass(frozen=True, kw_only=True)
class Tale:
    """A mistake, the story in Python that shows it, and what has to be said of it."""

    factory: str
    play: Callable[[Bench], None]
    requirement: str
    columns: tuple[str, ...]


def leaves_after_a_tap_again(bench: Bench) -> None:
    taps_again(bench)
    bench.drivers.leave(bench.driver(1), 1)


def stays_after_a_tap_to_stop(bench: Bench) -> None:
    taps_while_calls_fail(bench)
    bench.run_for(120_000)


def returns_after_a_look(bench: Bench) -> None:
    """S-H04 at its worst moment: the terminal is back just after a look."""
    start_charging(bench, 1, 1)
    bench.faults.put("cloud_down")
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(1_200_000)
    seen = looks(bench)
    bench.run_until(lambda: looks(bench) > seen, within_ms=600_000)
    bench.run_for(ANSWERED_MS)
    bench.faults.heal("cloud_down")
    bench.since_ms = bench.now_ms
    every_session_closed(bench, 300_000)


def looks(bench: Bench) -> int:
    """How often the cloud was asked for the terminal's state."""
    return sum("E2" in names_in(record) for record in bench.trace.records)


# fmt: off
ROWS = (
    Row(factory="trusts_the_long_poll", title="The driver taps the same card to stop", requirement="R-STP-03", reading="read_timeout_s=30"),  # noqa: E501
    Row(factory="hurries_the_reader", title="An unknown RFID card is turned away", requirement="R-CPS-03", reading="reading_delay_ms=10000,wait_max_s=0"),  # noqa: E501
)
TALES = (
    Tale(factory="forgets_who_waits", play=two_closes_wait, requirement="R-FLT-03", columns=("apollo",)),  # noqa: E501
    Tale(factory="looks_every_five_minutes", play=returns_after_a_look, requirement="R-TRM-04", columns=("cps",)),  # noqa: E501
    Tale(factory="believes_an_error", play=an_error_hides_an_approval, requirement="R-RTY-07", columns=("cps",)),  # noqa: E501
    Tale(factory="hears_a_decline", play=a_question_is_damaged, requirement="R-RTY-07", columns=("apollo",)),  # noqa: E501
    Tale(factory="gives_up_its_reads", play=stays_after_a_tap_to_stop, requirement="R-STP-03", columns=("cps",)),  # noqa: E501
    Tale(factory="forgets_who_was_served", play=leaves_after_a_tap_again, requirement="R-SES-14", columns=("p6x", "apollo", "cps")),  # noqa: E501
)
# fmt: on
PLAYS = [
    pytest.param(tale, column, id=f"{tale.factory}-{column}")
    for tale in TALES
    for column in tale.columns
]
SCENARIOS = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.factory)
STORIES = pytest.mark.parametrize(("tale", "column"), PLAYS)


def read(row: Row, folder: Path, factory: str) -> CaseResult:
    path = declared(folder, factory, "cps")
    words = f'"{row.title}"'
    return examined(path, "paying_for_a_charge.feature", words, readings=row.reading)


@SCENARIOS
def test_in_a_scenario_it_is_red(row: Row, tmp_path: Path) -> None:
    factory = f"tests.harness.mistakes.own_talk:{row.factory}"
    catch(read(row, tmp_path, factory), row.requirement)


@SCENARIOS
def test_mended_the_scenario_is_green(row: Row, tmp_path: Path) -> None:
    case = read(row, tmp_path, "controller_ref.core:build")
    assert case.is_green, case.findings


def told(tale: Tale, bench: Bench) -> CaseResult:
    bench.case = CaseName(scenario="a story", requirements=(tale.requirement,))
    case = Case(bench=bench, tags=(), path=Path("x"))
    try:
        tale.play(bench)
    except Breach as breach:
        return conclude(case, breach)
    return conclude(case, None)


@STORIES
def test_in_a_story_it_is_red(make_bench: Make, tale: Tale, column: str) -> None:
    factory = getattr(own_talk, tale.factory)
    catch(told(tale, make_bench(column, factory=factory)), tale.requirement)


@STORIES
def test_mended_the_story_is_green(make_bench: Make, tale: Tale, column: str) -> None:
    case = told(tale, make_bench(column))
    assert case.is_green, case.findings


def catchers() -> dict[str, str]:
    """What each story of our sections says of who caught it, by its heading."""
    sections = DOCUMENT.read_text(encoding="utf-8").split("\n## ")
    ours = [text for text in sections if text.startswith(SECTIONS)]
    stories = [story for text in ours for story in text.split("\n### ")[1:]]
    return {
        story.partition("\n")[0]: " ".join(story.partition("*Caught by.*")[2].split())
        for story in stories
    }


def test_each_story_is_made_again_or_says_why_not() -> None:
    found = catchers()
    assert len(found) >= len(ROWS) + len(TALES)
    words = ("Made again as `", "Not made again: ")
    assert [
        name for name, text in found.items() if sum(w in text for w in words) != 1
    ] == []


def test_the_document_names_each() -> None:
    said = "\n".join(catchers().values())
    names = [each.factory for each in (*ROWS, *TALES)]
    assert [name for name in names if f"Made again as `{name}`" not in said] == []
