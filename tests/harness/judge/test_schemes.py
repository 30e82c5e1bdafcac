"""The windows of the card schemes: whose they are, and what they do not ask for."""

from collections.abc import Callable

import pytest

from harness.judge import Judgement, Settlement
from harness.judge.schemes import ANY, SCHEMES, scheme_of

Play = Callable[..., Judgement]
HOUR = 3_600
DAY = 24 * HOUR


@pytest.mark.parametrize("name", ["visa", "visa3", "mastercard2", "amex"])
def test_a_card_says_its_scheme(name: str) -> None:
    assert scheme_of(name).name == name.rstrip("23")


@pytest.mark.parametrize("name", ["slow", "late", "", "partial"])
def test_a_card_that_says_nothing_has_the_shortest_window(name: str) -> None:
    assert scheme_of(name) is ANY
    assert ANY.validity_ms == min(row.validity_ms for row in SCHEMES)
    assert ANY.reversal_ms == 24 * HOUR * 1000


def charged(card: str, *, amount: int, retry: float, reserve: int = 5000) -> str:
    """A charge for 2.00 that ends at 1000 s; its commit is taken only at ``retry``."""
    return f"""
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada {card}
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 {reserve} {card}
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
10    plug Ada 1
10    said plug 1 B
11    order close 1
11    said contactor 1 closed
12    said plug 1 C
22    said meter 1 1020 11000
1000  unplug Ada 1
1000  said contactor 1 open
1000  said meter 1 5000 0
1000  said plug 1 A
1001  > CC 0A : Commit Session session_id=66 amount_minor={amount}
1001  < AA 04 3C 00 01 11 FC : Result result=1 reason=17
{retry} > CC 0A : Commit Session session_id=66 amount_minor={amount}
{retry} store committed 66 {amount}
{retry} < AA 03 3C 00 00 E9 : Result result=0
"""


def late_by(play: Play, card: str, *, retry: float, reserve: int = 5000) -> object:
    script = charged(card, amount=200, retry=retry, reserve=reserve)
    (verdict,) = play(script).sessions
    expected = Settlement.LATE if verdict.requirements else Settlement.CLOSED
    assert verdict.settlement is expected
    return verdict.requirements


BOTH = ("R-EXT-01", "R-EXT-02")


@pytest.mark.parametrize(
    ("card", "days", "expected"),
    [
        ("visa", 0.9, ()),
        ("visa", 1.1, ("R-EXT-01",)),
        ("visa", 5.1, BOTH),
        ("mastercard", 6.9, ("R-EXT-01",)),
        ("mastercard", 7.1, BOTH),
        ("amex", 6.9, ()),
        ("amex", 7.1, ("R-EXT-02",)),
        ("slow", 5.1, BOTH),
    ],
)
def test_the_windows(
    play: Play, card: str, days: float, expected: tuple[str, ...]
) -> None:
    assert late_by(play, card, retry=days * DAY) == expected


def test_a_commit_of_all_that_is_held_gives_nothing_back(play: Play) -> None:
    assert late_by(play, "visa", retry=2 * DAY, reserve=200) == ()
