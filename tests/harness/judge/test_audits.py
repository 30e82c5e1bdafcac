"""Audits of every case: the declared reservation, and reboots that were hurried."""

import pytest

from harness.judge import Judgement
from tests.harness.judge.conftest import Play

OPEN = """
0     life ready
1     tap Ada visa
1     < AA : Card Read
2     > CC 02 3C 36 40 : Auth Session
3     issuer hold_opened 7 5000
3     store opened 7 5000
3     < AA : Session Approved session_id=7
"""


def breaches(judgement: Judgement) -> list[str]:
    return [line.requirement for line in judgement.findings]


@pytest.mark.parametrize(
    ("strategy", "asked", "is_right"),
    [
        ("maximum", 5000, True),
        ("maximum", 4000, False),
        ("maximum", 9000, False),
        ("increment", 4999, False),
        ("driver_cap", 2000, True),
        ("driver_cap", 5001, False),
    ],
)
def test_the_reservation_asked_for_is_the_declared_one(
    play: Play, strategy: str, asked: int, is_right: bool
) -> None:
    claims = {"amount_strategy": strategy}
    psp = f"1 > CC : Start Session amount_minor={asked}"
    cps = f'1 call 1 E3 "" authorizedAmount={asked}'
    for line in (psp, cps):
        expected = [] if is_right else ["R-AMT-01"]
        assert breaches(play(line, claims=claims)) == expected


def test_what_is_not_an_amount_or_not_declared_is_not_judged(play: Play) -> None:
    assert play("1 > CC : Start Session amount_minor=0").green
    assert play("1 > CC : Start Session").green
    assert play('1 call 1 E3 "" authorizedAmount=0').green
    assert play('1 call 1 E4 "" authorizedAmount=1').green
    assert play("1 < CC : Start Session amount_minor=1").green
    undeclared = play("1 > CC : Start Session amount_minor=1", tariff={"reserve": None})
    assert undeclared.green


def test_many_wrong_reservations_are_one_finding(play: Play) -> None:
    line = "1 > CC : Start Session amount_minor=1"
    assert breaches(play(f"{line}\n{line}")) == ["R-AMT-01"]


def test_a_terminal_is_not_rebooted_while_a_close_is_owed(play: Play) -> None:
    reboot = "> CC 03 3C 48 00 : Control action=1"
    void = "305 > CC 06 3C 38 00 : Void Session session_id=7"
    assert "R-TRM-11" in breaches(play(f"{OPEN}\n{void}\n306 {reboot}"))
    confirmed = f"{void}\n306 store cancelled 7 0\n306 < AA : Result result=0"
    assert "R-TRM-11" not in breaches(play(f"{OPEN}\n{confirmed}\n307 {reboot}"))
    assert "R-TRM-11" not in breaches(play(f"{OPEN}\n4 {reboot}\n{confirmed}"))
    assert play(f"1 {reboot}").green


CARD = """
0     life ready
1     tap Ada visa
1.5   reader cps CARD
1.6   callback card visa
"""
CLOUD = {"interface": "cps"}


def kept(play: Play, *lines: str, script: str = CARD) -> bool:
    """Whether the card is found to have been left to itself."""
    script = "\n".join([script, *lines, "60 seen epilogue"])
    return "R-CPS-03" in breaches(play(script, claims=CLOUD))


def test_a_card_that_is_not_charged_is_let_go_within_30_seconds(play: Play) -> None:
    dropped = "31.5 reader cps IDLE"
    assert kept(play, dropped)
    assert kept(play), "a terminal that never drops it"
    assert kept(play, "40 call 1 E5"), "too late"
    assert not kept(play, "20 call 1 E5", dropped), "a stop that was lost is a stop"
    assert not kept(play, "20 call 1 E6", dropped)
    assert not kept(play, "10 reader cps IDLE"), "gone before anybody was late"


def test_who_could_not_let_the_card_go_has_not_left_it(play: Play) -> None:
    dropped = "31.5 reader cps IDLE"
    unheard = CARD.replace("1.6   callback", "20   callback")
    assert not kept(play, dropped, script=unheard), (
        "too late to be held against anybody"
    )
    assert not kept(play, "5 life killed", "50 life ready", dropped)
    assert not kept(play, "5 link cloud down refused", "50 link cloud up", dropped)
    assert not kept(play, dropped, script=CARD.replace("reader cps", "reader psp"))
