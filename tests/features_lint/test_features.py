"""The form of the feature files (style guide, section 3): tags, titles, steps, rows.

Each rule takes one feature file and returns complaints. With no feature there is
nothing to complain about; the examples below show that each rule can.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pytest

from reports.coverage import Played, tag_problems
from reports.feature_file import FeatureFile, ScenarioText, parse_feature
from reports.register import Catalogue, Register

MIN_STEPS: Final = 3
MAX_STEPS: Final = 7
MAX_STEPS_WITH_BACKGROUND: Final = 9
MAX_BACKGROUND: Final = 3
MAX_ROWS: Final = 10
ORDER: Final = ("Given", "When", "Then")

#: A title names a situation; these words make it a chore or a hope.
HOLLOW: Final = re.compile(r"\b(verif\w*|tests?|should|correctly|works?)\b", re.I)
#: Actors have names: driver, terminal, controller, charger, vehicle.
NAMELESS: Final = re.compile(r"\b(I|[Tt]he (user|system|DUT))\b")
#: Bytes live in tests, not in sentences.
HEX: Final = re.compile(r"\b0x[0-9A-Fa-f]+\b|\b[0-9A-F]{2}( [0-9A-F]{2}){2,}\b")
FORBIDDEN_TAGS: Final = frozenset({"@wip", "@slow", "@skip"})

Rule = Callable[[FeatureFile], list[str]]


def scenarios(feature: FeatureFile) -> Iterator[tuple[str, ScenarioText]]:
    for one in feature.scenarios:
        yield f"{feature.path}:{one.line}: {one.title}", one


def unique_titles(feature: FeatureFile) -> list[str]:
    """The runner keys scenarios by title: the first of two would never be played."""
    titles = Counter(one.title for one in feature.scenarios)
    return [
        f"{feature.path}: {title!r} names {count} scenarios, allowed 1"
        for title, count in titles.items()
        if count > 1
    ]


def telling_titles(feature: FeatureFile) -> list[str]:
    titles = [feature.title, *(one.title for one in feature.scenarios)]
    return [
        f"{feature.path}: {title!r} says {hit.group()!r}, allowed: the situation"
        for title in titles
        for hit in [HOLLOW.search(title)]
        if hit
    ]


def no_tags_on_examples(feature: FeatureFile) -> list[str]:
    """Tags on Examples bypass the hook that turns tags into markers."""
    return [
        f"{where}: found tags {', '.join(table.tags)} on Examples, allowed none"
        for where, one in scenarios(feature)
        for table in one.examples
        if table.tags
    ]


def no_forbidden_tags(feature: FeatureFile) -> list[str]:
    return [
        f"{where}: found {tag}, allowed no tag for unfinished or slow scenarios"
        for where, one in scenarios(feature)
        for tag in one.tags
        if tag in FORBIDDEN_TAGS
    ]


def few_rows(feature: FeatureFile) -> list[str]:
    counted = [
        (where, sum(table.rows for table in one.examples))
        for where, one in scenarios(feature)
    ]
    return [
        f"{where}: found {rows} example rows, allowed {MAX_ROWS}"
        for where, rows in counted
        if rows > MAX_ROWS
    ]


def few_steps(feature: FeatureFile) -> list[str]:
    """3 to 7 steps of its own; 9 with the Background, which may hold 3."""
    wrong = []
    for where, one in scenarios(feature):
        own, above = len(one.steps), len(one.background)
        if not own + above >= MIN_STEPS or own > MAX_STEPS:
            wrong.append(f"{where}: found {own} steps, allowed {MIN_STEPS}-{MAX_STEPS}")
        if above > MAX_BACKGROUND:
            wrong.append(f"{where}: found {above} Background steps, allowed 3")
        if own + above > MAX_STEPS_WITH_BACKGROUND:
            wrong.append(f"{where}: found {own + above} steps in all, allowed 9")
    return wrong


def given_when_then(feature: FeatureFile) -> list[str]:
    """How things stand, one event, what is seen: in this order, with one When."""
    wrong = []
    for where, one in scenarios(feature):
        kinds = [step.kind for step in (*one.background, *one.steps)]
        ranks = [ORDER.index(kind) if kind in ORDER else -1 for kind in kinds]
        if ranks != sorted(ranks) or -1 in ranks:
            wrong.append(f"{where}: found {' '.join(kinds)}, allowed Given When Then")
        whens = [step.keyword for step in one.steps].count("When")
        if whens != 1:
            wrong.append(f"{where}: found {whens} steps with When, allowed 1")
        if "Then" not in kinds:
            wrong.append(f"{where}: found no Then, allowed one or more")
        if any(step.kind != "Given" for step in one.background):
            wrong.append(f"{where}: the Background holds more than Givens")
    return wrong


def plain_words(feature: FeatureFile) -> list[str]:
    """Named actors, third person, no bytes."""
    return [
        f"{where}: {step.text!r} says {hit.group()!r}"
        for where, one in scenarios(feature)
        for step in one.steps
        for hit in [NAMELESS.search(step.text) or HEX.search(step.text)]
        if hit
    ]


RULES: Final[tuple[Rule, ...]] = (
    unique_titles,
    telling_titles,
    no_tags_on_examples,
    no_forbidden_tags,
    few_rows,
    few_steps,
    given_when_then,
    plain_words,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_features_keep(rule: Rule, features: tuple[FeatureFile, ...]) -> None:
    found = [line for feature in features for line in rule(feature)]
    assert not found, "\n".join(found)


def test_tags_name_one_scenario_and_requirements_that_exist(
    register: Register, catalogue: Catalogue, played: tuple[Played, ...]
) -> None:
    found = tag_problems(register, catalogue, played)
    assert not found, "\n".join(found)


def test_reasons_are_given_for_scenarios_that_exist(
    catalogue: Catalogue, reasons: Mapping[str, str]
) -> None:
    assert set(reasons) <= set(catalogue.scenarios)


# --- Each rule can fail -----------------------------------------------------------

GOOD: Final = """
Feature: No money stays reserved
  Background:
    Given a controller

  Scenario: The driver walks away
    Given a driver has been authorised
    When no vehicle is connected for 5 minutes
    Then the session is released
    And the driver is charged nothing

  Scenario Outline: The driver pays with <card>
    When the driver taps <card>
    Then the session is open
    And the amount is reserved

    Examples:
      | card |
      | visa |
