"""Every kind of trace record reads as one line, and nothing makes a line fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.words import MAX_LENGTH, WORDS, clock, in_words, tail_in_words
from wire.records import KINDS


def test_every_kind_of_record_has_words() -> None:
    assert set(WORDS) == set(KINDS)


LINES: list[tuple[dict[str, object], str]] = [
    (
        {"kind": "run", "scenario": "Tap", "column": "p6x", "seed": 7},
        "run begins              Tap, column p6x, seed 7",
    ),
    (
        {"kind": "step", "keyword": "When", "text": "the driver taps"},
        "step                    When the driver taps",
    ),
    (
        {"kind": "act", "act": "remove_card", "driver": "Ada", "card": "visa"},
        "Ada                     remove card, card visa",
    ),
    (
        {
            "kind": "psp",
            "direction": "to_terminal",
            "fate": "delivered",
            "messages": [{"message": "Void Session", "fields": {"session_id": 66}}],
        },
        "controller -> terminal  Void Session 66",
    ),
    (
        {
            "kind": "psp",
            "direction": "to_controller",
            "fate": "changed",
            "messages": [
                {"message": "Result", "fields": {"result": 0}},
                {"malformed": "too short"},
                "odd",
                {},
            ],
        },
        "terminal -> controller  Result, result 0; a malformed block (too short); "
        "odd; ? (changed on the way)",
    ),
    (
        {"kind": "psp", "direction": "to_terminal", "fate": "lost", "hex": "CC 06"},
        "controller -> terminal  2 bytes, no whole message (lost on the way)",
    ),
    (
        {"kind": "http", "method": "POST", "target": "/x", "authorised": False},
        "controller -> cloud     POST /x with a wrong key",
    ),
    (
        {"kind": "http_answer", "call": 3, "status": 200, "body": {"state": "IDLE"}},
        'cloud -> controller     answers call 3: 200 {"state": "IDLE"}',
    ),
    (
        {"kind": "http_answer", "call": 3, "status": 204, "body": None},
        "cloud -> controller     answers call 3: 204 no JSON",
    ),
    (
        {"kind": "http_failed", "call": 3, "reason": "reset"},
        "cloud -> controller     no answer to call 3: reset",
    ),
    (
        {"kind": "callback", "callback": 1, "what": "card", "body": {}, "fate": "lost"},
        "cloud -> controller     card callback 1: {} (lost on the way)",
    ),
    (
        {"kind": "callback_answer", "callback": 1, "status": 200},
        "controller -> cloud     answers callback 1: 200",
    ),
    (
        {
            "kind": "bay",
            "direction": "to_charger",
            "line": {"type": "contactor", "connector": 1, "close": True},
        },
        "controller -> charger   contactor, connector 1, close True",
    ),
    (
        {"kind": "bay", "direction": "to_controller", "line": [1]},
        "charger -> controller   [1]",
    ),
    (
        {"kind": "link", "link": "psp", "state": "down", "reason": "reset"},
        "link                    psp link down, reason reset",
    ),
    (
        {
            "kind": "session",
            "event": "opened",
            "session_id": "abc",
            "psp_session_id": 66,
            "card": "visa",
            "amount_minor": 5000,
        },
        "terminal                session 66 (abc) opened, card visa, amount minor 5000",
    ),
    (
        {"kind": "issuer", "event": "hold_opened", "hold": "h1"},
        "card issuer             hold opened, hold h1",
    ),
    (
        {"kind": "charger", "event": "emergency_stop", "active": True},
        "charger                 emergency stop, active True",
    ),
    (
        {"kind": "reader", "face": "psp", "state": "WAIT_CARD"},
        "terminal                PSP state WAIT_CARD",
    ),
    (
        {"kind": "display", "screen": "card", "text": "Present card"},
        "terminal shows          card: Present card",
    ),
    (
        {"kind": "controller", "event": "killed", "boot": 1},
        "controller              killed, boot 1",
    ),
    (
        {"kind": "fault", "event": "hit", "name": "lose_block", "detail": "Result"},
        "fault                   lose_block hit, detail Result",
    ),
    ({"kind": "seen", "mark": "reserved"}, "seen                    reserved"),
    (
        {"kind": "finding", "requirement": "R-SES-01", "expected": "a", "seen": "b"},
        "breach of R-SES-01      expected a; seen b",
    ),
    ({"kind": "epilogue", "event": "begun"}, "epilogue                begun"),
    ({"kind": "weather", "sun": 1, "seq": 4}, 'weather                 {"sun": 1}'),
]


@pytest.mark.parametrize(("record", "line"), LINES)
def test_a_record_reads_as_a_line(record: dict[str, object], line: str) -> None:
    assert in_words({"t_ms": 300_012, **record}) == f"00:05:00.012  {line}"


def test_every_kind_has_an_example_above() -> None:
    assert set(KINDS) <= {record["kind"] for record, _ in LINES}


@pytest.mark.parametrize(
    ("t_ms", "words"),
    [
        (0, "00:00:00.000"),
        (86_399_999, "23:59:59.999"),
        (2 * 86_400_000 + 3_600_001, "2d 01:00:00.001"),
        (None, "??:??:??.???"),
        (True, "??:??:??.???"),
        (-1, "??:??:??.???"),
    ],
)
def test_the_clock_counts_from_the_start_of_the_run(t_ms: object, words: str) -> None:
    assert clock(t_ms) == words


def test_the_tail_is_the_end_of_the_trace() -> None:
    records = [{"kind": "seen", "t_ms": n, "mark": str(n)} for n in range(30)]
    tail = tail_in_words(records, 2)
    assert [line.split()[-1] for line in tail] == ["28", "29"]
    assert len(tail_in_words(records)) == 12


def test_long_bodies_and_lines_are_cut() -> None:
    body = {"kind": "http_answer", "body": "x" * 500}
    assert in_words(body).endswith("x…")
    line = in_words({"kind": "step", "text": "y" * 500})
    assert len(line) == MAX_LENGTH
    assert line.endswith("…")


names = st.sampled_from([*KINDS, "other"])
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
fields = sorted({key.rstrip("?") for kind in KINDS.values() for key in kind.fields})


@settings(max_examples=100, deadline=None)
@given(
    kind=names,
    record=st.dictionaries(st.sampled_from([*fields, "t_ms"]), values, max_size=8),
)
def test_any_record_gives_one_printable_line(
    kind: str, record: dict[str, object]
) -> None:
    line = in_words({**record, "kind": kind})
    assert line.isprintable()
    assert len(line) <= MAX_LENGTH
