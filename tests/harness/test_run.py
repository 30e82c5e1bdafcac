"""What ``nohold run`` asks of pytest."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.places import FEATURES
from harness.run import EPILOGUE_MS, STARTING_S, RunOptions, _is_long, _needs_s
from reports.results import CaseResult, OtherReadings


def test_the_whole_suite_is_played_where_no_path_is_named() -> None:
    assert RunOptions().for_pytest()[0] == str(FEATURES)
    assert RunOptions(paths=(Path("my.feature"),)).for_pytest()[0] == "my.feature"


def test_assertions_are_left_alone() -> None:
    """Installed from a wheel, rewriting warns, and a warning is an error here."""
    assert "--assert=plain" in RunOptions().for_pytest()


def test_cases_can_be_left_out() -> None:
    options = RunOptions(leave_out=("a::b", "c::d"), jobs=3, rehearsal=True)
    arguments = options.for_pytest()
    assert "--nohold-leave-out=a::b" in arguments
    assert "--nohold-leave-out=c::d" in arguments
    assert "--nohold-rehearsal" in arguments


def rehearsed(story_s: int, conduct: str = "PASS") -> CaseResult:
    """What a rehearsal has found out about a case."""
    return CaseResult(
        scenario_id="S-A01",
        group="A",
        title="One",
        feature="one.feature",
        column="cps",
        conduct=conduct,
        settlement=None,
        story_ms=story_s * 1000,
    )


@pytest.mark.parametrize("time_scale", [1, 20])
def test_a_story_of_two_minutes_is_played_at_any_pace(time_scale: int) -> None:
    """What all cases share does not count: else a box in real time had none to play."""
    options = RunOptions(time_scale=time_scale)
    assert not _is_long(rehearsed(120 * time_scale), options)
    assert _is_long(rehearsed(120 * time_scale + 1), options)
    long = RunOptions(time_scale=time_scale, long=True)
    assert not _is_long(rehearsed(10**6), long)


def test_the_time_needed_is_the_story_and_what_all_cases_share() -> None:
    options = RunOptions(time_scale=20)
    shared_s = EPILOGUE_MS // 1000
    assert _needs_s(rehearsed(100), options) == (100 + shared_s) // 20 + STARTING_S
    assert _needs_s(rehearsed(100, "NOT APPLICABLE"), options) == 0
    again = replace(rehearsed(100), other_readings=OtherReadings(plays=2))
    assert _needs_s(again, options) == 3 * _needs_s(rehearsed(100), options)
