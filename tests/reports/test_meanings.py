"""An id means what it meant: every part of a requirement is in its digest."""

from dataclasses import replace

import pytest

from reports.meanings import Meanings, digest, meaning_problems, parse_meanings
from reports.register import (
    Basis,
    Interface,
    Level,
    Register,
    RegisterError,
    Requirement,
)

ONE = Requirement(
    id="R-SES-01",
    title="Each session is closed.",
    level=Level.MUST,
    basis=Basis.STATED,
    interface=Interface.BOTH,
    source=("EV-SM", "PSP-SM"),
    deadline="at once",
    note="a note",
)


def register(*rows: Requirement) -> Register:
    return Register(
        requirements={row.id: row for row in rows},
        sources={},
        partly={},
        implicit={},
        untestable={},
    )


OTHERS = [
    replace(ONE, id="R-SES-02"),
    replace(ONE, title="Each session is opened."),
    replace(ONE, level=Level.SHOULD),
    replace(ONE, basis=Basis.DERIVED),
    replace(ONE, interface=Interface.PSP),
    replace(ONE, source=("EV-SM",)),
    replace(ONE, deadline=""),
    replace(ONE, note=""),
    replace(ONE, deadline="at oncea", note=" note"),
]


def test_whatever_changes_gives_another_digest() -> None:
    found = [digest(one) for one in (ONE, *OTHERS)]
    assert len(set(found)) == len(found)
    assert digest(replace(ONE)) == digest(ONE)


@pytest.mark.parametrize("other", OTHERS[1:])
def test_a_changed_meaning_is_named_with_its_new_digest(other: Requirement) -> None:
    meanings = Meanings(digests={"R-SES-01": digest(ONE)}, retired={})
    assert meaning_problems(register(ONE), meanings) == []
    assert meaning_problems(register(other), meanings) == [
        "R-SES-01: means something else now; if that is meant: "
        f'R-SES-01 = "{digest(other)}"'
    ]


def test_new_gone_and_retired_ids_are_named() -> None:
    nothing = Meanings(digests={}, retired={})
    (new,) = meaning_problems(register(ONE), nothing)
    assert new.startswith("R-SES-01: new; if that is meant, [meaning] gets R-SES-01 = ")
    gone = Meanings(digests={"R-SES-01": digest(ONE)}, retired={})
    (said,) = meaning_problems(register(), gone)
    assert said.startswith("R-SES-01: gone; its line moves to [retired]")
    retired = Meanings(digests={}, retired={"R-SES-01": "sessions"})
    assert meaning_problems(register(), retired) == []
    (again,) = meaning_problems(register(ONE), retired)
    assert again == "R-SES-01: retired as 'sessions'; take a new id"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[meaning", "not a TOML document"),
        ("[meaning]\n[more]\n", "found meaning, more, allowed meaning and retired"),
        ("[meaning]\nR-1 = 'x'\n", "found R-1 = 'x', allowed R-SES-01 = text"),
        ("[retired]\nR-SES-01 = 3\n", "found R-SES-01 = 3, allowed"),
    ],
)
def test_a_file_of_digests_that_does_not_fit(text: str, complaint: str) -> None:
    with pytest.raises(RegisterError, match=complaint):
        parse_meanings(text)
