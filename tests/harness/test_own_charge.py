"""The examiner finds what our own controller has done wrong with deaths and chargers.

Each mistake is made again (``mistakes/own_charge.py``) and played in a story in which
the reference controller is green; ``docs/mistakes-we-made.md`` tells them.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from benchmarks.deaths import Death, points
from benchmarks.deaths import play as play_death
from harness.bench import Bench
from harness.case import Case, conclude
from harness.judge import Expectations, judge
from harness.watch import Breach
from reports.results import CaseResult
from steps.charger import energy_flows
from steps.driver import start_charging
from tests.harness import test_found_stories as found
from tests.harness.conftest import PATIENCE_MS
from tests.harness.mistakes import own_charge
from tests.harness.mistakes.examined import catch
from wire.machine import ControllerFactory

Make = Callable[..., Bench]
COLUMNS: Final = ("p6x", "apollo", "cps")
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "mistakes-we-made.md"

#: How a story ends: with the names of what makes it again, or with a reason.
ENDING: Final = re.compile(r"(Made again as `\w+`.*\.|Not made again: .+\.)$")

pytestmark = pytest.mark.usefixtures("impatient")

# --- Stories that have been found -------------------------------------------------

#: The mistake, the story in which the reference is green, and what it breaks.
FOUND: Final = (
    (
        own_charge.believes_the_register,
        found.test_a_register_that_moves_without_an_order_has_not_charged_anybody,
        "R-SES-12",
    ),
    (
        own_charge.reads_zero,
        found.test_a_welcome_without_a_good_register_counts_nothing,
        "R-SES-12",
    ),
    (
        own_charge.writes_once_a_minute,
        found.test_what_was_heard_before_a_death_is_owed_without_a_charger,
        "R-SES-12",
    ),
    (
        own_charge.ends_at_the_boot,
        found.test_after_a_long_death_the_charger_is_heard_first,
        "R-SES-12",
    ),
    (
        own_charge.takes_any_reading,
        partial(
            found.test_a_last_reading_that_is_no_good_is_not_the_last, fault="meter_nan"
        ),
        "R-SES-06",
    ),
)


def broken(
    make_bench: Make, factory: ControllerFactory, story: Callable[[Make], None]
) -> list[str]:
    """The requirements that a story which fails has found broken."""
    benches: list[Bench] = []

    def make(column: str) -> Bench:
        benches.append(make_bench(column, factory=factory))
        return benches[-1]

    with pytest.raises(AssertionError):
        story(make)
    (bench,) = benches
    expectations = Expectations(allow_unknown=bench.allow_unknown)
    verdict = judge(bench.trace.records, expectations=expectations)
    return [finding.requirement for finding in verdict.findings]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    ("factory", "story", "requirement"),
    [pytest.param(*row, id=row[0].__name__) for row in FOUND],
)
def test_a_story_that_was_found_is_red(
    make_bench: Make,
    column: str,
    factory: ControllerFactory,
    story: Callable[..., None],
    requirement: str,
) -> None:
    said = broken(make_bench, factory, lambda make: story(make, column=column))
    assert requirement in said
    assert "process" not in said, "a crash"


def test_an_alarm_that_died_unsaid_is_missed(make_bench: Make) -> None:
    story = found.test_an_alarm_that_died_unsaid_is_said_at_the_next_start
    assert broken(make_bench, own_charge.says_it_once, story) == ["R-RTY-07"]


# --- Deaths -----------------------------------------------------------------------

#: The mistake, the flow, how long the controller is dead, and what comes of it.
DEATHS: Final = (
    (own_charge.bills_the_meter, "no-start-one", 1, "committed 5000"),
    (own_charge.releases_unheard, "charge", 3_600, "released"),
    (own_charge.forgets_the_start, "charge", 3_600, "released"),
)


def dies_at_each_write(
    flow: str, column: str, delay_s: int, factory: ControllerFactory | None
) -> list[str]:
    """What went wrong, over all deaths right before a write."""
    planned = [
        Death(
            flow=flow,
            column=column,
            point=point,
            moment="before",
            delay_s=delay_s,
            rest_ms=PATIENCE_MS,
        )
        for point in points(flow, column)
        if point.what == "write"
    ]
    outcomes = [play_death(death, factory=factory) for death in planned]
    assert all(outcome.hit for outcome in outcomes)
    return [outcome.why for outcome in outcomes if outcome.why]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    ("factory", "flow", "delay_s", "told"),
    [pytest.param(*row, id=row[0].__name__) for row in DEATHS],
)
def test_a_death_is_red(
    column: str, factory: ControllerFactory, flow: str, delay_s: int, told: str
) -> None:
    (why,) = dies_at_each_write(flow, column, delay_s, factory)
    assert f"WRONG AMOUNT: {told}" in why
    assert "process:" not in why, "a crash"
    assert dies_at_each_write(flow, column, delay_s, None) == []


# --- Stories of their own ---------------------------------------------------------


def concluded(bench: Bench, story: Callable[[Bench], None]) -> CaseResult:
    """The verdict on a story, as on a scenario: a breach in it is the controller's."""
    breach = None
    try:
        story(bench)
    except Breach as error:
        breach = error
    return conclude(Case(bench=bench, tags=(), path=Path("x")), breach)


