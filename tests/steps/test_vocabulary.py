"""The vocabulary: every phrase has an example, every step exactly one phrase."""

import re
from pathlib import Path

import pytest

from reports.feature_file import Step, parse_feature
from steps.vocabulary import Entry, closest, matches, show, unknown_step, vocabulary
from steps.words import WORDS

FEATURES = Path(__file__).parents[2] / "features"
#: Every visible definition costs at each step (style guide, section 3.5).
MOST_PHRASES = 250


def steps_of(path: Path) -> list[Step]:
    feature = parse_feature(path.read_text(encoding="utf-8"), str(path))
    return [step for one in feature.scenarios for step in one.background + one.steps]


def test_there_are_few_enough_phrases() -> None:
    assert 50 < len(vocabulary()) < MOST_PHRASES


@pytest.mark.parametrize("entry", vocabulary(), ids=lambda entry: entry.pattern)
def test_an_example_matches_its_own_phrase_alone(entry: Entry) -> None:
    kind, _, text = entry.example.partition(" ")
    assert kind.lower() == entry.keyword.lower(), "the docstring starts with an example"
    assert matches(kind.lower(), text) == [entry]


@pytest.mark.parametrize(
    "path", sorted(FEATURES.rglob("*.feature")), ids=lambda p: p.name
)
def test_every_step_of_the_suite_matches_one_phrase(path: Path) -> None:
    for step in steps_of(path):
        if "<" in step.text:
            continue
        found = matches(step.kind.lower(), step.text)
        assert len(found) == 1, f"{step.keyword} {step.text}: {found}"


def test_an_unknown_step_is_answered_with_the_closest_phrases() -> None:
    error = unknown_step(
        "when", "driver unplugs from connector 1", where="my.feature:7"
    )
    text = str(error)
    assert text.startswith("my.feature:7: no phrase matches: When driver unplugs")
    assert "When the driver unplugs at connector 1" in text
    assert "nohold steps" in text


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        (
            "given",
            "the driver pays with the gold card",
            "<card>: found 'gold', allowed am",
        ),
        (
            "given",
            "the controller reserves EUR 5,00",
            "<amount>: found 'EUR 5,00', allowed EUR 25.00",
        ),
        (
            "when",
            "-5 minutes pass",
            "<time>: found '-5 minutes', allowed 60 seconds, 5",
        ),
        (
            "given",
            "the terminal refuses the next two close",
            "<times>: found 'two close', allowed one close, two closes",
        ),
        (
            "given",
            "the controller starts again",
            "it is a phrase as a When, not as a Given",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_what_is_allowed(
    kind: str, text: str, line: str
) -> None:
    assert f"\n  {line}" in str(unknown_step(kind, text, where="my.feature:7"))


def test_a_word_that_takes_few_values_says_them_all_and_any_word_says_some() -> None:
    for name, word in WORDS.items():
        values = getattr(word, "values")  # noqa: B009 - no attribute of a function
        assert all(re.fullmatch(word.__dict__["pattern"], one) for one in values), name
        assert word.__dict__["allowed"], name


def test_a_phrase_of_the_same_keyword_comes_first() -> None:
    found = closest("then", "the session is released in 10 seconds")
    assert found[0].example == "Then the driver's session is released within 10 seconds"


def test_the_vocabulary_can_be_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("emergency") == 0
    shown = capsys.readouterr().out
    assert "When the emergency stop is pressed" in shown
    assert "unplugs" not in shown


def test_a_search_shows_values_and_finds_by_them_in_whole_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show("wrong card") == 0
    shown = capsys.readouterr().out
    assert "  Then  the driver is told <code>" in shown
    assert "        <code>: charging, declined, plug in, released" in shown
    assert show("") == 0
    shown = capsys.readouterr().out
    assert "<code>:" not in shown
    whole = (
        "When the driver presses stop and unplugs at connector 1 in the same instant"
    )
    assert whole in map(str.strip, shown.splitlines())


@pytest.mark.parametrize(
    ("words", "example"),
    [
        ("daylight saving", "clock has been put forward by 1 hour"),
        ("webhook", "the next card callback comes twice"),
        ("reboot", "When the terminal restarts"),
        ("outage", "the payment cloud cannot be reached"),
        ("refund", "session is released within"),
        ("crash", "the controller dies"),
    ],
)
def test_other_words_for_a_thing_find_its_phrase(
    words: str, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(words) == 0
    assert example in capsys.readouterr().out


def test_a_search_without_result_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("emergancy botton") == 2
    assert "the closest are:" in capsys.readouterr().out
