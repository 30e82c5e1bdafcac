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
