"""Feature files, flattened: inherited tags, Background, kinds of steps, examples."""

import pytest
from gherkin.errors import ParserError

from reports.feature_file import Examples, parse_feature

TEXT = """
@money
Feature: No money stays reserved
  Why it matters.

  Background:
    Given a controller

  @R-SES-01 @must
  Rule: Every session is closed
    Background:
      Given a terminal
      And a charger

    @S-A01
    Scenario: Tap and charge
      Given a driver
      When the driver taps
      Then the session is open
      But no energy flows

    @S-A02
    Scenario Outline: Tap with <card>
      When the driver taps <card>
      Then it is read

      @late
      Examples: cards
        | card |
        | visa |
        | amex |

  @S-A03
  Scenario: Under no rule
    When nothing happens
"""


def test_tags_come_down_from_feature_and_rule() -> None:
    one, two, three = sorted(
        parse_feature(TEXT, "x.feature").scenarios, key=lambda s: s.title
    )
    assert one.tags == ("@money", "@R-SES-01", "@must", "@S-A01")
    assert two.tags == ("@money", "@R-SES-01", "@must", "@S-A02")
    assert three.tags[-1] == "@S-A03"


def test_background_is_kept_apart_and_adds_up() -> None:
    first = parse_feature(TEXT, "x.feature").scenarios[0]
    assert [step.text for step in first.background] == [
        "a controller",
        "a terminal",
        "a charger",
    ]
    assert [step.kind for step in first.background] == ["Given"] * 3


def test_and_and_but_take_the_kind_before_them() -> None:
    first = parse_feature(TEXT, "x.feature").scenarios[0]
    kinds = [(step.keyword, step.kind) for step in first.steps]
    assert kinds == [
        ("Given", "Given"),
        ("When", "When"),
        ("Then", "Then"),
        ("But", "Then"),
    ]


def test_steps_in_another_language_are_of_the_same_kinds() -> None:
    text = (
        "# language: de\nFunktion: a\n  Szenario: b\n    Wenn c\n    Und d\n    Dann e"
    )
    (one,) = parse_feature(text, "x.feature").scenarios
    assert [(s.kind, s.is_more, s.line) for s in one.steps] == [
        ("When", False, 4),
        ("When", True, 5),
        ("Then", False, 6),
    ]


def test_examples_keep_their_tags_and_count_rows() -> None:
    outline = parse_feature(TEXT, "x.feature").scenarios[1]
    assert outline.examples == (Examples(tags=("@late",), columns=("card",), rows=2),)


def test_scenarios_become_what_coverage_wants() -> None:
    feature = parse_feature(TEXT, "x.feature")
    assert feature.title == "No money stays reserved"
    assert [one.title for one in feature.played()] == [
        "Tap and charge",
        "Tap with <card>",
        "Under no rule",
    ]
    assert feature.played()[0].ids("S-") == ("S-A01",)


def test_an_empty_file_has_no_scenarios() -> None:
    assert parse_feature("", "x.feature").scenarios == ()


def test_what_is_not_gherkin_is_refused() -> None:
    with pytest.raises(ParserError):
        parse_feature(TEXT + "    Whenever b\n", "x.feature")
