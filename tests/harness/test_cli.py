"""The command line: exit statuses, selection, files, and what a person reads."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

import harness.world
from harness.cli import app
from harness.places import FEATURES, REFERENCE
from reports.json_report import read_json_report

MISTAKES = "tests.harness.mistakes"
NO_START = str(FEATURES / "charge_never_starts.feature")
WALKS_AWAY = "walks away without plugging in"
MINE = """
Feature: Mine
  Scenario: One
    Given the driver has been authorised
    When 5 minutes pass
    Then the driver's session is released within 10 seconds
"""
Run = Callable[..., "Outcome"]


class Outcome:
    """What a command left behind."""

    def __init__(self, *words: str) -> None:
        result = CliRunner().invoke(app, list(words))
        self.status = result.exit_code
        self.output = result.output
        self.error = result.stderr

    def __repr__(self) -> str:
        return self.output


@pytest.fixture
def mine(tmp_path: Path) -> Callable[[str], str]:
    """A feature of one's own, with something in it replaced."""

    def write(old: str = "", new: str = "") -> str:
        assert old in MINE
        path = tmp_path / "mine.feature"
        path.write_text(MINE.replace(old, new) if old else MINE, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def declared(tmp_path: Path) -> Callable[..., str]:
    """The reference declaration with some of its text replaced."""

    def write(*changes: tuple[str, str]) -> str:
        text = REFERENCE.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "declaration.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def _wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong controllers can be imported, and nobody waits for them for a week."""
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", 3_600_000)


# --- 0: conformant ----------------------------------------------------------------


def test_a_conformant_controller_is_0_and_leaves_its_files(tmp_path: Path) -> None:
    junit, report = tmp_path / "out" / "junit.xml", tmp_path / "out" / "report.json"
    traces = tmp_path / "traces"
    ran = Outcome(
        *("run", NO_START, "-k", WALKS_AWAY, "--trace-dir", str(traces)),
        *("--junit", str(junit), "--json", str(report)),
    )
    assert ran.status == 0, ran
    assert "examined nohold reference controller 0.1.0" in ran.output
    assert "3 cases: 3 PASS" in ran.output
    assert "CONFORMANT (exit status 0)" in ran.output
    cases = ET.parse(junit).getroot().findall(".//testcase")
    assert [case.get("classname") for case in cases] == ["B.apollo", "B.cps", "B.p6x"]
    run = read_json_report(report.read_text(encoding="utf-8"))
    assert [case.column for case in run.cases] == ["apollo", "cps", "p6x"]
    assert all(case.is_green for case in run.cases)
    for path in traces.iterdir():
        first = json.loads(path.read_text("ascii").partition("\n")[0])
        assert first["kind"] == "run"
    assert len(list(traces.iterdir())) == 3


# --- 1: not conformant, and what a person reads -----------------------------------


@pytest.mark.usefixtures("_wrong")
def test_a_red_run_says_all_that_a_person_needs(declared: Callable[..., str]) -> None:
    path = declared(("controller_ref.core:build", f"{MISTAKES}:never_cancels"))
    ran = Outcome("run", NO_START, "-k", WALKS_AWAY, "-d", path, "--seed", "8")
    assert ran.status == 1
    said = ran.output
    assert "FAIL LEFT OPEN: S-B01 The driver walks away without plugging in" in said
    assert "R-NOS-01, R-NOS-02, R-NOS-07 expected" in said
    assert "session cancelled within 10 s" in said
    assert "seen     session" in said
    assert "LEFT OPEN: never closed; no close was ever sent" in said
    tail = said.partition("the trace until then:\n")[2].partition("  replay:")[0]
    assert 3 <= len(tail.splitlines()) <= 10
    assert tail.splitlines()[-1].endswith(
        "Then the driver's session is released within 10 seconds"
    )
    (replay,) = [line for line in said.splitlines() if "replay: nohold run" in line]
    assert replay.endswith("--interface psp --terminal apollo --seed 8")
    assert f"-d {path}" in replay
    assert "NOT CONFORMANT (exit status 1)" in said


# --- 2: wrong use -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("run", "--colour"), "No such option: --colour"),
        (("run", "nowhere.feature"), "nowhere.feature: no such file or folder"),
        (("run", "-d", "no.toml"), "no.toml: no such file or folder"),
        (
            ("run", "--requirement", "R-NOS-99"),
            "--requirement: found 'R-NOS-99', allowed are ids such as R-NOS-01",
        ),
        (("run", "--interface", "usb"), "found 'usb', allowed psp or cps"),
        (("run", "--terminal", "p68"), "found 'p68', allowed p6x or apollo"),
        (("run", "--seed", "one"), "'one' is not a valid int"),
        (("examine",), "No such command 'examine'"),
    ],
)
def test_wrong_use_is_2_with_a_line_that_says_why(
    words: tuple[str, ...], line: str
) -> None:
    ran = Outcome(*words)
    assert ran.status == 2
    assert line in " ".join(ran.error.replace("│", "").split())


