"""The search for a step's definition tries few phrases, and never passes over one."""

import pytest
from pytest_bdd import parsers

from steps.lookup import _literal
from steps.vocabulary import Entry, vocabulary


def fits(entry: Entry, text: str) -> bool:
    """Whether the search would try this phrase for a step."""
    start, piece = _literal(entry.parser)
    return text.lower().startswith(start) and piece in text.lower()


@pytest.mark.parametrize("entry", vocabulary(), ids=lambda entry: entry.pattern)
def test_a_phrase_is_tried_for_its_example_and_few_are_besides(entry: Entry) -> None:
    text = entry.example.partition(" ")[2]
    assert fits(entry, text)
    assert fits(entry, text.upper()), "a phrase does not mind capitals"
    assert sum(fits(other, text) for other in vocabulary()) <= 8


def test_what_nobody_can_tell_beforehand_is_tried() -> None:
    assert _literal(parsers.re("the .* charges")) == ("", "")
    assert _literal(parsers.parse("{{braces}} for {n:d}")) == ("", "")
    assert _literal(parsers.parse("{who} Plugs in at {n:d}")) == ("", " plugs in at ")