"""
ROWS: Final = "      | visa |\n"
LAST: Final = "    And the driver is charged nothing\n"
WHEN: Final = "    When no vehicle is connected for 5 minutes\n"

CHANGES: Final = [
    (unique_titles, "pays with <card>", "walks away"),
    (
        unique_titles,
        "Scenario Outline: The driver pays with <card>",
        "Scenario: The driver walks away",
    ),
    (telling_titles, "The driver walks away", "Verify the void"),
    (telling_titles, "No money stays reserved", "Void tests"),
    (no_tags_on_examples, "    Examples:", "    @late\n    Examples:"),
    (no_forbidden_tags, "  Scenario:", "  @wip\n  Scenario:"),
    (few_rows, ROWS, ROWS * 11),
    (few_steps, LAST, LAST * 6),
    (few_steps, "    Given a controller\n", "    Given a controller\n" * 4),
    (few_steps, "    Then the session is open\n    And the amount is reserved\n", ""),
    (
        few_steps,
        "    Given a controller\n",
        "    Given a controller\n" * 3 + "    And x\n",
    ),
    (given_when_then, LAST, LAST + WHEN),
    (given_when_then, WHEN, WHEN + WHEN),
    (given_when_then, WHEN, ""),
    (given_when_then, "    Then the session is released\n" + LAST, ""),
    (given_when_then, "    Given a controller", "    When a controller"),
    (given_when_then, "    Given a driver has", "    And a driver has"),
    (plain_words, "no vehicle", "I see that no vehicle"),
    (plain_words, "the driver is charged", "the user is charged"),
    (plain_words, "the amount is reserved", "the header is 0x35"),
    (plain_words, "the amount is reserved", "the bytes are CC 06 3C 34"),
]


def test_a_good_feature_passes_every_rule() -> None:
    feature = parse_feature(GOOD, "good.feature")
    assert [line for rule in RULES for line in rule(feature)] == []


@pytest.mark.parametrize(("rule", "old", "new"), CHANGES)
def test_a_rule_sees_what_it_forbids(rule: Rule, old: str, new: str) -> None:
    assert old in GOOD
    found = rule(parse_feature(GOOD.replace(old, new, 1), "bad.feature"))
    assert found
    assert all(line.startswith("bad.feature") for line in found)


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, _, _ in CHANGES} == set(RULES)
