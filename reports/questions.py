# ruff: noqa: E501 - a table
"""Scenarios that no program can play: questions to the vendor, and their answers.

Some entries of the catalogue are decided by reading papers, looking at a live site or
asking an acquirer. The bench asks them; a declaration answers in its table
``[answers]``, key by key; a report prints both. An answer is what the vendor says.
Nobody has checked it, so it is never a verdict, never a case and never counted as
passed.

Pure: knows nothing of files, verdicts or traces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Characters of an answer. Longer ones belong into the papers that it names.
SHORTEST_ANSWER: Final = 1
LONGEST_ANSWER: Final = 500


class AnswerError(ValueError):
    """An answer does not fit: says which key, what was found, what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One documentary scenario. ``columns``: where it makes sense to ask it."""

    scenario_id: str
    text: str
    requirements: tuple[str, ...]
    #: What somebody who reads the answer wants to find in it.
    good_answer: str
    columns: tuple[str, ...] = ("p6x", "apollo", "cps")


# fmt: off
QUESTIONS: Final[Mapping[str, Question]] = {question.scenario_id: question for question in (
    Question(
        scenario_id="S-R02", requirements=("R-AMT-10",), columns=("p6x", "apollo"),
        text="Is the terminal set to pre-authorise, and who has looked?",
        good_answer="the payment type as the terminal's own configuration shows it, who set it and when; PSP does not show it",
    ),
    Question(
        scenario_id="S-R05", requirements=("R-GOL-01", "R-GOL-02", "R-GOL-03", "R-GOL-06"),
        text="What has been handed to Payter for the validation script, and what came back?",
        good_answer="date of the run, logs of controller and terminal that match it, the session rules shown, the driver's journey on paper, number of the certificate",
    ),
    Question(
        scenario_id="S-R06", requirements=("R-GOL-05", "R-PER-06"),
        text="Has one live terminal been piloted, and has its money been seen to arrive?",
        good_answer="where and when, which live payments, the merchant account they reached, and who compares ledger and account how often",
    ),
    Question(
        scenario_id="S-R07", requirements=("R-TRM-10", "R-EXT-07"),
        text="What does a driver see when the terminal is out of service, and who answers the helpline?",
        good_answer="the offline screen or sign and how soon it shows; the telephone number, its hours, and how reliability is measured",
    ),
    Question(
        scenario_id="S-R09", requirements=("R-EXT-05", "R-AMT-06"),
        text="What has been agreed with the acquirer?",
        good_answer="the merchant category, whether and until when a hold may be raised, and how soon an unused contactless hold has to be reversed",
    ),
)}
# fmt: on


def check_answers(found: object, *, where: str) -> Mapping[str, str]:
    """The table ``[answers]`` of a declaration: question -> answer.

    Raises AnswerError naming ``where``, the key, what was found and what is allowed.
    """
    if not isinstance(found, Mapping):
        raise AnswerError(f"{where}: found {found!r}, allowed is a table")
    for key, answer in found.items():
        if key not in QUESTIONS:
            raise AnswerError(f"{where} {key}: allowed are {', '.join(QUESTIONS)}")
        _check_answer(answer, where=f"{where} {key}")
    return {key: str(answer).strip() for key, answer in found.items()}


def _check_answer(answer: object, *, where: str) -> None:
    allowed = f"allowed is text of {SHORTEST_ANSWER} to {LONGEST_ANSWER} characters"
    if not isinstance(answer, str):
        raise AnswerError(f"{where}: found {answer!r}, {allowed}")
    length = len(answer.strip())
    if not SHORTEST_ANSWER <= length <= LONGEST_ANSWER:
        raise AnswerError(f"{where}: found {length} characters, {allowed}")


def asked(
    columns: Sequence[str], requirements: Sequence[str] = ()
) -> tuple[Question, ...]:
    """The questions for a controller that is examined in one of ``columns``.

    With ``requirements``, only those that answer one of them.
    """
    return tuple(
        question
        for question in QUESTIONS.values()
        if set(columns) & set(question.columns)
        and (not requirements or set(requirements) & set(question.requirements))
    )
