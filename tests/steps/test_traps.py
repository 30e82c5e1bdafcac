"""The ways in which pytest-bdd loses or passes scenarios in silence are closed.

Reproduced on small projects that have nothing but feature files, as QA writes them.
"""

from pathlib import Path

import pytest
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

from harness.columns import columns_for
from harness.feature_lint import FeatureProblem, lint
from reports.feature_file import parse_feature

FEATURES = Path(__file__).parents[2] / "features"

GOOD = """
Feature: Mine
  Scenario: One
    Given the driver has been authorised
    When 5 minutes pass
    Then the driver's session is released within 10 seconds
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.feature"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_feature_file_runs_without_a_line_of_python(
    pytester: pytest.Pytester,
) -> None:
    write(pytester.path, GOOD)
    pytester.runpytest_inprocess("mine.feature").assert_outcomes(passed=3)


def test_two_scenarios_of_one_title_are_refused(pytester: pytest.Pytester) -> None:
    path = write(pytester.path, GOOD + GOOD.partition("Mine")[2])
    with pytest.raises(FeatureProblem, match="two scenarios have the title 'One'"):
        lint(path)
    result = pytester.runpytest_inprocess("mine.feature")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*two scenarios have the title 'One'*"])


def test_two_scenarios_of_one_title_under_two_rules_are_refused(tmp_path: Path) -> None:
    rule = GOOD.partition("Mine")[2]
    path = write(tmp_path, f"Feature: Mine\n  Rule: a{rule}\n  Rule: b{rule}")
    with pytest.raises(FeatureProblem, match="two scenarios have the title 'One'"):
        lint(path)


def test_tags_on_examples_are_refused(tmp_path: Path) -> None:
    text = GOOD.replace("Scenario: One", "Scenario Outline: One").replace("5", "<n>")
    path = write(
        tmp_path, text + "    @late\n    Examples:\n      | n |\n      | 5 |\n"
    )
    with pytest.raises(FeatureProblem, match="not on Examples"):
        lint(path)


def test_what_is_not_gherkin_is_said_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "Feature: Mine\n  Scenarioo: One\n    Give me\n  Scenario:")
    path.write_text("Scenario: without a feature\n", encoding="utf-8")
    with pytest.raises(FeatureProblem, match=r"mine\.feature"):
        lint(path)


def test_an_async_step_does_not_pass(pytester: pytest.Pytester) -> None:
    write(pytester.path, GOOD.replace("When 5 minutes pass", "When nobody waits"))
    pytester.makeconftest(
        """
        from pytest_bdd import when

        @when("nobody waits")
        async def nobody_waits():
            raise AssertionError("never reached, never awaited")
        """
    )
    result = pytester.runpytest_inprocess("mine.feature", "-k", "apollo")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*an async step is never awaited*"])


def test_a_definition_of_ones_own_outranks_a_phrase(pytester: pytest.Pytester) -> None:
    """Also when the phrase of the vocabulary has been looked up for another file."""
    write(pytester.path, GOOD)
    below = pytester.mkdir("below")
    write(below, GOOD)
    (below / "conftest.py").write_text(
        """
from pytest_bdd import parsers, when

@when(parsers.parse("5 minutes pass"))
def five_minutes(bench):
    raise RuntimeError("my own five minutes")
""",
        encoding="utf-8",
    )
    result = pytester.runpytest_inprocess("-k", "apollo")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*my own five minutes*"])


def test_an_unknown_step_is_answered_with_the_closest(
    pytester: pytest.Pytester,
) -> None:
    write(pytester.path, GOOD.replace("5 minutes pass", "5 minutes go by"))
    result = pytester.runpytest_inprocess("mine.feature", "-k", "apollo")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no phrase matches: When 5 minutes go by*"])


def test_a_failing_step_is_a_failing_test(pytester: pytest.Pytester) -> None:
    write(pytester.path, GOOD.replace("released", "committed"))
    result = pytester.runpytest_inprocess("mine.feature", "-k", "apollo")
    result.assert_outcomes(failed=1)


def test_as_many_cases_are_collected_as_gherkin_sees(pytester: pytest.Pytester) -> None:
    expected = 0
    for path in sorted(FEATURES.rglob("*.feature")):
        text = path.read_text(encoding="utf-8")
        document = Parser().parse(text)
        tags = {one.title: one.tags for one in parse_feature(text, path.name).scenarios}
        for pickle in Compiler().compile({**document, "uri": path.name}):
            bare = [tag["name"].removeprefix("@") for tag in pickle["tags"]]
            expected += len(columns_for(bare))
        assert tags
    result = pytester.runpytest_inprocess("--collect-only", "-q", str(FEATURES))
    result.stdout.fnmatch_lines([f"{expected} tests collected*"])
