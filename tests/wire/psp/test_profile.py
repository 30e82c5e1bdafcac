"""Every open question has an answer, and every answer can be changed."""

import re
from pathlib import Path

import pytest

from wire.psp import (
    OPTIONS_OF,
    PROFILE_SWITCHES,
    REGISTER,
    Family,
    LocalProtocolError,
    Mark,
    Option,
    Profile,
    Reading,
)

IDS = [f"A{n}" for n in range(1, 39)] + [f"C{n}" for n in range(1, 19)]


def test_register_is_complete() -> None:
    assert list(REGISTER) == IDS


def test_register_and_switches_agree() -> None:
    for ident, entry in REGISTER.items():
        naming = {row.name for row in PROFILE_SWITCHES.values() if ident in row.ids}
        assert set(entry.switches) == naming, ident
    for row in PROFILE_SWITCHES.values():
        assert set(row.ids) <= {*IDS, "R4.13"}, row.name
        assert row.ids, row.name


def test_what_has_no_switch_says_why() -> None:
    for ident, entry in REGISTER.items():
        assert entry.about
        assert entry.switches or entry.note, ident


def test_switches_say_what_they_are() -> None:
    for row in PROFILE_SWITCHES.values():
        assert isinstance(row.mark, Mark)
        assert row.about
        assert row.default in row.allowed
        assert len(row.allowed) > 1
        assert row.mark is not Mark.DOC, "what is documented needs no switch"


def test_default_is_the_reference_table() -> None:
    assert Profile() == Profile.default() == Profile.from_mapping({})
    assert Profile().deviations() == {}


@pytest.mark.parametrize("name", PROFILE_SWITCHES)
def test_each_allowed_value_can_be_set(name: str) -> None:
    row = PROFILE_SWITCHES[name]
    values = row.allowed if len(row.allowed) < 9 else (row.allowed[0], row.allowed[-1])
    for value in values:
        profile = Profile.from_mapping({name: value})
        assert getattr(profile, name) == value
        expected = {} if value == row.default else {name: value}
        assert profile.deviations() == expected


def test_unknown_switch_names_the_known_ones() -> None:
    with pytest.raises(
        LocalProtocolError, match=r"found 'speed', allowed .*commit_zero"
    ):
        Profile.from_mapping({"speed": 1})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("get_status_header", 0x27, "found 39, allowed 38, 0"),
        ("commit_zero", "maybe", "found 'maybe', allowed 'accept', 'refuse'"),
        ("terminal_preamble", 256, r"found 256, allowed 0\.\.255"),
        ("running_while_authorizing", True, "found True, allowed 1, 0"),
        ("not_ok_on_bad_checksum", 1, "found 1, allowed True, False"),
    ],
)
def test_other_values_are_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        Profile.from_mapping({name: value})


def test_direct_construction_is_checked_too() -> None:
    with pytest.raises(LocalProtocolError, match="inter_byte_ms: found 0, allowed 1"):
        Profile(inter_byte_ms=0)


class TestReading:
    def test_equality_follows_everything(self) -> None:
        other = [
            Reading(),
            Reading(extended=True),
            Reading(detailed=True),
            Reading(authorization_dol=True),
            Reading(declined_dol=True),
            Reading(family=Family.P6X),
            Reading(profile=Profile(result_size=1)),
        ]
        assert len(set(other)) == len(other)
        assert Reading(profile=Profile()) == Reading()

    def test_options_of_apollo(self) -> None:
        found = Reading().with_options(0xFF)
        assert found.extended
        assert found.detailed
        assert found.authorization_dol
        assert found.declined_dol
        assert found.with_options(0) == Reading()

    def test_options_that_p6x_lacks_stay_off(self) -> None:
        found = Reading(family=Family.P6X).with_options(0xFF)
        assert found == Reading(family=Family.P6X, authorization_dol=True)

    def test_every_option_belongs_to_apollo(self) -> None:
        assert OPTIONS_OF[Family.APOLLO] == sum(Option)
        assert OPTIONS_OF[Family.P6X] == Option.EVENTS | Option.AUTHORIZATION_DOL


def test_switches_that_choose_a_row_are_read_by_rows_only() -> None:
    # The codec must not know single switches beyond the three that every block has;
    # ``note`` and ``plain`` are methods.
    source = Path(__file__).parents[3] / "wire" / "psp" / "codec.py"
    used = re.findall(r"profile\.(\w+)", source.read_text(encoding="utf-8"))
    assert sorted(set(used) - {"note", "plain"}) == [
        "frame_limit_bytes",
        "terminal_magic",
        "terminal_preamble",
    ]
