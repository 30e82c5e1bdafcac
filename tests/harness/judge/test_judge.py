"""The judge as a function: it never raises, it is fast, and wrong makes worse."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge import (
    Conduct,
    Settlement,
    judge,
    load,
    worst_conduct,
    worst_settlement,
)
from harness.judge.facts import Answer
from harness.judge.frames import closes_in, is_sound
from harness.judge.promises import Promises
from harness.judge.reading import numbers, numeral, strings_in, words
from harness.judge.spans import Span, spans_of
from harness.judge.talk import passes_luhn
from harness.judge.verdict import CONDUCT_ORDER, SETTLEMENT_ORDER
from wire.records import KINDS

Records = Callable[..., list[dict[str, Any]]]

# --- Arbitrary traces -----------------------------------------------------------


def _split(text: str, sep: str | None = None) -> list[str]:
    return text.split(sep)


WORDS = st.sampled_from(
    _split(
        """
        to_terminal to_controller to_charger delivered lost changed psp bay host cloud
        up down opened committed cancelled refused expired updated tap plug unplug park
        press visa amex Ada Bob A B C D E F contactor meter welcome fault rejected
        available emergency_stop show alarm start stop cancel E4 E5 E6 E7 E8 E9 E10
        card session killed started ready planned hit healed idle cut reset AUTHORIZED
        COMMITED FAILED CANCELLED GroundFailure good suspect s1 s2 h1 h2 captured
        hold_opened ended commit update cps terminal
        """
    )
)
SMALL = st.integers(-1, 70_000)
SCALARS = st.none() | st.booleans() | SMALL | WORDS
LINES = st.dictionaries(
    st.sampled_from(
        _split(
            """
            type connector pilot closed close energy_wh power_w quality code active
            button command occupied available connectors contactor_closed faults text
            """
        )
    ),
    SCALARS | st.lists(st.dictionaries(WORDS, SCALARS, max_size=3), max_size=2),
)
MESSAGES = st.fixed_dictionaries(
    {
        "message": st.sampled_from(
            _split(
                "Auth Session|Commit Session|Void Session|Session Approved|Result|"
                "Setup|List Sessions Response|Cancel Session|Remove Sessions|Reset|"
                "Card Read|Get Status|Session Declined|UI Request",
                "|",
            )
        ),
        "fields": st.dictionaries(
            st.sampled_from(
                _split("session_id amount_minor result reason action session_ids")
            ),
            st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=3),
        ),
    }
)
BODIES = st.dictionaries(
    st.sampled_from(["sessionId", "state", "cardId", "session", "sessions"]), SCALARS
)
FIELDS = {
    "line": LINES,
    "messages": st.lists(MESSAGES, max_size=2),
    "psp_session_id": st.integers(0, 3),
    "session_id": st.sampled_from(["", "s1", "s2"]),
    "amount_minor": SMALL,
    "call": st.integers(0, 3),
    "status": st.sampled_from([200, 204, 400, 401, 409, 500, 503]),
    "body": BODIES | st.lists(BODIES, max_size=2) | SCALARS,
    "query": st.dictionaries(st.just("commitAmount"), SCALARS),
    "connector": st.integers(0, 2) | st.none(),
    "hex": st.just("CC 06 3C 33 00 00 00 01 42") | WORDS,
}


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    record: dict[str, Any] = {"kind": kind}
    for name in KINDS[kind].fields:
        key = name.rstrip("?")
        record[key] = draw(FIELDS.get(key, SCALARS))
    return record


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), max_size=25), st.sampled_from(["psp", "cps"]))
def test_no_trace_makes_the_judge_stumble(
    found: list[dict[str, Any]], interface: str
) -> None:
    run = {"kind": "run", "declaration": {"claims": {"interface": interface}}}
    t_ms = 0
    for seq, record in enumerate([run, *found]):
        t_ms += (0, 1, 1000, 59_000, 400_000)[seq * 7 % 5]
        record.update(seq=seq, t_ms=t_ms)
    judgement = judge([run, *found])
    assert judgement.conduct in CONDUCT_ORDER
    assert judgement.green in (True, False)


@given(st.lists(st.dictionaries(st.text(max_size=4), SCALARS), max_size=5))
def test_nonsense_is_an_error_and_never_a_crash(found: list[dict[str, Any]]) -> None:
    assert judge(found).conduct is Conduct.ERROR


# --- Wrong makes worse ----------------------------------------------------------

CHARGE = """
0     said welcome 1:A:open:1000
1     tap Ada visa
2     store opened 66 5000 visa
2     < AA 06 3C 31 : Session Approved session_id=66
10    plug Ada 1
10    said plug 1 B
11    said contactor 1 closed
12    said plug 1 C
1200  said contactor 1 open
1200  said meter 1 5000 0
1200  said plug 1 A
1201  > CC 0A : Commit Session session_id=66 amount_minor=200
1201  store committed 66 200
1201  < AA 03 3C 00 00 E9 : Result result=0
"""


@settings(max_examples=25, deadline=None)
@given(at=st.integers(1202, 600_000), amount=st.none() | st.integers(0, 9000))
def test_one_close_too_many_is_always_seen(at: int, amount: int | None) -> None:
    wrong = "Void Session session_id=66"
    if amount is not None:
        wrong = f"Commit Session session_id=66 amount_minor={amount}"
    script = f"{CHARGE}\n{at} > CC : {wrong}"
    judgement = judge(_expand(script))
    assert judgement.settlement is Settlement.TWICE
    assert not judgement.green


@settings(max_examples=25, deadline=None)
@given(amount=st.integers(0, 9000))
def test_only_the_right_amount_is_right(amount: int) -> None:
    judgement = judge(
        _expand(CHARGE.replace("=200", f"={amount}").replace("66 200", f"66 {amount}"))
    )
    assert judgement.green == (amount == 200)


@settings(max_examples=25, deadline=None)
@given(delay_s=st.integers(0, 1000))
def test_later_is_never_better(delay_s: int) -> None:
    script = CHARGE.replace("\n1201", f"\n{1200 + delay_s}")
    settlement = judge(_expand(script)).settlement
    assert settlement is (Settlement.CLOSED if delay_s <= 60 else Settlement.LATE)


_EXPANDERS: list[Records] = []


def _expand(script: str) -> list[dict[str, Any]]:
    return _EXPANDERS[0](script)


@pytest.fixture(autouse=True)
def _expander(records_of: Records) -> None:
    """Hypothesis runs one test body many times; the expander holds no state."""
    _EXPANDERS[:] = [records_of]


# --- The worst wins -------------------------------------------------------------


def test_the_worst_wins() -> None:
    assert worst_conduct([]) is Conduct.PASS
    assert worst_conduct(CONDUCT_ORDER) is Conduct.ERROR
    assert worst_conduct([Conduct.INCONCLUSIVE, Conduct.FAIL]) is Conduct.FAIL
    assert worst_settlement([]) is None
    assert worst_settlement(SETTLEMENT_ORDER) is Settlement.LEFT_OPEN
    assert set(CONDUCT_ORDER) == set(Conduct)
    assert set(SETTLEMENT_ORDER) == set(Settlement)


# --- Loading --------------------------------------------------------------------


def test_a_stored_trace_is_judged_as_the_live_one() -> None:
    live = _expand(CHARGE)
    stored = load([*(json.dumps(record) for record in live), "\n"])
    assert stored == live
    assert judge(stored) == judge(live)


def test_a_line_that_is_no_record_is_named() -> None:
    with pytest.raises(ValueError, match=r"line 2: found '\[1\]', allowed an object"):
        load(["{}", "[1]"])


# --- Speed ----------------------------------------------------------------------


POLL = "< AA 04 3C 26 10 01 21 : Get Status Response state=16"


def test_a_thousand_records_are_judged_at_once() -> None:
    """Twenty charges in a row, some 10 ms; the limit is for a busy machine."""
    script = "0 said welcome 1:A:open:1000"
    for n in range(20):
        charge = CHARGE.split("1:A:open:1000")[1].replace("66", str(n + 10))
        charge = charge.replace("meter 1 5000", f"meter 1 {5000 + 4000 * n}")
        for line in charge.strip().splitlines():
            at, _, rest = line.partition(" ")
            script += f"\n{float(at) + n * 4000} {rest}"
        polls = range(1210 + n * 4000, 1250 + n * 4000)
        script += "".join(f"\n{at} {POLL}" for at in polls)
    trace = _expand(script)
    assert len(trace) > 1000
    best = min(_seconds(trace) for _ in range(3))
    assert judge(trace).green
    assert best < 0.5


def _seconds(trace: list[dict[str, Any]]) -> float:
    start = time.perf_counter()
    judge(trace)
    return time.perf_counter() - start


# --- Small parts ----------------------------------------------------------------


def test_closes_in_raw_bytes() -> None:
    commit = "CC 0A 3C 35 00 00 00 42 00 00 04 D2 5F"
    assert list(closes_in(commit)) == [
        ("Commit Session", {"session_id": 0x42, "amount_minor": 1234})
    ]
    extended = "CC 00 00 00 06 3C 33 00 00 00 0A 4B"
    assert list(closes_in(f"00 {extended}")) == [("Void Session", {"session_id": 10})]
    assert not list(closes_in("CC 02 3C 26 30"))
    assert not list(closes_in("not hex"))


@pytest.mark.parametrize(
    ("data", "sound"),
    [
        ("AA 03 3C 00 00 E9", True),
        ("CC 06 3C 33 00 00 00 0A 4B", True),
        ("AA 00 00 00 04 3C 21 03 66 74", True),
        ("FF 00 AA 03 3C 00 00 E9", True),
        ("AA 03 3C 00 00 E8", False),
        ("AA 03 3C 00", False),
        ("AA 01 3C 00", False),
        ("AA", False),
        ("BB 03 3C 00 00 E9", False),
        ("", False),
        ("**", False),
    ],
)
def test_a_sound_block_in_the_bytes(data: str, sound: bool) -> None:
    assert is_sound(data) is sound


def test_reading_what_somebody_else_wrote() -> None:
    assert numeral({"n": "12"}, "n") == 12
    assert numeral({"n": "1.5"}, "n") is None
    assert numeral({"n": 3}, "n") == 3
    assert numbers({"n": [1, True, "2", 3]}, "n") == (1, 3)
    assert numbers({"n": "123"}, "n") == ()
    assert words({"w": ["a", 1, "b"]}, "w", ()) == ("a", "b")
    assert words({}, "w", ("x",)) == ("x",)
    deep: Any = ["end"]
    for _ in range(9):
        deep = {"in": deep}
    assert list(strings_in({"a": ["b", 3, {"c": "d"}]})) == ["b", "d"]
    assert not list(strings_in(deep))


def test_the_column_fills_in_what_the_claims_leave_out() -> None:
    assert Promises.read({}, "cps").claims.interface == "cps"
    assert Promises.read({}, "p6x").claims.terminal == "p6x"
    claims = {"claims": {"terminal": "apollo"}}
    assert Promises.read(claims, "p6x").claims.terminal == "apollo"
    assert Promises.read({}).claims.auth_limit_ms == 210_000
    assert Promises.read({}, "p6x").claims.auth_limit_ms == 30_000


def test_spans() -> None:
    changes = [(1, True), (2, False), (3, False), (5, True), (8, False)]
    assert spans_of(changes, "x") == (Span(2, 5, "x"), Span(8, why="x"))


@pytest.mark.parametrize("fate", ["delivered", "lost"])
def test_facts_keep_their_place(fate: str) -> None:
    answer = Answer(seq=3, t_ms=4, status=200, body=None, fate=fate)
    assert (answer.seq, answer.t_ms, answer.fate) == (3, 4, fate)


def test_the_check_digit_of_card_numbers() -> None:
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")
