"""Closes over the cloud: what each HTTP answer lets a controller know."""

from collections.abc import Callable

import pytest

from harness.judge import Conduct, Judgement, Settlement

Play = Callable[..., Judgement]
CPS = {"interface": "cps"}

OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1     callback card visa
1.1   call 1 E6
2     store opened 66 5000 visa
2     answer 1 200 AUTHORIZED 66
"""
CHARGE = (
    OPEN
    + """
10    plug Ada 1
10    said plug 1 B
11    order close 1
11    said contactor 1 closed
12    said plug 1 C
22    said meter 1 1020 11000
1200  unplug Ada 1
1200  said contactor 1 open
1200  said meter 1 5000 0
1200  said plug 1 A
1201  call 7 E9 66 commitAmount=200
"""
)
DONE = "store committed 66 200 cps"


def outcome(judgement: Judgement) -> tuple[Settlement, set[str]]:
    (verdict,) = judgement.sessions
    return verdict.settlement, {f.requirement for f in judgement.findings}


@pytest.mark.parametrize("state", ["COMMITED", "COMMITTED"])
def test_a_commit_confirmed_in_either_spelling(play: Play, state: str) -> None:
    judgement = play(f"{CHARGE}\n1201 {DONE}\n1202 answer 7 200 {state} 66", claims=CPS)
    assert judgement.green, judgement.findings
    again = "1300 call 8 E9 66 commitAmount=200"
    twice = play(
        f"{CHARGE}\n1201 {DONE}\n1202 answer 7 200 {state} 66\n{again}", claims=CPS
    )
    assert outcome(twice)[0] is Settlement.TWICE


def test_a_409_ends_the_retries(play: Play) -> None:
    script = f"""{CHARGE}
1201 {DONE}
1261 failed 7 timeout
1262 call 8 E9 66 commitAmount=200
1262 answer 8 409
"""
    judgement = play(script, claims=CPS)
    assert judgement.green, judgement.findings
    more = play(f"{script}\n1330 call 9 E9 66 commitAmount=200", claims=CPS)
    assert outcome(more) == (Settlement.CLOSED, {"R-RTY-02"})


def test_a_409_for_an_open_session_is_our_mistake(play: Play) -> None:
    judgement = play(f"{CHARGE}\n1201 answer 7 409", claims=CPS)
    assert judgement.conduct is Conduct.ERROR


def test_a_failed_commit_that_nobody_repairs_is_left_open(play: Play) -> None:
    judgement = play(f"{CHARGE}\n1202 answer 7 200 FAILED 66", claims=CPS)
    settlement, requirements = outcome(judgement)
    assert settlement is Settlement.LEFT_OPEN
    assert {"R-CPS-05", "R-RTY-05", "R-SES-06"} <= requirements


def test_a_404_is_not_a_close(play: Play) -> None:
    judgement = play(f"{CHARGE}\n1202 answer 7 404", claims=CPS)
    assert "R-CPS-08" in outcome(judgement)[1]


UNDECIDED = ["answer 7 500", "answer 7 200", "answer 7 204", "failed 7 timeout"]
DECIDED = ["answer 7 400", "answer 7 503", "failed 7 refused", "answer 7 200 FAILED 66"]


SECOND = f"""
1262  call 8 E9 66 commitAmount=200
1262  {DONE}
1262  answer 8 200 COMMITED 66
"""


@pytest.mark.parametrize("answer", UNDECIDED)
def test_another_amount_after_an_undecided_answer_is_twice(
    play: Play, answer: str
) -> None:
    script = f"{CHARGE.replace('=200', '=199')}\n1202 {answer}"
    script += f"\n{SECOND}"
    assert outcome(play(script, claims=CPS))[0] is Settlement.TWICE


@pytest.mark.parametrize("answer", DECIDED)
def test_another_amount_after_a_refusal_is_a_correction(
    play: Play, answer: str
) -> None:
    script = f"{CHARGE.replace('=200', '=199')}\n1202 {answer}"
    script += f"\n{SECOND}"
    assert outcome(play(script, claims=CPS))[0] is Settlement.CLOSED


def test_a_lookup_that_shows_it_open_frees_the_hand(play: Play) -> None:
    script = f"""{CHARGE.replace("=200", "=199")}
1261 failed 7 timeout
1262 call 8 E8 66
1262 answer 8 200 AUTHORIZED 66
1263 call 9 E9 66 commitAmount=200
1263 {DONE}
1263 answer 9 200 COMMITED 66
"""
    judgement = play(script, claims=CPS)
    assert outcome(judgement)[0] is Settlement.CLOSED
    closed = script.replace("200 AUTHORIZED", "200 COMMITED")
    assert outcome(play(closed, claims=CPS))[0] is Settlement.TWICE


def test_a_refusal_that_only_an_open_session_gets_frees_the_hand(play: Play) -> None:
    script = f"""{CHARGE.replace("=200", "=6000")}
1261 failed 7 timeout
1262 call 8 E9 66 commitAmount=6000
1262 answer 8 400
1263 call 9 E9 66 commitAmount=200
1263 {DONE}
1263 answer 9 200 COMMITED 66
"""
    judgement = play(script, claims={**CPS, "amount_strategy": "over_capture"})
    assert outcome(judgement) == (Settlement.CLOSED, set())


LOST = OPEN.replace("2     answer 1 200 AUTHORIZED 66", "62 failed 1 timeout")


def test_an_authorise_answer_that_is_lost_is_found_by_asking(play: Play) -> None:
    script = f"""{LOST}
