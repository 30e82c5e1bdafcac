"""Which run asks which questions."""

from dataclasses import replace
from pathlib import Path

from harness.answers import questions_of
from harness.declaration import load
from harness.places import REFERENCE
from harness.run import RunOptions

WHOLE = RunOptions()
DECLARED = load(REFERENCE)


def ids(options: RunOptions) -> list[str]:
    return [one.scenario_id for one in questions_of(options, DECLARED)]


def test_the_whole_suite_asks_everything_that_fits() -> None:
    assert ids(WHOLE) == ["S-R02", "S-R05", "S-R06", "S-R07", "S-R09"]
    assert "S-R02" not in ids(replace(WHOLE, interface="cps"))
    assert "S-R02" in ids(replace(WHOLE, terminal="p6x"))
    declared = replace(WHOLE, declaration=REFERENCE, interface="cps")
    assert "S-R02" in ids(declared), "a declaration has its own interface"


def test_a_part_of_the_suite_asks_what_it_was_asked_for() -> None:
    assert ids(replace(WHOLE, paths=(Path("a.feature"),))) == []
    assert ids(replace(WHOLE, words="driver")) == []
    assert ids(replace(WHOLE, requirements=("R-GOL-05", "R-NOS-01"))) == ["S-R06"]


def test_answers_show_no_card_number() -> None:
    number = "4" + "1" * 15
    declared = replace(DECLARED, answers={"S-R06": f"paid with {number}"})
    (one,) = questions_of(replace(WHOLE, requirements=("R-GOL-05",)), declared)
    assert one.answer.startswith("paid with 4")
    assert number not in one.answer
