"""What ``nohold run`` asks of pytest."""

from pathlib import Path

from harness.run import FEATURES, RunOptions


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
