"""The register: what is shipped is complete, and what does not fit is named."""

import re

import pytest

from reports.register import (
    COLUMNS,
    Basis,
    Interface,
    Level,
    RegisterError,
    check_tested,
    load_catalogue,
    load_register,
    parse_catalogue,
    parse_register,
)

REQUIREMENT = """
[source]
GUIDE = "a guide"

[[requirement]]
id = "R-SES-01"
title = "Each session is closed."
level = "MUST"
basis = "S"
interface = "both"
source = ["GUIDE:page"]
"""

SCENARIO = """
[group]
A = "Ordinary"

[[scenario]]
id = "S-A01"
title = "Tap and charge"
interface = "psp"
requirements = ["R-SES-01"]
"""


def test_the_register_holds_all_133_requirements() -> None:
    register = load_register()
    assert len(register.requirements) == 133
    levels = [row.level for row in register.requirements.values()]
    assert {level: levels.count(level) for level in Level} == {
        Level.MUST: 92,
        Level.SHOULD: 30,
        Level.MAY: 4,
        Level.FACT: 7,
    }


def test_requirement_numbers_have_no_gaps() -> None:
    numbers: dict[str, list[int]] = {}
    for key in load_register().requirements:
        _, area, number = key.split("-")
        numbers.setdefault(area, []).append(int(number))
    assert len(numbers) == 14
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_the_catalogue_holds_all_190_scenarios() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.scenarios) == 190
    assert list(catalogue.groups) == list("ABCDEFGHIJKLMNOPQR")
    sizes = [
        sum(scenario.group == letter for scenario in catalogue.scenarios.values())
        for letter in catalogue.groups
    ]
    assert sizes == [14, 15, 12, 13, 7, 10, 8, 11, 12, 13, 10, 9, 7, 12, 8, 9, 11, 9]


def test_every_requirement_is_tested_by_a_scenario_or_has_a_reason() -> None:
    assert check_tested(load_register(), load_catalogue()) == []


def test_titles_are_unique_sentences() -> None:
    titles = [row.title for row in load_register().requirements.values()]
    assert len(set(titles)) == len(titles)
    assert all(re.fullmatch(r"[A-Z].+\.", title) for title in titles)
    scenarios = [row.title for row in load_catalogue().scenarios.values()]
    assert len(set(scenarios)) == len(scenarios)


def test_every_source_key_is_used() -> None:
    register = load_register()
    used = {
        source.partition(":")[0]
        for row in register.requirements.values()
        for source in row.source
    }
    assert used == set(register.sources)


def test_a_row_becomes_a_typed_requirement() -> None:
    row = parse_register(REQUIREMENT).requirements["R-SES-01"]
    assert (row.level, row.basis, row.interface) == (
        Level.MUST,
        Basis.STATED,
        Interface.BOTH,
    )
    assert row.source == ("GUIDE:page",)
    assert row.deadline == ""
    assert row.note == ""


@pytest.mark.parametrize(
    ("interface", "columns"),
    [
        ("both", COLUMNS),
        ("psp", ("p6x", "apollo")),
        ("cps", ("cps",)),
        ("p6x", ("p6x",)),
        ("apollo", ("apollo",)),
        ("apollo+cps", ("apollo", "cps")),
    ],
)
def test_the_interface_says_where_a_scenario_is_played(
    interface: str, columns: tuple[str, ...]
) -> None:
    text = SCENARIO.replace('"psp"', f'"{interface}"')
    scenario = parse_catalogue(text).scenarios["S-A01"]
    assert scenario.columns == columns
    assert scenario.group == "A"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"MUST"', '"WILL"', r"R-SES-01: level: found 'WILL', allowed MUST, SHOULD"),
        ('"S"', '"X"', r"basis: found 'X', allowed S, D, S\+D"),
        ('"both"', '"usb"', r"interface: found 'usb', allowed both, psp, cps"),
        ("R-SES-01", "R-1", r"id: found 'R-1', allowed the id of a requirement"),
        ('["GUIDE:page"]', '["BLOG"]', r"found source key 'BLOG', allowed GUIDE"),
        ('["GUIDE:page"]', "[]", r"source: found \[\], allowed a list of words"),
        ('["GUIDE:page"]', '["GUIDE", "GUIDE"]', r"allowed each one once"),
        ('"Each session is closed."', '" "', r"title: found ' ', allowed words"),
        ('basis = "S"', "", r"R-SES-01: basis is missing"),
        ('basis = "S"', 'basis = "S"\nowner = 1', r"found key 'owner', allowed id"),
        ("[source]", "[extra]\n[source]", r"found table 'extra', allowed requirement"),
        ("[source]", "implicit = 1\n[source]", r"implicit: found 1, allowed a table"),
        ("[[requirement]]", "[requirement]", r"allowed a list of tables"),
        ("[source]", "[source", r"not a TOML document"),
    ],
)
def test_what_does_not_fit_is_named(old: str, new: str, named: str) -> None:
    assert old in REQUIREMENT
    with pytest.raises(RegisterError, match=named):
        parse_register(REQUIREMENT.replace(old, new, 1))


def test_a_row_that_is_no_table_is_refused() -> None:
    with pytest.raises(RegisterError, match="requirement: found 1, allowed a table"):
        parse_register("requirement = [1]")


def test_an_id_occurs_once() -> None:
    row = REQUIREMENT[REQUIREMENT.index("[[requirement]]") :]
    with pytest.raises(RegisterError, match="R-SES-01: found twice, allowed once"):
        parse_register(REQUIREMENT + row)


def test_a_scenario_needs_a_group_that_exists() -> None:
    text = SCENARIO.replace("S-A01", "S-B01")
    with pytest.raises(RegisterError, match="S-B01: found group 'B', allowed A"):
        parse_catalogue(text)


@pytest.mark.parametrize("table", ["implicit", "untestable"])
def test_a_requirement_that_is_answered_in_words_must_exist(table: str) -> None:
    text = f'[{table}]\nR-SES-02 = "no way to see it"\n' + REQUIREMENT
    with pytest.raises(RegisterError, match="requirement 'R-SES-02', allowed R-SES-01"):
        parse_register(text)


def test_long_lists_of_what_is_allowed_are_cut_short() -> None:
    sources = "\n".join(f'K{n} = "k"' for n in range(10))
    text = REQUIREMENT.replace('GUIDE = "a guide"', sources)
    with pytest.raises(RegisterError, match="K7 and 2 more"):
        parse_register(text)


def test_register_and_catalogue_are_held_against_each_other() -> None:
    register = parse_register(REQUIREMENT)
    stray = parse_catalogue(SCENARIO.replace("R-SES-01", "R-SES-09"))
    assert check_tested(register, parse_catalogue(SCENARIO)) == []
    assert check_tested(register, stray) == [
        "S-A01: tests R-SES-09, which is not in the register",
        "R-SES-01: no scenario tests it, [untestable] gives no reason",
    ]
    excused = parse_register('[untestable]\nR-SES-01 = "unseen"\n' + REQUIREMENT)
    assert check_tested(excused, parse_catalogue(SCENARIO)) == []
    assert len(check_tested(excused, stray)) == 1
