"""Coverage: every scenario id is played, excused with a reason, or an error."""

import pytest

from reports.coverage import (
    Played,
    catalogue_problems,
    parse_reasons,
    scenario_coverage,
    tag_problems,
)
from reports.register import RegisterError, parse_catalogue, parse_register

REGISTER = parse_register(
    '[source]\nG = "guide"\n'
    + "".join(
        f'[[requirement]]\nid = "R-SES-0{n}"\ntitle = "T{n}."\nlevel = "MUST"\n'
        'basis = "S"\ninterface = "both"\nsource = ["G"]\n'
        for n in (1, 2, 3)
    )
)
CATALOGUE = parse_catalogue(
    '[group]\nA = "Ordinary"\n'
    + "".join(
        f'[[scenario]]\nid = "S-A0{n}"\ntitle = "T{n}"\ninterface = "both"\n'
        f'requirements = ["R-SES-0{n}"]\n'
        for n in (1, 2)
    )
)
REASON = "the bench cannot do this yet"


def played(*tags: str) -> Played:
    return Played(feature="a.feature", title="One", tags=tags)


def test_a_scenario_is_automated_excused_or_missing() -> None:
    lines = scenario_coverage(CATALOGUE, [played("@S-A01")], {})
    assert [(line.scenario_id, line.status) for line in lines] == [
        ("S-A01", "automated"),
        ("S-A02", "missing"),
    ]
    excused = scenario_coverage(CATALOGUE, [], {"S-A02": REASON})[1]
    assert (excused.status, excused.reason) == ("not automated", REASON)


def test_missing_contradicting_and_unknown_scenarios_are_problems() -> None:
    reasons = {"S-A01": REASON, "S-A09": REASON}
    assert catalogue_problems(CATALOGUE, [played("S-A01")], reasons) == [
        "S-A01: played by a.feature, yet in not_automated.toml",
        "S-A02: no feature plays it, no reason is given",
        "S-A09: in not_automated.toml, but not in the catalogue",
    ]
    both = [played("S-A01"), played("S-A02")]
    assert catalogue_problems(CATALOGUE, both, {}) == []


def test_a_question_is_neither_played_nor_excused() -> None:
    one = [played("S-A01")]
    lines = scenario_coverage(CATALOGUE, one, {}, questions=["S-A02"])
    assert [line.status for line in lines] == ["automated", "question"]
    assert catalogue_problems(CATALOGUE, one, {}, questions=["S-A02"]) == []
    reasons = {"S-A02": REASON}
    wrong = catalogue_problems(
        CATALOGUE, one, reasons, questions=["S-A01", "S-A02", "S-A09"]
    )
    assert wrong == [
        "S-A01: played by a.feature, yet in the questions",
        "S-A02: in not_automated.toml and in the questions",
        "S-A09: a question, but not in the catalogue",
    ]


def test_tags_must_be_there_once_and_exist() -> None:
    good = played("@S-A01", "@R-SES-01", "@must")
    assert tag_problems(REGISTER, CATALOGUE, [good]) == []
    bad = [played("@must"), played("@S-A01", "@S-A09", "@R-SES-09")]
    assert tag_problems(REGISTER, CATALOGUE, bad) == [
        "a.feature: One: found scenario ids none, allowed exactly one",
        "a.feature: One: found no requirement id, allowed one or more",
        "a.feature: One: found scenario ids S-A01, S-A09, allowed exactly one",
        r"a.feature: One: found @S-A09, allowed an id that exists, "
        r"of the form S-[A-Z]\d{2}",
        r"a.feature: One: found @R-SES-09, allowed an id that exists, "
        r"of the form R-[A-Z]{2,3}-\d{2}",
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[not_automated", "not a TOML document"),
        ("", "found nothing, allowed one table: not_automated"),
        ("[not_automated]\n[more]", "found not_automated, more, allowed one table"),
        (f'[not_automated]\nA01 = "{REASON}"', "found 'A01', allowed a scenario id"),
        ('[not_automated]\nS-A01 = "later"', "S-A01: found 'later', allowed a reason"),
        ("[not_automated]\nS-A01 = 1", "S-A01: found 1, allowed a reason"),
    ],
)
def test_reasons_that_are_none_are_refused(text: str, named: str) -> None:
    with pytest.raises(RegisterError, match=named):
        parse_reasons(text)


def test_reasons_are_read() -> None:
    text = f'[not_automated]\nS-A01 = "{REASON}"'
    assert parse_reasons(text) == {"S-A01": REASON}
