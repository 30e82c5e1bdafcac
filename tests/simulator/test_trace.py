"""The trace: what it keeps, in which order, and what it must never keep.

The numbers below that pass the Luhn check are put together here, so that none stands in
this file.
"""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import trace as trace_module
from simulator.trace import Trace, TraceFull, hex_pairs, luhn_valid, mask, mask_text
from wire.records import Record

ELEVEN = "4" + "1" * 15
FINE = "4" + "1" * 13 + "23"


def test_luhn_knows_a_card_number_from_a_number() -> None:
    assert luhn_valid(ELEVEN)
    assert not luhn_valid(FINE)


def test_a_card_number_is_masked_before_it_is_kept() -> None:
    trace = Trace()
    trace.append(0, "bay", {"line": {"text": f"card {ELEVEN} used", "n": int(ELEVEN)}})
    kept = trace.render()
    assert ELEVEN not in kept
    assert "411111******1111" in kept
    assert kept.count("411111******1111") == 2


def test_what_is_no_card_number_stays() -> None:
    assert mask_text(FINE) == FINE
    assert mask([FINE, 12, None, True, {"a": (FINE,)}]) == [
        FINE,
        12,
        None,
        True,
        {"a": [FINE]},
    ]


def test_a_card_number_in_bytes_is_starred_out() -> None:
    shown = hex_pairs(ELEVEN.encode())
    assert shown.split()[:6] == ["34", "31", "31", "31", "31", "31"]
    assert shown.split()[6:12] == ["**"] * 6
    assert hex_pairs(b"\xcc\x02") == "CC 02"


@given(st.text("0123456789 -x", max_size=60))
def test_no_valid_run_survives(text: str) -> None:
    runs = re.findall(r"(?<!\d)\d{13,19}(?!\d)", mask_text(text))
    assert not [run for run in runs if luhn_valid(run)]
    assert len(mask_text(text)) == len(text)


FOUR = ELEVEN[:4] + " 1111" * 3
AMEX = "-".join(("3782", "822463", "1" + "0" * 3 + "5"))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"card {FOUR}", "card 4111 11** **** 1111"),
        (FOUR.replace(" ", "-"), "4111-11**-****-1111"),
        (AMEX, "3782-82****-*0005"),
        (ELEVEN.encode().hex(" "), "34 31 31 31 31 31" + " **" * 6 + " 31" * 4),
    ],
)
def test_a_card_number_in_groups_is_masked(said: str, kept: str) -> None:
    assert mask_text(said) == kept


@pytest.mark.parametrize(
    "text",
    [
        "5e551000-0000-4000-8000-000000000001",
        "2026-03-04T09:00:00.000+00:00",
        "CC 02 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31",
        FOUR[:-1] + "2",
    ],
)
def test_what_only_looks_like_groups_stays(text: str) -> None:
    assert mask_text(text) == text


# --- Whoever says a card number has committed a breach ----------------------------

SAID: list[tuple[str, dict[str, object]]] = [
    ("bay", {"direction": "to_charger", "line": {"type": "show", "text": ELEVEN}}),
    ("bay", {"direction": "to_charger", "line": {"pan": int(ELEVEN)}}),
    ("bay", {"direction": "to_charger", "line": {ELEVEN: 1}}),
    ("psp", {"direction": "to_terminal", "messages": [{"fields": {"text": FOUR}}]}),
    ("psp", {"direction": "to_terminal", "hex": hex_pairs(ELEVEN.encode())}),
    ("http", {"target": "/x", "query": {"uiMessage": ["Hello", AMEX]}}),
]


@pytest.mark.parametrize(("kind", "fields"), SAID)
def test_a_card_number_from_the_controller_is_a_finding(
    kind: str, fields: dict[str, object]
) -> None:
    trace = Trace()
    for _ in range(3):
        trace.append(4, kind, fields)
    found = [record for record in trace.records if record["kind"] == "finding"]
    assert [record["requirement"] for record in found] == ["R-UI-07"], "once is enough"
    assert found[0]["seq"] == 1
    assert found[0]["t_ms"] == 4
    assert ELEVEN not in trace.render()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("bay", {"direction": "to_controller", "line": {"text": ELEVEN}}),
        ("psp", {"direction": "to_controller", "hex": hex_pairs(ELEVEN.encode())}),
        ("step", {"keyword": "Given", "text": ELEVEN}),
        # A millisecond clock that passes the check by chance.
        ("bay", {"direction": "to_charger", "line": {"at": 1_700_000_000_004}}),
        ("bay", {"direction": "to_charger", "line": {"text": mask_text(FOUR)}}),
    ],
)
def test_what_the_controller_has_not_said_is_no_finding(
    kind: str, fields: dict[str, object]
) -> None:
    trace = Trace()
    trace.append(0, kind, fields)
    assert len(trace.records) == 1


def test_records_are_numbered_and_rendered_one_a_line() -> None:
    trace = Trace()
    seen: list[object] = []
    trace.watchers.append(seen.append)
    trace.append(5, "seen", {"mark": "ä"})
    trace.append(7, "epilogue", {"event": "begun"})
    lines = trace.render().splitlines()
    assert lines[0] == '{"seq":0,"t_ms":5,"kind":"seen","mark":"\\u00e4"}'
    assert json.loads(lines[1])["seq"] == 1
    assert len(seen) == 2


def test_an_unknown_kind_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"'gossip': allowed are run, step"):
        Trace().append(0, "gossip", {})


def test_a_trace_has_a_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "MAX_RECORDS", 2)
    trace = Trace()
    for _ in range(2):
        trace.append(0, "seen", {"mark": "x"})
    with pytest.raises(TraceFull, match="more than 2 records"):
        trace.append(0, "seen", {"mark": "x"})


def test_numbers_go_on_when_the_records_are_forgotten() -> None:
    trace = Trace()
    trace.append(0, "seen", {"mark": "first"})
    trace.append(1, "seen", {"mark": "second"})
    trace.forget()
    assert (trace.records, trace.forgotten) == ([], 2)
    assert trace.append(2, "seen", {"mark": "third"})["seq"] == 2


def test_a_watcher_may_forget_and_a_leak_is_still_noted() -> None:
    trace = Trace()
    seen: list[Record] = []
    trace.watchers += [seen.append, lambda _record: trace.forget()]
    number = "4" + "1" * 15
    trace.append(0, "bay", {"direction": "to_charger", "line": {"text": number}})
    assert [one["kind"] for one in seen] == ["bay", "finding"]
    assert [one["seq"] for one in seen] == [0, 1]
    assert "record 0" in str(seen[1]["seen"])
