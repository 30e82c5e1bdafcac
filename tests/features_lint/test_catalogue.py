"""The whole catalogue is accounted for: each scenario is played, or a reason is given.

Reads the features as they are, so it stands apart from the lint of their form: a
scenario that is neither played nor excused fails here and nowhere else.
"""

from collections import Counter
from collections.abc import Mapping

from reports.coverage import (
    Played,
    catalogue_problems,
    requirement_coverage,
    scenario_coverage,
)
from reports.questions import QUESTIONS
from reports.register import Catalogue, Level, Register


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


def test_every_must_is_covered_or_says_why_not(
    register: Register,
    catalogue: Catalogue,
    played: tuple[Played, ...],
    reasons: Mapping[str, str],
) -> None:
    lines = requirement_coverage(register, catalogue, played, reasons=reasons)
    silent = [
        f"{line.requirement_id}: {line.why_none}"
        for line in lines
        if register.requirements[line.requirement_id].level is Level.MUST
        and "no feature with this tag" in line.why_none
    ]
    assert not silent, "\n".join(silent)
