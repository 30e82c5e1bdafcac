"""The universal oracles: breaches that show in any scenario."""

import json
from collections.abc import Callable

import pytest

from harness.judge import Conduct, Expectations, Judgement, Settlement, judge

Play = Callable[..., Judgement]

OPEN = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1.05  < AA 2F 3C 34 2C : Card Read
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
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
"""
)
END = """
1200  unplug Ada 1
1200  said contactor 1 open
1200  said meter 1 5000 0
1200  said plug 1 A
"""
OK = "< AA 03 3C 00 00 E9 : Result result=0"
COMMIT = "> CC 0A 3C 35 00 00 00 42 : Commit Session session_id=66 amount_minor=200"
COMMITTED = f"1201 {COMMIT}\n1201 store committed 66 200\n1201 {OK}"


def breaches(judgement: Judgement) -> list[str]:
    return [finding.requirement for finding in judgement.findings]


def warned(judgement: Judgement) -> list[str]:
    return [finding.requirement for finding in judgement.warnings]


FREE = """
0     said welcome 1:A:open:1000 2:A:open:7000
10    said plug 1 B
11    said contactor 1 closed
12    said plug 1 C
22    said meter 1 1020 11000
100   said contactor 1 open
100   said meter 1 1100 0
100   said plug 1 A
"""


def test_energy_that_nobody_authorised(play: Play) -> None:
    assert breaches(play(FREE)) == ["R-NOS-05"]
    no_energy = FREE.replace("1020 11000", "1000 0").replace("1100 0", "1000 0")
    assert play(no_energy).green


def test_free_vend_is_for_when_the_terminal_cannot_authorise(play: Play) -> None:
    claims = {"free_vend": True}
    assert breaches(play(FREE, claims=claims)) == ["R-NOS-05"]
    assert play(f"5 link host down\n{FREE}", claims=claims).green
    back = f"5 link host down\n6 link host up\n{FREE}\n200 link host down"
    assert breaches(play(back, claims=claims)) == ["R-NOS-05"]


def test_an_accepted_rfid_card_pays_elsewhere(play: Play) -> None:
    assert play(f"5 tap Ada rfid\n{FREE}", claims={"rfid": True}).green
    assert breaches(play(f"5 tap Ada rfid\n{FREE}")) == ["R-NOS-05"]
    unknown = play(f"5 tap Ada rfid_unknown\n{FREE}", claims={"rfid": True})
    assert breaches(unknown) == ["R-NOS-05"]


def test_energy_that_never_ends_is_still_free(play: Play) -> None:
    assert breaches(play(FREE.split("100 ", maxsplit=1)[0])) == ["R-NOS-05"]


def test_energy_on_a_cancelled_session(play: Play) -> None:
    released = (
        "302 > CC 06 3C 33 00 00 00 42 83 : Void Session session_id=66\n"
        f"302 store cancelled 66 0\n302 {OK}\n302 order show released"
    )
    late = CHARGE.split("10    plug")[1].replace("\n1", "\n31").replace("\n2", "\n32")
    script = f"{OPEN}\n{released}\n310 plug{late}"
    assert "R-NOS-05" in breaches(play(script))


def test_closing_while_the_contactor_is_closed(play: Play) -> None:
    script = f"{CHARGE}\n100 said meter 1 1400 11000\n100 {COMMIT}"
    script = script.replace("amount_minor=200", "amount_minor=20")
    script += f"\n100 store committed 66 20\n100 {OK}\n200 said contactor 1 open"
    assert "R-SES-13" in breaches(play(script))
    ordered = script.replace("\n100 >", "\n99 order open 1\n100 >")
    assert "R-SES-13" not in breaches(play(ordered))
    lost = script.replace("\n100 >", "\n100 link bay down cut\n100 >")
    assert "R-SES-13" not in breaches(play(lost))


def test_committing_more_than_is_held(play: Play) -> None:
    script = f"{CHARGE}{END}\n{COMMITTED}".replace("66 5000", "66 150")
    judgement = play(script)
    assert "R-AMT-02" in breaches(judgement)
    assert judgement.settlement is Settlement.WRONG_AMOUNT
    allowed = play(script, claims={"amount_strategy": "over_capture"})
    assert allowed.green, allowed.findings
    for amount, green in ((150, True), (170, False)):
        other = script.replace("amount_minor=200", f"amount_minor={amount}")
        other = other.replace("committed 66 200", f"committed 66 {amount}")
        judgement = play(other, claims={"amount_strategy": "over_capture"})
        assert judgement.green is green


def test_energy_past_the_cap(play: Play) -> None:
    script = f"{CHARGE}{END}\n{COMMITTED}".replace("66 5000", "66 150")
    script = script.replace("amount_minor=200", "amount_minor=150")
    script = script.replace("committed 66 200", "committed 66 150")
    assert breaches(play(script)) == ["R-AMT-02"]
    lost = script.replace(
        "1200  unplug", "500 link bay down cut\n501 link bay up\n1200 unplug"
    )
    assert play(lost).green


def test_a_raised_authorisation_is_the_new_cap(play: Play) -> None:
    script = f"{CHARGE}{END}\n{COMMITTED}".replace("66 5000", "66 150")
    raised = script.replace("1200  unplug", "600 store updated 66 250\n1200 unplug")
    assert play(raised).green


TWO = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
1.1   > CC 02 3C 36 40 : Auth Session
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
3     plug Ada 1
3     said plug 1 B
4     said contactor 1 closed
5     said plug 1 C
21    tap Bob amex
21.1  > CC 02 3C 36 40 : Auth Session
22    store opened 67 5000 amex
22    < AA 06 3C 31 00 00 00 43 60 : Session Approved session_id=67
23    plug Bob 2
23    said plug 2 B
24    said contactor 2 closed
25    said plug 2 C
1000  said contactor 1 open
1000  said meter 1 5000 0
1000  said plug 1 A
1000  said contactor 2 open
1000  said meter 2 9000 0
1000  said plug 2 A
1001  > CC : Commit Session session_id=66 amount_minor={ada}
1001  store committed 66 {ada}
1001  < AA 03 3C 00 00 E9 : Result result=0
1002  > CC : Commit Session session_id=67 amount_minor={bob}
1002  store committed 67 {bob}
1002  < AA 03 3C 00 00 E9 : Result result=0
"""


