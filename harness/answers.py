"""What a run asks the vendor, and what the declaration answers.

A run of the whole suite asks everything that fits the interface and terminal under
examination; one that was asked for requirements, the questions that answer those; one
that was asked for files or words plays a part of the suite, and asks nothing.
"""

from harness.columns import COLUMNS, column_of
from harness.declaration import Declaration
from harness.run import RunOptions
from reports.questions import asked
from reports.results import QuestionLine
from simulator.trace import mask_text


def questions_of(
    options: RunOptions, declaration: Declaration
) -> tuple[QuestionLine, ...]:
    """The questions of this run with their answers, which show no card number."""
    if options.paths or options.words:
        return ()
    return tuple(
        QuestionLine(
            scenario_id=question.scenario_id,
            text=question.text,
            requirements=question.requirements,
            good_answer=question.good_answer,
            answer=mask_text(declaration.answers.get(question.scenario_id, "")),
        )
        for question in asked(_columns(options, declaration), options.requirements)
    )


def _columns(options: RunOptions, declaration: Declaration) -> list[str]:
    """A vendor's controller is asked about its own column, ours about those played."""
    if options.declaration is not None:
        return [column_of(declaration).name]
    return [
        column.name
        for column in COLUMNS
        if options.interface in (None, column.interface)
        and options.terminal in (None, column.terminal)
    ]
