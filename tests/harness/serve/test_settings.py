"""Profile files, and what a forecourt is started with."""

import pytest

from harness.declaration import SetupError
from harness.serve.play import Play
from harness.serve.settings import Settings, readings_from
from simulator.clock import VirtualClock
from wire.psp import Family


def test_a_profile_sets_readings_of_both_protocols() -> None:
    text = '[psp]\nover_commit = "accept"\n[cps]\nbad_key = 403\n'
    readings = readings_from(text, source="mine")
    assert readings.differences() == {"over_commit": "accept", "bad_key": 403}
    assert readings.psp.over_commit == "accept"
    assert readings.cps.bad_key == 403
    assert readings.cps.over_commit == "reject"


def test_an_empty_profile_is_the_default() -> None:
    assert readings_from("", source="mine").differences() == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[psp", "mine: not TOML"),
        ("[csp]\n", "found 'csp', allowed [psp] and [cps]"),
        ("psp = 1\n", "psp: found 1, allowed a table"),
        ("[psp]\nspeed = 1\n", "found 'speed', allowed terminal_preamble"),
        ("[psp]\nresult_size = 9\n", "result_size: found 9, allowed 2, 1"),
        ("[cps]\nbad_key = 500\n", "bad_key: found 500, allowed 401, 403"),
    ],
)
def test_a_bad_profile_names_what_was_found_and_what_is_allowed(
    text: str, words: str
) -> None:
    with pytest.raises(SetupError) as caught:
        readings_from(text, source="mine")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_the_key_follows_the_seed_unless_it_is_given() -> None:
    assert Settings(seed=1).key == Settings(seed=1).key != Settings(seed=2).key
    assert Settings(api_key="mine").key == "mine"


@pytest.mark.parametrize("family", list(Family))
def test_each_terminal_has_its_serial_number(family: Family) -> None:
    play = Play(Settings(terminal=family), clock=VirtualClock())
    assert play.serial_number == Settings(terminal=family).serial
    assert play.court.terminal.info.serial_number == play.serial_number
    given = Settings(terminal=family, serial_number="MINE1")
    assert given.serial == "MINE1"