def test_two_drivers_each_pay_for_their_own(play: Play) -> None:
    judgement = play(TWO.format(ada=200, bob=100))
    assert judgement.green, judgement.findings
    assert [s.connector for s in judgement.sessions] == [1, 2]
    assert [s.driver for s in judgement.sessions] == ["Ada", "Bob"]


def test_the_wrong_connectors_amount(play: Play) -> None:
    judgement = play(TWO.format(ada=100, bob=200))
    assert breaches(judgement).count("R-SES-08") == 2
    assert judgement.settlement is Settlement.WRONG_AMOUNT
    one_wrong = play(TWO.format(ada=77, bob=100))
    assert "R-SES-08" not in breaches(one_wrong)


BOTH_TAPPED = """
0     said welcome 1:A:open:1000 2:A:open:7000
1     tap Ada visa
2     store opened 66 5000 visa
2     < AA 06 3C 31 00 00 00 42 5F : Session Approved session_id=66
21    tap Bob amex
22    store opened 67 5000 amex
22    < AA 06 3C 31 00 00 00 43 60 : Session Approved session_id=67
23    plug Bob 1
23    said plug 1 B
24    said contactor 1 closed
25    said plug 1 C
33    plug Ada 2
33    said plug 2 B
34    said contactor 2 closed
35    said plug 2 C
1000  said contactor 1 open
"""


@pytest.mark.parametrize(
    ("ada", "bob", "green"), [(200, 100, 1), (100, 200, 1), (7, 9, 0)]
)
def test_who_is_who_when_both_tapped_first(
    play: Play, ada: int, bob: int, green: int
) -> None:
    """Bob taps second but plugs in first: a controller cannot know who is who."""
    end = TWO[TWO.index("1000  said meter 1") :]
    judgement = play(BOTH_TAPPED + end.format(ada=ada, bob=bob))
    assert judgement.green == bool(green), judgement.findings


def test_malformed_blocks_of_the_controller(play: Play) -> None:
    block = "5 > CC 02 3C 36 41 : malformed=checksum"
    assert breaches(play(block)) == ["R-PSP-01"]
    assert play(f"{block} !changed").green


def test_a_setup_that_commits_everything_at_expiry(play: Play) -> None:
    assert breaches(play("1 > CC 07 : Setup timeout_s=172800 action=0")) == ["R-PER-05"]
    assert play("1 > CC 07 : Setup timeout_s=86400 action=1").green


#: Windows of 600 s; EUR 50.00 at EUR 0.50 per kWh and 22 kW: 16,363 s.
LONGEST_S = 600 + 16_363


