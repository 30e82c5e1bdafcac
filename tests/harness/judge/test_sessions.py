"""Which sessions there are, what became known when, and whose mistake a doubt is."""

from collections.abc import Callable

import pytest

from harness.judge import Conduct, Expectations, Judgement, Settlement

Play = Callable[..., Judgement]

OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
"""
VOID = "> CC 06 3C 33 00 00 00 42 83 : Void Session session_id=66"
OK = "< AA 03 3C 00 00 E9 : Result result=0"
RELEASED = f"302 {VOID}\n302 store cancelled 66 0\n302 {OK}\n302 order show released"


def only(judgement: Judgement) -> Settlement:
    (verdict,) = judgement.sessions
    return verdict.settlement


DOUBTS = [
    "2 store committed 66 200",
    "2 < AA 06 3C 31 : Session Approved session_id=66",
    f"{OPEN}\n2 issuer hold_opened 67 5000",
    f"{OPEN}\n1 issuer hold_opened 66 5000\n302 {VOID.replace('Void', 'Commit')} "
    f"amount_minor=5\n302 store committed 66 5\n303 issuer captured 66 6",
]


@pytest.mark.parametrize("script", DOUBTS)
def test_witnesses_that_contradict_each_other_are_our_mistake(
    play: Play, script: str
) -> None:
    assert play(script).conduct is Conduct.ERROR


FINE = [
    "2 < AA 06 3C 31 : Session Approved session_id=66 !changed",
    "2 store refused 99 5",
    f"{OPEN}\n2 store refused 66 5\n2 issuer hold_opened 66 5000\n{RELEASED}",
    f"{OPEN}\n2 issuer hold_opened 66 5000\n2 issuer captured 66 1\n{RELEASED}",
    f"{OPEN}\n2 issuer hold_opened 66 5000\n2 issuer declined 67 1\n{RELEASED}",
    f"{OPEN}\n{RELEASED}\n303 store forwarded 66 0",
    f"{OPEN}\n2 < AA 06 : Session Approved session_id=66\n{RELEASED}",
    f"{OPEN}\n3 < AA 07 : List Sessions Response session_ids=[66,67]\n{RELEASED}",
]


@pytest.mark.parametrize("script", FINE)
def test_witnesses_that_agree(play: Play, script: str) -> None:
    judgement = play(script)
    assert judgement.green, judgement.findings


def test_a_session_without_a_hold_is_not_looked_up(play: Play) -> None:
    record = (
        '{"kind":"session","event":"opened","session_id":"x","psp_session_id":66,'
        '"card":"visa","amount_minor":5000}'
    )
    script = OPEN.replace("2     store opened 66 5000 visa", f"2 json '{record}'")
    judgement = play(f"{script}\n2 issuer hold_opened 66 5000\n2 issuer captured 66 1")
    assert judgement.conduct is Conduct.FAIL
    assert judgement.sessions[0].session_id == "x"


def test_the_terminals_own_time_out_is_no_close(play: Play) -> None:
    judgement = play(f"{OPEN}\n5000 store expired 66 5000 terminal")
    assert only(judgement) is Settlement.LEFT_OPEN
    assert "time-out" in judgement.sessions[0].why
    assert judgement.sessions[0].held_ms == 4_998_000


def test_a_time_out_faster_than_a_timely_close_is_nobodys_fault(play: Play) -> None:
    gone = "302 < AA 04 : Result result=1 reason=12"
    judgement = play(f"{OPEN}\n200 store expired 66 0 terminal\n302 {VOID}\n{gone}")
    assert only(judgement) is Settlement.UNKNOWN
    late = play(f"{OPEN}\n200 store expired 66 0 terminal\n900 {VOID}")
    assert only(late) is Settlement.LEFT_OPEN


def test_a_time_out_before_any_close_is_due_is_nobodys_fault(play: Play) -> None:
    script = f"""{OPEN}
10    plug Ada 1
10    said plug 1 B
11    order close 1
11    said contactor 1 closed
12    said plug 1 C
22    said meter 1 1020 11000
200   store expired 66 0 terminal
302   unplug Ada 1
302   said contactor 1 open
302   said meter 1 5000 0
302   said plug 1 A
"""
    gone = "303 < AA 04 : Result result=1 reason=12\n303 order alarm other"
    commit = "> CC : Commit Session session_id=66 amount_minor=200"
    assert only(play(f"{script}\n303 {commit}\n{gone}")) is Settlement.UNKNOWN
    assert only(play(script)) is Settlement.LEFT_OPEN


def test_dying_with_the_approval_is_nobodys_fault_on_apollo(play: Play) -> None:
    dies = "2 life killed\n3 life started\n4 life ready\n5 order alarm orphan"
    script = f"0 life ready\n{OPEN}\n{dies}"
    judgement = play(script, Expectations(allow_unknown=True))
    assert judgement.green, judgement.findings
    stored = script.replace("2 life killed", "2 order show approved\n2 life killed")
    assert only(play(stored)) is Settlement.LEFT_OPEN
    listed = play(script, claims={"terminal": "p6x"})
    assert only(listed) is Settlement.LEFT_OPEN
    assert "R-RTY-03" in {f.requirement for f in listed.findings}


def test_the_alarm_for_a_lost_approval_may_come_before_a_slow_issuer(
    play: Play,
) -> None:
    script = """0 life ready