63  call 2 E7
63  answer 2 200 AUTHORIZED 66
64  call 3 E10 66
64  store cancelled 66 0 cps
64  answer 3 200 CANCELLED 66
64  order show released
"""
    judgement = play(script, claims=CPS)
    assert judgement.green, judgement.findings
    assert judgement.sessions[0].trigger == "session found again"


def test_a_callback_can_tell_of_a_session(play: Play) -> None:
    body = '{"session": {"sessionId": "5e551000-0000-4000-8000-000000000066"}}'
    line = (
        '70 json \'{"kind":"callback","what":"session","fate":"delivered","body":%s}\''
    )
    judgement = play(f"{LOST}\n{line % body}", claims=CPS)
    assert judgement.sessions[0].trigger == "session found again"
    assert judgement.sessions[0].known_at_ms == 70_000


def test_a_session_that_somebody_else_closed(play: Play) -> None:
    foreign = CHARGE.replace("1201  call", "1100 store cancelled 66 0 cps\n1201  call")
    judgement = play(f"{foreign}\n1202 answer 7 409", claims=CPS)
    assert outcome(judgement)[0] is Settlement.CLOSED
    silent = play(f"{OPEN}\n100 store cancelled 66 0 cps", claims=CPS)
    assert outcome(silent)[0] is Settlement.UNKNOWN


def test_stop_does_not_cancel(play: Play) -> None:
    judgement = play(f"{OPEN}\n303 call 5 E5", claims=CPS)
    assert outcome(judgement)[0] is Settlement.LEFT_OPEN
    assert "R-SES-10" in outcome(judgement)[1]


def test_a_wrong_key_needs_an_alarm(play: Play) -> None:
    script = f"{CHARGE.replace('=200', '=200 badkey')}\n1201 answer 7 401"
    judgement = play(script, claims=CPS)
    seen = [f.seen for f in judgement.findings if f.requirement == "R-CPS-06"]
    assert seen == ["another, or none"]
    spoilt = "0 fault planned f1 key_rotated\n0 fault hit f1 key_rotated\n" + script
    judgement = play(spoilt, claims=CPS)
    seen = [f.seen for f in judgement.findings if f.requirement == "R-CPS-06"]
    assert seen == ["none"]
    told = play(f"{spoilt}\n1202 order alarm key", claims=CPS)
    assert "R-CPS-06" not in outcome(told)[1]


def test_a_close_of_a_session_that_does_not_exist(play: Play) -> None:
    judgement = play(f"{OPEN}\n100 call 5 E10 0e0e", claims=CPS)
    assert "R-SES-08" in outcome(judgement)[1]


def test_routes_can_be_read_from_the_target(play: Play) -> None:
    uuid = "5e551000-0000-4000-8000-000000000066"
    target = f"/terminals/APO1/sessions/{uuid}/cancel?uiMessage=Released"
    call = (
        '302 json \'{"kind":"http","call":5,"method":"POST","target":"%s","query":{},'
        '"authorised":true,"fate":"delivered"}\''
    )
    done = "302 store cancelled 66 0 cps\n302 answer 5 200 CANCELLED 66"
    script = f"{OPEN}\n{call % target}\n{done}"
    judgement = play(script, claims=CPS)
    assert judgement.green, judgement.findings
    assert not judgement.warnings


def test_a_changed_answer_decides_nothing(play: Play) -> None:
    record = '{"kind":"http_answer","call":7,"status":200,"body":null,"fate":"changed"}'
    answer = f"1202 json '{record}'"
    script = f"{CHARGE}\n1201 {DONE}\n{answer}\n1263 call 8 E10 66"
    assert outcome(play(script, claims=CPS))[0] is Settlement.TWICE


def test_an_authorised_answer_for_no_session_is_our_mistake(play: Play) -> None:
    judgement = play("1 call 1 E6\n2 answer 1 200 AUTHORIZED 99", claims=CPS)
    assert judgement.conduct is Conduct.ERROR
    declined = play("1 call 1 E6\n2 answer 1 200 DECLINED 99", claims=CPS)
    assert declined.green


def test_polling_for_the_card_tells_of_a_tap_to_stop(play: Play) -> None:
    record = '{"kind":"http_answer","call":5,"status":200,"fate":"delivered",'
    answer = f'100.2 json \'{record}"body":{{"cardId":"F0"}}}}\''
    script = CHARGE.replace(
        "1200  unplug", f"100 tap Ada visa\n100 call 5 E4\n{answer}\n1200 unplug"
    )
    judgement = play(
        f"{script}\n1201 {DONE}\n1202 answer 7 200 COMMITED 66", claims=CPS
    )
    assert judgement.sessions[0].trigger == "tap to stop"
    assert outcome(judgement)[0] is Settlement.LATE


@pytest.mark.parametrize("at", ["1.9", "2.1"], ids=["first", "second"])
def test_the_session_that_the_answer_names_is_the_one_asked_for(
    play: Play, at: str
) -> None:
    """Of two sessions for one call the other is the surplus, whichever came first."""
    other = f"{at}  store opened 67 5000 visa"
    before, after = (other, "") if at < "2" else ("", other)
    script = f"""
1     tap Ada visa
1     callback card visa
1.1   call 1 E6
{before}
2     store opened 66 5000 visa
{after}
2.2   answer 1 200 AUTHORIZED 66
302   call 7 E10 66
302   store cancelled 66 0 cps
302   answer 7 200 CANCELLED 66
302   order show released
"""
    verdicts = {v.psp_session_id: v for v in play(script, claims=CPS).sessions}
    assert verdicts[66].settlement is Settlement.CLOSED
    assert verdicts[66].trigger == "plug-in window over"
    assert verdicts[67].settlement is Settlement.LEFT_OPEN