@pytest.mark.parametrize(
    ("life_s", "found", "warnings"),
    [
        (0, [], []),
        (600, ["R-PER-05"], []),
        (LONGEST_S - 1, ["R-PER-05"], []),
        (LONGEST_S, [], ["R-PER-05"]),
        (LONGEST_S + 691_499, [], ["R-PER-05"]),
        (LONGEST_S + 691_500, [], []),
    ],
)
def test_a_time_out_that_ends_charges(
    play: Play, life_s: int, found: list[str], warnings: list[str]
) -> None:
    judgement = play(f"1 > CC 07 : Setup timeout_s={life_s} action=1")
    assert breaches(judgement) == found
    assert warned(judgement) == warnings


def test_where_energy_is_free_only_the_windows_count(play: Play) -> None:
    setup = "1 > CC 07 : Setup timeout_s={} action=1"
    free = {"per_kwh": 0}
    assert breaches(play(setup.format(599), tariff=free)) == ["R-PER-05"]
    assert breaches(play(setup.format(600), tariff=free)) == []
    by_the_hour = {"per_kwh": 0, "per_minute": 50}
    assert breaches(play(setup.format(6_599), tariff=by_the_hour)) == ["R-PER-05"]
    assert breaches(play(setup.format(6_600), tariff=by_the_hour)) == []


def test_removing_sessions_is_no_way_to_close_them(play: Play) -> None:
    remove = "> CC 02 3C 56 60 : Remove Sessions"
    assert "R-PER-04" in breaches(play(f"{OPEN}\n50 {remove}"))
    unneeded = play(f"50 {remove}")
    assert unneeded.green
    assert warned(unneeded) == ["R-PER-04"]


def test_a_silent_controller_loses_the_line(play: Play) -> None:
    idle = "50 link psp down idle"
    assert breaches(play(idle)) == ["R-TRM-07"]
    assert play(f"40 > CC 02 3C 26 30 : !lost\n{idle}").green
    assert play(f"0 life ready\n40 life killed\n{idle}").green
    assert play("50 link psp down cut\n60 link psp up\n70 link bay down idle").green


def test_authorising_instead_of_stopping(play: Play) -> None:
    again = (
        "500 tap Ada visa\n500 < AA : Card Read\n501 > CC 02 3C 36 40 : Auth Session"
    )
    judgement = play(f"{CHARGE}\n{again}")
    assert "R-NOS-09" in breaches(judgement)
    other = play(f"{CHARGE}\n{again.replace('visa', 'amex')}")
    assert "R-NOS-09" not in breaches(other)
    too_late = again.replace("\n500 <", "\n500 said contactor 1 open\n500 <", 1)
    assert "R-NOS-09" not in breaches(play(f"{CHARGE}\n{too_late}"))
    unstoppable = play(f"{CHARGE}\n{again}", claims={"stop": ["unplug"]})
    assert "R-NOS-09" not in breaches(unstoppable)


def test_authorising_an_rfid_card(play: Play) -> None:
    script = "1 tap Ada rfid\n1 < AA : Proprietary Card Read\n2 > CC 02 : Auth Session"
    assert breaches(play(script)) == ["R-UI-02"]


def test_authorising_for_a_charger_that_cannot_deliver(play: Play) -> None:
    early = OPEN.replace("\n1     tap", "\n{}\n11 tap").replace("\n1.", "\n11.")
    early = early.replace("\n2 ", "\n12 ")
    both = "0.5 said fault 1 GroundFailure on\n0.5 said available 2 no"
    for trouble in (both, "0.5 said estop on", "0.5 link bay down cut"):
        assert "R-NOS-10" in breaches(play(early.format(trouble)))
    for fine in ("0.5 said fault 1 GroundFailure on", "9.5 said estop on", ""):
        assert "R-NOS-10" not in breaches(play(early.format(fine)))
    unread = early.replace(": Card Read", ": Something Else")
    assert "R-NOS-10" not in breaches(play(unread.format(both)))


#: Passes the check of card numbers, and is put together so that no file holds it.
NUMBER = "4" + "1" * 15


def test_card_numbers_are_never_said(play: Play) -> None:
    said = play(f"5 order show card {NUMBER}")
    assert breaches(said) == ["R-UI-07"]
    assert NUMBER not in str(said.findings)
    assert play(f"5 order show {int(NUMBER) + 1} and 12345").green
    assert play(f"5 order show x{NUMBER}").green


def test_card_numbers_are_not_shown_on_the_terminal_either(play: Play) -> None:
    shown = {"message": "UI Request", "fields": {"properties": [["title", NUMBER]]}}
    record = {"kind": "psp", "direction": "to_terminal", "fate": "delivered"}
    line = json.dumps({**record, "hex": "", "messages": [shown]})
    assert breaches(play(f"5 json '{line}'")) == ["R-UI-07"]


