"""Results: two axes, an exit status that forgives nothing, JSON that comes back."""

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.results import (
    COLUMNS,
    CONDUCTS,
    SETTLEMENTS,
    CaseResult,
    FindingLine,
    ResultError,
    RunResult,
    SessionLine,
    conduct_counts,
    from_json,
    requirement_outcomes,
    settlement_counts,
    to_json,
    worst_conduct,
    worst_settlement,
)

GREEN = CaseResult(
    scenario_id="S-A01",
    group="A",
    title="Tap and charge",
    feature="a.feature",
    column="apollo",
    conduct="PASS",
    settlement="CLOSED",
    requirements=("R-SES-01",),
    sessions=(SessionLine(session_id="1", settlement="CLOSED"),),
)


def run(*cases: CaseResult) -> RunResult:
    return RunResult(
        version="1", seed=7, started_at="2026-01-01T00:00:00+00:00", cases=cases
    )


def with_conduct(conduct: str) -> CaseResult:
    return replace(GREEN, conduct=conduct)


def with_settlement(settlement: str | None) -> CaseResult:
    sessions = (
        (SessionLine(session_id="1", settlement=settlement),) if settlement else ()
    )
    return replace(GREEN, settlement=settlement, sessions=sessions)


@pytest.mark.parametrize(
    ("cases", "status"),
    [
        ([GREEN], 0),
        ([GREEN, with_conduct("NOT APPLICABLE")], 0),
        ([with_settlement(None)], 0),
        ([], 3),
        ([with_conduct("NOT APPLICABLE")], 3),
        ([with_conduct("INCONCLUSIVE")], 3),
        ([GREEN, with_conduct("INCONCLUSIVE")], 3),
        ([GREEN, with_conduct("NOT RUN")], 3),
        ([with_conduct("FAIL")], 1),
        ([GREEN, with_conduct("INCONCLUSIVE"), with_conduct("FAIL")], 1),
        ([with_settlement("LATE")], 1),
        ([with_settlement("LEFT OPEN")], 1),
        ([with_settlement("TWICE")], 1),
        ([with_settlement("WRONG AMOUNT")], 1),
        ([with_settlement("UNKNOWN")], 1),
        ([replace(with_settlement("UNKNOWN"), unknown_allowed=True)], 0),
        ([replace(with_settlement("LATE"), late_allowed=True)], 0),
        ([replace(with_settlement("TWICE"), late_allowed=True)], 1),
        ([GREEN, replace(GREEN, conduct="ERROR")], 4),
        ([with_conduct("FAIL"), with_conduct("ERROR")], 4),
        ([GREEN, replace(GREEN, conduct="ERROR", error="setup")], 3),
        ([with_conduct("FAIL"), replace(GREEN, conduct="ERROR", error="setup")], 1),
    ],
)
def test_the_exit_status(cases: list[CaseResult], status: int) -> None:
    assert run(*cases).exit_status() == status
    assert run(*reversed(cases)).exit_status() == status


def test_an_unsettled_session_counts_even_when_the_case_says_closed() -> None:
    hidden = (SessionLine(session_id="2", settlement="LEFT OPEN"),)
    case = replace(GREEN, sessions=hidden)
    assert not case.is_green
    assert run(case).exit_status() == 1


def test_an_unsettled_session_counts_whatever_the_conduct() -> None:
    case = replace(with_settlement("LEFT OPEN"), conduct="INCONCLUSIVE")
    assert run(case).exit_status() == 1


@pytest.mark.parametrize("conduct", CONDUCTS)
def test_only_a_pass_is_green(conduct: str) -> None:
    case = with_conduct(conduct)
    assert case.is_green == (conduct == "PASS")
    assert case.was_played == (conduct not in ("NOT RUN", "NOT APPLICABLE"))


