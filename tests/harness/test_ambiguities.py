"""The ambiguity register is complete, and the questions are made of it."""

from pathlib import Path

from harness.ambiguities import SOURCES, entries
from harness.questions import in_order, questions, scenarios, weight
from harness.readings import SWITCHES
from reports.register import load_register
from wire.psp import REGISTER

ROOT = Path(__file__).resolve().parents[2]
IDS = [
    *(f"A{n}" for n in range(1, 39)),
    *(f"C{n}" for n in range(1, 19)),
    *(f"9.1.{n}" for n in range(1, 16)),
    *(f"9.2.{n}" for n in range(1, 11)),
    *(f"9.3.{n}" for n in range(1, 12)),
    "9.4",
    *(f"R4.{n}" for n in range(1, 23)),
]


def test_every_open_point_is_listed_once_and_in_order() -> None:
    assert list(entries()) == IDS
    assert list(REGISTER) == IDS[:56]


def test_every_switch_plays_an_open_point() -> None:
    every = entries().values()
    played = {(one.interface, one.name) for e in every for one in e.switches}
    for face, table in SWITCHES.items():
        for name in table:
            assert (face, name) in played, name


def test_every_entry_asks_or_says_why_not() -> None:
    for one in entries().values():
        assert one.about, one.id
        words = [bool(one.ask), bool(one.why_not), bool(one.see)]
        assert words.count(True) == 1, one.id
        if one.ask:
            assert one.ask.endswith("?"), one.id
            assert one.depends, one.id
            assert one.changes, one.id
            assert one.switches or one.note or one.readings, one.id


def test_what_depends_exists() -> None:
    known = load_register().requirements
    for one in entries().values():
        assert set(one.requirements) <= set(known), one.id


def test_the_weightiest_questions_come_first() -> None:
    every = entries()
    text = questions()
    asked = [one for one in every.values() if one.ask]
    places = {one.id: text.index(f". {one.ask}\n\n") for one in asked}
    ordered = sorted(asked, key=lambda one: places[one.id])
    assert ordered == in_order()
    for source in SOURCES:
        weights = [weight(one) for one in ordered if one.source == source]
        assert weights == sorted(weights, reverse=True)
        assert weights
    assert scenarios(every["A17"])


def test_the_first_ten_are_named_at_the_top() -> None:
    top, _, _ = questions().partition("\n### 1. ")
    heaviest = sorted(in_order(), key=weight, reverse=True)[:10]
    assert all(f" {one.ask}\n" in top for one in heaviest)


def test_a_reader_needs_no_other_paper() -> None:
    text = questions()
    for one in in_order():
        for name in one.requirements:
            assert f"- {name} (" in text, name
    assert "assumes `0x26`" in text
    assert "`POST /terminals/{serialNumber}/sessions/{sessionId}/commit`" in text
    assert "Is the first attempt" in text or "Does the first attempt" in text


def test_every_id_stands_in_the_questions() -> None:
    text = questions()
    for ident in IDS:
        assert ident in text, ident


def test_the_document_is_fresh() -> None:
    found = (ROOT / "docs" / "questions-to-payter.md").read_text(encoding="utf-8")
    assert found == questions(), "nohold questions > docs/questions-to-payter.md"
