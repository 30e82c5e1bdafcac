"""The session store: identifiers, lives, and what it says of every change."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.terminal import sessions as module
from simulator.terminal.outbox import Outbox
from simulator.terminal.sessions import (
    Expiry,
    Session,
    SessionState,
    SessionStore,
    looks_like_a_card,
)

_NUMBER = "4" + "1" * 15
_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


def _draft(**fields: object) -> Session:
    known: dict[str, object] = {
        "session_id": "",
        "psp_session_id": 0,
        "hold": "H1",
        "card": "visa",
        "card_id": "AB",
        "masked_pan": "",
        "via": "psp",
        "authorised_minor": 5000,
        "opened_at_ms": 0,
    }
    return Session(**(known | fields))  # type: ignore[arg-type]  # names of the fields


class _Chance(random.Random):
    """Gives these bits first, then chance."""

    def __init__(self, first: list[int]) -> None:
        super().__init__(1)
        self._first = first

    def getrandbits(self, k: int, /) -> int:
        return self._first.pop(0) if self._first else super().getrandbits(k)


@given(st.integers(0, 2**32))
def test_identifiers_are_unique_and_no_card_numbers(seed: int) -> None:
    store = SessionStore(Outbox(), random.Random(seed))
    opened = [store.open(_draft()) for _ in range(20)]
    assert len({one.session_id for one in opened}) == 20
    numbers = [one.psp_session_id for one in opened]
    assert numbers == sorted(set(numbers))
    assert 0 < numbers[0] < numbers[-1] <= 0xFFFFFFFF
    for one in opened:
        assert _UUID.fullmatch(one.session_id)
        assert not looks_like_a_card(one.session_id)


def test_an_identifier_that_looks_like_a_card_is_drawn_again() -> None:
    # A four and fifteen ones pass the check; put together, lest this file hold one.
    unlucky = int(_NUMBER[:12] + "4" + "1" * 3 + "8" + "1" * 15, 16)
    assert looks_like_a_card(f"{unlucky:032x}")
    store = SessionStore(Outbox(), _Chance([unlucky]))
    drawn = store.open(_draft()).session_id
    assert drawn.replace("-", "") != f"{unlucky:032x}"
    assert not looks_like_a_card(drawn)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"x{_NUMBER}x", True),
        ("-".join(("4111", *["1" * 4] * 3)), True),
        ("x0000000000001x", False),
        (f"9999{_NUMBER}", True),
        ("411111", False),
        ("A0000000031010", False),
        ("A0000000041010", False),
        ("A000000025010801", False),
    ],
)
def test_what_looks_like_a_card(text: str, is_one: bool) -> None:
    assert looks_like_a_card(text) == is_one


def test_every_change_is_noted_and_every_view_agrees() -> None:
    out = Outbox()
    store = SessionStore(out, random.Random(1))
    session = store.open(_draft())
    store.updated(session, 8000, via="psp")
    kinds = [action.fields["event"] for action in out.take()]  # type: ignore[union-attr]  # only notes are written
    assert kinds == ["opened", "updated"]
    assert store[session.session_id].authorised_minor == 8000
    assert store.by_psp_id(session.psp_session_id) == store[session.session_id]
    assert list(store) == [session.session_id]
    assert store.open_of_card("AB") == store.open_sessions()
    assert store.open_of_card("") == []


def test_the_next_expiry_is_that_of_the_first_open_session() -> None:
    store = SessionStore(Outbox(), random.Random(1))
    first = store.open(_draft(expiry=Expiry(at_ms=10, action="void")))
    store.open(_draft(expiry=Expiry(at_ms=20, action="void")))
    store.open(_draft())
    assert store.next_expiry_ms() == 10
    assert [one.expiry for one in store.expired(15)] == [first.expiry]
    store.closed(first, SessionState.CANCELLED, amount_minor=0, now_ms=5)
    assert store.next_expiry_ms() == 20


def test_the_store_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 2)
    store = SessionStore(Outbox(), random.Random(1))
    kept, closed = store.open(_draft()), store.open(_draft())
    store.closed(closed, SessionState.CANCELLED, amount_minor=0, now_ms=5)
    newest = store.open(_draft())
    assert list(store) == [kept.session_id, newest.session_id]
    with pytest.raises(OverflowError, match="open sessions"):
        store.open(_draft())


def test_scattered_numbers_rise_by_no_rule_and_come_once() -> None:
    store = SessionStore(Outbox(), random.Random(1), scatters=lambda: True)
    numbers = [store.open(_draft()).psp_session_id for _ in range(50)]
    assert len(set(numbers)) == 50
    assert numbers != sorted(numbers)
    assert 0 not in numbers
    assert max(numbers) <= 0xFFFFFFFF