def test_decline_codes_are_not_for_drivers(play: Play) -> None:
    assert warned(play("5 order show declined 0x09")) == ["R-UI-05"]
    assert not warned(play("5 order show please ask your bank"))


def test_a_release_in_silence_is_a_warning(play: Play) -> None:
    void = "302 > CC : Void Session session_id=66\n302 store cancelled 66 0"
    judgement = play(f"{OPEN}\n{void}\n302 {OK}")
    assert judgement.green
    assert warned(judgement) == ["R-NOS-07"]
    told = play(f"{OPEN}\n{void}\n302 {OK}\n303 > CC : UI Request type=info")
    assert not warned(told)


@pytest.mark.parametrize(
    ("script", "claims", "found"),
    [
        ("5 reader psp ENABLED", {}, ["R-STP-08"]),
        ("5 reader psp ENABLED\n6 reader psp WAIT_CARD", {}, []),
        ("5 reader psp ENABLED", {"scanning": "on_plug"}, []),
        ("5 reader psp ENABLED", {"interface": "cps"}, []),
        ("5 reader cps IDLE", {"interface": "cps"}, ["R-STP-08"]),
        ("5 reader cps READING", {"interface": "cps"}, []),
        ("0 life ready\n5 reader psp ENABLED\n6 life killed", {}, []),
        ("0 life ready\n5 reader psp ENABLED", {}, ["R-STP-08"]),
    ],
)
def test_the_terminal_scans_at_the_end(
    play: Play, script: str, claims: dict[str, object], found: list[str]
) -> None:
    assert breaches(play(script, claims=claims)) == found


def test_a_terminal_that_rests_while_a_close_is_owed(play: Play) -> None:
    """Closing comes before new holds; what is wrong is that it stays open."""
    tried = "302 > CC : Void Session session_id=66\n303 reader psp ENABLED"
    assert "R-STP-08" not in breaches(play(f"{OPEN}\n{tried}"))
    assert "R-STP-08" in breaches(play(f"{OPEN}\n303 reader psp ENABLED"))


def test_a_terminal_that_just_came_to_rest_is_not_judged(play: Play) -> None:
    script = '5 reader psp ENABLED\n6 json \'{"kind":"epilogue","event":"ended"}\''
    assert play(script, ended=False).green


def test_what_the_bench_noticed(play: Play) -> None:
    judgement = play("5 finding R-PSP-08 silence")
    assert breaches(judgement) == ["R-PSP-08"]
    assert judgement.findings[0].seen == "silence"


# --- Has the case shown anything? -----------------------------------------------


def test_a_planned_fault_that_missed(play: Play) -> None:
    assert play("5 fault planned f1").conduct is Conduct.INCONCLUSIVE
    assert play("5 fault planned f1\n6 fault hit f1").conduct is Conduct.PASS
    assert play("5 fault planned f1\n6 fault hit f2").conduct is Conduct.INCONCLUSIVE


def test_a_mark_that_was_not_seen(play: Play) -> None:
    wanted = Expectations(must_see=("reserved",))
    assert play("5 order hello", wanted).conduct is Conduct.INCONCLUSIVE
    assert play("5 seen reserved", wanted).conduct is Conduct.PASS


def test_the_number_of_sessions(play: Play) -> None:
    least, exact = Expectations(sessions_at_least=2), Expectations(sessions_exactly=1)
    script = TWO.format(ada=200, bob=100)
    assert play(script, least).green
    assert play(script, exact).conduct is Conduct.FAIL
    assert play("5 order hello", least).conduct is Conduct.INCONCLUSIVE
    assert play("5 order hello", exact).conduct is Conduct.INCONCLUSIVE
    assert play("5 order hello", Expectations(sessions_exactly=0)).green


def test_a_trace_that_was_cut_short(play: Play) -> None:
    assert play("5 order hello", ended=False).conduct is Conduct.ERROR


def test_a_controller_that_was_never_ready(play: Play) -> None:
    assert play("0 life started").conduct is Conduct.ERROR
    assert play("0 life started\n1 life ready").conduct is Conduct.PASS


def test_a_trace_without_a_beginning() -> None:
    ended = {"kind": "epilogue", "event": "ended", "seq": 0, "t_ms": 0}
    unknown = {"kind": "something newer", "seq": 1, "t_ms": 0}
    judgement = judge([ended, unknown])
    assert judgement.conduct is Conduct.ERROR
    assert [f.expected for f in judgement.findings] == [
        "a trace that begins with a run record"
    ]
