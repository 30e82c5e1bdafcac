"""Questions to the vendor: who is asked what, and which answers fit."""

import pytest

from reports.questions import QUESTIONS, AnswerError, asked, check_answers


def test_answers_are_taken_as_they_are() -> None:
    answers = {"S-R05": "Handed in on 3 May", "S-R06": "  Yes \n"}
    assert check_answers(answers, where="d: [answers]") == {
        "S-R05": "Handed in on 3 May",
        "S-R06": "Yes",
    }
    assert check_answers({"S-R05": "x" * 500}, where="") == {"S-R05": "x" * 500}


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (3, r"d: \[answers\]: found 3, allowed is a table"),
        ({"S-R01": "x"}, r"\[answers\] S-R01: allowed are S-R02, S-R05, S-R06, S-R07"),
        ({"S-R05": True}, r"S-R05: found True, allowed is text of 1 to 500 characters"),
        ({"S-R05": "  "}, r"S-R05: found 0 characters, allowed is text of 1 to 500"),
        ({"S-R05": "x" * 501}, r"S-R05: found 501 characters, allowed is text of 1"),
    ],
)
def test_an_answer_that_does_not_fit_is_named(found: object, complaint: str) -> None:
    with pytest.raises(AnswerError, match=complaint):
        check_answers(found, where="d: [answers]")


def test_a_controller_is_asked_what_concerns_its_column() -> None:
    assert [one.scenario_id for one in asked(["p6x", "cps"])] == list(QUESTIONS)
    assert "S-R02" not in [one.scenario_id for one in asked(["cps"])]
    only = asked(["apollo"], ["R-EXT-07", "R-NOS-01"])
    assert [one.scenario_id for one in only] == ["S-R07"]


def test_each_question_is_one_and_says_what_a_good_answer_names() -> None:
    for key, one in QUESTIONS.items():
        assert key == one.scenario_id
        assert one.text.endswith("?")
        assert one.requirements
        assert one.good_answer[0].islower()