def is_well_again_and_dies(bench: Bench) -> None:
    """The storage takes writes again for two minutes before the death."""
    found.dies_after_a_close(bench, "store_full", mended_for_ms=120_000)


def leaves_unseen(bench: Bench) -> None:
    """A vehicle leaves while the link is down; another comes to its connector."""
    start_charging(bench, 1, 1)
    bench.run_for(20_000)
    bench.faults.put("bay_down")
    bench.run_for(5_000)
    bench.drivers.leave(bench.driver(1), 1)
    bench.run_for(20_000)
    bench.faults.heal("bay_down")
    bench.run_for(60_000)
    other = bench.driver(2)
    bench.drivers.plug(other, 1, other.vehicle)
    bench.run_for(5_000)
    bench.drivers.tap(other, other.card)
    bench.since_ms = bench.now_ms
    energy_flows(bench, 1, 60_000)


def plugs_with_the_approval(bench: Bench) -> None:
    """The plug is seen before the charger has answered the unlock of the approval."""
    bench.open()
    driver = bench.driver(1)
    bench.drivers.tap(driver, driver.card)
    assert bench.run_until(lambda: found.shown(bench, "plug_in"), 20_000)
    bench.drivers.plug(driver, 1, driver.vehicle)
    bench.since_ms = bench.now_ms
    energy_flows(bench, 1, 60_000)


#: The mistake, the story, how many connectors it needs, and what is said of it. With
#: one connector an approval frees its socket at once; with two, people choose.
STORIES: Final = (
    (own_charge.writes_with_the_next, is_well_again_and_dies, 2, "TWICE"),
    (own_charge.keeps_the_place, leaves_unseen, 2, "energy at connector 1"),
    (own_charge.takes_any_answer, plugs_with_the_approval, 1, "energy at connector 1"),
)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", STORIES, ids=lambda row: row[0].__name__)
def test_a_story_of_its_own_is_red(
    make_bench: Make,
    column: str,
    row: tuple[ControllerFactory, Callable[[Bench], None], int, str],
) -> None:
    factory, story, connectors, told = row
    wrong = make_bench(column, factory=factory, connectors=connectors)
    catch(concluded(wrong, story), told)
    case = concluded(make_bench(column, connectors=connectors), story)
    assert case.is_green, case.findings


# --- The page ---------------------------------------------------------------------


def stories_of(section: str) -> dict[str, str]:
    """The stories of a section of the page: title and text, in one line."""
    page = DOCUMENT.read_text(encoding="utf-8")
    (part,) = (one for one in page.split("\n## ") if one.startswith(section))
    stories = (" ".join(one.split()) for one in part.split("\n### ")[1:])
    return {story.partition(" *What it did.*")[0]: story for story in stories}


@pytest.mark.parametrize("section", ["About dying", "About the charger"])
def test_each_story_is_made_again_or_says_why_not(section: str) -> None:
    stories = stories_of(section)
    assert stories
    silent = [
        title
        for title, story in stories.items()
        if not ENDING.search(story.partition("*Caught by.*")[2])
    ]
    assert silent == []


def test_the_page_names_each() -> None:
    rows = [row[0].__name__ for row in (*FOUND, *DEATHS, *STORIES)]
    page = DOCUMENT.read_text(encoding="utf-8")
    names = [*rows, own_charge.says_it_once.__name__]
    assert [name for name in names if f"`{name}`" not in page] == []