@pytest.mark.parametrize("flag", ["--junit", "--json", "--trace-dir"])
def test_a_report_that_cannot_be_written_is_2_before_anything_is_played(
    flag: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    target = file if flag == "--trace-dir" else tmp_path
    ran = Outcome("run", NO_START, flag, str(target))
    assert ran.status == 2
    assert f"{flag}: {target}: " in " ".join(ran.error.split())
    assert "examined" not in ran.output


def test_what_cannot_run_is_in_every_report_as_well(
    mine: Callable[..., str], tmp_path: Path
) -> None:
    good, junit, report = NO_START, tmp_path / "junit.xml", tmp_path / "report.json"
    bad = mine("5 minutes pass", "5 minutes go by")
    ran = Outcome("run", good, bad, "--junit", str(junit), "--json", str(report))
    assert ran.status == 2
    assert "CANNOT RUN (exit status 2)" in ran.output
    root = ET.parse(junit).getroot()
    assert root.get("errors") == "1"
    (error,) = root.iter("error")
    assert "no phrase matches" in str(error.get("message"))
    run = read_json_report(report.read_text(encoding="utf-8"))
    assert run.exit_status() == 2
    assert [one.kind for one in run.troubles] == ["cannot run"]


def test_an_unknown_step_is_2_with_the_closest_phrases(
    mine: Callable[..., str],
) -> None:
    path = mine("5 minutes pass", "5 minutes go by")
    ran = Outcome("run", path)
    assert ran.status == 2
    assert f"{path}:5: no phrase matches: When 5 minutes go by" in ran.error
    assert "When 5 minutes pass" in ran.error
    assert ran.error.count("no phrase matches") == 1, "once, not once a column"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "the driver has been authorised",
            "the driver has plugged in at connector 9",
            "connector: found 9, allowed 1..2",
        ),
        (
            "the driver has been authorised",
            "the controller claims the moon",
            "<claim>: found 'the moon', allowed to start by tap,",
        ),
        (
            "the driver has been authorised",
            "the site has 40 connectors",
            ":4: Given the site has 40 connectors: declaration: [claims] connectors: f",
        ),
        (
            "When",
            "And the controller reserves EUR 9.00\n    When",
            ":5: Given the controller reserves EUR 9.00: found behind a step that has",
        ),
        (
            "the driver has been authorised",
            "between 8 kWh and 1 kWh have been delivered at connector 1",
            "found 8000 Wh before 1000 Wh, allowed the smaller first",
        ),
        (
            "the driver has been authorised",
            "the terminal holds 70000 sessions of an earlier life",
            "terminal_stale_sessions.count: found 70000, allowed",
        ),
        ("Feature: Mine", "Faeture: Mine", "mine.feature"),
        ("Scenario: One", "Scenario: One\n  Scenario: One", "two scenarios have the"),
    ],
)
def test_a_feature_that_cannot_run_is_2(
    mine: Callable[..., str], old: str, new: str, line: str
) -> None:
    ran = Outcome("run", mine(old, new))
    assert ran.status == 2, ran
    assert line in ran.error
    assert "Traceback" not in ran.output


# --- 3: set-up error, or nothing decided ------------------------------------------