1 tap Ada visa
1 > CC 02 3C 36 40 : Auth Session
2 life killed
3 life started
4 life ready
5 order alarm unknown_outcome
41 store opened 66 5000 visa
"""
    allowed = Expectations(allow_unknown=True)
    assert play(script, allowed).green
    alarm = "5 order alarm unknown_outcome\n"
    too_early = alarm + script.replace(alarm, "")
    for silent in (too_early, script.replace(alarm, "5 order alarm meter\n")):
        judgement = play(silent, allowed)
        assert {f.requirement for f in judgement.findings} == {"R-RTY-07"}


def test_dying_before_the_answer_could_be_stored_allows_a_repeat(play: Play) -> None:
    script = f"""0 life ready
{OPEN}
302 {VOID}
302 store cancelled 66 0
302 {OK}
302.5 life killed
303 life ready
310 {VOID}
310 < AA 04 3C 00 01 0C F7 : Result result=1 reason=12
310 order show released
"""
    judgement = play(script)
    assert judgement.green, judgement.findings
    other = script.replace(f"310 {VOID}", "310 > CC : Commit Session session_id=66")
    assert only(play(other)) is Settlement.TWICE
    unharmed = script.replace("302.5 life killed", "304 life killed")
    unharmed = unharmed.replace("\n303", "\n305")
    assert only(play(unharmed)) is Settlement.TWICE
    assert play(unharmed, reach={"time_scale": 20}).green


def test_two_effective_closes(play: Play) -> None:
    judgement = play(f"{OPEN}\n{RELEASED}\n303 store committed 66 5")
    assert only(judgement) is Settlement.TWICE


def test_a_commit_after_five_days_is_late_for_the_scheme(play: Play) -> None:
    script = f"""{OPEN}
10     said plug 1 B
11     said contactor 1 closed
12     said plug 1 C
500000 said contactor 1 open
500000 said meter 1 5000 0
500000 said plug 1 A
500001 > CC : Commit Session session_id=66 amount_minor=200
500001 store committed 66 200
500001 {OK}
"""
    judgement = play(script)
    assert judgement.sessions[0].requirements == ("R-EXT-02",)
    assert only(judgement) is Settlement.LATE


def test_a_doubtful_amount_is_given_as_a_range(play: Play) -> None:
    script = f"""{OPEN}
10     said plug 1 B
11     said contactor 1 closed
12     said plug 1 C
600    said meter 1 4000 11000
610    said meter 1 90000 11000
1200   said contactor 1 open
1200   said meter 1 93000 0
1200   said plug 1 A
1201   > CC : Commit Session session_id=66 amount_minor=500
1201   store committed 66 500
1201   {OK}
"""
    judgement = play(script)
    assert judgement.sessions[0].expected_minor == (300, 303)
    assert judgement.findings[0].expected == "a commit of 300 to 303"


def test_an_amount_where_nothing_is_due(play: Play) -> None:
    commit = "302 > CC : Commit Session session_id=66 amount_minor=100"
    judgement = play(f"{OPEN}\n{commit}\n302 store committed 66 100\n302 {OK}")
    assert only(judgement) is Settlement.WRONG_AMOUNT
    assert judgement.findings[0].expected == "a release: nothing is due"


def test_a_close_of_a_stranger(play: Play) -> None:
    stranger = "5 > CC 06 : Void Session session_id=5"
    assert play(stranger).findings[0].requirement == "R-SES-08"
    assert play(f"{stranger} !lost").green


def test_an_answer_that_dies_with_its_line(play: Play) -> None:
    script = f"""{OPEN}
302 {VOID}
302 store cancelled 66 0
302.1 link psp down reset
302.5 link psp up
303 {OK}
303 {VOID}
303 < AA 04 3C 00 01 0C F7 : Result result=1 reason=12
303 order show released
"""
    assert play(script).green
    ends = f"{OPEN}\n302 {VOID}\n302 store cancelled 66 0\n303 link psp down reset"
    assert only(play(ends)) is Settlement.CLOSED


def test_other_requests_take_their_own_answers(play: Play) -> None:
    refused = "< AA 03 3C 00 01 EA : Result result=1"
    script = f"""{OPEN}
