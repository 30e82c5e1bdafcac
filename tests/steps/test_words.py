"""Words of the scenarios and the values they stand for."""

import pytest

from steps import words
from steps.words import WORDS, phrase, plain


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Money", "EUR 25.00", 2500),
        ("Money", "EUR 0.59", 59),
        ("Money", "EUR 7", 700),
        ("Duration", "60 seconds", 60_000),
        ("Duration", "1 second", 1000),
        ("Duration", "2.5 minutes", 150_000),
        ("Duration", "8 days", 691_200_000),
        ("Energy", "12.4 kWh", 12_400),
        ("Energy", "500 Wh", 500),
        ("Power", "7.4 kW", 7400),
        ("Connector", "connector 12", 12),
        ("Driver", "the driver", 1),
        ("Driver", "a driver", 1),
        ("Driver", "another driver", 2),
        ("Driver", "the eighth driver", 8),
        ("Whose", "the driver's", 1),
        ("Whose", "the third driver's", 3),
        ("Card", "insufficient funds", "insufficient_funds"),
        ("Vehicle", "city car", "city_car"),
        ("ShowCode", "plug in", "plug_in"),
        ("AlarmCode", "close exhausted", "close_exhausted"),
        ("Claim", "a bay sensor", ("bay_sensor", True)),
        ("Window", "plug-in", "plug_in_window"),
        ("Count", "no", 0),
        ("Count", "100", 100),
        ("Closes", "one close", 1),
        ("Closes", "three closes", 3),
        ("SessionsHave", "one session has", 1),
        ("SessionsHave", "two sessions have", 2),
        ("Pilot", "E", "E"),
        ("Currency", "KWD", "KWD"),
        ("IncrementAnswer", "never answered", "never answered"),
    ],
)
def test_a_word_stands_for_its_value(kind: str, text: str, value: object) -> None:
    parser = phrase("it is {what:" + kind + "} now")
    assert parser.parse_arguments(f"it is {text} now") == {"what": value}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Money", "25.00"),
        ("Money", "25 EUR"),
        ("Money", "EUR 10.005"),
        ("Money", "EUR 5,00"),
        ("Duration", "60"),
        ("Duration", "-5 minutes"),
        ("ErrorCode", "Bananas"),
        ("ShowCode", "bananas"),
        ("AlarmCode", "bananas"),
        ("Claim", "to be nice"),
        ("Connector", "connector one"),
        ("Card", "gold"),
        ("Driver", "someone"),
        ("Closes", "two close"),
        ("SessionsHave", "one sessions have"),
        ("Pilot", "C"),
    ],
)
def test_what_does_not_fit_does_not_match(kind: str, text: str) -> None:
    assert not phrase("it is {what:" + kind + "} now").is_matching(f"it is {text} now")


def test_every_type_has_a_pattern() -> None:
    assert all(getattr(convert, "pattern", "") for convert in WORDS.values())


def test_a_pattern_reads_as_a_person_writes_it() -> None:
    assert plain("{who:Driver} taps the {card} card") == "<who> taps the <card> card"
    assert words.count("seven") == 7
