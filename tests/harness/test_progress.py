"""Progress: what is under way, how long it has taken, how long the rest will take."""

import io

import pytest
from rich.console import Console

from harness.progress import ProgressDisplay, Tally, in_time, title_of

NEEDS = {"a": 100, "b": 100, "c": 50, "d": 0}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tally(clock: Clock) -> Tally:
    made = Tally(now_s=clock, jobs=2, needs_s=NEEDS)
    made.total = len(NEEDS)
    return made


def test_several_cases_are_under_way(tally: Tally, clock: Clock) -> None:
    tally.begin("a")
    clock.now_s += 10
    tally.begin("b")
    clock.now_s += 5
    assert tally.under_way() == [("a", 15), ("b", 5)]
    tally.end("a")
    assert tally.under_way() == [("b", 5)]
    assert tally.headline() == "1 of 4 cases, 0:15, about 0:10 left"


def test_before_the_first_case_the_needs_are_the_estimate(tally: Tally) -> None:
    assert tally.remaining_s() == 125


def test_the_pace_of_what_is_over_corrects_the_rest(tally: Tally, clock: Clock) -> None:
    """The first case took twice as long as it needed in the rehearsal."""
    tally.begin("a")
    clock.now_s += 200
    tally.end("a")
    assert tally.remaining_s() == (2 * 100 + 2 * 50) // 2


def test_the_longest_case_bounds_what_is_left(tally: Tally, clock: Clock) -> None:
    for node in ("a", "c", "d"):
        tally.begin(node)
        tally.end(node)
    clock.now_s += 1
    tally.begin("b")
    tally._expected_s = 0
    clock.now_s += 10
    assert tally.remaining_s() == 90


def test_a_case_that_takes_longer_than_expected_never_counts_below_zero(
    tally: Tally, clock: Clock
) -> None:
    tally.begin("a")
    clock.now_s += 500
    assert tally.remaining_s() == (100 + 50) // 2


def test_in_virtual_time_cases_are_counted(clock: Clock) -> None:
    tally = Tally(now_s=clock)
    tally.total = 4
    assert tally.remaining_s() is None
    assert tally.headline() == "0 of 4 cases, 0:00"
    tally.begin("a")
    clock.now_s += 2
    tally.end("a")
    assert tally.remaining_s() == 6


def test_a_log_hears_now_and_then(tally: Tally, clock: Clock) -> None:
    log = io.StringIO()
    display = ProgressDisplay(tally, Console(file=log, highlight=False, width=200))
    display.start(4)
    display.begin("x.feature::test_the_driver_leaves[apollo]")
    clock.now_s += 29
    display.begin("x.feature::test_the_meter_falls[apollo]")
    assert log.getvalue() == ""
    clock.now_s += 1
    display.begin("b")
    clock.now_s += 10
    display.end("b")
    display.begin("c")
    display.stop()
    (line,) = log.getvalue().splitlines()
    assert line.startswith("nohold: 0 of 4 cases, 0:30, about ")
    assert "left; under way: the driver leaves[apollo], the meter falls" in line


def test_a_terminal_shows_every_case_under_way(tally: Tally, clock: Clock) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, _environ={})
    display = ProgressDisplay(tally, console)
    display.start(4)
    display.begin("x.feature::test_the_driver_leaves[apollo]")
    clock.now_s += 75
    display.begin("x.feature::test_the_meter_falls[apollo]")
    display.stop()
    shown = screen.getvalue()
    assert "0 of 4 cases, 1:15, about" in shown
    assert "1:15  the driver leaves[apollo]" in shown
    assert "0:00  the meter falls[apollo]" in shown


def test_nothing_is_said_before_it_is_known_how_many_there_are(clock: Clock) -> None:
    log = io.StringIO()
    display = ProgressDisplay(Tally(now_s=clock), Console(file=log))
    clock.now_s += 100
    display.begin("a")
    assert log.getvalue() == ""


def test_times_and_titles() -> None:
    assert [in_time(s) for s in (0, 187, 3_723, -4)] == [
        "0:00",
        "3:07",
        "1:02:03",
        "0:00",
    ]
    assert title_of("f.feature::test_it_rains[cps]") == "it rains[cps]"
