"""Golden transcripts: what happened, and what the verdict must be.

Energy: 4000 Wh at 50 per kWh are 200 minor units.
"""

from collections.abc import Callable

import pytest

from harness.judge import Conduct, Expectations, Judgement, Settlement

Play = Callable[..., Judgement]

APPROVED = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
"""
PLUGGED = """
10    plug Ada 1
10    said plug 1 B
11    order close 1
11    said contactor 1 closed
12    said plug 1 C
22    said meter 1 1020 11000
"""
UNPLUGGED = """
1200  unplug Ada 1
1200  said contactor 1 open
1200  said meter 1 5000 0
1200  said plug 1 A
"""
CHARGE = APPROVED + PLUGGED + UNPLUGGED
COMMIT = "> CC 0A 3C 35 00 00 00 42 00 00 00 C8 4B : Commit Session session_id=66"
COMMIT_200 = f"{COMMIT} amount_minor=200"
VOID = "> CC 06 3C 33 00 00 00 42 83 : Void Session session_id=66"
OK = "< AA 03 3C 00 00 E9 : Result result=0"


def only(judgement: Judgement) -> Settlement:
    assert len(judgement.sessions) == 1
    return judgement.sessions[0].settlement


def breaches(judgement: Judgement) -> set[str]:
    return {finding.requirement for finding in judgement.findings}


def test_a_charge_committed_for_what_it_cost_is_closed(play: Play) -> None:
    judgement = play(
        f"{CHARGE}\n1201 {COMMIT_200}\n1201 store committed 66 200\n1201 {OK}"
    )
    assert judgement.green, judgement.findings
    verdict = judgement.sessions[0]
    assert (verdict.settlement, verdict.closed_minor) == (Settlement.CLOSED, 200)
    assert verdict.expected_minor == (200, 200)
    assert (verdict.trigger, verdict.known_at_ms) == ("vehicle unplugged", 1_200_000)
    assert (verdict.connector, verdict.driver) == (1, "Ada")
    assert (verdict.attempted_at_ms, verdict.held_ms) == (1_201_000, 1_199_000)
    assert judgement.settlement is Settlement.CLOSED


def test_no_start_that_is_voided_at_the_window_is_closed(play: Play) -> None:
    script = f"{APPROVED}\n302 {VOID}\n302 store cancelled 66 0\n302 {OK}"
    script += "\n303 order show released"
    judgement = play(script)
    assert judgement.green, judgement.findings
    assert judgement.sessions[0].trigger == "plug-in window over"
    assert judgement.sessions[0].why == "released"
    assert not judgement.warnings


def test_a_session_that_is_never_cancelled_is_left_open(play: Play) -> None:
    judgement = play(APPROVED)
    assert only(judgement) is Settlement.LEFT_OPEN
    assert {"R-NOS-01", "R-SES-01", "R-NOS-02"} <= breaches(judgement)
    assert judgement.conduct is Conduct.FAIL
    assert judgement.sessions[0].held_ms is None


def test_committing_the_reserved_amount_is_the_wrong_amount(play: Play) -> None:
    script = f"{CHARGE}\n1201 {COMMIT} amount_minor=5000"
    script += f"\n1201 store committed 66 5000\n1201 {OK}"
    judgement = play(script)
    assert only(judgement) is Settlement.WRONG_AMOUNT
    assert "R-SES-12" in breaches(judgement)


def test_releasing_a_charge_that_cost_something_is_the_wrong_amount(play: Play) -> None:
    judgement = play(f"{CHARGE}\n1201 {VOID}\n1201 store cancelled 66 0\n1201 {OK}")
    assert only(judgement) is Settlement.WRONG_AMOUNT
    assert {"R-SES-12", "R-SES-06"} <= breaches(judgement)


def test_a_close_after_a_confirmed_one_is_twice(play: Play) -> None:
    script = f"""{CHARGE}
1201 {COMMIT_200}
1201 store committed 66 200
1201 {OK}
1300 {COMMIT_200}
1300 < AA 04 3C 00 01 0C F7 : Result result=1 reason=12
"""
    assert only(play(script)) is Settlement.TWICE


def test_a_cancel_while_the_commit_may_have_counted_is_twice(play: Play) -> None:
    script = f"""{CHARGE}
1201 {COMMIT_200}
1201 store committed 66 200
1201 {OK} !lost
1265 {VOID}
1265 < AA 04 3C 00 01 0C F7 : Result result=1 reason=12
"""
    judgement = play(script)
    assert only(judgement) is Settlement.TWICE
    assert "R-RTY-09" in breaches(judgement)


def test_the_same_close_again_after_a_lost_answer_is_closed(play: Play) -> None:
    script = f"""{CHARGE}
1201 {COMMIT_200}
1201 store committed 66 200
1201 {OK} !lost
1265 {COMMIT_200}
1265 < AA 04 3C 00 01 0C F7 : Result result=1 reason=12
"""
    judgement = play(script)
    assert judgement.green, judgement.findings


@pytest.mark.parametrize("fate", ["lost", "changed"])
def test_a_close_that_never_arrived_is_seen_in_its_bytes(play: Play, fate: str) -> None:
    script = f"""{CHARGE}
1201 > CC 0A 3C 35 00 00 00 42 00 00 00 C8 4B : !{fate}
1265 {VOID}
1265 store cancelled 66 0
1265 {OK}
"""
    assert only(play(script)) is Settlement.TWICE


def test_damaged_bytes_do_not_count_as_another_amount(play: Play) -> None:
    script = f"""{CHARGE}
