"""A case: whose fault is what a step raises, and what a person is told."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import harness.world
import simulator.trace
from harness.bench import Bench, CaseName, NotReached
from harness.case import Breach, Case, CaseNotGreen, conclude, replay_line
from harness.declaration import Declined, NotClaimed, SetupError
from harness.world import Desk
from simulator.trace import TraceFull

Make = Callable[..., Bench]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", 3_600_000)


@pytest.fixture
def case(make_bench: Make) -> Case:
    bench = make_bench()
    bench.case = CaseName(scenario="It's mine", requirements=("R-NOS-01", "R-NOS-02"))
    bench.open()
    return Case(bench=bench, tags=("S-B01", "R-NOS-01"), path=Path("my.feature"))


def test_without_an_error_the_trace_decides(case: Case) -> None:
    result = conclude(case, None)
    assert (result.conduct, result.settlement, result.is_green) == ("PASS", None, True)
    assert (result.scenario_id, result.group) == ("S-B01", "B")


def test_a_breach_is_the_controllers(case: Case) -> None:
    result = conclude(case, Breach("a release", "a commit"))
    assert result.conduct == "FAIL"
    (found,) = result.findings
    assert found.requirement == "R-NOS-01, R-NOS-02"
    assert (found.expected, found.seen) == ("a release", "a commit")


def test_a_breach_without_a_tag_still_names_something(case: Case) -> None:
    case.bench.case = CaseName(scenario="untagged")
    result = conclude(case, Breach("a release", "a commit"))
    assert result.findings[0].requirement == "scenario"


def test_what_was_not_reached_is_inconclusive(case: Case) -> None:
    result = conclude(case, NotReached("no session came"))
    assert result.conduct == "INCONCLUSIVE"
    assert result.findings[0].seen == "no session came"


def test_a_trace_that_is_full_is_nobody_s_failure_yet(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a step or in the epilogue: it says how far it came, and blames nobody."""
    for error in (TraceFull("more than 5 records"), None):
        monkeypatch.setattr(simulator.trace, "MAX_RECORDS", 5)
        result = conclude(case, error)
        assert (result.conduct, result.error) == ("ERROR", "setup")
        assert "more than 5 records in 0 h: the story is too long" in result.reason


def test_what_is_not_claimed_is_not_applicable(case: Case) -> None:
    result = conclude(case, NotClaimed("[claims] rfid"))
    assert (result.conduct, result.reason) == ("NOT APPLICABLE", "[claims] rfid")
    assert result.findings == ()
    assert kinds_of(case.bench).count("epilogue") == 0


def test_a_controller_that_declines_what_is_declared_is_a_finding(case: Case) -> None:
    result = conclude(case, Declined("status 89: no CPS"))
    assert (result.conduct, result.reason) == ("NOT APPLICABLE", "status 89: no CPS")
    (found,) = result.findings
    assert (found.requirement, found.seen) == ("declaration", "status 89: no CPS")
    assert not result.is_green


def test_a_box_is_left_as_it_was_found(case: Case) -> None:
    """What has been begun before it showed that the case is not for it is ended."""
    bench = case.bench
    desk = bench.world.desk = Desk()
    bench.drivers.tap(bench.driver(1), bench.driver(1).card)
    assert bench.run_until(lambda: bench.open_sessions() == 1, 60_000)
    conclude(case, NotClaimed("no power_command"))
    assert bench.open_sessions() == 0
    assert kinds_of(bench).count("epilogue") > 0
    assert desk.stained_by == ""
    assert len(desk.registers_wh) == 2


def test_a_box_that_leaves_a_session_open_stains_what_follows(case: Case) -> None:
    bench = case.bench
    desk = bench.world.desk = Desk()
    bench.drivers.tap(bench.driver(1), bench.driver(1).card)
    assert bench.run_until(lambda: bench.open_sessions() == 1, 60_000)
    conclude(case, SetupError("the cable is gone"))
    assert desk.stained_by == "It's mine"