@pytest.mark.parametrize(
    "ends",
    [
        "GroundFailure clears",
        "the link to the charger comes back",
        "the cable to the terminal is mended",
        "the terminal is repaired",
        "the terminal accepts closes again",
        "the terminal is online again in the payment cloud",
        "the controller starts again",
    ],
)
def test_the_end_of_what_never_began_decides_nothing(
    mine: Callable[..., str], ends: str
) -> None:
    ran = Outcome("run", mine("5 minutes pass", ends), "--terminal", "apollo")
    assert ran.status == 3, ran
    assert "INCONCLUSIVE" in ran.output
    assert f"expected the situation of 'When {ends}'" in " ".join(ran.output.split())
    assert "nothing of the kind is in force that could end" in ran.output


def test_a_fault_that_nothing_met_is_said_in_words(mine: Callable[..., str]) -> None:
    path = mine("When", "And the terminal refuses the commit after the next\n    When")
    ran = Outcome("run", path, "--interface", "psp", "--terminal", "apollo")
    assert ran.status == 3, ran
    assert "expected the planned fault refuse_close hits" in ran.output
    assert "seen     it did not (" in ran.output


def test_hours_and_one_hour_pass_and_energy_is_seen_in_words(
    mine: Callable[..., str],
) -> None:
    path = mine(
        "5 minutes pass\n",
        "1 hour passes\n    Then energy flows at connector 1 within 5 seconds\n",
    )
    ran = Outcome("run", path, "--interface", "cps")
    assert ran.status == 1, ran
    assert "seen     0 W, contactor open, pilot A" in ran.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("-k", "no such words"), "no scenario there has -k no such words"),
        (
            ("--interface", "cps", "--terminal", "p6x"),
            "no scenario there has --interface cps and --terminal p6x",
        ),
    ],
)
def test_nothing_selected_is_3(words: tuple[str, ...], why: str) -> None:
    ran = Outcome("run", NO_START, *words)
    assert ran.status == 3
    assert f"no case ran: {why}" in ran.error


def test_a_folder_without_features_is_3_and_another_file_is_2(tmp_path: Path) -> None:
    ran = Outcome("run", str(tmp_path))
    assert ran.status == 3
    assert f"no case ran: no file below {tmp_path} ends in .feature" in ran.error
    (tmp_path / "mine.txt").touch()
    ran = Outcome("run", str(tmp_path / "mine.txt"))
    assert ran.status == 2
    assert "allowed are folders and files that end in .feature" in ran.error


def test_a_wrong_declaration_is_3_with_its_key(declared: Callable[..., str]) -> None:
    path = declared(("plug_in_window = 300", 'plug_in_window = "soon"'))
    ran = Outcome("run", NO_START, "-d", path)
    assert ran.status == 3
    assert "[timing] plug_in_window: found 'soon', allowed is" in ran.error
    assert len(ran.error.splitlines()) == 1


@pytest.mark.parametrize(
    ("factory", "line"),
    [
        ("nowhere.at_all:build", "found 'nowhere.at_all:build', allowed is package."),
        ("controller_ref.core:biuld", "found 'controller_ref.core:biuld', allowed is"),
        (
            f"{MISTAKES}:never_ready",
            "controller not ready within 30 s: no hello",
        ),
    ],
)
@pytest.mark.usefixtures("_wrong")
def test_a_controller_that_cannot_be_examined_is_3_and_never_a_fail(
    declared: Callable[..., str], factory: str, line: str, tmp_path: Path
) -> None:
    path = declared(("controller_ref.core:build", factory))
    report = tmp_path / "report.json"
    words = ("run", NO_START, "-k", WALKS_AWAY, "-d", path, "--json", str(report))
    ran = Outcome(*words)
    assert ran.status == 3
    assert line in " ".join(ran.output.split())
    assert "FAIL" not in ran.output
    (case,) = read_json_report(report.read_text("utf-8")).cases
    assert (case.conduct, case.error, case.settlement) == ("ERROR", "setup", None)


def test_a_situation_that_is_not_reached_is_3(mine: Callable[..., str]) -> None:
    path = mine(
        "the driver has been authorised",
        "connector 1 has been taken out of service\n"
        "    And connector 2 has been taken out of service\n"
        "    And the driver is charging at connector 1",
    )
    ran = Outcome("run", path, "--terminal", "p6x")
    assert ran.status == 3, ran
    assert "1 INCONCLUSIVE" in ran.output
    assert "UNDECIDED (exit status 3)" in ran.output


