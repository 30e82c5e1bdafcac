"""The vocabulary: every phrase has an example, every step exactly one phrase."""

from pathlib import Path

import pytest

from reports.feature_file import Step, parse_feature
from steps.vocabulary import Entry, closest, matches, show, unknown_step, vocabulary

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


def test_a_phrase_of_the_same_keyword_comes_first() -> None:
    found = closest("then", "the session is released in 10 seconds")
    assert found[0].example == "Then the driver's session is released within 10 seconds"


def test_the_vocabulary_can_be_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("emergency") == 0
    shown = capsys.readouterr().out
    assert "When the emergency stop is pressed" in shown
    assert "unplugs" not in shown


def test_a_search_without_result_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("emergancy botton") == 2
    assert "the closest are:" in capsys.readouterr().out
