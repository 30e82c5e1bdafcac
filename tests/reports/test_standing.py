"""Each requirement has one answer; none and two are mistakes."""

from collections.abc import Mapping

import pytest

from reports.coverage import Played
from reports.questions import Question
from reports.register import Register, parse_register
from reports.standing import Answer, Share, share, standing_problems, standings

ROWS = "".join(
    f'[[requirement]]\nid = "R-SES-0{n}"\ntitle = "T{n}."\nlevel = "{level}"\n'
    'basis = "S"\ninterface = "both"\nsource = ["G"]\n'
    for n, level in enumerate(("MUST", "MUST", "MUST", "SHOULD", "MUST"), start=1)
)
TABLES = """
[implicit]
R-SES-03 = "by a rule of the judge"
[untestable]
R-SES-04 = "nobody can see it"
[source]
G = "guide"
"""
REGISTER = parse_register(TABLES + ROWS)
PLAYED = [
    Played(feature="a", title="One", tags=("@S-A03", "@R-SES-01")),
    Played(feature="a", title="Two", tags=("@S-A01", "@R-SES-01")),
]


def asking(*requirements: str) -> Mapping[str, Question]:
    question = Question(
        scenario_id="S-R05", text="What?", requirements=requirements, good_answer="x"
    )
    return {"S-R05": question}


def test_each_requirement_gets_the_best_answer_there_is() -> None:
    lines = standings(REGISTER, PLAYED, asking("R-SES-01", "R-SES-02"))
    assert [(line.answer, line.by) for line in lines] == [
        (Answer.COVERED, "S-A01, S-A03"),
        (Answer.DOCUMENTARY, "S-R05"),
        (Answer.IMPLICIT, "by a rule of the judge"),
        (Answer.UNTESTABLE, "nobody can see it"),
        (Answer.NONE, ""),
    ]
    assert [line.answer.is_one for line in lines] == [True, True, True, True, False]
    assert share(lines) == Share(covered=1, of=3)
    assert share(lines).per_cent == 33
    assert share([]).per_cent == 100


def test_no_answer_and_two_are_named() -> None:
    assert standing_problems(REGISTER, PLAYED, asking("R-SES-02", "R-SES-05")) == []
    assert standing_problems(REGISTER, PLAYED, asking("R-SES-05", "R-SES-09")) == [
        "R-SES-02: in no list: no scenario, no question, no reason",
        "S-R05: asks for R-SES-09, which is not in the register",
    ]
    third = Played(feature="a", title="Three", tags=("@S-A02", "@R-SES-03"))
    asked = asking("R-SES-02", "R-SES-04", "R-SES-05")
    two = standing_problems(REGISTER, [*PLAYED, third], asked)
    assert two == [
        "R-SES-03: in more than one list: [implicit] and played",
        "R-SES-04: in more than one list: [untestable] and a question",
    ]


def test_what_scenarios_leave_is_told_and_needs_a_scenario() -> None:
    partly = '[partly]\nR-SES-01 = "its time"\nR-SES-02 = "all of it"\n'
    register = parse_register(TABLES + partly + ROWS)
    first, *_ = standings(register, PLAYED, asking("R-SES-02", "R-SES-05"))
    assert (first.answer, first.but_not) == (Answer.COVERED, "its time")
    assert standing_problems(register, PLAYED, asking("R-SES-02", "R-SES-05")) == [
        "R-SES-02: in [partly], and no scenario plays it"
    ]


@pytest.mark.parametrize("key", ["R-SES-03", "R-SES-04"])
def test_two_tables_of_words_are_two_lists(key: str) -> None:
    more = f'{key} = "and here"\n'
    table = "[untestable]\n" if key == "R-SES-03" else "[implicit]\n"
    register: Register = parse_register(TABLES.replace(table, table + more) + ROWS)
    (wrong,) = standing_problems(register, PLAYED, asking("R-SES-02", "R-SES-05"))
    assert wrong == f"{key}: in more than one list: [implicit] and [untestable]"
