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


WHEN = "    When 5 minutes pass\n"
THEN = "    Then the driver's session is released within 10 seconds\n"
ROWS = "    Examples:\n      | n |\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (GOOD, "", "mine.feature: found no scenario"),
        (GOOD, "Scenario: of nothing\n", ":1: found 'Scenario: of nothing', allowed"),
        (WHEN, "    Wenn\n", ":5: found 'Wenn', allowed"),
        (GOOD[GOOD.index("    Given") :], "", ":3: 'One' has no steps"),
        (THEN, "", ":3: 'One' has no Then: it would demand nothing"),
        (
            "    Given",
            "    given",
            "'given the driver has been authorised' below 'One'",
        ),
        ("    Given", "    *", ":4: found * at the beginning, allowed Given"),
        (
            WHEN + THEN,
            THEN + WHEN,
            ":6: found When after Then, allowed Given, one When",
        ),
        (WHEN, WHEN * 2, ":6: found a second When, allowed Given, one When"),
        (
            "  Scenario: One",
            "  @P6x\n  Scenario: One",
            "found the tag @P6x, allowed @p6x",
        ),
        ("5 minutes", "<n> minutes", "found <n>, allowed are the columns: none"),
        (THEN, THEN + ROWS, "'One' has Examples without a row"),
        (
            GOOD,
            GOOD.replace("Scenario", "Scenario Outline").replace("5", "<m>")
            + ROWS
            + "      | 5 |\n",
            ":5: found <m>, allowed are the columns: n",
        ),
    ],
)
def test_what_would_be_lost_or_demand_nothing_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(FeatureProblem) as caught:
        lint(path)
    assert words in str(caught.value)
    assert "#" not in str(caught.value), "no names of Gherkin's own tokens"


def test_and_is_no_second_when_and_prose_is_no_step(tmp_path: Path) -> None:
    prose = "    The driver is in a hurry,\n    and when they have plugged in, too.\n"
    text = GOOD.replace("One\n", "One\n" + prose)
    text = text.replace(WHEN, WHEN + "    And the driver taps\n")
    assert lint(write(tmp_path, text)) == 1


def test_a_file_of_a_windows_editor_is_read(pytester: pytest.Pytester) -> None:
    path = write(pytester.path, GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.lstrip().replace("\n", "\r\n").encode())
    pytester.runpytest_inprocess("mine.feature").assert_outcomes(passed=3)


def test_another_encoding_is_said_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.write_bytes(GOOD.replace("One", "Fahrerin zögert").encode("latin-1"))
    with pytest.raises(FeatureProblem, match=r"mine\.feature:3: found the byte 0xf6"):
        lint(path)


@pytest.mark.parametrize(
    ("below", "what"),
    [("      | a |\n", "table"), ('      """\n      a\n      """\n', "text")],
)
def test_a_table_or_text_that_no_phrase_reads_is_refused(
    pytester: pytest.Pytester, below: str, what: str
) -> None:
    write(pytester.path, GOOD.replace(WHEN, WHEN + below))
    result = pytester.runpytest_inprocess("mine.feature", "-k", "apollo")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*found a {what} below it, allowed is none*"])


def test_a_table_that_a_step_of_ones_own_reads_is_read(
    pytester: pytest.Pytester,
) -> None:
    text = GOOD.replace(WHEN, "    When these pass\n      | 5 |\n      | 1 |\n")
    write(pytester.path, text)
    pytester.makeconftest(
        """
        from pytest_bdd import when

        @when("these pass")
        def these_pass(bench, datatable):
            bench.run_for(sum(int(row[0]) for row in datatable) * 60_000)
            bench.since_ms = bench.now_ms
        """
    )
    result = pytester.runpytest_inprocess("mine.feature", "-k", "apollo")
    result.assert_outcomes(passed=1)


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