301 > CC 02 : Enable
302 {VOID}
302 store cancelled 66 0
302 {OK}
302 {refused}
362 {VOID}
362 order show released
"""
    assert play(script).green
    swapped = script.replace(f"302 {OK}\n302 {refused}", f"302 {refused}\n302 {OK}")
    assert only(play(swapped)) is Settlement.TWICE


def test_a_damaged_request_is_passed_over(play: Play) -> None:
    script = f"""{OPEN}
301 > CC 02 3C 12 FF : Enable !changed
302 {VOID}
302 store cancelled 66 0
302 {OK}
302 order show released
400 {VOID}
"""
    assert only(play(script)) is Settlement.TWICE
    assert play(f"301 > CC 02 3C 12 FF : Enable !changed\n302 {OK}").green


def test_noise_around_a_good_block_is_no_change(play: Play) -> None:
    noisy = OPEN.replace(
        "< AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66",
        "< 00 FF AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66 !changed",
    )
    judgement = play(f"{noisy}\n{RELEASED}")
    assert judgement.green
    assert judgement.sessions[0].trigger == "plug-in window over"


def test_a_silent_cable_stops_the_clock(play: Play) -> None:
    script = f"""{OPEN}
300 < AA : !lost
900 < AA 04 : Result result=0
1000 {VOID}
1000 store cancelled 66 0
1000 {OK}
1000 order show released
"""
    judgement = play(script)
    assert only(judgement) is Settlement.CLOSED
    assert judgement.warnings[0].expected.startswith("a close within 60 s")


def test_a_terminal_without_power_stops_the_clock(play: Play) -> None:
    script = f"""{OPEN}
200 fault planned f1 terminal_off
200 fault hit f1 terminal_off
900 fault healed f1 terminal_off
950 {VOID}
950 store cancelled 66 0
950 {OK}
950 order show released
"""
    assert play(script).green


def test_a_running_authorisation_stops_the_clock(play: Play) -> None:
    script = f"""{OPEN}
290 > CC 02 3C 36 40 : Auth Session
450 < AA 02 3C 32 1A : Session Declined
455 {VOID}
455 store cancelled 66 0
455 {OK}
455 order show released
"""
    assert play(script).green
    never = script.replace("450 < AA 02 3C 32 1A : Session Declined\n", "")
    assert only(play(never)) is Settlement.LATE


def test_a_controller_that_dies_again_and_again(play: Play) -> None:
    script = f"""0 life ready
{OPEN}
200 life killed
400 life started
410 life killed
900 life started
910 {VOID}
910 store cancelled 66 0
910 {OK}
910 order show released
"""
    judgement = play(script)
    assert judgement.green, judgement.findings
    assert judgement.sessions[0].known_at_ms == 400_000


def test_never_back(play: Play) -> None:
    judgement = play(f"0 life ready\n{OPEN}\n200 life killed")
    assert only(judgement) is Settlement.LEFT_OPEN


def test_a_session_known_by_one_name_only(play: Play) -> None:
    line = (
        '{"kind":"session","event":"%s","psp_session_id":66,"hold":"h","card":"visa",'
        '"amount_minor":5000,"via":"psp"}'
    )
    script = OPEN.replace(
        "2     store opened 66 5000 visa", f"2 json '{line % 'opened'}'"
    )
    released = RELEASED.replace(
        "302 store cancelled 66 0", f"302 json '{line % 'cancelled'}'"
    )
    judgement = play(f"{script}\n{released}")
    assert judgement.green, judgement.findings
    assert (judgement.sessions[0].session_id, judgement.sessions[0].psp_session_id) == (
        "",
        66,
    )
    uuid_only = line.replace('"psp_session_id":66', '"session_id":"u"') % "opened"
    assert only(play(f"2 json '{uuid_only}'")) is Settlement.UNKNOWN


def test_a_list_of_sessions_may_come_late_or_never(play: Play) -> None:
    uuid = "5e551000-0000-4000-8000-000000000066"
    answer = (
        '{"kind":"http_answer","call":5,"status":200,"fate":"%s",'
        '"body":[{"sessionId":"' + uuid + '","state":"AUTHORIZED"},7]}'
    )
    script = "1 store opened 66 5000 visa\n5 call 5 E7\n6 json '{}'"
    claims = {"interface": "cps"}
    told = play(script.format(answer % "delivered"), claims=claims)
    assert told.sessions[0].trigger == "session found again"
    lost = play(script.format(answer % "lost"), claims=claims)
    assert lost.sessions[0].trigger == ""


def test_an_early_drop_of_a_card_is_not_the_wrong_operation(play: Play) -> None:
    early = play(f"{OPEN}\n100 > CC 02 3C 37 41 : Cancel Session")
    assert "R-SES-10" not in {f.requirement for f in early.findings}


def test_other_requests_die_with_the_line_too(play: Play) -> None:
    script = f"301 > CC 02 : Enable\n{OPEN}\n302 link psp down cut\n303 link psp up"
    assert only(play(script)) is Settlement.LEFT_OPEN