def test_the_worst_wins() -> None:
    assert worst_conduct(["PASS", "FAIL", "INCONCLUSIVE"]) == "FAIL"
    assert worst_conduct(["NOT APPLICABLE", "PASS"]) == "PASS"
    assert worst_conduct([]) is None
    assert worst_settlement(["CLOSED", "LATE", "LEFT OPEN"]) == "LEFT OPEN"
    assert worst_settlement([]) is None


def test_counts_are_worst_first_and_leave_out_zeros() -> None:
    cases = [GREEN, with_settlement("LATE"), with_conduct("FAIL")]
    assert list(conduct_counts(cases).items()) == [("FAIL", 1), ("PASS", 2)]
    assert list(settlement_counts(cases).items()) == [("LATE", 1), ("CLOSED", 2)]


def test_a_requirement_has_the_worst_that_its_cases_have_shown() -> None:
    other = replace(GREEN, requirements=("R-SES-02",))
    cases = [
        GREEN,
        replace(with_settlement("LATE"), requirements=("R-SES-02",)),
        other,
        replace(other, conduct="NOT APPLICABLE", requirements=("R-SES-03",)),
        replace(other, conduct="NOT RUN", requirements=("R-SES-01",)),
    ]
    assert requirement_outcomes(cases) == {
        "R-SES-01": "NOT RUN",
        "R-SES-02": "FAIL",
        "R-SES-03": "NOT APPLICABLE",
    }


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("conduct", "OK", "conduct: found 'OK', allowed 'ERROR', 'FAIL'"),
        ("settlement", "DONE", "settlement: found 'DONE', allowed 'LEFT OPEN'"),
        ("column", "p7x", "column: found 'p7x', allowed 'p6x', 'apollo', 'cps'"),
        ("error", "mine", "error: found 'mine', allowed '', 'setup', 'examiner'"),
    ],
)
def test_words_outside_the_contract_are_refused(
    field: str, value: str, named: str
) -> None:
    document = {**asdict(GREEN), field: value}
    with pytest.raises(ResultError, match=named):
        CaseResult(**document)


texts = st.text(max_size=8)
cases_of_any_kind = st.builds(
    CaseResult,
    scenario_id=texts,
    group=texts,
    title=texts,
    feature=texts,
    column=st.sampled_from(COLUMNS),
    conduct=st.sampled_from(CONDUCTS),
    settlement=st.none() | st.sampled_from(SETTLEMENTS),
    requirements=st.lists(texts, max_size=2).map(tuple),
    findings=st.lists(st.builds(FindingLine), max_size=2).map(tuple),
    sessions=st.lists(
        st.builds(SessionLine, settlement=st.sampled_from(SETTLEMENTS)), max_size=2
    ).map(tuple),
    duration_ms=st.integers(0),
    replay=texts,
    trace_tail=st.lists(texts, max_size=2).map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(cases=st.lists(cases_of_any_kind, max_size=3))
def test_json_gives_back_the_same_run(cases: list[CaseResult]) -> None:
    result = run(*cases)
    assert from_json(to_json(result)) == result


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 2}, "allowed format 1"),
        ({"cases": 1}, "cases: found 1, allowed a list of objects"),
        ({"cases": [1]}, "allowed a list of objects"),
        ({"weather": "fine"}, "RunResult key: found 'weather', allowed 'version'"),
    ],
)
def test_json_that_does_not_fit_is_refused(
    change: dict[str, object], named: str
) -> None:
    document = {**json.loads(to_json(run(GREEN))), **change}
    with pytest.raises(ResultError, match=named):
        from_json(json.dumps(document))


def test_json_that_is_none_is_refused() -> None:
    with pytest.raises(ResultError, match="not a JSON document"):
        from_json("{")
    with pytest.raises(ResultError, match="found another document"):
        from_json("[]")


def test_a_missing_field_is_named() -> None:
    document = json.loads(to_json(run(GREEN)))
    del document["cases"][0]["title"]
    with pytest.raises(ResultError, match=r"CaseResult: .*title"):
        from_json(json.dumps(document))