1201 > CC 0A 3C 35 00 00 00 42 00 00 01 C8 4B : malformed=checksum !changed
1201 < AA 04 3C 00 01 04 EF : Result result=1 reason=4
1201.5 {COMMIT_200}
1201.5 store committed 66 200
1201.5 {OK}
"""
    judgement = play(script)
    assert judgement.green, judgement.findings


def test_two_amounts_while_the_first_may_have_counted_are_twice(play: Play) -> None:
    script = f"""{CHARGE}
1201 {COMMIT} amount_minor=199
1201 store committed 66 199
1265 {COMMIT_200}
"""
    judgement = play(script)
    assert only(judgement) is Settlement.TWICE


def test_a_refused_amount_may_be_corrected(play: Play) -> None:
    script = f"""{CHARGE}
1201 {COMMIT} amount_minor=9000
1201 < AA 03 3C 00 01 EA : Result result=1
1202 {COMMIT_200}
1202 store committed 66 200
1202 {OK}
"""
    judgement = play(script)
    assert only(judgement) is Settlement.CLOSED
    assert breaches(judgement) == {"R-AMT-02"}


def test_a_late_close_names_the_rule_of_its_trigger(play: Play) -> None:
    judgement = play(
        f"{CHARGE}\n1261 {COMMIT_200}\n1261 store committed 66 200\n1261 {OK}"
    )
    assert only(judgement) is Settlement.LATE
    assert breaches(judgement) == {"R-STP-01"}


def test_a_slow_close_is_a_warning(play: Play) -> None:
    judgement = play(
        f"{CHARGE}\n1230 {COMMIT_200}\n1230 store committed 66 200\n1230 {OK}"
    )
    assert judgement.green
    assert [w.requirement for w in judgement.warnings] == ["R-STP-01"]


def test_a_commit_of_nothing_is_closed_but_not_right(play: Play) -> None:
    script = (
        f"{APPROVED}\n302 {COMMIT} amount_minor=0\n302 store committed 66 0\n302 {OK}"
    )
    judgement = play(script)
    assert only(judgement) is Settlement.CLOSED
    assert breaches(judgement) == {"R-AMT-05"}
    assert not judgement.green


def test_cancel_session_does_not_release_a_hold(play: Play) -> None:
    judgement = play(f"{APPROVED}\n302 > CC 02 3C 37 41 : Cancel Session")
    assert only(judgement) is Settlement.LEFT_OPEN
    assert "R-SES-10" in breaches(judgement)


LOST = APPROVED.replace("session_id=66", "session_id=66 !lost")


def test_a_lost_approval_is_unknown_where_nothing_lists_sessions(play: Play) -> None:
    script = f"{LOST}\n220 order alarm unknown_outcome"
    judgement = play(script)
    assert only(judgement) is Settlement.UNKNOWN
    assert judgement.conduct is Conduct.PASS
    assert not judgement.green
    assert play(script, Expectations(allow_unknown=True)).green


def test_a_lost_approval_needs_an_alarm(play: Play) -> None:
    judgement = play(LOST, Expectations(allow_unknown=True))
    assert breaches(judgement) == {"R-RTY-07"}


def test_the_alarm_may_come_before_a_slow_issuer_approves(play: Play) -> None:
    told = "order alarm unknown_outcome"
    early = LOST.replace("\n2 ", f"\n1.5 {told}\n2 ", 1)
    assert told in early
    assert play(early, Expectations(allow_unknown=True)).green
    of_another = f"0.5 {told}\n{LOST.strip()}"
    judgement = play(of_another, Expectations(allow_unknown=True))
    assert breaches(judgement) == {"R-RTY-07"}


def test_a_lost_approval_is_left_open_where_sessions_can_be_listed(play: Play) -> None:
    assert only(play(LOST, claims={"terminal": "p6x"})) is Settlement.LEFT_OPEN


def test_an_orphan_found_in_the_list_and_voided_is_closed(play: Play) -> None:
    script = f"""{LOST}
35 < AA 07 3C 30 01 00 00 00 42 60 : List Sessions Response total=1 session_ids=[66]
36 {VOID}
36 store cancelled 66 0
36 {OK}
36 order show released
"""
    judgement = play(script, claims={"terminal": "p6x"})
    assert judgement.green, judgement.findings
    assert judgement.sessions[0].trigger == "session found again"


def test_a_dead_controller_has_until_it_is_back(play: Play) -> None:
    script = f"""{APPROVED}{PLUGGED}
1000 life killed
1000 link bay down death
1200  unplug Ada 1
4000 life started
4001 life ready
4001 link bay up
4001 said welcome 1:A:open:5000 2:A:open:7000
4050 {COMMIT_200}
4050 store committed 66 200
4050 {OK}
"""
    judgement = play("0 life started\n0 life ready\n" + script)
    assert judgement.green, judgement.findings
    assert judgement.sessions[0].known_at_ms == 4_001_000


def test_a_recovered_controller_must_not_dawdle(play: Play) -> None:
    script = f"""{CHARGE}
1200 life killed
1300 life started
1301 life ready
1602 {COMMIT_200}
1602 store committed 66 200
1602 {OK}
"""
    assert only(play("0 life ready\n" + script)) is Settlement.LATE


def test_a_partial_approval_caps_the_amount(play: Play) -> None:
    script = CHARGE.replace("66 5000", "66 150").replace(
        "AA 06 3C 31 00 00 00 42 5F : Session Approved",
        "AA 0A 3C 35 00 00 00 42 00 00 00 96 05 : Session Partially Approved",
    )
    script += (
        f"\n1201 {COMMIT} amount_minor=150\n1201 store committed 66 150\n1201 {OK}"
    )
    judgement = play(script)
    assert only(judgement) is Settlement.CLOSED
    assert judgement.sessions[0].expected_minor == (150, 150)
