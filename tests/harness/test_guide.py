"""docs/writing-scenarios.md tells the truth: every example of the guide is played.

Each Gherkin block is taken out of the text as it stands. The reference controller must
be green in every column of the example, and the wrong controller that the text names
red in every one.
"""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from harness.run import RunOptions, play
from reports.results import CaseResult
from tests.harness.mistakes.examined import MISTAKES, declared

GUIDE = Path(__file__).parents[2] / "docs" / "writing-scenarios.md"
TEXT = GUIDE.read_text(encoding="utf-8")
BLOCK = re.compile(
    r"```gherkin\n(?P<text>.*?)```\n\n"
    r"(?P<after>This one|Turned red by) (?P<said>.*?)\.\n",
    re.DOTALL,
)
FOUND = [match.groupdict() for match in BLOCK.finditer(TEXT)]
EXAMPLES = [one for one in FOUND if one["after"] == "Turned red by"]
IDS = [f"example-{n}" for n in range(1, len(EXAMPLES) + 1)]


pytestmark = pytest.mark.usefixtures("impatient")


def played(
    text: str, folder: Path, declaration: Path | None = None
) -> tuple[CaseResult, ...]:
    path = folder / "example.feature"
    path.write_text(text, encoding="utf-8")
    options = RunOptions(paths=(path,), declaration=declaration)
    run, collector = play(options, Console(file=io.StringIO()))
    assert not collector.wrong_use
    assert not collector.setup_errors
    return run.cases


def test_every_block_says_what_becomes_of_it() -> None:
    assert len(EXAMPLES) == 10
    assert len(FOUND) == 11 == TEXT.count("```gherkin")


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_an_example_is_green_and_its_mistake_is_red(
    example: dict[str, str], tmp_path: Path
) -> None:
    cases = played(example["text"], tmp_path)
    assert cases
    assert all(case.is_green for case in cases), [case.findings for case in cases]
    factory = example["said"].strip("`")
    for column in sorted({case.column for case in cases}):
        wrong = played(
            example["text"],
            tmp_path,
            declared(tmp_path, f"{MISTAKES}:{factory}", column),
        )
        assert len(wrong) == sum(case.column == column for case in cases)
        for case in wrong:
            assert case.column == column
            assert case.conduct == "FAIL" or not case.is_settled, (factory, column)
            assert case.findings
            names = {found.requirement for found in case.findings}
            assert "process" not in names, "a crash is not a catch"


def test_the_inconclusive_example_is_inconclusive(tmp_path: Path) -> None:
    (example,) = [one for one in FOUND if one["after"] == "This one"]
    cases = played(example["text"], tmp_path)
    assert [case.conduct for case in cases] == ["INCONCLUSIVE"] * 3
    for case in cases:
        (finding,) = case.findings
        assert f"expected {finding.expected}, seen {finding.seen}" in example["said"]
