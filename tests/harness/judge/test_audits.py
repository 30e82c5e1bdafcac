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
