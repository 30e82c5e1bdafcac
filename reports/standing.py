"""What answers each requirement: exactly one of four things, or it is a mistake.

``covered``: scenarios of the features carry its tag. ``documentary``: none does, but a
question asks for it. ``implicit`` and ``untestable``: the register says why, by name.
A scenario outranks a question, because a question may ask for the part of a requirement
that no scenario can show.

Pure: the caller reads the files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reports.coverage import Played
from reports.questions import Question
from reports.register import Level, Register, Requirement


class Answer(StrEnum):
    COVERED = "covered"
    DOCUMENTARY = "documentary"
    IMPLICIT = "implicit"
    UNTESTABLE = "untestable"
    NONE = "no answer"

    @property
    def is_one(self) -> bool:
        return self is not Answer.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A requirement with its answer. ``by``: the ids or the words that give it."""

    requirement: Requirement
    answer: Answer
    by: str = ""
    #: Of one that is covered: which part no scenario shows. Empty: none is left.
    but_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of the MUSTs that are not documentary, how many a scenario covers."""

    covered: int
    of: int

    @property
    def per_cent(self) -> int:
        """Rounded down: 84.9 is not 85."""
        return self.covered * 100 // self.of if self.of else 100


def standings(
    register: Register,
    played: Sequence[Played],
    questions: Mapping[str, Question],
) -> tuple[Standing, ...]:
    """One for each requirement of the register, in its order."""
    return tuple(
        _standing(row, register, played, questions)
        for row in register.requirements.values()
    )


def share(lines: Sequence[Standing]) -> Share:
    """How much of what binds is shown by a scenario."""
    musts = [
        line
        for line in lines
        if line.requirement.level is Level.MUST
        and line.answer is not Answer.DOCUMENTARY
    ]
    covered = [line for line in musts if line.answer is Answer.COVERED]
    return Share(covered=len(covered), of=len(musts))


def standing_problems(
    register: Register,
    played: Sequence[Played],
    questions: Mapping[str, Question],
) -> list[str]:
    """Requirements in no list or in two, and names that do not exist; [] is good."""
    wrong = []
    for line in standings(register, played, questions):
        key = line.requirement.id
        if line.answer is Answer.NONE:
            wrong.append(f"{key}: in no list: no scenario, no question, no reason")
        said = [
            *(["played"] if line.answer is Answer.COVERED else []),
            *(["a question"] if _asking(key, questions) else []),
        ]
        tables = [
            *(["[implicit]"] if key in register.implicit else []),
            *(["[untestable]"] if key in register.untestable else []),
        ]
        if tables and len(said) + len(tables) > 1:
            places = " and ".join([*tables, *said])
            wrong.append(f"{key}: in more than one list: {places}")
        if key in register.partly and line.answer is not Answer.COVERED:
            wrong.append(f"{key}: in [partly], and no scenario plays it")
    for question in questions.values():
        wrong += [
            f"{question.scenario_id}: asks for {key}, which is not in the register"
            for key in question.requirements
            if key not in register.requirements
        ]
    return wrong


def _standing(
    row: Requirement,
    register: Register,
    played: Sequence[Played],
    questions: Mapping[str, Question],
) -> Standing:
    """The first that holds, in the order in which an answer is worth having."""
    found = (
        (Answer.COVERED, _playing(row.id, played)),
        (Answer.DOCUMENTARY, _asking(row.id, questions)),
        (Answer.IMPLICIT, register.implicit.get(row.id, "")),
        (Answer.UNTESTABLE, register.untestable.get(row.id, "")),
    )
    for answer, by in found:
        if by:
            but_not = register.partly.get(row.id, "")
            return Standing(requirement=row, answer=answer, by=by, but_not=but_not)
    return Standing(requirement=row, answer=Answer.NONE)


def _playing(key: str, played: Sequence[Played]) -> str:
    ids = [one.ids("S-")[0] for one in played if key in one.ids("R-") if one.ids("S-")]
    return ", ".join(sorted(set(ids)))


def _asking(key: str, questions: Mapping[str, Question]) -> str:
    asking = [one for one in questions.values() if key in one.requirements]
    return ", ".join(one.scenario_id for one in asking)
