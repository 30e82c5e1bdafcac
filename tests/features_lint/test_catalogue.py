"""The whole catalogue is accounted for: each scenario is played, or a reason is given.

Reads the features as they are, so it stands apart from the lint of their form: a
scenario that is neither played nor excused fails here and nowhere else.
"""

from collections import Counter
from collections.abc import Mapping

from reports.coverage import (
    Played,
    catalogue_problems,
    scenario_coverage,
)
from reports.meanings import load_meanings, meaning_problems
from reports.questions import QUESTIONS
from reports.register import Catalogue, Register
from reports.standing import share, standing_problems, standings


def test_every_scenario_is_played_or_has_a_reason(
    catalogue: Catalogue, played: tuple[Played, ...], reasons: Mapping[str, str]
) -> None:
    found = catalogue_problems(catalogue, played, reasons, questions=QUESTIONS)
    assert not found, "\n".join(found)


def test_the_whole_catalogue_adds_up(
    catalogue: Catalogue, played: tuple[Played, ...], reasons: Mapping[str, str]
) -> None:
    """190 = played + asked + not automated; an id that stands twice is none of them."""
    lines = scenario_coverage(catalogue, played, reasons, questions=QUESTIONS)
    counted = Counter(line.status for line in lines)
    assert set(counted) <= {"automated", "question", "not automated"}
    assert sum(counted.values()) == len(catalogue.scenarios) == 190
    assert counted["question"] == len(QUESTIONS)
    assert counted["not automated"] == len(reasons)


def test_a_question_asks_what_the_catalogue_has(catalogue: Catalogue) -> None:
    for key, question in QUESTIONS.items():
        row = catalogue.scenarios[key]
        assert set(question.requirements) <= set(row.requirements), key
        assert question.columns == row.columns, key


def test_every_requirement_has_exactly_one_answer(
    register: Register, played: tuple[Played, ...]
) -> None:
    found = standing_problems(register, played, QUESTIONS)
    assert not found, "\n".join(found)


def test_most_of_what_binds_is_covered_by_a_scenario(
    register: Register, played: tuple[Played, ...]
) -> None:
    """At least 85 % of the MUSTs that are not documentary."""
    found = share(standings(register, played, QUESTIONS))
    assert found.per_cent >= 85, f"{found.covered} of {found.of}"


def test_no_id_has_changed_its_meaning(register: Register) -> None:
    found = meaning_problems(register, load_meanings())
    assert not found, "\n".join(found)
