"""Matrix, JUnit and JSON agree about a run, and none takes a skip for a pass."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from reports.basis_text import basis_text
from reports.json_report import json_report, read_json_report
from reports.junit import junit_xml, outcome
from reports.matrix import matrix_text
from reports.register import load_register
from reports.results import (
    CaseResult,
    FindingLine,
    QuestionLine,
    ResultError,
    RunResult,
    SessionLine,
)
from reports.status import troubles

GROUPS = {"A": "The ordinary charge", "B": "Charges that never start"}

GREEN = CaseResult(
    scenario_id="S-A01",
    group="A",
    title="Tap, plug in, charge, unplug",
    feature="ordinary.feature",
    column="apollo",
    conduct="PASS",
    settlement="CLOSED",
    requirements=("R-NOS-05", "R-STP-01"),
    sessions=(SessionLine(session_id="66", settlement="CLOSED"),),
    duration_ms=61_000,
)
RED = replace(
    GREEN,
    scenario_id="S-B01",
    group="B",
    title="Approved, and nobody plugs in",
    column="p6x",
    conduct="FAIL",
    settlement="LEFT OPEN",
    requirements=("R-NOS-01",),
    findings=(
        FindingLine(
            requirement="R-NOS-01", expected="a void in 310 s", seen="no void at all"
        ),
    ),
    sessions=(SessionLine(session_id="67", settlement="LEFT OPEN", note="never"),),
    replay="nohold replay S-B01 --seed 7",
    trace_tail=("00:05:00.012  controller -> terminal  Get Status",),
)
UNDECIDED = replace(
    GREEN, column="cps", conduct="INCONCLUSIVE", settlement=None, reason="no fault hit"
)
SKIPPED = replace(GREEN, column="p6x", conduct="NOT APPLICABLE", settlement=None)


def run(*cases: CaseResult) -> RunResult:
    return RunResult(
        version="0.1.0",
        seed=7,
        started_at="2026-01-01T00:00:00+00:00",
        cases=cases,
        controller="ACME EVC-7",
    )


ALL = run(GREEN, RED, UNDECIDED, SKIPPED)


# --- Matrix -----------------------------------------------------------------------


def test_the_matrix_shows_both_verdicts_by_column() -> None:
    lines = matrix_text(ALL, GROUPS).splitlines()
    heads = [line for line in lines if line.startswith("Id")]
    assert [head.split() for head in heads] == [
        ["Id", "Scenario", "P6X", "Apollo", "CPS"]
    ] * 2
    row = next(line for line in lines if line.startswith("S-A01"))
    assert row.split()[-4:] == ["–", "PASS", "CLOSED", "INCONCLUSIVE"]
    place = heads[0].index("Apollo")
    assert row[place:].startswith("PASS CLOSED")


def test_the_matrix_counts_scenarios_per_group_and_in_all() -> None:
    text = matrix_text(ALL, GROUPS)
    assert "A  The ordinary charge (1 scenario)" in text
    two = matrix_text(run(RED, replace(RED, scenario_id="S-B02")), GROUPS)
    assert "B  Charges that never start (2 scenarios)" in two
    assert "2 scenarios, 4 cases: 1 FAIL, 1 INCONCLUSIVE, 1 PASS, 1 NOT" in text
    assert text.endswith("NOT CONFORMANT (exit status 1)\n")


def test_a_breach_is_told_with_expected_seen_and_replay() -> None:
    text = matrix_text(ALL, GROUPS)
    assert "FAIL LEFT OPEN: S-B01 Approved, and nobody plugs in (P6X)" in text
    assert "R-NOS-01 expected a void in 310 s" in text
    assert "seen     no void at all" in text
    assert "session 67 LEFT OPEN: never" in text
    assert "replay: nohold replay S-B01 --seed 7" in text
    assert "no fault hit" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_matrix_fits_its_width_and_loses_nothing(width: int) -> None:
    long = replace(GREEN, title="A situation that takes many words to tell " * 3)
    wide = replace(RED, settlement="WRONG AMOUNT")
    text = matrix_text(run(long, wide), GROUPS, width=width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert text.count("situation") == 3
    assert "WRONG AMOUNT" in text
    assert "…" not in text


def test_what_is_declared_and_declined_is_told_although_it_is_not_applicable() -> None:
    found = FindingLine(
        requirement="declaration", expected="what is declared", seen="status 89: no CPS"
    )
    text = matrix_text(run(GREEN, replace(SKIPPED, findings=(found,))), GROUPS)
    assert "NOT APPLICABLE" in text
    assert "declaration expected what is declared" in text
    assert "seen     status 89: no CPS" in text


def test_colour_only_when_asked_for() -> None:
    assert "\x1b[" not in matrix_text(ALL, GROUPS)
    coloured = matrix_text(ALL, GROUPS, colour=True)
    assert "\x1b[1;31mFAIL" in coloured


def test_examples_of_an_outline_share_a_row_and_show_the_worst() -> None:
    text = matrix_text(run(GREEN, GREEN, replace(GREEN, conduct="FAIL")), GROUPS)
    assert text.count("S-A01 Tap") == 1 + 1  # the row, and the breach below
    assert "FAIL CLOSED" in text
    assert "x3" in text


def test_a_pass_with_an_open_session_is_no_pass() -> None:
    open_one = replace(GREEN, settlement="LEFT OPEN")
    text = matrix_text(run(open_one), GROUPS)
    assert "PASS LEFT OPEN: S-A01" in text
    assert "NOT CONFORMANT" in text


def test_late_for_a_scheme_is_green_where_the_case_says_so_and_never_hidden() -> None:
    note = "closed 25.9 h after vehicle unplugged (R-EXT-01, visa: 24 h)"
    session = SessionLine(session_id="66", settlement="LATE", note=note)
    late = replace(GREEN, settlement="LATE", sessions=(session,))
    red = matrix_text(run(late), GROUPS, width=120)
    assert "PASS LATE: S-A01" in red
    assert "NOT CONFORMANT" in red
    said = matrix_text(run(replace(late, late_allowed=True)), GROUPS, width=120)
    assert "PASS LATE" in said
    assert f"session 66 LATE: {note}" in said
    assert "1 LATE" in said
    assert "NOT CONFORMANT" not in said


def test_an_empty_run_says_that_nothing_ran() -> None:
    text = matrix_text(run(), GROUPS)
    assert "0 scenarios, 0 cases: none ran" in text
    assert "UNDECIDED (exit status 3)" in text


# --- JUnit ------------------------------------------------------------------------


def test_junit_has_a_suite_per_group_and_a_case_per_column() -> None:
    root = ET.fromstring(junit_xml(ALL, GROUPS))
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == [
        "A The ordinary charge",
        "B Charges that never start",
    ]
    names = [case.get("classname") for case in root.iter("testcase")]
    assert names == ["A.apollo", "A.cps", "A.p6x", "B.p6x"]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == (
        "4",
        "1",
        "1",
    )
    assert suites[0].get("skipped") == "1"


def test_junit_properties_carry_requirements_settlement_and_virtual_time() -> None:
    root = ET.fromstring(junit_xml(run(GREEN), GROUPS))
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("time") == "0"
    found = [(p.get("name"), p.get("value")) for p in case.iter("property")]
    assert found == [
        ("requirement", "R-NOS-05"),
        ("requirement", "R-STP-01"),
        ("column", "apollo"),
        ("conduct", "PASS"),
        ("settlement", "CLOSED"),
        ("virtual_ms", "61000"),
    ]


def test_a_junit_failure_carries_the_evidence() -> None:
    failure = ET.fromstring(junit_xml(run(RED), GROUPS)).find(".//failure")
    assert failure is not None
    assert failure.get("message") == (
        "FAIL, session LEFT OPEN: R-NOS-01: expected a void in 310 s"
    )
    assert failure.text == (
        "R-NOS-01\n"
        "  expected: a void in 310 s\n"
        "  seen:     no void at all\n"
        "session 67: LEFT OPEN  never\n"
        "last records:\n"
        "  00:05:00.012  controller -> terminal  Get Status\n"
        "replay: nohold replay S-B01 --seed 7"
    )


@pytest.mark.parametrize(
    ("case", "word"),
    [
        (GREEN, "passed"),
        (RED, "failure"),
        (replace(GREEN, settlement="LATE"), "failure"),
        (UNDECIDED, "error"),
        (replace(UNDECIDED, conduct="NOT RUN"), "error"),
        (replace(RED, conduct="ERROR"), "error"),
        (SKIPPED, "skipped"),
    ],
)
def test_no_junit_word_forgives(case: CaseResult, word: str) -> None:
    assert outcome(case) == word
    element = ET.fromstring(junit_xml(run(case), GROUPS)).find("testsuite/testcase")
    assert element is not None
    children = [child.tag for child in element if child.tag != "properties"]
    assert children == ([] if word == "passed" else [word])


def test_junit_survives_what_xml_cannot_carry() -> None:
    dirty = replace(RED, title="<b> & \x00\x1b", replay="\x07")
    root = ET.fromstring(junit_xml(run(dirty), {}))
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == "S-B01 <b> & ��"


# --- JSON -------------------------------------------------------------------------


def test_the_json_report_sums_up_and_reads_back() -> None:
    text = json_report(ALL)
    assert json.loads(text)["summary"] == {
        "exit_status": 1,
        "verdict": "NOT CONFORMANT",
        "cases": 4,
        "green": 1,
        "conduct": {"FAIL": 1, "INCONCLUSIVE": 1, "PASS": 1, "NOT APPLICABLE": 1},
        "settlement": {"LEFT OPEN": 1, "CLOSED": 3},
        "readings": {"tried": 0, "plays": 0, "red": 0, "moot": 0},
        "requirements": {
            "R-NOS-01": "FAIL",
            "R-NOS-05": "INCONCLUSIVE",
            "R-STP-01": "INCONCLUSIVE",
        },
        "questions": {"asked": 0, "answered": 0},
    }
    assert read_json_report(text) == ALL
    assert json_report(ALL) == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "not a JSON document"),
        ("[]", "found another document, allowed nohold-report-1"),
        ('{"format": "nohold-report-1"}', "run: found None, allowed an object"),
    ],
)
def test_a_json_report_that_is_none_is_refused(text: str, named: str) -> None:
    with pytest.raises(ResultError, match=named):
        read_json_report(text)


# --- What could not be played ------------------------------------------------------

LOST = replace(
    run(GREEN),
    troubles=troubles(
        crashes=(),
        wrong_use=("my.feature:3: no phrase\nmore",),
        setup_errors=("no key",),
    ),
)


def test_what_could_not_be_played_is_no_pass_in_any_report() -> None:
    text = matrix_text(LOST, GROUPS)
    assert "NOT PLAYED because of 2 problems, see below" in text
    assert text.endswith("CANNOT RUN (exit status 2)\n")
    root = ET.fromstring(junit_xml(LOST, GROUPS))
    assert (root.get("tests"), root.get("errors")) == ("3", "2")
    messages = [error.get("message") for error in root.iter("error")]
    assert messages == ["my.feature:3: no phrase", "no key"]
    assert json.loads(json_report(LOST))["summary"]["verdict"] == "CANNOT RUN"
    assert read_json_report(json_report(LOST)) == LOST


def test_the_gravest_trouble_gives_the_status() -> None:
    set_up = troubles(crashes=(), wrong_use=(), setup_errors=("no key",))
    crash = troubles(crashes=("boom",), wrong_use=("x",), setup_errors=())
    assert replace(LOST, troubles=set_up).exit_status() == 3
    assert replace(LOST, troubles=crash).exit_status() == 4


def test_a_trouble_of_no_known_kind_is_refused() -> None:
    text = json_report(LOST).replace('"kind": "cannot run"', '"kind": "odd"')
    with pytest.raises(ResultError, match="found 'odd', allowed 'the examiner failed'"):
        read_json_report(text)


def test_scenarios_without_an_id_are_counted_by_their_titles() -> None:
    own = replace(GREEN, scenario_id="", group="")
    text = matrix_text(run(own, replace(own, title="Another")), GROUPS)
    assert "Scenarios of your own (2 scenarios)" in text
    assert "2 scenarios, 2 cases: 2 PASS" in text


# --- Questions --------------------------------------------------------------------

ASKED = (
    QuestionLine(
        scenario_id="S-R05",
        text="What has been handed in?",
        requirements=("R-GOL-01",),
        good_answer="date and certificate",
        answer="Everything, on 3 May",
    ),
    QuestionLine(
        scenario_id="S-R06",
        text="Has a pilot been run?",
        requirements=("R-GOL-05",),
        good_answer="where and when",
    ),
)


def test_questions_are_printed_apart_and_counted_nowhere() -> None:
    quiet, asking = run(GREEN), replace(run(GREEN), questions=ASKED)
    text = matrix_text(asking, GROUPS)
    assert "Questions: 2, answered 1" in text
    assert "says: Everything, on 3 May" in text
    assert "not answered; wanted: where and when" in text
    totals = matrix_text(quiet, GROUPS).splitlines()[-3:]
    assert text.splitlines()[-3:] == totals
    assert "Questions" not in matrix_text(quiet, GROUPS)
    assert asking.exit_status() == quiet.exit_status() == 0
    assert replace(run(), questions=ASKED).exit_status() == 3


def test_json_and_junit_carry_questions_and_junit_has_no_case_for_them() -> None:
    asking = replace(run(GREEN), questions=ASKED)
    text = json_report(asking)
    assert read_json_report(text) == asking
    assert json.loads(text)["summary"]["questions"] == {"asked": 2, "answered": 1}
    assert "R-GOL-01" not in json.loads(text)["summary"]["requirements"]
    root = ET.fromstring(junit_xml(asking, GROUPS))
    assert root.attrib["tests"] == "1"
    assert len(list(root.iter("testcase"))) == 1
    suite = root.findall("testsuite")[-1]
    assert suite.attrib["tests"] == "0"
    said = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert (said["asked"], said["answered"]) == ("2", "1")
    assert said["S-R05 answer"] == "Everything, on 3 May"
    assert said["S-R06 answer"] == "not answered"


def test_a_red_case_says_whose_word_it_rests_on() -> None:
    both = replace(RED.findings[0], requirement="R-NOS-01, R-SES-09")
    text = basis_text(run(GREEN, replace(RED, findings=(both,))), load_register())
    head, *lines = text.strip().splitlines()
    assert "ours" in head
    derived, stated = lines
    assert stated.strip() == "R-NOS-01 MUST, stated. " + (
        "Payter, electric vehicle charging: error scenarios"
    )
    assert derived.strip().startswith("R-SES-09 MUST, our conclusion. Payter, ")
    assert basis_text(run(GREEN, UNDECIDED), load_register()) == ""