def kinds_of(bench: Bench) -> list[object]:
    return [record["kind"] for record in bench.trace.records]


def test_a_setup_that_fails_is_never_a_fail(case: Case) -> None:
    result = conclude(case, SetupError("not ready"))
    assert (result.conduct, result.error) == ("ERROR", "setup")
    assert result.reason == "not ready"
    assert result.findings == ()


def test_anything_else_is_ours(case: Case) -> None:
    result = conclude(case, KeyError("connector"))
    assert (result.conduct, result.error) == ("ERROR", "examiner")
    assert "KeyError" in result.findings[0].seen


def test_steps_that_never_used_the_bench_have_proved_nothing(make_bench: Make) -> None:
    result = conclude(Case(bench=make_bench(), tags=(), path=Path("x.feature")), None)
    assert (result.conduct, result.error) == ("ERROR", "examiner")
    assert result.findings[0].expected == "steps that use the bench"


# --- Steps ------------------------------------------------------------------------


def test_limits_run_from_the_end_of_the_last_given_or_when(case: Case) -> None:
    bench = case.bench
    for kind, moves in (("given", True), ("when", True), ("then", False)):
        before_ms = bench.since_ms
        case.begin_step(kind, "something")
        bench.run_for(1_000)
        case.end_step(kind)
        assert (bench.since_ms == bench.now_ms) is moves
        assert (bench.since_ms > before_ms) is moves
    steps = [r["keyword"] for r in bench.trace.records if r["kind"] == "step"]
    assert steps == ["Given", "When", "Then"]


# --- What a person reads ----------------------------------------------------------


def test_a_red_case_says_everything_that_is_needed(case: Case) -> None:
    case.begin_step("then", "the money is back")
    result = conclude(case, Breach("a release", "a commit"))
    text = str(CaseNotGreen(result))
    assert text.startswith("FAIL / no session")
    assert "R-NOS-01, R-NOS-02: expected a release" in text
    assert "seen a commit" in text
    assert "Then the money is back" in text
    assert text.endswith(result.replay)


def test_the_last_lines_are_those_before_the_breach(case: Case) -> None:
    case.bench.run_for(3_600_000)
    case.begin_step("then", "the money is back")
    result = conclude(case, Breach("a release", "a commit"))
    assert "Then the money is back" in result.trace_tail[-1]
    assert 2 < len(result.trace_tail) <= 14
    assert not any("Get Status" in line for line in result.trace_tail)


def test_a_replay_line_can_be_pasted(case: Case, make_bench: Make) -> None:
    words = shlex.split(replay_line(case))
    # fmt: off
    assert words == [
        "nohold", "run", "my.feature", "-k", '"It\'s mine"',
        "--interface", "psp", "--terminal", "apollo", "--seed", "1",
    ]
    # fmt: on
    other = make_bench("cps", seed=4)
    other.case = CaseName(scenario="<card> fails", row="amex")
    path = Path.cwd() / "my features" / "a.feature"
    line = replay_line(
        Case(bench=other, tags=(), path=path, declaration=Path("d.toml"))
    )
    # fmt: off
    assert shlex.split(line) == [
        "nohold", "run", "my features/a.feature", "-d", "d.toml",
        "-k", '"<card> fails amex"', "--interface", "cps", "--seed", "4",
    ]
    # fmt: on


def test_each_case_of_a_run_has_a_file_of_its_own(make_bench: Make) -> None:
    names = set()
    for column in ("p6x", "apollo"):
        for scenario, row in (("One", ""), ("One", "a"), ("One", "b"), ("Two", "")):
            bench = make_bench(column)
            bench.case = CaseName(scenario=scenario, row=row)
            for path in (Path("x.feature"), Path("y.feature")):
                names.add(Case(bench=bench, tags=("S-A01",), path=path).file_name())
    assert len(names) == 16
    assert all(name.startswith("S-A01-") for name in names)