# --- 4: the examiner itself failed ------------------------------------------------


def test_a_mistake_of_the_examiner_is_4(
    mine: Callable[..., str], tmp_path: Path
) -> None:
    path = mine("5 minutes pass", "the examiner trips")
    (tmp_path / "conftest.py").write_text(
        "from pytest_bdd import when\n"
        "@when('the examiner trips')\n"
        "def trips(bench):\n"
        "    bench.open()\n"
        "    raise KeyError('tripped')\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", "run", path],
        cwd=REFERENCE.parents[1],
        env=os.environ,
        capture_output=True,
        check=False,
    )
    said = done.stdout.decode()
    assert done.returncode == 4, said + done.stderr.decode()
    assert "KeyError('tripped')" in said
    assert "THE EXAMINER FAILED (exit status 4)" in said


# --- Selection --------------------------------------------------------------------


def cases_of(tmp_path: Path, *words: str) -> set[tuple[str, str]]:
    report = tmp_path / "selected.json"
    ran = Outcome("run", *words, "--json", str(report))
    assert ran.status == 0, ran
    cases = read_json_report(report.read_text("utf-8")).cases
    return {(case.scenario_id, case.column) for case in cases}


def test_a_requirement_selects_what_tests_it(tmp_path: Path) -> None:
    whole = str(FEATURES)
    selected = cases_of(tmp_path, whole, "--requirement", "R-FLT-08")
    assert {name for name, _ in selected} == {"S-B09", "S-D03", "S-D08"}
    both = ("--requirement", "R-FLT-08", "--requirement", "R-EXT-02")
    assert selected <= cases_of(tmp_path, whole, *both, "--terminal", "p6x") | selected


def test_words_select_by_title_tag_and_file(tmp_path: Path) -> None:
    cps = ("--interface", "cps")
    assert cases_of(tmp_path, NO_START, "-k", "WALKS away", *cps) == {("S-B01", "cps")}
    for words in ("S-E07", "vehicle_fails S-E07", "takes the plug"):
        found = cases_of(tmp_path, str(FEATURES), "-k", words, *cps)
        assert found == {("S-E07", "cps")}


def test_a_declared_controller_is_examined_where_it_claims_to_be(
    declared: Callable[..., str], tmp_path: Path
) -> None:
    path = declared(('interface = "psp"', 'interface = "cps"'))
    assert cases_of(tmp_path, NO_START, "-k", WALKS_AWAY, "-d", path) == {
        ("S-B01", "cps")
    }
    ran = Outcome("run", NO_START, "-k", WALKS_AWAY, "-d", path, "--interface", "psp")
    assert ran.status == 3


def test_what_a_fixed_declaration_does_not_claim_is_not_applicable(
    declared: Callable[..., str], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    feature = str(FEATURES / "vehicle_fails.feature")
    words = ("run", feature, "-k", "ventilation", "-d", declared(), "--json")
    ran = Outcome(*words, str(report))
    assert ran.status == 0, ran
    cases = read_json_report(report.read_text("utf-8")).cases
    assert sorted(case.conduct for case in cases) == ["NOT APPLICABLE", "PASS"]
    (skipped,) = [case for case in cases if case.conduct != "PASS"]
    assert skipped.reason == "[claims] ventilation: declared False, needs True"


# --- The other commands -----------------------------------------------------------


def test_the_vocabulary_can_be_searched() -> None:
    found = Outcome("steps", "half", "inserts")
    assert found.status == 0
    assert "When the driver half inserts the plug at connector 1" in found.output
    nothing = Outcome("steps", "zebra")
    assert nothing.status == 2
    assert "the closest are" in nothing.output


def test_help_is_for_people() -> None:
    ran = Outcome("run", "--help")
    assert ran.status == 0
    for flag in ("--interface", "--requirement", "--junit", "--trace-dir", "--seed"):
        assert flag in ran.output
    assert Outcome().status == 2
